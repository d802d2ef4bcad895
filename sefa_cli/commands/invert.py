"""`sefa invert`: the codes of photographs, for `--codes`."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sefa_cli.commands import checks, options
from sefa_cli.commands.console import say, working, wrote
from sefa_cli.errors import SefaError, UsageError

if TYPE_CHECKING:
    from sefa_cli.commands.console import Work
    from sefa_cli.inversion.batch import Batch
    from sefa_cli.inversion.invert import Found


def invert(
    photos: Annotated[
        list[str],
        typer.Argument(
            metavar="PHOTO…", help="Pictures, or folders of pictures. Faces must be aligned."
        ),
    ],
    model: Annotated[
        str,
        typer.Option(
            "--model",
            "-m",
            metavar="MODEL",
            help="A model that `sefa models` lists, a path or an address.",
        ),
    ],
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="CODES.npz", help="The codes to write.")
    ],
    space: Annotated[
        str | None,
        typer.Option(
            metavar="w|w+|z",
            help="w gives all layers one code and edits best; w+ gives each layer its own and "
            "looks more like the photo. Default: w+; z for models without a mapping network.",
        ),
    ] = None,
    passes: Annotated[
        int,
        typer.Option(
            metavar="N", help="Passes for each photo; one costs about as much as 2.5 pictures."
        ),
    ] = 100,
    size: Annotated[
        int, typer.Option(metavar="N", help="Working size in pixels, of the longer side.")
    ] = 256,
    regularize: Annotated[
        float,
        typer.Option(
            metavar="X",
            help="Weight of the distance from the model's mean code and between its layers: "
            "higher values edit better and look less like the photo.",
        ),
    ] = 1e-3,
    loss: Annotated[
        str,
        typer.Option(
            metavar="pixels|lpips",
            help="pixels compares pixels and edges; lpips adds what people see (fetches 64 MB).",
        ),
    ] = "pixels",
    align: options.Align = False,
    face: options.Face = None,
    sheet: Annotated[
        str | None,
        typer.Option(metavar="FILE.png", help="Also write photos and reconstructions as a sheet."),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue an interrupted batch with the same options.")
    ] = False,
    device: options.Device = "auto",
    overwrite: options.Overwrite = False,
    offline: options.Offline = None,
) -> None:
    """Find the codes whose pictures look like photos.

    `sefa edit X.dirs --codes CODES.npz` then edits them. Photos are turned upright and cropped to
    their center. A photo that cannot be read is reported and left out; the exit code is then 1.
    """
    from sefa_cli.discovery.partial import partial_path
    from sefa_cli.files import check_writable
    from sefa_cli.inversion.how import How
    from sefa_cli.inversion.photos import find_photos
    from sefa_cli.rendering.pictures import PICTURE_SUFFIXES, save_picture

    how = How(space, passes, size, regularize, loss, align, face)
    checks.check_device(device)
    checks.check_model(model, offline)
    paths = find_photos(photos)
    if not output.lower().endswith(".npz"):
        raise UsageError(f"cannot write codes to {output}", "a name that ends in .npz")
    if sheet and not sheet.lower().endswith(PICTURE_SUFFIXES):
        raise UsageError(
            f"cannot write a sheet to {sheet}", f"one of {', '.join(PICTURE_SUFFIXES)}"
        )
    for path in map(Path, filter(None, (output, sheet))):
        if path.exists() and any(path.samefile(photo) for photo in paths):
            raise UsageError(f"{path} is one of the photos", "the name of another file")
        check_writable(path, overwrite)
    if not (resume or overwrite) and (kept := partial_path(output)).exists():
        raise SefaError(
            f"{kept} already keeps codes of an interrupted batch",
            remedy="Use --resume to go on, or --overwrite to start again.",
        )
    with working(f"loading {model}") as work:
        from sefa_cli.allocator import keep_blocks
        from sefa_cli.editing.source import load_generator
        from sefa_cli.inversion.batch import Batch
        from sefa_cli.inversion.invert import Inversion, Inverter

        keep_blocks()
        batch = Batch(Inverter(load_generator(model, device, offline), how, offline), paths, output)
        if resume:
            batch.partial.read()
        found = _run(batch, work)
    whole = Inversion(tuple(found), batch.inverter.space)
    whole.save(output, overwrite)
    batch.partial.remove()
    wrote(output)
    if sheet:
        save_picture(sheet, whole.paint_sheet(), overwrite)
        wrote(sheet)
    if len(found) < len(paths):
        missing = len(paths) - len(found)
        raise SefaError(
            f"{missing} of {len(paths)} photos could not be read",
            remedy=f"{output} holds the others.",
        )


def _run(batch: "Batch", work: "Work") -> "list[Found]":
    """Return what is found; say what could not be read, and what an interrupt leaves."""
    passes, count = batch.inverter.how.passes, len(batch.paths)
    advice = "each code is kept when it is found" if count > 1 else ""
    advance = work.begin("inverting", passes * count, "passes", advice)
    found: list[Found] = []
    done = 0  # photos

    def step(name: str, n: int, loss: float) -> None:
        advance.doing = f"{name}, loss {loss:.4f}"
        advance.reach(passes * done + n)

    def refuse(error: SefaError) -> None:
        nonlocal done
        done += 1
        print(f"sefa: {error}", file=sys.stderr)

    try:
        for one in batch.run(step, refuse):
            found.append(one)
            done += 1
            notes = f" ({'; '.join(one.photo.notes)})" if one.photo.notes else ""
            say(f"{one.photo.name}: {one.quality}{notes}")
    except (KeyboardInterrupt, SystemExit) as interrupt:
        if batch.partial.written:
            say(
                f"{batch.partial.path} keeps {len(found)} of {count} codes; run the same command "
                "with --resume to go on"
            )
            interrupt.add_note("codes were kept")
        raise
    if not found:
        raise SefaError("no photo could be read", "at least one picture")
    return found
