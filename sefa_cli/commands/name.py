"""`sefa name`: labels of directions, kept in the bundle."""

from contextlib import nullcontext
from typing import TYPE_CHECKING, Annotated

import typer

from sefa_cli.commands import options
from sefa_cli.commands.console import print_json, wrote
from sefa_cli.commands.streams import label_text
from sefa_cli.errors import UsageError

if TYPE_CHECKING:
    from sefa_cli.bundle.bundle import Bundle


def name(
    file: Annotated[
        str | None,
        typer.Argument(metavar="X.dirs", help="The bundle; - reads stdin and writes stdout."),
    ] = None,
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[K LABEL]…", help='Directions and their labels, such as 3 "turns left".'
        ),
    ] = None,
    clear: Annotated[
        list[str] | None,
        typer.Option("--clear", metavar="K", help="Remove the labels of these directions."),
    ] = None,
    dirs: Annotated[
        str | None,
        typer.Option("--dirs", "-d", metavar="X.dirs", help="Another way to name the bundle."),
    ] = None,
    list_labels: Annotated[bool, typer.Option("--list", help="Print the labels.")] = False,
    as_json: options.Json = False,
) -> None:
    """Name directions. A label works wherever an index does.

    Labels are unique in a bundle and cannot look like an index. Nothing else in the file changes.
    With --list the command prints the labels instead of the path.
    """
    from sefa_cli.bundle.annotations import relabeled
    from sefa_cli.bundle.bundle import Bundle
    from sefa_cli.files import changing

    if dirs is not None:  # then the file is not among the words
        file, words = dirs, [*([] if file is None else [file]), *(words or [])]
    assert file is not None  # SefaCommand has asked for it
    with changing(file) if words or clear else nullcontext():
        bundle = Bundle.load(file)
        labels = _labels(bundle, words or [], clear or [])
        if labels:
            if file == "-" and (list_labels or as_json):
                raise UsageError(
                    f"{'--list' if list_labels else '--json'} and - cannot be used together: the "
                    "new bundle goes to stdout"
                )
            bundle = relabeled(bundle, labels)
            bundle.save(file, overwrite=True)
        elif not (list_labels or as_json):
            raise UsageError("no label is given", 'pairs such as 3 "turns left", --clear or --list')
    named = {k: label for k, label in enumerate(bundle.labels) if label is not None}
    if as_json:
        print_json(named)
    elif list_labels:
        for k, label in named.items():
            print(f"{k}\t{label_text(label)}")
    else:
        wrote(file)


def _labels(bundle: "Bundle", words: list[str], clear: list[str]) -> dict[int, str | None]:
    """Return the new label of each direction; None removes it."""
    if len(words) % 2:
        raise UsageError(f"direction {words[-1]} has no label", 'pairs such as 3 "turns left"')
    labels: dict[int, str | None] = {}
    for text in clear:
        labels.update(dict.fromkeys(bundle.indices(text)))
    named = [bundle.index(k) for k in words[::2]]
    if twice := {k for k in named if named.count(k) > 1}:
        raise UsageError(f"direction {min(twice)} gets two labels", "one label each")
    return labels | dict(zip(named, words[1::2], strict=True))
