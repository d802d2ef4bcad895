"""A film: its frames rendered one by one, and written to a file."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypedDict

from PIL import Image

from sefa_cli.arguments import public
from sefa_cli.rendering.film_frames import side_by_side
from sefa_cli.rendering.films import timing, write_film
from sefa_cli.rendering.gallery import Progress, checked_index
from sefa_cli.rendering.pictures import Picture, png, to_image
from sefa_cli.rendering.scene import Scene
from sefa_cli.rendering.sweeps import rest_frames
from sefa_cli.rendering.view import View

_KEPT = 256 * 2**20  # bytes of frames that will be shown again
_LARGEST = 512  # pixels of a picture unless a size is asked for


class FilmOptions(TypedDict, total=False):
    """The keyword arguments of all functions that make films.

    Attributes:
        fps: Frames per second, at least 0.01. Default: 25.
        bounce: Play forward and back, for a seamless loop.
        hold: How long to hold each end, in seconds from 0 to 3600. Default: 0.
        ease: "linear", or "smooth" to slow down at both ends. Default: "linear", or what the
            storyboard says.
        captions: Write under each row what it shows.

    Example:
        >>> how: sefa.FilmOptions = {"fps": 12, "bounce": True}
        >>> len(sefa.interpolate(tiny, 3, 7, frames=4, device="cpu", **how))
        6
    """

    fps: float
    bounce: bool
    hold: float
    ease: str | None
    captions: bool


FILMS: FilmOptions = {"fps": 25, "bounce": False, "hold": 0, "ease": "linear", "captions": False}


def way_of(options: FilmOptions) -> tuple[bool, str, int]:
    """Return whether a film comes back, its ease, and the frames that rest at each end."""
    given: FilmOptions = {**FILMS, **options}
    ease = "linear" if given["ease"] is None else given["ease"]
    return given["bounce"], ease, rest_frames(given["hold"], given["fps"])


class Film(ABC):
    """The frames of a film.

    `len(film)` is the number of frames, `film[0]` is a Pillow image, and iterating renders the
    frames in order. A notebook shows five of them.

    Attributes:
        scene: The generator, and how to render pictures.
        shots: The content of each frame; equal ones show the same picture.
        fps: Frames per second.

    Example:
        >>> film = sefa.interpolate(tiny, 3, 7, frames=3, device="cpu")
        >>> len(film), film[-1].size, [frame.mode for frame in film]
        (3, (32, 32), ['RGB', 'RGB', 'RGB'])
    """

    scene: Scene
    shots: Sequence[Any]
    fps: float

    def __len__(self) -> int:
        return len(self.shots)

    def __repr__(self) -> str:
        seconds = len(self) / self.fps
        return f"<Film of {len(self):,} frames, {seconds:.2f} s at {self.fps:g} frames a second>"

    def __getitem__(self, i: int) -> Image.Image:
        """Return frame `i` as a Pillow image; −1 is the last.

        Raises:
            IndexError: The frame does not exist.
            TypeError: It is not an index.
        """
        return to_image(self.frame(self.shots[checked_index(i, len(self), "frame")]))

    def __iter__(self) -> Iterator[Image.Image]:
        """Render the frames in order."""
        return map(to_image, self.frames())

    @property
    def view(self) -> View:
        """How its pictures are rendered."""
        return self.scene.view.at_most(self.scene.generator, _LARGEST)

    @property
    def about(self) -> str:
        """The size of its pictures, and whether they are exact, in words."""
        return self.view.about(self.scene.generator)

    def timing(self, path: Path | str) -> tuple[str, bool]:
        """Return the film's duration in words, and whether the format has to round it."""
        return timing(path, len(self), self.fps)

    def frames(self) -> Iterator[Picture]:
        """Yield the frames in order, uint8 `(height, width, channels)`."""
        # One that appears again, on the way back or while an end is held, is rendered once.
        to_come = Counter(self.shots)
        kept: dict[Hashable, Picture] = {}
        for shot in self.shots:
            to_come[shot] -= 1
            frame = kept.pop(shot, None)
            if frame is None:
                frame = self.frame(shot)
            if to_come[shot] and (len(kept) + 1) * frame.nbytes <= _KEPT:
                kept[shot] = frame
            yield frame

    @public
    def save(
        self,
        path: Path | str,
        overwrite: bool = False,
        loop: bool = True,
        progress: Progress | None = None,
        watch: Callable[[Iterable[Picture]], Iterable[Picture]] = iter,
    ) -> Path:
        """Write the film.

        Args:
            path: A .gif, .mp4, .mov, .webm, .webp or .apng file, or a folder for PNG frames (a
                name without suffix).
            overwrite: Replace an existing film.
            loop: Repeat GIF, WebP and APNG forever.
            progress: Called after each frame.
            watch: Wraps the stream of frames on its way to the file.

        Returns:
            The path.

        Raises:
            UsageError: The suffix or the frame rate is not valid.
            SefaError: The file exists or cannot be written.

        Example:
            >>> film = sefa.interpolate(tiny, 3, 7, frames=3, device="cpu")
            >>> film.save("way.gif").name
            'way.gif'
        """
        return write_film(
            path, watch(self.frames()), self.fps, overwrite, loop, len(self), progress
        )

    def _repr_png_(self) -> bytes:
        """Return five frames side by side as PNG, for notebooks."""
        places = sorted({round(i * (len(self) - 1) / 4) for i in range(5)})
        return png(side_by_side([self.frame(self.shots[i]) for i in places]))

    @abstractmethod
    def frame(self, shot: Any) -> Picture:
        """Return the frame of a shot, uint8 `(height, width, channels)`."""
