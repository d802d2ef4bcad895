"""`sefa invert`: the codes of photographs, for `--codes`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sefa_cli.commands import checks, options
from sefa_cli.commands.console import say, working, wrote
from sefa_cli.commands.photo_page import PageOptions, invert_command
from sefa_cli.commands.photos import (
    Told,
    Tuning,
    check_untuned,
    given_photos,
    say_missing,
    say_refusals,
)
from sefa_cli.commands.shares import Shares
from sefa_cli.errors import SefaError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sefa_cli.commands.console import Work
    from sefa_cli.inversion.batch import Batch, Outcome
    from sefa_cli.inversion.page import Edits, PhotoPage
    from sefa_cli.inversion.tune import Tuned

_KEPT = "each code is kept when it is found"


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
    shares: Shares,
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
    tune: Annotated[
        bool,
        typer.Option(
            "--tune",
            help="Also change the model a little, so that the codes show the photos better, in as "
            "many passes again. CODES.tuned.safetensors is then the --model of these codes.",
        ),
    ] = False,
    align: options.Align = False,
    face: options.Face = None,
    outside: options.Outside = 1.0,
    sheet: Annotated[
        str | None,
        typer.Option(metavar="FILE.png", help="Also write photos and reconstructions as a sheet."),
    ] = None,
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

    how = How(space, passes, size, regularize, loss, tune, align, face, outside)
    checks.check_device(device)
    checks.check_model(model, offline, how.space_of)
    paths = given_photos(photos)
    own = shares.own()
    _check_files(paths, output, shares, sheet, overwrite)
    edits = page.edits(model, offline, overwrite, None if own is None else shares.option)
    _check_tuned(tune, output, model, shares, overwrite)
    if shares.on is not None:
        from sefa_cli.commands.on_cluster import Items, merge

        merge(shares, output, Items("photo", [*map(str, paths)]), device, overwrite)
        return
    with working(f"loading {model}") as work:
        from sefa_cli.allocator import keep_blocks
        from sefa_cli.editing.source import generator_for, load_generator
        from sefa_cli.inversion.batch import Batch
        from sefa_cli.inversion.invert import Inverter

        keep_blocks()
        generator = load_generator(model, device, offline)
        if edits:
            generator_for(edits.bundle, generator)  # refuses another model
        batch = Batch(Inverter(generator, how, offline), paths, output, own)
        if shares.resume and not overwrite and options.is_done(own, output, lambda: batch.job):
            _say_kept(batch)
            return
        if shares.resume and (own is None or batch.partial.path.exists()):
            batch.partial.read()
        told = Told(work, passes, len(batch.share), _KEPT if len(batch.share) > 1 else "")
        outcomes = _run(batch, told)
        tuned = _tune(batch, outcomes, work) if tune else None
    _save(batch, outcomes, sheet, overwrite, tuned)
    if tuned is not None:
        model = str(tuned.beside(output))
        batch.inverter.generator = load_generator(model, device, offline)
    if page.report:
        from sefa_cli.inversion.page import PhotoPage

        again = invert_command(photos, model, output, how, page)
        _write_page(PhotoPage(page.report, outcomes, again, model, overwrite), edits, batch)
    say_missing(told.refused, len(batch.share), batch.output)


def _check_files(
    paths: "Sequence[Path]",
    output: str,
    shares: Shares,
    sheet: str | None,
    overwrite: bool,
) -> None:
    """Refuse what cannot be written, before anything is looked for."""
    from sefa_cli.discovery.partial import check_not_kept, check_resumable, partial_path
    from sefa_cli.files import check_suffix, check_writable
    from sefa_cli.rendering.pictures import PICTURE_SUFFIXES

    check_suffix(output, [".npz"], strict=True)
    if sheet:
        check_suffix(sheet, PICTURE_SUFFIXES, strict=True)
    written, shard = Path(output), shares.own()
    files = [written, written.with_suffix(".csv")]
    if shard is not None:
        shard.share(len(paths))
        if sheet:
            raise UsageError(f"{shares.option} and --sheet cannot be used together")
    if shard is not None and shares.on is None:
        written = shard.path(output)
        files = [written]
    files += [] if sheet is None else [Path(sheet)]
    if not (shares.resume or overwrite):
        check_not_kept(written, files)
    for path in files:
        if path.exists() and any(path.samefile(photo) for photo in paths):
            raise UsageError(f"{path} is one of the photos", "the name of another file")
        check_writable(path, overwrite or (shares.resume and written != Path(output)))
    if shares.resume and shard is None:
        check_resumable(partial_path(written))


def _check_tuned(tune: bool, output: str, model: str, shares: Shares, overwrite: bool) -> None:
    """Refuse what cannot be tuned, or not be written, before anything is looked for."""
    if not tune:
        return
    from sefa_cli.files import check_writable
    from sefa_cli.inversion.tune import Tuned

    if shares.shard or shares.on:
        raise UsageError(f"{shares.option} and --tune cannot be used together")
    check_untuned(model)
    check_writable(Tuned.beside(output), overwrite)


def _tune(batch: "Batch", outcomes: "list[Outcome]", work: "Work") -> "Tuned":
    """Tune the model to all codes; put what is then found into the outcomes."""
    from dataclasses import replace

    from sefa_cli.inversion.tune import tune_to

    at = [i for i, one in enumerate(outcomes) if not isinstance(one.result, SefaError)]
    found = [one.result for one in outcomes if not isinstance(one.result, SefaError)]
    tuning = Tuning(work, batch.inverter.how.passes, len(found))
    results, tuned = tune_to(batch.inverter, found, tuning.step)
    for i, result in zip(at, results, strict=True):
        outcomes[i] = replace(outcomes[i], result=result)
        say(f"{outcomes[i].name}, tuned: {result.quality}")
    return tuned


def _save(
    batch: "Batch",
    outcomes: "list[Outcome]",
    sheet: str | None,
    overwrite: bool,
    tuned: "Tuned | None",
) -> None:
    """Write the codes and their table, or of a shard the part, and the sheet."""
    from sefa_cli.inversion.found import Inversion
    from sefa_cli.inversion.table import rows, save_rows
    from sefa_cli.rendering.pictures import save_picture

    found = [one.result for one in outcomes if not isinstance(one.result, SefaError)]
    if batch.shard is not None:
        batch.part(outcomes).save(batch.output, overwrite)
        batch.partial.remove()
        wrote(batch.output)
        return
    whole = Inversion(tuple(found), batch.inverter.space, tuned)
    whole.save(batch.output, overwrite)
    save_rows(batch.output.with_suffix(".csv"), rows(outcomes), overwrite)
    batch.partial.remove()
    wrote(batch.output)
    if tuned is not None:
        wrote(tuned.beside(batch.output))
    wrote(batch.output.with_suffix(".csv"))
    if sheet:
        save_picture(sheet, whole.paint_sheet(), overwrite)
        wrote(sheet)


def _write_page(page: "PhotoPage", edits: "Edits | None", batch: "Batch") -> None:
    """Write the page of `--report`."""
    generator, codes = batch.inverter.generator, str(batch.output)
    with working("writing the page") as work:
        begin = lambda total: work.begin("rendering", total, "pictures")  # noqa: E731
        wrote(page.write_edited(edits, generator, codes, begin) if edits else page.write())


def _say_kept(batch: "Batch") -> None:
    """Say again which photos a shard that is done could not read."""
    from sefa_cli.inversion.batch import refusals
    from sefa_cli.parts import Part

    refused = refusals([Part.load(batch.output)])
    say_refusals(refused)
    say_missing(len(refused), len(batch.share), batch.output)


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
            notes = f" ({'; '.join(one.result.photo.notes)})" if one.result.photo.notes else ""
            say(f"{one.name}: {one.result.quality}{notes}")
    except (KeyboardInterrupt, SystemExit) as interrupt:
        if batch.partial.written:
            count = len(outcomes) - told.refused
            say(
                f"{batch.partial.path} keeps {count:,} of {len(batch.share):,} codes; "
                "run the same command with --resume to go on"
            )
            interrupt.add_note("codes were kept")
        raise
    if told.refused == len(outcomes) and batch.shard is None:
        raise SefaError("no photo could be read", "at least one picture")
    return outcomes
