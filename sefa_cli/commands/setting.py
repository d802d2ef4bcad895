"""What `edit` and `animate` begin with: the bundle's model, opened, checked and on its device."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sefa_cli.bundle import Bundle
    from sefa_cli.generators.base import Generator


def opened(
    bundle: "Bundle",
    dirs: str,
    layers: str | None,
    model: str | None,
    *,
    any_model: bool,
    device: str,
    offline: bool | None,
) -> tuple["Generator", tuple[int, ...] | None]:
    """The generator, and the code indices that `-L` chose instead of the bundle's (or None).

    `dirs` is where the bundle came from: its model may lie beside it.
    """
    from sefa_cli.allocator import keep_blocks
    from sefa_cli.editing.source import load_generator, open_model_of
    from sefa_cli.projections import parse_layers

    beside = None if dirs == "-" else Path(dirs)
    checkpoint = open_model_of(bundle, model, beside, any_model=any_model, offline=offline)
    chosen = None if layers is None else parse_layers(checkpoint, layers)
    keep_blocks()
    return load_generator(checkpoint, device), chosen
