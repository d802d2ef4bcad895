"""`sefa inspect`: the content of bundles and checkpoints, and the comparison of two bundles."""

from typing import TYPE_CHECKING, Annotated

import typer

from sefa_cli.commands import options
from sefa_cli.commands.console import print_json, table_console, warn
from sefa_cli.errors import MismatchError, SefaError, UsageError

if TYPE_CHECKING:
    from sefa_cli.bundle.bundle import Bundle


def inspect(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE…",
            help="Bundles, checkpoints, zoo names, or PNG pictures made by sefa; - reads a bundle "
            "from stdin.",
        ),
    ],
    compare: Annotated[
        bool, typer.Option("--compare", help="Only compare two bundles: model, angles, matches.")
    ] = False,
    annotations: Annotated[
        bool,
        typer.Option(
            "--annotations",
            help="Count the directions of each level that are obvious and meaningful, as judged "
            "in the studio.",
        ),
    ] = False,
    num: Annotated[
        int | None,
        typer.Option(
            "--num",
            metavar="N",
            min=1,
            help="Number of leading directions to list or compare. Default: 10.",
        ),
    ] = None,
    as_json: options.Json = False,
    offline: options.Offline = None,
) -> None:
    """Show the content of bundles, checkpoints and pictures; nothing is executed or changed.

    Two bundles are also compared: the best match of each direction, and how much of the leading
    directions they share. With --compare, show only the comparison, as text or --json.
    """
    from sefa_cli.discovery.describe import inspect as described

    _check_options(files, compare, annotations, num)
    count = 10 if num is None else num
    if compare or annotations:
        bundles = [_load(file) for file in files]
        return (
            _compare(files, bundles, count, as_json)
            if compare
            else _annotations(files, bundles, as_json)
        )
    found = [described(file, offline) for file in files]
    if num is not None and not any(description.bundle for description in found):
        raise UsageError("--num has no effect with a model: all of its layers are listed")
    about = [{"file": file, **facts} for file, facts in zip(files, found, strict=True)]
    if as_json:
        return print_json(about[0] if len(about) == 1 else about)
    from sefa_cli.commands.tables import show_bundle, show_checkpoint, show_picture

    console = table_console()
    shows = {"bundle": show_bundle, "checkpoint": show_checkpoint, "picture": show_picture}
    for facts, description in zip(about, found, strict=True):
        shows[description.kind](console, facts, count)
    both = [description.bundle for description in found if description.bundle]
    if len(both) == len(files) == 2:
        if both[0].dim == both[1].dim:
            _compare(files, both, count, as_json)
        else:
            warn(f"not compared: the latents have {both[0].dim} and {both[1].dim} dimensions")
    return None


def _check_options(files: list[str], compare: bool, annotations: bool, num: int | None) -> None:
    """Refuse options that cannot act together."""
    if files.count("-") > 1:
        raise UsageError("- is given twice", "at most one bundle from stdin")
    if compare and len(files) != 2:
        raise UsageError(f"--compare compares two bundles, got {len(files)}")
    if compare and annotations:
        raise UsageError("--compare and --annotations cannot be used together")
    if annotations and num is not None:
        raise UsageError("--num has no effect with --annotations: all judged directions are listed")


def _load(file: str) -> "Bundle":
    from sefa_cli.bundle.bundle import Bundle
    from sefa_cli.commands.command import check_no_model

    check_no_model(file)
    return Bundle.load(file)


def _annotations(files: list[str], bundles: list["Bundle"], as_json: bool) -> None:
    from dataclasses import asdict

    from sefa_cli.bundle.annotations import tallies
    from sefa_cli.bundle.compare import check_same_model

    check_same_model(zip(files, bundles, strict=True))
    found = tallies(bundles)
    if not found:
        raise SefaError("no direction has been judged", remedy="Use Annotate in `sefa studio`.")
    if as_json:
        print_json({level: asdict(tally) for level, tally in found.items()})
        return
    from sefa_cli.commands.tables import show_annotations

    show_annotations(table_console(), bundles, found)


def _compare(files: list[str], bundles: list["Bundle"], num: int, as_json: bool) -> None:
    from sefa_cli.bundle.compare import compare

    first, second = bundles
    try:
        result = compare(first, second, num)
    except MismatchError as error:
        raise MismatchError(f"{files[0]} and {files[1]}: {error.found}", error.expected) from None
    if as_json:
        print_json(result.as_dict())
        return
    from sefa_cli.commands.tables import show_comparison

    show_comparison(table_console(), files, (first, second), result)
