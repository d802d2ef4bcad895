"""`sefa evaluate`: what directions change, on how many seeds, and how steadily."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sefa_cli.commands import checks, options
from sefa_cli.commands.console import print_json, say, working, wrote
from sefa_cli.commands.picture_options import Look, Start, picture_options
from sefa_cli.errors import UsageError

if TYPE_CHECKING:
    from sefa_cli.parts import Shard


def evaluate(
    files: Annotated[list[str], typer.Argument(metavar="X.dirs…", help="Bundles of one model.")],
    start: Start,
    look: Look,
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
        float, typer.Option("--alpha", "-a", metavar="A", help="The farthest step, both ways.")
    ] = 3.0,
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
    shard: options.Shard = None,
    as_json: options.Json = False,
    overwrite: options.Overwrite = False,
) -> None:
    """Measure what directions change: faces, colors, stability, locality.

    Every seed is rendered without a move and at the steps of each direction. The page shows how
    far each score moves, with 95 % intervals over the seeds, and how steadily. If you interrupt
    the command, the same command goes on from there. Face scores need sefa-cli[eval].
    """
    from sefa_cli.bundle.bundle import Bundle
    from sefa_cli.evaluation import output as out
    from sefa_cli.evaluation.asked import by_name, check_count, indices_of
    from sefa_cli.evaluation.evaluate import evaluate as run
    from sefa_cli.evaluation.scorers import scorer_names
    from sefa_cli.files import check_writable

    folder = out.check_evaluation_folder(output, overwrite)
    copies = out.copies_of(folder, files, with_labels, calibrate, overwrite)
    own = _shard(shard, as_json)
    how = picture_options(files[0], Bundle.load(files[0]), seeds, start, look)
    how.setdefault("seeds", "0-99")
    scorer_names(scorers)
    for bundle in by_name(files).values():
        indices_of(bundle, k)
    count = checks.check_seeds(str(how["seeds"])) if how["codes"] is None else None
    if count is not None:
        check_count(count)
    if own is not None:
        check_writable(own.path(folder), overwrite)
        own.share(count or own.count)
    asked: dict[str, Any] = {
        "k": k,
        "alpha": alpha,
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
                "command": _command(),
                "labels": with_labels,
                "steps": calibrate,
                "files": files,
            }
            part = evaluation_part(found, own, files, asked, how, notes)
            part.save(own.path(folder), overwrite)
            wrote(own.path(folder))
            return
        command = _command()
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


def _shard(text: str | None, as_json: bool) -> "Shard | None":
    shard = options.parse_shard(text)
    if shard is not None and as_json:
        raise UsageError("--shard and --json cannot be used together")
    return shard


def _command() -> str:
    """Return what was typed, without the shard."""
    import shlex

    words = sys.argv[1:]
    if "--shard" in words:
        at = words.index("--shard")
        words = words[:at] + words[at + 2 :]
    return shlex.join(["sefa", *(word for word in words if not word.startswith("--shard="))])
