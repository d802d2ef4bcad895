"""Films of directions, swept from one step to another."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Unpack

from sefa_cli.arguments import public_with
from sefa_cli.bundle.bundle import Bundle
from sefa_cli.editing.moves import FARTHEST, Move, stops_of
from sefa_cli.ranges import check_indices
from sefa_cli.rendering.edits import Edits
from sefa_cli.rendering.film import FILMS, Film, FilmOptions, way_of
from sefa_cli.rendering.film_frames import Captions, gap_of, one_below_another, side_by_side
from sefa_cli.rendering.films import check_film_path
from sefa_cli.rendering.gallery import Progress
from sefa_cli.rendering.options import PICTURES, PictureOptions
from sefa_cli.rendering.pictures import Picture
from sefa_cli.rendering.scene import Scene, bundle_of, open_scene_of
from sefa_cli.rendering.sweeps import Shot, check_frames, frame_alphas, shots

Names = str | int | Iterable[str | int]  # "0-2,smile", 3 or [0, "smile"]
Span = Sequence[float] | str  # (-3, 3), "-3:3" or "auto"


class SweepOptions(PictureOptions, FilmOptions, total=False):
    """The keyword arguments of `sweep` and `animate`, all optional.

    They are also those of `PictureOptions` and `FilmOptions`.

    Attributes:
        frames: Number of frames from one end of a sweep to the other, at least 2. Default: 48.
        arrange: "rows" sweeps all directions at once, stacked; "sequence" sweeps them in turn.
            Default: "rows".

    Example:
        >>> how: sefa.SweepOptions = {"frames": 3, "arrange": "sequence", "model": tiny}
        >>> len(sefa.sweep(sefa.factorize(tiny), "0-1", (-2, 2), device="cpu", **how))
        6
    """

    frames: int
    arrange: str


SWEEPS: SweepOptions = {**PICTURES, **FILMS, "frames": 48, "arrange": "rows"}


@public_with(**SWEEPS, seeds=0)
def sweep(
    bundle: Bundle | Path | str,
    directions: Names,
    span: Span = "auto",
    **options: Unpack[SweepOptions],
) -> Film:
    """Return the frames of a film that sweeps directions from one step to another.

    Args:
        bundle: A bundle, or the path of its file.
        directions: Indices, ranges and labels, such as `"0-2,smile"` or `[0, "smile"]`.
        span: The first and last step α, in units of the latent, as `(-3, 3)` or `"-3:3"`. More
            than two are passed in turn: `"0,3,-3,0"`. Default: "auto", two suggested steps to
            both sides of each direction (see `Bundle.step`).
        **options: What to render and how: see [sefa_cli.SweepOptions][]. Seeds appear side by
            side; the default is seed 0. Pictures have at most 512 pixels unless `size` is given.

    Returns:
        The frames, rendered on demand.

    Raises:
        UsageError: A direction does not exist, or an option is not valid.
        MismatchError: The bundle belongs to another model.
        SefaError: The model or the bundle cannot be read.

    Example:
        >>> film = sefa.sweep(sefa.factorize(tiny), 0, frames=5, model=tiny, device="cpu")
        >>> film
        <Film of 5 frames, 0.20 s at 25 frames a second>
        >>> film[2].size
        (32, 32)
    """
    given: SweepOptions = {**SWEEPS, **options}
    check_frames(given["frames"])
    bundle = bundle_of(bundle, options)
    one = isinstance(directions, str) or not isinstance(directions, Iterable)
    words: Any = [directions] if one else directions
    ks = check_indices([k for word in words for k in bundle.indices(word)], "direction")
    auto = isinstance(span, str) and span == "auto"
    alphas = frame_alphas(
        (-FARTHEST, FARTHEST) if auto else stops_of(span),
        given["frames"],
        *way_of(options),
    )
    units = [bundle.step(k) for k in ks] if auto else None
    film = shots(ks, alphas.tolist(), given["arrange"], units)
    scene = open_scene_of(bundle, options)
    return SweepFilm(Edits(scene, bundle), film, given["fps"], given["captions"])


@public_with(**SWEEPS, seeds=0)
def animate(
    bundle: Bundle | Path | str,
    directions: Names,
    path: Path | str,
    span: Span = "auto",
    *,
    overwrite: bool = False,
    loop: bool = True,
    progress: Progress | None = None,
    **options: Unpack[SweepOptions],
) -> Path:
    """Write a film that sweeps directions from one step to another.

    Args:
        bundle: A bundle, or the path of its file.
        directions: Indices, ranges and labels, such as `"0-2,smile"` or `[0, "smile"]`.
        path: A .gif, .mp4, .mov, .webm, .webp or .apng file, or a folder for PNG frames (a name
            without suffix).
        span: The first and last step α, in units of the latent. Default: "auto", as in `sweep`.
        overwrite: Replace an existing film.
        loop: Repeat GIF, WebP and APNG forever.
        progress: Called after each frame.
        **options: What to render and how: see [sefa_cli.SweepOptions][].

    Returns:
        The path.

    Raises:
        UsageError: A direction does not exist, or an option is not valid.
        MismatchError: The bundle belongs to another model.
        SefaError: The model or the bundle cannot be read, or the film cannot be written.

    Example:
        >>> bundle = sefa.factorize(tiny)
        >>> sefa.animate(bundle, 0, "film.gif", (0, 4), frames=3, model=tiny, device="cpu").name
        'film.gif'
    """
    check_film_path(path, overwrite, options.get("fps", SWEEPS["fps"]))
    return sweep(bundle, directions, span, **options).save(path, overwrite, loop, progress)


@dataclass(frozen=True, eq=False, repr=False)
class SweepFilm(Film):
    """A sweep: one row per direction, with the codes side by side.

    Attributes:
        edits: The generator, the codes and the directions.
        shots: The content of each frame: (direction, α) for each row.
        fps: Frames per second.
        captions: Whether each row is captioned with its direction and α.
    """

    edits: Edits
    shots: Sequence[Shot]
    fps: float = 25
    captions: bool = False

    @property
    def scene(self) -> Scene:  # type: ignore[override]
        """The generator, the codes and the view."""
        return self.edits.scene

    @cached_property
    def _texts(self) -> frozenset[str]:
        """All captions of the film; the space under a row fits each of them."""
        return frozenset(self._caption(step) for shot in self.shots for step in shot)

    def frame(self, shot: Shot) -> Picture:
        """Return one frame: its rows, with captions if asked for."""
        rows = [self._row(step) for step in shot]
        side, width = rows[0].shape[:2]
        if self.captions:
            room = Captions.for_texts(self._texts, width, side)
            pairs = zip(rows, shot, strict=True)
            rows = [room.under(row, self._caption(step)) for row, step in pairs]
        return one_below_another(rows, gap_of(side))

    def _row(self, step: tuple[int, float]) -> Picture:
        return side_by_side(list(self.edits.render(Move((step,)), self.view)))

    def _caption(self, step: tuple[int, float]) -> str:
        k, alpha = step
        return f"{self.edits.direction_name(k)}  α {round(alpha, 2) + 0.0:+.2f}"
