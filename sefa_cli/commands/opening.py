"""What `edit`, `animate` and `sample` begin with: a model opened, on its device, in its place."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from sefa_cli.errors import UsageError

if TYPE_CHECKING:
    from sefa_cli.bundle.bundle import Bundle
    from sefa_cli.generators.base import Generator


class Placement(NamedTuple):
    """Where pictures are moved: right and down in parts of their width, anticlockwise degrees."""

    translate: tuple[float, float]
    rotate: float


def parse_placement(translate: str | None, rotate: float | None) -> Placement | None:
    """`--translate X,Y` and `--rotate DEGREES`; None where neither was given.

    Raises UsageError for anything that is no pair of finite numbers, or no finite number.
    """
    if translate is None and rotate is None:
        return None
    try:
        x, y = (float(part) for part in (translate or "0,0").split(","))
    except ValueError:
        x = y = math.nan
    if not (math.isfinite(x) and math.isfinite(y)):
        raise UsageError(f"--translate {translate}", "two numbers, such as 0.1,-0.05")
    if not math.isfinite(rotate or 0):
        raise UsageError(f"--rotate {rotate}", "degrees, such as 15")
    return Placement((x, y), rotate or 0.0)


def place(generator: "Generator", placement: Placement | None) -> "Generator":
    """The same generator, its later pictures moved. Raises UsageError where none can be."""
    if placement is not None:
        generator.place(*placement)
    return generator


def opened(
    bundle: "Bundle",
    dirs: str,
    layers: str | None,
    model: str | None,
    *,
    any_model: bool,
    device: str,
    offline: bool | None,
    placement: Placement | None = None,
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
    return place(load_generator(checkpoint, device), placement), chosen
