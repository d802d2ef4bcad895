"""`sefa inspect`: what a bundle or a checkpoint holds, or how two bundles compare."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sefa_cli.commands import options
from sefa_cli.commands.console import print_json, say, table_console
from sefa_cli.errors import SefaError, UsageError

if TYPE_CHECKING:
    from sefa_cli.bundle.bundle import Bundle


def inspect(
    files: Annotated[
        list[str],
        typer.Argument(metavar="FILE…", help="Bundles, checkpoints or zoo names; - is stdin."),
    ],
    compare: Annotated[
        bool, typer.Option("--compare", help="Compare two bundles: model, angles, matches.")
    ] = False,
    annotations: Annotated[
        bool,
        typer.Option(
            "--annotations",
            help="How many directions of each level are obvious and meaningful, as answered in "
            "the studio.",
        ),
    ] = False,
    num: Annotated[
        int, typer.Option("--num", min=1, help="How many leading directions to list or compare.")
    ] = 10,
    as_json: options.Json = False,
    offline: options.Offline = None,
) -> None:
    """Show what is in a bundle of directions or in a checkpoint; nothing is executed or changed.

    Two bundles are compared as well: which direction of one matches which of the other, and what
    their leading ones share. --compare shows that alone, also as --json.
    """
    if files.count("-") > 1:
        raise UsageError("- is given twice", "one bundle from stdin")
    if compare:
        if len(files) != 2:
            raise UsageError(f"--compare with {len(files)} file(s)", "two bundles")
        _compare(files, [_load(file) for file in files], num, as_json)
        return
    if annotations:
        _annotations([_load(file) for file in files], as_json)
        return
    bundles = [_load(file) if file == "-" or _is_bundle(file) else None for file in files]
    described = [
        {
            "file": file,
            **(describe_bundle(bundle) if bundle else describe_checkpoint(file, offline)),
        }
        for file, bundle in zip(files, bundles, strict=True)
    ]
    if as_json:
        print_json(described[0] if len(described) == 1 else described)
        return
    from sefa_cli.commands.tables import show_bundle, show_checkpoint

    console = table_console()
    for about in described:
        show = show_bundle if "format_version" in about else show_checkpoint
        show(console, about, num)
    both = [bundle for bundle in bundles if bundle]
    if len(both) == len(files) == 2:
        if both[0].dim == both[1].dim:
            _compare(files, both, num, as_json)
        else:
            say(f"not compared: the latents have {both[0].dim} and {both[1].dim} dimensions")


def _load(file: str) -> "Bundle":
    from sefa_cli.bundle.bundle import Bundle

    return Bundle.load(file)


def _is_bundle(file: str) -> bool:
    """A bundle is known by its metadata key, or where it is broken by its suffix."""
    path = Path(file)
    if not path.is_file():
        return False
    with open(path, "rb") as start:
        head = start.read(65536)
    return path.suffix == ".dirs" or (head[8:9] == b"{" and b'"sefa-directions' in _plain(head))


def _plain(head: bytes) -> bytes:
    return head.replace(b"\\", b"")  # the metadata is JSON text inside JSON text


def describe_bundle(bundle: "Bundle") -> dict[str, Any]:
    """What `inspect --json` says of a bundle; arrays as lists, indices starting at 0."""
    values = bundle.eigenvalues
    return {
        "format_version": bundle.version,
        "tool": bundle.tool,
        "method": bundle.method,
        "params": dict(bundle.params),
        "space": bundle.space,
        "model": dict(bundle.model),
        "layers": [int(layer) for layer in bundle.layers],
        "k": bundle.k,
        "dim": bundle.dim,
        "per_layer": bundle.directions.ndim == 3,
        "eigenvalues": None if values is None else [float(value) for value in values],
        "labels": list(bundle.labels),
        "style_gains": list(bundle.style_gains),
        "directions": [dict(about) for about in bundle.info],
        "mask": None if bundle.mask is None else list(bundle.mask.shape),
    }


def describe_checkpoint(ref: str, offline: bool | None = None) -> dict[str, Any]:
    """What `inspect --json` says of a model: container, family, configuration, table of layers."""
    from sefa_cli.checkpoints import open_checkpoint
    from sefa_cli.discovery.regions.named import named_regions, subject_of
    from sefa_cli.projections import fingerprint, first_projections, levels

    checkpoint = open_checkpoint(ref, offline=offline)
    regions = named_regions(subject_of(ref, checkpoint.family))
    return {
        "ref": checkpoint.ref,
        "container": checkpoint.container,
        "dialect": checkpoint.dialect,
        **({"origin": checkpoint.origin} if checkpoint.origin else {}),
        "family": checkpoint.family,
        "fingerprint": fingerprint(checkpoint),
        "config": dict(checkpoint.config),
        "levels": {name: list(indices) for name, indices in levels(checkpoint).items()},
        "regions": {  # top, left, height, width, as fractions
            name: [[float(number) for number in box] for box in boxes]
            for name, boxes in regions.items()
        },
        "layers": [
            {
                "index": layer.index,
                "name": layer.name,
                "resolution": layer.resolution,
                "kind": layer.kind,
                "shape": list(layer.matrix.shape),
            }
            for layer in first_projections(checkpoint)
        ],
        "notes": list(checkpoint.notes),
    }


def _annotations(bundles: list["Bundle"], as_json: bool) -> None:
    from dataclasses import asdict

    from sefa_cli.bundle.annotations import tallies

    models = {str(bundle.model["fingerprint"]) for bundle in bundles}
    if len(models) > 1:
        raise SefaError("the bundles belong to different models", "bundles of one model")
    found = tallies(bundles)
    if not found:
        raise SefaError(
            "no direction has been asked about", remedy="`sefa studio` asks, by its Annotate."
        )
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
    except SefaError as error:
        raise SefaError(f"{files[0]} and {files[1]}: {error.found}", error.expected) from None
    if as_json:
        print_json(result.as_dict())
        return
    from sefa_cli.commands.tables import show_comparison

    show_comparison(table_console(), files, (first, second), result)
