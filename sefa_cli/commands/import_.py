"""`sefa import`: directions of another tool, written as a bundle."""

from typing import Annotated

import typer

from sefa_cli.commands import options
from sefa_cli.commands.console import say, wrote
from sefa_cli.errors import UsageError


def import_(
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="A .npy, .npz, .pt or .gguf file of directions.")
    ],
    model: Annotated[
        str,
        typer.Option(
            "--model", "-m", metavar="MODEL", help="The model that the directions belong to."
        ),
    ],
    output: Annotated[
        str,
        typer.Option("--output", "-o", metavar="X.dirs", help="The bundle to write; - for stdout."),
    ],
    layers: Annotated[
        str | None,
        typer.Option(
            "--layers",
            "-L",
            metavar="RANGE",
            help="The layers they move: a level or code indices. Default: all in the file.",
        ),
    ] = None,
    space: Annotated[
        str | None,
        typer.Option(
            "--space",
            metavar="z|w|w+",
            help="The space they move in. Default: the model's, z or w.",
        ),
    ] = None,
    format: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="NAME",
            help="The format of FILE, a name of `sefa export --to`. Default: found by content.",
        ),
    ] = None,
    overwrite: options.Overwrite = False,
    offline: options.Offline = None,
) -> None:
    """Make a bundle from another tool's file of directions.

    The file is recognized by its content, and nothing in it is executed. Directions become unit
    vectors; the bundle keeps their length as `scale` and their origin as `from`.
    """
    from sefa_cli.checkpoints import open_checkpoint
    from sefa_cli.files import BUNDLES, check_writable
    from sefa_cli.interchange.formats import find_format
    from sefa_cli.interchange.labels import says_z
    from sefa_cli.interchange.reading import read_directions
    from sefa_cli.projections import model_card, parse_layers
    from sefa_cli.sources import cache

    if output != "-":
        check_writable(output, overwrite, BUNDLES)
    if format is not None:
        find_format(format)
    checkpoint = open_checkpoint(model, offline=offline)
    if space not in (None, "z") and checkpoint.config["space"] == "z":
        raise UsageError(f"a {checkpoint.family} model has no space {space!r}", "z")
    bundle, notes = read_directions(
        file,
        model_card(checkpoint),
        space=space or checkpoint.config["space"],
        layers=None if layers is None else parse_layers(checkpoint, layers),
        format=format,
    )
    cache.remember(bundle.model["fingerprint"], checkpoint.path)
    bundle.save(output, overwrite=overwrite)
    for note in notes:
        say(note)
    if space is None and bundle.space != "z" and says_z(file):
        say(f"the name of {file} suggests directions of z; if so, use --space z")
    wrote(output)
