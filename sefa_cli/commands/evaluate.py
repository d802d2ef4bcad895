"""`sefa evaluate`: what directions change, on how many seeds, and how steadily."""

import sys
from typing import Annotated

import typer

from sefa_cli.commands import checks, options
from sefa_cli.commands.console import print_json, say, working, wrote
from sefa_cli.commands.picture_options import Look, Start, picture_options


def evaluate(
    files: Annotated[list[str], typer.Argument(metavar="X.dirs...", help="Bundles of one model.")],
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
            help="What measures the pictures: colors, face, person (age and gender), identity, or "
            "your own by the entry point sefa.scorers. Default: colors, and with sefa-cli[eval] "
            "face and person.",
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
    import shlex
    from pathlib import Path

    from sefa_cli.bundle.bundle import Bundle
    from sefa_cli.evaluation import output as out
    from sefa_cli.evaluation.evaluate import evaluate as run
    from sefa_cli.files import check_writable

    folder = out.check_evaluation_folder(output, overwrite)
    endings = "named" * with_labels, "calibrated" * calibrate
    ending = "_".join(filter(None, endings))
    copies = out.copy_paths(folder, files, ending) if ending else []
    for path in copies if folder.is_dir() else ():
        check_writable(path, overwrite)
    how = picture_options(files[0], Bundle.load(files[0]), seeds, start, look)
    how.setdefault("seeds", "0-99")
    if how["codes"] is None:
        checks.check_seeds(str(how["seeds"]))
    with working(f"loading {start.model or files[0]}") as work:
        found = run(
            files,
            k=k,
            alpha=alpha,
            steps=steps,
            scorers=scorers,
            cache=Path(cache) if cache else folder / out.CACHE,
            distorted=distortion,
            keep_pictures=keep_pictures,
            begin=lambda total: work.begin(
                "rendering", total, "pictures", "an interrupted run goes on where it stopped"
            ),
            **how,
        )
        command = shlex.join(["sefa", *sys.argv[1:]])
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
