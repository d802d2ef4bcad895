"""`sefa merge`: the result of a job from the parts that `--shard` has written."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sefa_cli.commands import options
from sefa_cli.commands.console import working, wrote
from sefa_cli.commands.photos import say_missing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sefa_cli.parts import Job


def merge(
    parts: Annotated[
        list[str],
        typer.Argument(metavar="PART…", help="All parts of one job, such as face.dirs.*.part."),
    ],
    output: Annotated[
        str,
        typer.Option(
            "--output", "-o", metavar="OUT", help="The result: what the command's -o named."
        ),
    ],
    overwrite: options.Overwrite = False,
) -> None:
    """Put the parts of a job together, as if one machine had done it.

    The parts must come from one command that differed in `--shard` alone, and all must be here.
    The result has the same bytes as that of the command without `--shard`.
    """
    job, missing = put_together(parts, output, overwrite)
    say_missing(missing, len(job.owner), output)


def put_together(
    parts: "Sequence[Path | str]", output: str, overwrite: bool, command: str | None = None
) -> "tuple[Job, int]":
    """Merge the parts of a job; return it, and how many photos are missing in the result.

    `command` is what a page shows, instead of what the first part says.
    """
    from sefa_cli.parts import read_job

    job, missing = read_job(parts), 0
    if job.kind == "directions":
        from sefa_cli.commands.found import report
        from sefa_cli.discovery.region_parts import merge_regions

        found = merge_regions(job, output, overwrite)
        wrote(output)
        report(found)
    elif job.kind == "codes":
        from sefa_cli.commands.photos import say_refusals
        from sefa_cli.inversion.batch import merge_codes, refusals

        refused = refusals(job.parts)
        say_refusals(refused)
        merge_codes(job, output, overwrite)
        wrote(output)
        wrote(Path(output).with_suffix(".csv"))
        missing = len(refused)
    elif job.kind == "scores":
        _merge_scores(job, output, overwrite)
    else:
        _merge_evaluation(job, output, overwrite, command)
    return job, missing


def _merge_scores(job: "Job", output: str, overwrite: bool) -> None:
    from sefa_cli.commands.found import tell_accuracy
    from sefa_cli.evaluation.score_parts import merge_scores
    from sefa_cli.files import BUNDLES, check_writable

    check_writable(output, overwrite, BUNDLES)
    with working("merging"):
        found = merge_scores(job)
    tell_accuracy(found)
    found.save(output, overwrite)
    wrote(output)


def _merge_evaluation(job: "Job", output: str, overwrite: bool, command: str | None) -> None:
    from sefa_cli.evaluation import output as out
    from sefa_cli.evaluation.evaluation_parts import merge_evaluation

    folder, notes = out.check_evaluation_folder(output, overwrite), job.parts[0].notes
    asked = notes["labels"], notes["steps"]
    copies = out.copies_of(folder, notes["files"], *asked, overwrite)
    with working("merging"):
        found = merge_evaluation(job, folder / out.CACHE)
        page = out.write_evaluation(found, folder, command or notes["command"], overwrite)
        if copies:
            out.write_copies(found, copies, *asked, overwrite)
    for path in (page, *copies):
        wrote(path)
