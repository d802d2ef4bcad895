"""`sefa name`: labels for directions, kept in the bundle."""

from typing import Annotated

import typer

from sefa_cli.commands import options
from sefa_cli.commands.console import print_json, wrote
from sefa_cli.errors import UsageError


def name(
    file: Annotated[str, typer.Argument(metavar="X.dirs", help="The bundle.")],
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="[K LABEL]…", help='Directions and their labels: 3 "turns left".'),
    ] = None,
    clear: Annotated[
        list[str] | None, typer.Option("--clear", metavar="K", help="Take these labels away.")
    ] = None,
    list_labels: Annotated[bool, typer.Option("--list", help="Show the labels.")] = False,
    as_json: options.Json = False,
) -> None:
    """Name directions; a label is then accepted wherever an index is.

    Labels are unique within a bundle. Only they change in the file, which is written anew at once.
    """
    from sefa_cli.bundle import Bundle
    from sefa_cli.bundle_algebra import relabelled

    bundle = Bundle.load(file)
    words = words or []
    if len(words) % 2:
        raise UsageError(f"direction {words[-1]} has no label", 'pairs such as 3 "turns left"')
    labels: dict[int, str | None] = {}
    for text in clear or []:
        labels.update(dict.fromkeys(bundle.indices(text)))
    labels.update(
        {bundle.index(k): label for k, label in zip(words[::2], words[1::2], strict=True)}
    )
    if labels:
        bundle = relabelled(bundle, labels)
        bundle.save(file, overwrite=True)
        wrote(file)
    elif not list_labels:
        raise UsageError("nothing to name", 'pairs such as 3 "turns left", --clear or --list')
    if list_labels:
        named = {k: label for k, label in enumerate(bundle.labels) if label is not None}
        if as_json:
            print_json(named)
        else:
            for k, label in named.items():
                typer.echo(f"{k}\t{label}")
