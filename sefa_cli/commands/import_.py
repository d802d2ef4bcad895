"""`sefa import`: another tool's directions, into a bundle."""

from typing import Annotated

import typer

from sefa_cli.commands import options
from sefa_cli.commands.console import say, wrote
from sefa_cli.errors import UsageError


def import_(
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="A .npy, .npz, .pt or .gguf of directions.")
    ],
    model: Annotated[
        str, typer.Option("--model", metavar="MODEL", help="The model they belong to.")
    ],
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="X.dirs", help="The bundle; - for stdout.")
    ],
    layers: Annotated[
        str | None,
        typer.Option(
            "--layers",
            "-L",
            metavar="RANGE",
            help="What they move: a level or code indices; else all the file knows of.",
        ),
    ] = None,
    space: Annotated[
        str | None,
        typer.Option("--space", metavar="z|w|w+", help="What they move; else what the model has."),
    ] = None,
    format: Annotated[
        str | None,
        typer.Option("--format", metavar="NAME", help="What it is, as `export --to` calls it."),
    ] = None,
    overwrite: options.Overwrite = False,
    offline: options.Offline = None,
) -> None:
    """Make a bundle from a file of directions of another tool.

    The file is recognized by its content, and nothing in it is run. Directions become unit vectors;
    how long they were is kept as their scale, and where they came from as `from`.
    """
    from sefa_cli.checkpoints import open_checkpoint
    from sefa_cli.files import check_writable
    from sefa_cli.interchange.formats import find_format
    from sefa_cli.interchange.labels import says_z
    from sefa_cli.interchange.reading import read_directions
    from sefa_cli.projections import model_card, parse_layers
    from sefa_cli.sources import cache

    if output != "-":
        check_writable(output, overwrite)
    if format is not None:
        find_format(format)
    checkpoint = open_checkpoint(model, offline=offline)
    if space not in (None, "z") and checkpoint.config["space"] == "z":
        raise UsageError(f"the space {space} of {model}, a model without w", "z")
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
        say("by its name it moves z (InterFaceGAN and GANSpace write _w for w): then say --space z")
    wrote(output)
