"""Films between codes: from one face to another, or along the key frames of a storyboard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from sefa_cli.allocator import keep_blocks
from sefa_cli.arguments import public_with
from sefa_cli.editing.mixing import check_source, parse_mix
from sefa_cli.editing.storyboard import Key, Storyboard
from sefa_cli.errors import UsageError
from sefa_cli.rendering.film import FILMS, Film, FilmOptions, way_of
from sefa_cli.rendering.film_frames import Captions
from sefa_cli.rendering.options import PICTURES, RenderOptions, view_of
from sefa_cli.rendering.pictures import Picture
from sefa_cli.rendering.scene import Scene, check_scene
from sefa_cli.rendering.sweeps import check_frames, frame_alphas

if TYPE_CHECKING:
    import torch

    from sefa_cli.editing.mixing import Source
    from sefa_cli.generators.base import Generator

    Model = str | Path | Generator

Stop = tuple[int, float]  # between which keys, and the part of the way from the first


class JourneyOptions(RenderOptions, FilmOptions, total=False):
    """The keyword arguments of `interpolate` and `film`: those of pictures and of films.

    Seeds and codes must be None, because the key frames have theirs.

    Example:
        >>> how: sefa.JourneyOptions = {"size": 16, "fps": 12, "device": "cpu"}
        >>> sefa.interpolate(tiny, 3, 7, frames=3, **how)[0].size
        (16, 16)
    """


@public_with(**PICTURES, **FILMS)
def interpolate(
    model: str | Path | Generator,
    first: Source,
    last: Source,
    frames: int = 48,
    **options: Unpack[JourneyOptions],
) -> Film:
    """Return the frames of a film from one face to another.

    In w the way is straight. In z it is an arc, on which z keeps its length.

    Args:
        model: A zoo name, a path, a URL, or a generator from `load_generator`.
        first: A seed, or a code: an array, or a file such as `"face.npz"`, or `"face.npz:2"`
            for its code 2.
        last: Another one.
        frames: The number of frames, at least 2.
        **options: What to render and how: see [sefa_cli.RenderOptions][] and
            [sefa_cli.FilmOptions][]. Pictures have at most 512 pixels unless `size` is given.

    Returns:
        The frames, rendered on demand.

    Raises:
        UsageError: An option is not valid.
        SefaError: The model or a file of codes cannot be read.

    Source: Karras et al., CVPR 2019, section 4.1.

    Example:
        >>> film = sefa.interpolate(tiny, 3, 7, frames=5, device="cpu")
        >>> film
        <Film of 5 frames, 0.20 s at 25 frames a second>
        >>> film[2].size
        (32, 32)
    """
    _check(options)
    check_frames(frames)
    check_source(first)
    check_source(last)
    parts = frame_alphas((0, 1), frames, *way_of(options)).tolist()
    mix = options.get("mix_from")
    keys = (Key(0, first, mix), Key(1, last, mix))
    return _journey(model, keys, [(0, part) for part in parts], options)


@public_with(**PICTURES, **{**FILMS, "ease": None})
def film(
    storyboard: Storyboard | Path | str,
    model: str | Path | Generator | None = None,
    *,
    any_model: bool = False,
    **options: Unpack[JourneyOptions],
) -> Film:
    """Return the frames of a film along the key frames of a storyboard.

    Args:
        storyboard: A storyboard, or the path of its file.
        model: The model. Default: the storyboard's, or that of its bundles.
        any_model: Accept a `model` with another fingerprint.
        **options: As for `interpolate`. `ease` acts between each two key frames. Default: the
            storyboard's.

    Returns:
        The frames, rendered on demand.

    Raises:
        UsageError: An option is not valid, or no model is named.
        MismatchError: A bundle belongs to another model.
        SefaError: A file or the model cannot be read.

    Example:
        >>> story = sefa.Storyboard((sefa.Key(0, 3), sefa.Key(0.5, 7), sefa.Key(1, 3)))
        >>> sefa.film(story, tiny, device="cpu", fps=8)
        <Film of 9 frames, 1.12 s at 8 frames a second>
    """
    _check(options)
    if options.get("mix_from") is not None:
        raise UsageError("mix_from with a storyboard", "mix_from in its key frames")
    story = storyboard if isinstance(storyboard, Storyboard) else Storyboard.load(storyboard)
    for key in story.keys:
        check_source(key.source)
        if key.mix_from is not None:
            parse_mix(key.mix_from)
    if options.get("ease") is None:
        options["ease"] = story.ease
    bounce, ease, rest = way_of(options)
    there = _stops(story.keys, options.get("fps", FILMS["fps"]), ease)
    stops = [there[0]] * rest + there + [there[-1]] * rest
    stops += there[-2:0:-1] if bounce else []
    opened = _open_model(story, model, any_model, options)
    return _journey(opened, story.keys, stops, options)


def _open_model(
    story: Storyboard, model: Model | None, any_model: bool, options: JourneyOptions
) -> Generator:
    """Return the model of a storyboard, checked by the fingerprints of its bundles."""
    from sefa_cli.editing.source import generator_for, load_generator

    model = story.model if model is None else model
    device, offline = options.get("device", PICTURES["device"]), options.get("offline")
    if story.parts:
        own, file = story.parts[0].bundle, Path(story.parts[0].file)
        return generator_for(own, model, file, device=device, any_model=any_model, offline=offline)
    if model is None:
        raise UsageError("a storyboard without a model", 'the line model = "mobilestylegan_ffhq"')
    return load_generator(model, device, offline)


@dataclass(frozen=True, eq=False, repr=False)
class Journey(Film):
    """A film along codes.

    Attributes:
        scene: The generator and the view.
        codes: The code of each key frame, `(1, layers, dim)` or `(1, dim)`.
        names: The name of each, for captions.
        shots: For each frame, between which two keys it lies, and where.
        fps: Frames per second.
        captions: Whether each frame says between which keys it lies.
    """

    scene: Scene
    codes: Sequence[torch.Tensor]
    names: Sequence[str]
    shots: Sequence[Stop]
    fps: float = 25
    captions: bool = False

    def frame(self, shot: Stop) -> Picture:
        """Return one frame, with its caption if asked for."""
        from sefa_cli.editing.mixing import between

        at, part = shot
        generator, last = self.scene.generator, min(at + 1, len(self.codes) - 1)
        code = between(self.codes[at], self.codes[last], part, generator.space)
        number = self.scene.start.numbers[0]
        (picture,) = self.view.pictures(generator, code, [number])
        if not self.captions:
            return picture
        height, width = picture.shape[:2]
        room = Captions.for_texts(self._texts, width, height)
        return room.under(picture, self._caption(shot))

    @cached_property
    def _texts(self) -> frozenset[str]:
        """All captions of the film; the space under a picture fits each of them."""
        return frozenset(map(self._caption, self.shots))

    def _caption(self, shot: Stop) -> str:
        at, part = shot
        if part in (0, 1):
            return self.names[at + int(part)]
        return f"{self.names[at]} to {self.names[at + 1]}  {part:.0%}"


def _check(options: JourneyOptions) -> None:
    for name in ("seeds", "codes"):
        if options.get(name) is not None:
            raise UsageError(f"{name} with a film between codes", "the seeds of its key frames")
    check_scene(options)  # an option that is not valid is refused before the model is read


def _stops(keys: Sequence[Key], fps: float, ease: str) -> list[Stop]:
    """Return the stop of each frame: frame i is at i / fps seconds, the last at the last key."""
    stops: list[Stop] = []
    for i in range(len(keys) - 1):
        first, last = round(keys[i].at * fps), round(keys[i + 1].at * fps)
        parts = frame_alphas((0, 1), max(last - first, 1) + 1, ease=ease).tolist()
        stops += [(i, part) for part in parts[:-1]]
    return [*stops, (len(keys) - 2, 1.0)]


def _journey(
    model: Model,
    keys: Sequence[Key],
    stops: Sequence[Stop],
    options: JourneyOptions,
) -> Journey:
    from sefa_cli.editing.source import load_generator
    from sefa_cli.editing.start import Start
    from sefa_cli.generators.inputs import as_size

    keep_blocks()
    device, offline = options.get("device", PICTURES["device"]), options.get("offline")
    generator = load_generator(model, device, offline)
    as_size(options.get("size"), generator.resolution)
    how = options.get("truncation"), options.get("label"), options.get("truncation_layers")
    codes = [key.code(generator, *how) for key in keys]
    if all(code.equal(codes[0]) for code in codes):
        raise UsageError("nothing moves: all key frames show the same face", "two that differ")
    scene = Scene(generator, Start(codes[0], (0,), "code"), view_of(options))
    given: JourneyOptions = {**FILMS, **options}
    names = [key.name for key in keys]
    return Journey(scene, codes, names, stops, given["fps"], given["captions"])
