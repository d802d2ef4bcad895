"""`sefa convert`: from any checkpoint to one small, safe file that describes itself."""

from pathlib import Path
from typing import Annotated

import typer

from sefa_cli.commands import options
from sefa_cli.commands.console import say, wrote


def convert(
    model: options.Model,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="OUT.safetensors", help="The file to write.")
    ],
    overwrite: options.Overwrite = False,
    offline: options.Offline = None,
) -> None:
    """Write only the generator of MODEL, as a safetensors file.

    The file holds the averaged weights under the family's own names, and the configuration. Any
    safetensors library can read it, and nothing in it can be executed. Fingerprint and pictures
    stay the same to the last bit.
    """
    from sefa_cli.checkpoints import open_checkpoint
    from sefa_cli.families.native import write_native
    from sefa_cli.files import check_writable
    from sefa_cli.projections import fingerprint

    check_writable(output, overwrite, [".safetensors"])
    checkpoint = open_checkpoint(model, offline=offline)
    write_native(output, checkpoint, fingerprint(checkpoint), overwrite)
    size = output.stat().st_size / 1e6
    say(f"{checkpoint.family}: {len(checkpoint.tensors):,} tensors, {size:.1f} MB", level=1)
    wrote(output)
