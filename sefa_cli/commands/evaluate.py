"""`sefa evaluate`: what directions change, on how many seeds, and how steadily."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sefa_cli.commands import checks, options
from sefa_cli.commands.command import command_line
from sefa_cli.commands.console import print_json, say, working, wrote
from sefa_cli.commands.picture_options import Look, Start, picture_options
from sefa_cli.commands.shares import Shares
from sefa_cli.errors import UsageError

if TYPE_CHECKING:
    from sefa_cli.parts import Shard
    from sefa_cli.rendering.options import PictureOptions


def _farthest(text: str) -> float:
    """Return the farthest step, which `3` and `-3:3` name. Raises UsageError."""
    from sefa_cli.editing.moves import ends_of
    from sefa_cli.editing.sum import parse_alpha

    first, last = ends_of(text) if ":" in text else (0.0, None)
    if text == "auto" or "," in text or (last is not None and first != -last):
        raise UsageError(
            f"--alpha must be the farthest step, got {text!r}",
            "something like 3 or -3:3",
            "--steps says how many lie between.",
        )
    return parse_alpha(text) if last is None else abs(last)


def evaluate(
    files: Annotated[list[str], typer.Argument(metavar="X.dirs…", help="Bundles of one model.")],
    start: Start,
    look: Look,
    shares: Shares,
    output: Annotated[
        str,
        typer.Option("--output", "-o", metavar="DIR", help="The folder for the page and the data."),
    ],
    seeds: Annotated[str | None, options.seeds("0-99")] = None,
    k: Annotated[
        str,
        typer.Option(
            "--k", "-k", metavar="K", help="Directions of each bundle, such as 0-4, or all."
        ),
    ] = "0-9",
    alpha: Annotated[
        str,
        typer.Option(
            "--alpha",
            "--range",
            "-a",
            metavar="A",
            help="The farthest step, both ways: 3 and -3:3 mean the same.",
        ),
    ] = "3",
    steps: Annotated[
        int, typer.Option("--steps", metavar="N", help="How many steps each way.")
    ] = 2,
    scorers: Annotated[
        str | None,
        typer.Option(
            "--scorers",
            metavar="NAMES",
            help="What measures the pictures: colors, face, person (age and gender), identity, "
            "lpips, inception (distances of sets), or your own by the entry point sefa.scorers. "
            "Default: colors, and with sefa-cli[eval] face and person.",
        ),
    ] = None,
    cache: Annotated[
        str | None,
        typer.Option(
            "--cache",
            metavar="DIR",
            help="Where to keep what was measured, to go on later or to share the seeds among "
            "processes. Default: cache in the output folder.",
        ),
    ] = None,
    distortion: Annotated[
        int,
        typer.Option(
            "--distortion",
            metavar="N",
            help="Also measure the distortion of the space of w on the first N seeds.",
        ),
    ] = 0,
    with_labels: Annotated[
        bool,
        typer.Option(
            "--write-labels", help="Also write copies of the bundles with the proposed names."
        ),
    ] = False,
    calibrate: Annotated[
        bool,
        typer.Option(
            "--calibrate",
            help="Also write copies of the bundles whose suggested steps are measured: one step "
            "changes the picture by the same amount along every direction.",
        ),
    ] = False,
    keep_pictures: Annotated[
        bool,
        typer.Option(
            "--keep-pictures",
            help="Keep the pictures in the cache too, about 100 KB each at 256 px, so that another "
            "scorer renders nothing.",
        ),
    ] = False,
    as_json: options.Json = False,
    overwrite: options.Overwrite = False,
) -> None:
    """Measure what directions change: faces, colors, stability, locality.

    Every seed is rendered without a move and at the steps of each direction. The page shows how
    far each score moves, with 95 % intervals over the seeds, and how steadily. If you interrupt
    the command, the same command goes on from there. Face scores need sefa-cli[eval].
    """
    from sefa_cli.evaluation import output as out
    from sefa_cli.evaluation.asked import by_name, check_count, check_distorted, indices_of
    from sefa_cli.evaluation.evaluate import evaluate as run
    from sefa_cli.evaluation.scorers import check_scorers

    farthest = _farthest(alpha)
    folder = out.check_evaluation_folder(output, overwrite)
    copies = out.copies_of(folder, files, with_labels, calibrate, overwrite)
    seeds = seeds or (None if start.codes else "0-99")
    bundles = list(by_name(files).values())
    how = picture_options(files[0], bundles[0], seeds, start, look)
    check_scorers(scorers, shares.on is None)  # workers have packages of their own
    for bundle in bundles:
        indices_of(bundle, k)
    count = checks.check_seeds(str(how["seeds"])) if how["codes"] is None else None
    if count is not None:
        check_count(count)
        check_distorted(distortion, count)
    own = _shard(shares, folder, count, as_json, overwrite)
    if shares.on is not None:
        _share_out(shares, files[0], folder, how, overwrite)
        return
    asked: dict[str, Any] = {
        "k": k,
        "alpha": farthest,
        "steps": steps,
        "scorers": scorers,
        "distorted": distortion,
    }
    with working(f"loading {start.model or files[0]}") as work:
        found = run(
            files,
            cache=Path(cache) if cache else folder / out.CACHE,
            keep_pictures=keep_pictures,
            shard=own,
            begin=lambda total: work.begin(
                "rendering", total, "pictures", "an interrupted run goes on where it stopped"
            ),
            **asked,
            **how,
        )
        if own is not None:
            from sefa_cli.evaluation.evaluation_parts import evaluation_part

            notes = {
                "command": command_line(),
                "labels": with_labels,
                "steps": calibrate,
                "files": files,
            }
            part = evaluation_part(found, own, files, asked, how, notes)
            if shares.resume and not overwrite and options.is_done(own, folder, lambda: part.job):
                return
            part.save(own.path(folder), overwrite)
            wrote(own.path(folder))
            return
        command = command_line()
        page = out.write_evaluation(found, folder, command, overwrite)
        if copies:
            out.write_copies(found, copies, with_labels, calibrate, overwrite)
    if "face" not in found.trials[0].scorers and scorers is None:
        say("faces were not measured; to measure them, run `pip install 'sefa-cli[eval]'`")
    if as_json:
        print_json(out.as_data(found, command))
    else:
        for path in (page, *copies):
            wrote(path)


def _shard(
    shares: Shares, folder: Path, count: int | None, as_json: bool, overwrite: bool
) -> "Shard | None":
    """Return the shard of `count` seeds. Raises SefaError for one that cannot be done."""
    from sefa_cli.files import check_writable

    own = shares.own()
    if own is None:
        return None
    if as_json:
        raise UsageError(f"{shares.option} and --json cannot be used together")
    check_writable(own.path(folder), overwrite or shares.resume)
    own.share(count or own.count)
    return own


def _share_out(
    shares: Shares, first: str, folder: Path, how: "PictureOptions", overwrite: bool
) -> None:
    """Measure all seeds on a cluster."""
    from sefa_cli.bundle.bundle import Bundle
    from sefa_cli.commands.on_cluster import items_of, merge

    items = items_of(how, Bundle.load(first))
    merge(shares, str(folder), items, how["device"], overwrite)
