"""From codes to pictures, one by one: their size, noise and class."""

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import astuple, dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sefa_cli.generators.noise_modes import check_noise_mode
from sefa_cli.rendering.pictures import to_uint8

if TYPE_CHECKING:
    import torch

    from sefa_cli.generators.base import Generator


@dataclass(frozen=True)
class View:
    """How to render pictures; `size` in pixels (None: full size), `fast` by the shortcut."""

    size: int | None = None
    fast: bool = False
    noise_mode: str = "const"
    label: int | None = None
    truncation: float | None = None  # of families that truncate in the synthesis; None: theirs
    placement: tuple[float, float, float] | None = None  # right, down, degrees (StyleGAN3 only)

    def __post_init__(self) -> None:
        check_noise_mode(self.noise_mode)

    @property
    def facts(self) -> list[object]:
        """What tells views apart, as plain data."""
        *others, placement = astuple(self)
        return [*others, *(placement or ())]

    def at_most(self, generator: "Generator", largest: int) -> "View":
        """Return this view, limited to `largest` and the shortcut's size unless it has a size.

        `fast` has no effect if the network has no shortcut; `about` says so.
        """
        if self.fast and generator.preview_size:
            largest = min(largest, generator.preview_size)
        if self.size is not None or generator.resolution <= largest:
            return self
        return replace(self, size=largest)

    def side(self, generator: "Generator") -> int:
        """Return the longer side of a picture in pixels."""
        return self.size or (self.fast and generator.preview_size) or generator.resolution

    def about(self, generator: "Generator") -> str:
        """Return the size of the pictures in words, whether they are exact, and what else differs.

        With the code it tells pictures apart that are not the same.
        """
        return self._sized(generator) + self._own(generator)

    def _own(self, generator: "Generator") -> str:
        own = "" if self.noise_mode == "const" else f"; noise {self.noise_mode}"
        if (tuned := generator.checkpoint.tuned) is not None:
            own += f"; tuned by {sha256(tuned.read_bytes()).hexdigest()[:16]}"
        if self.label is not None:
            own += f"; class {self.label}"
        if self.truncation is not None and generator.conditioned:
            own += f"; truncation {self.truncation:g}"
        return own

    def _sized(self, generator: "Generator") -> str:
        size = self.side(generator)
        shortcut = generator.preview_size
        if self.fast and shortcut and size <= shortcut:
            return f"{size} px by the network's {shortcut}-px shortcut"
        exact = "the network's own size" if size == generator.resolution else "area mean, exact"
        missing = f"; {generator.family} has no shortcut" if self.fast and not shortcut else ""
        return f"{size} px, {exact}{missing}"

    def _truncation(self, generator: "Generator") -> float:
        """Return ψ for the synthesis; most families truncate the codes instead."""
        if not generator.conditioned:
            return 1.0
        return generator.default_truncation if self.truncation is None else self.truncation

    def pictures(
        self, generator: "Generator", codes: "torch.Tensor", numbers: Sequence[int]
    ) -> Iterator[NDArray[np.uint8]]:
        """Yield a uint8 picture `(height, width, channels)` for each code.

        Pictures are rendered one by one, because a batch would change their bits. The number of a
        code seeds its random noise, which is thus the same before and after an edit.
        """
        import torch

        for code, number in zip(codes, numbers, strict=True):
            if self.noise_mode == "random":
                torch.manual_seed(number)
            label = None if self.label is None else torch.tensor([self.label])
            placed = nullcontext() if self.placement is None else generator.placed(*self.placement)
            with placed, torch.inference_mode():
                image = generator.synthesize(
                    code[None],
                    label=label,
                    truncation=self._truncation(generator),
                    noise_mode=self.noise_mode,
                    size=self.size,
                    preview=self.fast,
                )
            yield to_uint8(image.cpu().numpy())[0]
