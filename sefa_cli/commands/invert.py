"""`sefa invert`: the codes of photographs, for `--codes`."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sefa_cli.commands import checks, options
from sefa_cli.commands.console import say, working, wrote
from sefa_cli.errors import SefaError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sefa_cli.commands.console import Work
    from sefa_cli.inversion.batch import Batch
    from sefa_cli.inversion.invert import Found
    from sefa_cli.parts import Shard


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
    shard: options.Shard = None,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Continue an interrupted batch with the same options. With --shard, also start "
            "one, and leave a part alone that is done.",
        ),
    ] = False,
    device: options.Device = "auto",
    overwrite: options.Overwrite = False,
    offline: options.Offline = None,
) -> None:
    """Find the codes whose pictures look like photos.

    `sefa edit X.dirs --codes CODES.npz` then edits them. Photos are turned upright and cropped to
    their center. A photo that cannot be read is reported and left out; the exit code is then 1.
    """
    from sefa_cli.inversion.how import How
    from sefa_cli.inversion.photos import find_photos

    how = How(space, passes, size, regularize, loss, align, face)
    checks.check_device(device)
    checks.check_model(model, offline)
    paths = find_photos(photos)
    own = options.parse_shard(shard)
    if options.is_done(own, output, resume):
        return
    _check_files(paths, output, own, sheet, overwrite, resume)
    with working(f"loading {model}") as work:
        from sefa_cli.allocator import keep_blocks
        from sefa_cli.editing.source import load_generator
        from sefa_cli.inversion.batch import Batch
        from sefa_cli.inversion.invert import Inverter

        keep_blocks()
        inverter = Inverter(load_generator(model, device, offline), how, offline)
        batch = Batch(inverter, paths, output, own)
        if resume and (own is None or batch.partial.path.exists()):
            batch.partial.read()
        found = _run(batch, work)
    _save(batch, found, sheet, overwrite)


def _check_files(
    paths: "Sequence[Path]",
    output: str,
    shard: "Shard | None",
    sheet: str | None,
    overwrite: bool,
    resume: bool,
) -> None:
    """Refuse what cannot be written, before anything is looked for."""
    from sefa_cli.discovery.partial import partial_path
    from sefa_cli.files import check_writable
    from sefa_cli.rendering.pictures import PICTURE_SUFFIXES

    if not output.lower().endswith(".npz"):
        raise UsageError(f"cannot write codes to {output}", "a name that ends in .npz")
    if sheet and not sheet.lower().endswith(PICTURE_SUFFIXES):
        raise UsageError(
            f"cannot write a sheet to {sheet}", f"one of {', '.join(PICTURE_SUFFIXES)}"
        )
    written = Path(output)
    if shard is not None:
        shard.share(len(paths))
        written = shard.path(output)
        if sheet:
            raise UsageError("--shard and --sheet cannot be used together")
    for path in [written] if sheet is None else [written, Path(sheet)]:
        if path.exists() and any(path.samefile(photo) for photo in paths):
            raise UsageError(f"{path} is one of the photos", "the name of another file")
        check_writable(path, overwrite)
    if not (resume or overwrite) and (kept := partial_path(written)).exists():
        raise SefaError(
            f"{kept} already keeps codes of an interrupted batch",
            remedy="Use --resume to go on, or --overwrite to start again.",
        )


def _save(batch: "Batch", found: "list[Found]", sheet: str | None, overwrite: bool) -> None:
    """Write the codes, or of a shard the part, and the sheet."""
    from sefa_cli.inversion.invert import Inversion
    from sefa_cli.rendering.pictures import save_picture

    if batch.shard is not None:  # `merge` tells which photos are missing
        batch.part(found).save(batch.output, overwrite)
        batch.partial.remove()
        wrote(batch.output)
        return
    whole = Inversion(tuple(found), batch.inverter.space)
    whole.save(batch.output, overwrite)
    batch.partial.remove()
    wrote(batch.output)
    if sheet:
        save_picture(sheet, whole.paint_sheet(), overwrite)
        wrote(sheet)
    say_missing(len(batch.paths) - len(found), len(batch.paths), batch.output)


def say_missing(missing: int, count: int, output: Path | str) -> None:
    """Raise SefaError if photos are missing in the output."""
    if missing:
        raise SefaError(
            f"{missing} of {count} photos could not be read", remedy=f"{output} holds the others."
        )


def _run(batch: "Batch", work: "Work") -> "list[Found]":
    """Return what is found; say what could not be read, and what an interrupt leaves."""
    passes, count = batch.inverter.how.passes, len(batch.share)
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
    if not found and batch.shard is None:
        raise SefaError("no photo could be read", "at least one picture")
    return found
