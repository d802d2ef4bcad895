"""How codes are looked for; checked before torch or a model is loaded."""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Real

from sefa_cli.containers.checkpoint import Checkpoint
from sefa_cli.errors import UsageError, either
from sefa_cli.ranges import is_whole

SPACES = ("w", "w+", "z")
LOSSES = ("pixels", "lpips")


@dataclass(frozen=True)
class How:
    """How codes are looked for: the keywords of `invert`, which explains them."""

    space: str | None = None
    passes: int = 100
    size: int = 256
    regularize: float = 1e-3
    loss: str = "pixels"
    tune: bool = False
    align: bool = False
    face: int | None = None
    outside: float = 1.0

    def __post_init__(self) -> None:
        if self.space not in (None, *SPACES):
            raise UsageError(f"unknown space {self.space!r}", either(SPACES))
        if self.loss not in LOSSES:
            raise UsageError(f"unknown loss {self.loss!r}", either(LOSSES))
        _check_whole(self.passes, "passes", 1)
        _check_whole(self.size, "size", 16, " pixels")
        if self.face is not None and not self.align:
            raise UsageError("face has no effect without align")
        if self.face is not None:
            _check_whole(self.face, "face", 0)
        share: object = self.outside
        if not (isinstance(share, Real) and 0 <= float(share) <= 1):
            raise UsageError(f"outside must be between 0 and 1, got {_plain(share)}")
        if share != 1 and not self.align:
            raise UsageError("outside has no effect without align")
        weight: object = self.regularize
        if not (isinstance(weight, Real) and 0 <= float(weight) < math.inf):
            raise UsageError(f"regularize must be 0 or more, got {_plain(weight)}")

    def space_of(self, checkpoint: Checkpoint) -> str:
        """Return the space of the codes. Raises UsageError for one that the model lacks."""
        own = checkpoint.config.space
        space = self.space or ("w+" if own == "w" else "z")
        if (space == "z") != (own == "z"):
            kinds = "z" if own == "z" else "w or w+"
            raise UsageError(f"a {checkpoint.family} model has no space {space!r}", kinds)
        return space


def _plain(value: object) -> str:
    return repr(value).removesuffix(".0")


def _check_whole(number: object, name: str, least: int, unit: str = "") -> None:
    if not is_whole(number, least):
        expected = "" if isinstance(number, int) else "a whole number"
        raise UsageError(f"{name} must be {least}{unit} or more, got {number!r}", expected)
