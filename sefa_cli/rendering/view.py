"""From codes to pictures: how they are taken (size, noise, class), one after another."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sefa_cli.errors import UsageError
from sefa_cli.generators.noise_modes import NOISE_MODES
from sefa_cli.rendering.pictures import to_uint8

if TYPE_CHECKING:
    import torch

    from sefa_cli.generators.base import Generator


@dataclass(frozen=True)
class View:
    """How pictures are taken: `size` in pixels (None: the network's own), `fast` the shortcut."""

    size: int | None = None
    fast: bool = False
    noise_mode: str = "const"
    label: int | None = None
    truncation: float | None = None  # for families whose synthesis needs it; None: their default

    def __post_init__(self) -> None:
        if self.noise_mode not in NOISE_MODES:
            raise UsageError(
                f"noise mode {self.noise_mode!r} is unknown", "one of " + ", ".join(NOISE_MODES)
            )

    def at_most(self, generator: "Generator", largest: int) -> "View":
        """This view, no larger than `largest` or the shortcut's own size unless one was asked for.

        Raises no error for `fast` where the network has no shortcut: `about` says what was done.
        """
        if self.fast and generator.preview_size:
            largest = min(largest, generator.preview_size)
        if self.size is not None or generator.resolution <= largest:
            return self
        return replace(self, size=largest)

    def about(self, generator: "Generator") -> str:
        """What the pictures are, for those who look at them later: size, and exact or not."""
        size = self.size or (self.fast and generator.preview_size) or generator.resolution
        shortcut = generator.preview_size
        if self.fast and shortcut and size <= shortcut:
            return f"{size} px by the network's {shortcut}-px shortcut"
        exact = "the network's own size" if size == generator.resolution else "area mean, exact"
        missing = f"; {generator.family} has no shortcut" if self.fast and not shortcut else ""
        return f"{size} px, {exact}{missing}"

    def _truncation(self, generator: "Generator") -> float:
        """Of the synthesis: most families know none, their codes are truncated."""
        if not generator.conditioned:
            return 1.0
        return generator.default_truncation if self.truncation is None else self.truncation

    def pictures(
        self, generator: "Generator", codes: "torch.Tensor", numbers: Sequence[int]
    ) -> Iterator[NDArray[np.uint8]]:
        """One `(height, width, channels)` picture per code, made when it is asked for.

        Each is made alone, so that neither the batch nor the order changes its bits. Random noise
        is seeded by the code's number: before and after an edit it is the same.
        """
        import torch

        for code, number in zip(codes, numbers, strict=True):
            if self.noise_mode == "random":
                torch.manual_seed(number)
            label = None if self.label is None else torch.tensor([self.label])
            with torch.inference_mode():
                image = generator.synthesize(
                    code[None],
                    label=label,
                    truncation=self._truncation(generator),
                    noise_mode=self.noise_mode,
                    size=self.size,
                    preview=self.fast,
                )
            yield to_uint8(image.cpu().numpy())[0]
