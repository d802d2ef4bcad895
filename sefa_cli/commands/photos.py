"""`--photo`: an edit that starts from the code of a photograph."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from sefa_cli.commands import options
from sefa_cli.commands.console import say, working
from sefa_cli.errors import UsageError

if TYPE_CHECKING:
    from sefa_cli.bundle.bundle import Bundle
    from sefa_cli.rendering.options import PictureOptions


@dataclass(frozen=True, kw_only=True)
class Photos:
    """The photographs that an edit starts from."""

    photo: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILE",
            help="Start from the code of this photograph, found as `sefa invert` does and kept. "
            "May be repeated.",
        ),
    ] = None
    align: options.Align = False
    face: options.Face = None


def start_from_photos(bundle: "Bundle", own: Photos, how: "PictureOptions") -> None:
    """Put the codes of photos, and the generator that found them, into the options of an edit.

    Codes are kept in the cache: the second edit of a photo starts at once. Raises UsageError if
    the options name other codes, SefaError for a photo that cannot be read.
    """
    if not own.photo:
        if own.align or own.face is not None:
            raise UsageError("--align and --face have no effect without --photo")
        return
    for option in ("seeds", "codes"):
        if how.get(option) is not None:
            raise UsageError(f"--photo and --{option} cannot be used together")
    from sefa_cli.inversion.how import How
    from sefa_cli.inversion.photos import find_photos

    way = How(align=own.align, face=own.face)
    paths = find_photos(own.photo)
    with working("loading the model") as work:
        from sefa_cli.allocator import keep_blocks
        from sefa_cli.editing.source import generator_for
        from sefa_cli.inversion.invert import Inverter
        from sefa_cli.inversion.remembered import codes_of

        keep_blocks()
        generator = generator_for(
            bundle, how.get("model"), how.get("beside"), device=how.get("device", "auto"),
            any_model=how.get("any_model", False), offline=how.get("offline"),
        )  # fmt: skip
        inverter = Inverter(generator, way, how.get("offline"))
        passes = inverter.how.passes
        advice = "the next edit of a photo starts at once"
        advance = work.begin("inverting", passes * len(paths), "passes", advice)
        met: list[str] = []

        def step(name: str, done: int, loss: float) -> None:
            if name not in met:
                met.append(name)
            advance.doing = f"{name}, loss {loss:.4f}"
            advance.reach(passes * (len(met) - 1) + done)

        found = codes_of(paths, inverter, step)
    how["codes"], how["model"] = found, generator
    if len(met) < len(paths):
        say("codes of photos are taken from the cache", level=1)
