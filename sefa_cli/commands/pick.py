"""`sefa pick`: a new bundle from directions of others: chosen, flipped, mixed or cleaned."""

from pathlib import Path
from typing import Annotated

import typer

from sefa_cli.commands import options
from sefa_cli.commands.console import wrote
from sefa_cli.errors import UsageError


def pick(
    files: Annotated[list[str], typer.Argument(metavar="X.dirs…", help="Bundles; - for stdin.")],
    output: Annotated[
        str,
        typer.Option("--output", "-o", metavar="Z.dirs", help="The bundle to write; - for stdout."),
    ],
    k: Annotated[
        list[str] | None,
        typer.Option(
            "--k",
            "-k",
            metavar="K",
            help="Directions, such as 0-2,smile. With several bundles, one --k for each.",
        ),
    ] = None,
    mix: Annotated[
        str | None,
        typer.Option(
            "--mix",
            metavar="SUM",
            help="Make one direction from a sum such as `0.7*yaw + 0.3*face:5`.",
        ),
    ] = None,
    label: Annotated[
        str | None,
        typer.Option("--as", metavar="LABEL", help="The label of the new direction, if it is one."),
    ] = None,
    flip: Annotated[bool, typer.Option("--flip", help="Reverse the chosen directions.")] = False,
    without: Annotated[
        list[str] | None,
        typer.Option(
            "--without",
            metavar="K",
            help="Remove what the chosen directions share with this one. May be repeated.",
        ),
    ] = None,
    overwrite: options.Overwrite = False,
) -> None:
    """Make a bundle from directions of bundles of the same model and space.

    The bundle keeps where each direction came from. In --mix and --without, name a direction by
    label or index, or by FILE:K if there are several bundles. Put a label with spaces in double
    quotes. Weights apply to unit vectors. With one bundle, --k may be repeated.
    """
    from sefa_cli.bundle import picking
    from sefa_cli.bundle.bundle import Bundle
    from sefa_cli.files import BUNDLES, check_writable

    if output != "-":
        check_writable(output, overwrite, BUNDLES)
    _check(files, k, mix, flip)
    bundles = [("stdin" if file == "-" else Path(file).name, Bundle.load(file)) for file in files]
    if mix is not None:
        made = picking.mix(bundles, mix, without=without or [], label=label)
    else:
        made = picking.pick(bundles, k or [], flip=flip, without=without or [], label=label)
    made.save(output, overwrite=overwrite)
    wrote(output)


def _check(files: list[str], k: list[str] | None, mix: str | None, flip: bool) -> None:
    if files.count("-") > 1:
        raise UsageError("- is given twice", "at most one bundle from stdin")
    if mix is not None and k:
        raise UsageError("--k and --mix cannot be used together")
    if mix is not None and flip:
        raise UsageError(
            "--flip and --mix cannot be used together", "signs in the sum, such as -0.7*yaw"
        )
