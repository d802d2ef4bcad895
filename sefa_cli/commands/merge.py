"""`sefa merge`: the result of a job from the parts that `--shard` has written."""

from typing import Annotated

import typer

from sefa_cli.commands import options
from sefa_cli.commands.console import wrote


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
    from sefa_cli.parts import read_job

    job = read_job(parts)
    if job.kind == "directions":
        from sefa_cli.commands.localize import report
        from sefa_cli.discovery.region_parts import merge_regions

        found = merge_regions(job, output, overwrite)
        wrote(output)
        report(found)
    elif job.kind == "codes":
        from sefa_cli.commands.invert import say_missing
        from sefa_cli.inversion.batch import merge_codes

        missing = merge_codes(job, output, overwrite)
        wrote(output)
        say_missing(missing, len(job.owner), output)
