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
        typer.Option("--k", metavar="K", help="Directions (range or label): one --k per bundle."),
    ] = None,
    mix: Annotated[
        str | None,
        typer.Option("--mix", metavar="SUM", help="One direction: 0.7*yaw + 0.3*face:5."),
    ] = None,
    label: Annotated[str | None, typer.Option("--as", help="What to call the mix.")] = None,
    flip: Annotated[bool, typer.Option("--flip", help="Turn the chosen ones round.")] = False,
    without: Annotated[
        list[str] | None,
        typer.Option("--without", metavar="K", help="Take out what they share with this one."),
    ] = None,
    overwrite: options.Overwrite = False,
) -> None:
    """Make a bundle from directions of bundles of the same model and space.

    Where a direction came from is kept with it. In --mix and --without a direction is a label, an
    index, or FILE:K where there are several bundles.
    """
    from sefa_cli import bundle_algebra as algebra
    from sefa_cli.bundle import Bundle
    from sefa_cli.files import check_writable

    if output != "-":
        check_writable(output, overwrite)
    sources = [algebra.Source(Path(file).name, Bundle.load(file)) for file in files]
    together = algebra.Algebra(sources)
    if (mix is None) == (not k):
        raise UsageError("give what to pick" if mix is None else "--k and --mix together",
                         "either --k or --mix")  # fmt: skip
    if mix is not None:
        made = algebra.mixed(together, mix, label)
    else:
        ks = k or []
        if len(ks) not in (1, len(sources)):
            raise UsageError(f"{len(ks)} --k for {len(sources)} bundles", "one for all or one each")
        ks = ks * len(sources) if len(ks) == 1 else ks
        chosen = [
            pair
            for source, text in zip(sources, ks, strict=True)
            for pair in algebra.parse_chosen(source, text)
        ]
        made = algebra.picked(together, chosen, flip)
    if without:
        made = algebra.without(made, together, without)
    made.save(output, overwrite=overwrite)
    wrote(output)
