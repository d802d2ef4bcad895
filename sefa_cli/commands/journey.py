"""The films of `sefa animate` between faces: `--from`, `--to` and `--storyboard`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sefa_cli.commands import checks
from sefa_cli.commands.picture_options import BundleFile, Look, Start, render_options
from sefa_cli.errors import UsageError

if TYPE_CHECKING:
    from sefa_cli.bundle.bundle import Bundle
    from sefa_cli.rendering.film import Film, FilmOptions
    from sefa_cli.rendering.journeys import JourneyOptions


@dataclass(frozen=True)
class Wish:
    """A film, its options read and checked."""

    model: str  # as it is named while it is loaded
    make: "Callable[[], Film]"
    check: "Callable[[], object]" = lambda: None  # raises SefaError if photos could not be read


def journey_of(
    bundle_file: BundleFile,
    ends: tuple[str | None, str | None],
    storyboard: str | None,
    frames: int | None,
    others: Mapping[str, Any],
    start: Start,
    look: Look,
    way: "FilmOptions",
) -> Wish:
    """Return the film between faces that the options ask for.

    `others` are options that have no effect on it. Raises SefaError for options that are not valid.
    """
    option = "--storyboard" if storyboard else "--from" if ends[0] else "--to"
    others = {**others, "--layers": start.layers, "--codes": start.codes}
    if storyboard:
        others |= {"--from": ends[0], "--to": ends[1], "--frames": frames}
        others |= {"--mix-from": start.mix_from}
    for name, value in others.items():
        if value is not None:
            raise UsageError(f"{name} and {option} cannot be used together")
    how: JourneyOptions = {**render_options(None, look), **way}
    dirs, model = _bundle_or_model(bundle_file, start)
    if storyboard:
        return _along(storyboard, dirs, model, start, how)
    return _between(ends, frames, dirs, model, start, how)


def _between(
    ends: tuple[str | None, str | None],
    frames: int | None,
    dirs: str | None,
    model: str | None,
    start: Start,
    how: "JourneyOptions",
) -> Wish:
    from sefa_cli.editing.mixing import parse_source

    first, last = ends
    if first is None or last is None:
        raise UsageError("--from and --to need each other", "--from 3 --to 7")
    if parse_source(first) == parse_source(last):
        raise UsageError("nothing moves: --from and --to name the same face", "two that differ")
    if dirs is None and model is None:
        raise UsageError("--from and --to need a model", "sefa animate mobilestylegan_ffhq")
    bundle = _load(dirs)
    how["mix_from"] = start.mix_from

    def check(sizes: Mapping[str, Any]) -> None:
        checks.check_mix(start.mix_from, sizes)
        for end in (first, last):
            checks.check_source(end, sizes)

    if model is not None:
        checks.check_model(model, how.get("offline"), lambda checkpoint: check(checkpoint.config))
    elif bundle:
        check({**bundle.model, "space": "z" if bundle.space == "z" else "w"})

    def make() -> "Film":
        from sefa_cli.rendering.journeys import interpolate

        generator = _generator(bundle, dirs, model, start, how)
        return interpolate(generator, first, last, 48 if frames is None else frames, **how)

    return Wish(model or str(bundle and bundle.model["ref"]), make)


def _along(
    storyboard: str, dirs: str | None, model: str | None, start: Start, how: "JourneyOptions"
) -> Wish:
    from sefa_cli.editing.storyboard import Storyboard

    story = Storyboard.load(storyboard, dirs)
    bundle = story.parts[0].bundle if story.parts else _load(dirs)
    file = story.parts[0].file if story.parts else dirs
    model = model or story.model
    if model is None and bundle is None:
        raise UsageError(
            f"{storyboard} names no model and no bundle", 'the line model = "mobilestylegan_ffhq"'
        )

    def make() -> "Film":
        from sefa_cli.rendering.journeys import film

        generator = _generator(bundle, file, model, start, how)
        return film(story, generator, any_model=start.any_model, **how)

    return Wish(model or str(bundle and bundle.model["ref"]), make)


def _bundle_or_model(bundle_file: BundleFile, start: Start) -> tuple[str | None, str | None]:
    """Return the bundle's file and the model that were named. A model may stand for the bundle."""
    named = bundle_file.path if bundle_file.is_named else None
    if named is None or named == "-" or Path(named).suffix == ".dirs":
        if start.any_model and start.model is None:
            raise UsageError("--any-model has no effect without --model")
        if start.model is not None:
            checks.check_model(start.model)
        return named, start.model
    if start.model is not None:
        raise UsageError(f"two models are named: {named} and {start.model}", "one")
    checks.check_model(named)
    return None, named


def _load(dirs: str | None) -> "Bundle | None":
    from sefa_cli.bundle.bundle import Bundle

    return None if dirs is None else Bundle.load(dirs)


def _generator(
    bundle: "Bundle | None",
    dirs: str | None,
    model: str | None,
    start: Start,
    how: "JourneyOptions",
) -> Any:
    """Return the generator of the bundle, or of the model alone."""
    from sefa_cli.allocator import keep_blocks
    from sefa_cli.commands.options import folder_of
    from sefa_cli.editing.source import generator_for, load_generator

    keep_blocks()
    device, offline = how.get("device", "auto"), how.get("offline")
    if bundle is None or dirs is None:
        return load_generator(str(model), device, offline)
    return generator_for(
        bundle, model, folder_of(dirs), device=device, any_model=start.any_model, offline=offline
    )
