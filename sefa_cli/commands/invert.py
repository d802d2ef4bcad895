"""`sefa invert`: the codes of photographs, for `--codes`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sefa_cli.commands import checks, options
from sefa_cli.commands.console import say, working, wrote
from sefa_cli.commands.photo_page import PageOptions, invert_command
from sefa_cli.commands.photos import Told
from sefa_cli.errors import SefaError, UsageError

if TYPE_CHECKING:
    from sefa_cli.generators.base import Generator
    from sefa_cli.inversion.batch import Batch, Outcome
    from sefa_cli.inversion.page import Edits, PhotoPage


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
    page: PageOptions,
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
    their center. CODES.csv says how near each code comes, and how long it took. A photo that cannot
    be read is reported and left out; the exit code is then 1.
    """
    from sefa_cli.inversion.how import How
    from sefa_cli.rendering.pictures import save_picture

    how = How(space, passes, size, regularize, align, face)
    checks.check_device(device)
    checks.check_model(model, offline)
    paths, table = _checked(photos, output, sheet, resume, overwrite)
    edits = page.edits(overwrite)
    with working(f"loading {model}") as work:
        from sefa_cli.allocator import keep_blocks
        from sefa_cli.editing.source import generator_for, load_generator
        from sefa_cli.inversion.batch import Batch
        from sefa_cli.inversion.invert import Inversion, Inverter
        from sefa_cli.inversion.page import PhotoPage
        from sefa_cli.inversion.table import save_table

        keep_blocks()
        generator = load_generator(model, device, offline)
        if edits:
            generator_for(edits.bundle, generator)  # refuses another model
        batch = Batch(Inverter(generator, how, offline), paths, output)
        if resume:
            batch.partial.read()
        told = Told(
            work, passes, len(paths), "each code is kept when it is found" if len(paths) > 1 else ""
        )
        outcomes = _run(batch, told)
    found = tuple(one.result for one in outcomes if not isinstance(one.result, SefaError))
    whole = Inversion(found, batch.inverter.space)
    whole.save(output, overwrite)
    save_table(table, outcomes, overwrite)
    batch.partial.remove()
    wrote(output)
    wrote(table)
    if sheet:
        save_picture(sheet, whole.paint_sheet(), overwrite)
        wrote(sheet)
    if page.report:
        again = invert_command(photos, model, output, how, page)
        shown = PhotoPage(page.report, outcomes, again, model, overwrite)
        _write_page(shown, edits, generator, output)
    told.check_all(f"{output} holds the others.")


def _write_page(
    page: "PhotoPage", edits: "Edits | None", generator: "Generator", codes: str
) -> None:
    with working("writing the page") as work:
        begin = lambda total: work.begin("rendering", total, "pictures")  # noqa: E731
        wrote(page.write_edited(edits, generator, codes, begin) if edits else page.write())


def _checked(
    photos: list[str], output: str, sheet: str | None, resume: bool, overwrite: bool
) -> tuple[list[Path], Path]:
    """Return the photos' files and the table's; refuse early what could not be written."""
    from sefa_cli.discovery.partial import partial_path
    from sefa_cli.files import check_writable
    from sefa_cli.inversion.photos import find_photos
    from sefa_cli.rendering.pictures import PICTURE_SUFFIXES

    paths = find_photos(photos)
    if not output.lower().endswith(".npz"):
        raise UsageError(f"cannot write codes to {output}", "a name that ends in .npz")
    if sheet and not sheet.lower().endswith(PICTURE_SUFFIXES):
        raise UsageError(
            f"cannot write a sheet to {sheet}", f"one of {', '.join(PICTURE_SUFFIXES)}"
        )
    table = Path(output).with_suffix(".csv")
    for path in (Path(output), table, *([Path(sheet)] if sheet else [])):
        if path.exists() and any(path.samefile(photo) for photo in paths):
            raise UsageError(f"{path} is one of the photos", "the name of another file")
        check_writable(path, overwrite)
    if not (resume or overwrite) and (kept := partial_path(output)).exists():
        raise SefaError(
            f"{kept} already keeps codes of an interrupted batch",
            remedy="Use --resume to go on, or --overwrite to start again.",
        )
    return paths, table


def _run(batch: "Batch", told: Told) -> "list[Outcome]":
    """Return what becomes of each photo; say so, and what an interrupt leaves."""
    outcomes: list[Outcome] = []
    try:
        for one in batch.run(told.step):
            outcomes.append(one)
            if isinstance(one.result, SefaError):
                told.refuse(one.result)
                continue
            if one.name not in told.searched:
                told.skip()
            found = one.result
            notes = f" ({'; '.join(found.photo.notes)})" if found.photo.notes else ""
            say(f"{one.name}: loss {found.loss:.4f}, {found.psnr:.1f} dB{notes}")
    except (KeyboardInterrupt, SystemExit) as interrupt:
        if batch.partial.written:
            say(
                f"{batch.partial.path} keeps {len(outcomes) - told.refused} of {len(batch.paths)} "
                "codes; run the same command with --resume to go on"
            )
            interrupt.add_note("codes were kept")
        raise
    if told.refused == len(outcomes):
        raise SefaError("no photo could be read", "at least one picture")
    return outcomes
