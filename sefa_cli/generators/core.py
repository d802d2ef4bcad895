"""The inside of every generator: what its family provides, and what all of them check."""

import math
from collections.abc import Callable, Sequence
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from sefa_cli.containers.checkpoint import Checkpoint
from sefa_cli.errors import SefaError, UsageError
from sefa_cli.generators.inputs import Array, as_floats
from sefa_cli.generators.linearize import Chain
from sefa_cli.generators.steps import Step
from sefa_cli.generators.weights import frozen
from sefa_cli.ranges import as_indices, is_whole


class Core(nn.Module):
    """A network of a known family; `Generator` is what others use of it.

    `rough_size` is the side of the pictures of `rough`, None where it has none.
    `conditioned`: the picture needs a label and a truncation besides the codes (BigGAN).
    """

    preview_size: int | None = None
    rough_size: int | None = None
    conditioned: bool = False
    _w_avg: nn.Parameter | None

    def __init__(self, checkpoint: Checkpoint) -> None:
        super().__init__()
        config = checkpoint.config
        self.checkpoint = checkpoint  # what it was built from
        self.family = checkpoint.family
        self.space = config.space
        self.z_dim, self.w_dim = config.z_dim, config.w_dim
        self.c_dim = config.c_dim  # classes; 0 when unconditional
        self.num_layers = config.num_layers
        self.resolution = config.resolution  # pixels, of the longer side
        self.img_channels = config.img_channels
        self.make_chain: Callable[..., Chain] | None = None
        self._w_avg = None
        if (mean := checkpoint.tensors.get("mapping.w_avg")) is not None:
            self._w_avg = frozen(torch.from_numpy(mean.finite("mapping.w_avg")))  # (w_dim,)

    def rough(self, codes: Tensor) -> Tensor:
        """Return pictures of `rough_size` that are near, for a quarter of the cost of a preview."""
        raise NotImplementedError(self.family)  # never called where rough_size is None

    def steps(self, noise_mode: str, size: int, quick: bool) -> list[Step] | None:
        """Return how one picture is made, step by step, or None if the family does not say.

        The last step gives what `_picture` gives for that `size`, or `_preview` if `quick`.
        """
        return None

    def with_chain(self, make: Callable[[Self, Tensor, str, int, bool], Chain]) -> Self:
        """Attach a hand-written derivative, which `linearize` then takes; return the generator.

        `make` is called with the generator, codes `(1, num_layers, w_dim)`, noise mode, size and
        whether the picture is the network's shortcut.
        """
        self.make_chain = make
        return self

    def _map(self, z: Tensor, label: Tensor | None) -> Tensor:
        """`map` on checked tensors; `label` is one-hot, None for unconditional networks.

        z itself unless a family has a mapping network or normalizes z.
        """
        return z

    def _picture(self, codes: Tensor, noise_mode: str, size: int) -> Tensor:
        """Return the full picture, or a smaller exact mean of it whose side `size` divides."""
        raise NotImplementedError(self.family)  # never called of families that are `conditioned`

    def _conditioned_picture(self, codes: Tensor, label: Tensor, truncation: float) -> Tensor:
        """`_picture` of the families that are `conditioned`; `label` is one-hot."""
        raise NotImplementedError(self.family)  # never called of others

    def _draw(self, random: np.random.RandomState, truncation: float) -> NDArray[np.floating]:
        """One z, `(1, z_dim)`."""
        return random.randn(1, self.z_dim)

    def _preview(self, codes: Tensor, noise_mode: str) -> Tensor:
        """Return the shortcut's picture, of `preview_size` pixels."""
        raise NotImplementedError(self.family)  # never called where preview_size is None

    def _own(self, value: Array, what: str, *shapes: tuple[int | str, ...]) -> Tensor:
        """`value`, of one of `shapes`, in the precision and on the device of the weights."""
        own = next(self.parameters())
        return as_floats(value, what, shapes).to(own.dtype).to(own.device)

    def _codes(self, codes: Array) -> Tensor:
        """Codes as `(n, num_layers, w_dim)`: a single one counts for every layer."""
        own = self._own(codes, "codes", ("n", self.w_dim), ("n", self.num_layers, self.w_dim))
        return own if own.ndim == 3 else own[:, None].expand(-1, self.num_layers, -1)

    def _layers(self, layers: int | Sequence[int]) -> list[int]:
        if is_whole(layers, -math.inf):
            cutoff = int(layers)  # type: ignore[arg-type]
            if cutoff < 0:
                raise UsageError(f"truncation of the layers below {cutoff}", "0 or more")
            return list(range(min(cutoff, self.num_layers)))
        return list(as_indices(layers, "layer", self.num_layers)) if np.size(layers) else []

    def _check_label(self) -> None:
        if self.checkpoint.config.get("label_lost"):
            raise SefaError(
                f"{self.checkpoint.ref} was exported without its label embedding, so seeds cannot "
                f"be mapped: only {self.w_dim} of its {self.z_dim} inputs are z",
                remedy="Edit codes in w instead, or export the network with its embedding.",
            )

    def _check_truncation(self, truncation: float) -> None:
        """Of z and of the synthesis: most families know none."""
        if truncation != 1:
            remedy = "Truncate its codes with truncate(w, psi)." if self.space == "w" else ""
            what = f"truncation {truncation} of z or of the synthesis of a {self.family} model"
            raise UsageError(what, "1", remedy)
