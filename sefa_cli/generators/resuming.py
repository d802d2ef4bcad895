"""Pictures of one code after another, each begun where its codes begin to differ.

Whoever moves one direction of a few layers again and again need not compute the layers below them
each time.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from sefa_cli.generators.base import Generator
from sefa_cli.generators.inputs import as_size
from sefa_cli.generators.layers import area_mean
from sefa_cli.generators.noise_modes import check_noise_mode

_LARGEST = 4 << 20  # bytes; larger features lie so high that keeping them saves little


class Resuming:
    """Pictures of one code after another, each begun where its codes differ from the last one's.

    Families that do not say how their pictures are made are painted in full each time. Not for
    several threads at once. The pictures are those of `Generator.synthesize`, bit for bit.
    """

    def __init__(
        self,
        generator: Generator,
        size: int | None = None,
        preview: bool = False,
        noise_mode: str = "const",
    ) -> None:
        """`size`, `preview` and `noise_mode` are those of `Generator.synthesize`."""
        check_noise_mode(noise_mode)
        self._how = generator, size, preview, noise_mode
        self._pixels = as_size(size, generator.resolution)
        quick = generator.takes_shortcut(size, preview)
        fixed = noise_mode != "random"  # else every picture has its own
        self._steps = generator.steps(noise_mode, self._pixels, quick) if fixed else None
        self._codes: Tensor | None = None  # (1, num_layers, dim), of the picture before
        self._states: list[Any] = []  # after each step; None where it was too large to keep
        self.ran = 0  # steps that the last picture took

    @torch.inference_mode()
    def paint(self, codes: Tensor, go_on: Callable[[], object] = lambda: None) -> Tensor:
        """Paint codes `(1, num_layers, dim)` or `(1, dim)`: `(1, channels, h, w)`.

        `go_on` is called before each step; an exception that it raises ends the work.
        """
        generator, size, preview, noise_mode = self._how
        if self._steps is None:
            return generator.synthesize(codes, None, 1.0, noise_mode, size, preview)
        if codes.ndim == 2:
            codes = codes[:, None].expand(-1, generator.num_layers, -1)
        begin = self._same_below(codes)
        state: Any = self._states[begin - 1] if begin else None
        states = self._states[:begin]
        for step in self._steps[begin:]:
            go_on()
            state = step.run(state, codes)
            states.append(state if _bytes(state) <= _LARGEST else None)
        self._codes, self._states, self.ran = codes.clone(), states, len(self._steps) - begin
        return area_mean(state, self._pixels)

    def _same_below(self, codes: Tensor) -> int:
        """Return the first step that has to run: below it the codes have not changed."""
        if self._codes is None or self._steps is None:
            return 0
        differ = (codes != self._codes).any(dim=2)[0]  # (num_layers,)
        begin = 0
        for done, step in enumerate(self._steps, start=1):
            if bool(differ[list(step.codes)].any()):
                break
            if self._states[done - 1] is not None and done < len(self._steps):
                begin = done
        return begin


def _bytes(state: Any) -> int:
    """Return the bytes of features: a tensor, or several of which some are None."""
    parts = state if isinstance(state, tuple) else (state,)
    return sum(part.nbytes for part in parts if part is not None)
