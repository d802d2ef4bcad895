"""`sefa pick`: a new bundle from directions of several: chosen, turned round, mixed, cleaned."""

from pathlib import Path
from typing import Annotated

import typer

from sefa_cli.commands import options
from sefa_cli.commands.console import wrote
from sefa_cli.errors import UsageError


def pick(
    files: Annotated[list[str], typer.Argument(metavar="X.dirs…", help="Bundles; - is stdin.")],
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="Z.dirs", help="The new bundle; - for stdout.")
    ],
    k: Annotated[
        list[str] | None,
        typer.Option("--k", metavar="K", help="Directions (0-2,smile): one --k per bundle."),
    ] = None,
    mix: Annotated[
        str | None,
        typer.Option("--mix", metavar="SUM", help="One direction: 0.7*yaw + 0.3*face:5."),
    ] = None,
    label: Annotated[
        str | None, typer.Option("--as", metavar="LABEL", help="What to call the one direction.")
    ] = None,
    flip: Annotated[bool, typer.Option("--flip", help="Turn the chosen ones round.")] = False,
    without: Annotated[
        list[str] | None,
        typer.Option("--without", metavar="K", help="Take out what they share with this one."),
    ] = None,
    overwrite: options.Overwrite = False,
) -> None:
    """Make a bundle from directions of bundles of the same model and space.

    Where a direction came from is kept with it. In --mix and --without a direction is a label, an
    index, or FILE:K where there are several bundles; a label with spaces stands in double quotes.
    Weights are those of unit vectors. Of one bundle all --k are taken together.
    """
    from sefa_cli.bundle import picking
    from sefa_cli.bundle.bundle import Bundle
    from sefa_cli.files import check_writable

    if output != "-":
        check_writable(output, overwrite)
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
        raise UsageError("- is given twice", "one bundle from stdin")
    if mix is None and not k:
        raise UsageError("nothing says what to pick", "--k or --mix")
    if mix is not None and k:
        raise UsageError("--k and --mix together", "either")
    if mix is not None and flip:
        raise UsageError("--flip with --mix", "signs in the sum: -0.7*yaw")
