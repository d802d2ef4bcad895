"""What every generator offers: seeds → z → codes → truncated codes → pictures."""

import math
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from sefa_cli.arguments import check_kind
from sefa_cli.containers.checkpoint import Checkpoint
from sefa_cli.editing.sum import check_truncation
from sefa_cli.errors import SefaError, UsageError
from sefa_cli.generators.inputs import (
    Array,
    as_floats,
    as_one_hot,
    as_seeds,
    as_size,
)
from sefa_cli.generators.layers import area_mean
from sefa_cli.generators.linearize import Chain, Linearization
from sefa_cli.generators.noise_modes import check_noise_mode
from sefa_cli.generators.steps import Step
from sefa_cli.generators.weights import frozen
from sefa_cli.ranges import as_indices, is_whole

_MEAN_ROWS = 10_000  # samples for a mean w that the file does not hold


class Generator(nn.Module):
    """A pretrained generator. Codes and pictures are tensors on its `device`; numpy is accepted.

    `space` is "w" where a mapping network takes z to the codes, "z" where z is the code itself.
    `preview_size` is the side of the network's own shortcut in pixels, None where it has none.
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

    def __repr__(self) -> str:
        """Return one line: family, size, latent, device."""
        layers = f"({self.num_layers}, {self.w_dim})" if self.num_layers > 1 else f"({self.w_dim},)"
        what = f"{self.family}, {self.resolution} px, {self.space} {layers}"
        return f"<Generator {what}, on {self.device}>"

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        return next(self.parameters()).device

    @property
    def dtype(self) -> torch.dtype:
        """What it computes in: float32, or float64 after `.double()`."""
        return next(self.parameters()).dtype

    @property
    def default_truncation(self) -> float:
        """The field's default: psi of the codes, or truncation of z."""
        return 0.7 if self.space == "w" else 1.0

    @property
    def w_avg(self) -> Tensor:
        """The mean w `(w_dim,)`: the file's, the one that was set, or a computed one.

        The computed one is the mean over the 10,000 rows of RandomState(0).randn(10000, z_dim);
        it takes about a second and is kept. In conditional networks row i has class i mod c_dim.
        """
        if self._w_avg is None:
            rows = np.random.RandomState(0).randn(_MEAN_ROWS, self.z_dim)
            classes = np.arange(_MEAN_ROWS) % self.c_dim if self.c_dim else None
            means = []
            with torch.no_grad():
                for part in np.split(np.arange(_MEAN_ROWS), 10):
                    label = None if classes is None else classes[part]
                    means.append(self.map(rows[part], label).mean(dim=0))
            self.w_avg = torch.stack(means).mean(dim=0)
        assert self._w_avg is not None
        return self._w_avg

    @w_avg.setter
    def w_avg(self, mean: Array) -> None:
        with torch.inference_mode(False):  # made inside one, it could not be differentiated later
            self._w_avg = frozen(self._own(mean, "w_avg", (self.w_dim,)).detach().clone())

    def sample(self, seeds: Iterable[int], truncation: float = 1.0) -> Tensor:
        """z of the seeds, float32 `(n, z_dim)`: RandomState(seed).randn(1, z_dim) for each.

        `truncation` is for families that draw from a truncated normal; others refuse any but 1.
        """
        self._check_truncation(truncation)
        self._check_label()
        rows = [self._draw(np.random.RandomState(seed), truncation) for seed in as_seeds(seeds)]
        return torch.from_numpy(np.concatenate(rows).astype(np.float32)).to(self.device)

    def map(self, z: Array, label: Array | None = None) -> Tensor:
        """Codes `(n, w_dim)` of z `(n, z_dim)`, not truncated.

        `label` holds class indices `(n,)` or one-hot rows `(n, c_dim)`: conditional networks need
        it, but for those whose label goes into the synthesis.
        Raises SefaError for wrong shapes, a label missing, out of range or of no use.
        """
        self._check_label()
        z = self._own(z, "z", ("n", self.z_dim))
        label = None if self.conditioned else as_one_hot(label, len(z), self.c_dim)
        return self._map(z, label if label is None else label.to(z))

    def truncate(self, w: Array, psi: float, layers: int | Sequence[int] | None = None) -> Tensor:
        """w̄ + psi (w − w̄), a new tensor `(n, num_layers, w_dim)`.

        psi is between -2 and 2: 1 changes nothing, 0 gives w̄, below 0 lie the opposites.
        w is `(n, w_dim)` or `(n, num_layers, w_dim)`. `layers`: None for all, an int for the codes
        below it, or a list of code indices. Families whose codes are z refuse any psi but 1.
        """
        codes = self._codes(w)
        check_kind("psi", psi, "float")
        check_truncation(psi)
        if psi == 1:
            return codes.clone()
        if self.space != "w":
            raise UsageError(f"truncation {psi} for a {self.family} model", "1: it has no mean w")
        truncated = self.w_avg + psi * (codes - self.w_avg)
        if layers is None:
            return truncated
        chosen = torch.zeros(self.num_layers, 1, dtype=torch.bool)
        chosen[self._layers(layers)] = True
        return torch.where(chosen.to(self.device), truncated, codes)

    def synthesize(
        self, codes: Array, label: Array | None = None, truncation: float = 1.0,
        noise_mode: str = "const", size: int | None = None, preview: bool = False,
    ) -> Tensor:  # fmt: skip
        """Pictures float32 `(n, img_channels, height, width)`, in the network's own range.

        codes are `(n, w_dim)` or `(n, num_layers, w_dim)`; the pictures, which are not clamped,
        can be differentiated by them, forward and in reverse. `noise_mode` is "const" (the
        file's), "random" (from torch's generator) or "none". `size` is the longer side in pixels,
        each the mean of the area it covers. `preview` takes the network's shortcut, if it has one
        of at least that size. `label` and `truncation` are for families whose synthesis needs
        them; codes in w hold both already.
        Raises SefaError for wrong shapes, an unknown noise mode, a size out of range.
        """
        codes = self._codes(codes)
        self._check_truncation(truncation)
        check_noise_mode(noise_mode)
        labels = as_one_hot(label, len(codes), self.c_dim) if self.conditioned else None
        pixels = as_size(size, self.resolution)
        quick = self.takes_shortcut(size, preview)
        pictures = []
        step = 1 if self.device.type == "cpu" else 8  # larger batches are not faster
        for first in range(0, len(codes), step):
            part = codes[first : first + step]
            if quick:
                picture = self._preview(part, noise_mode)
            elif labels is not None:
                own = labels[first : first + step].to(part)
                picture = self._conditioned_picture(part, own, truncation)
            else:
                picture = self._picture(part, noise_mode, pixels)
            pictures.append(area_mean(picture, pixels))
        return torch.cat(pictures)

    def rough(self, codes: Tensor) -> Tensor:
        """Return pictures of `rough_size` that are near, for a quarter of the cost of a preview."""
        raise NotImplementedError(self.family)  # never called where rough_size is None

    def linearize(
        self, code: Array, layers: Sequence[int], per_layer: bool = False, size: int | None = None,
        preview: bool = True, noise_mode: str = "const", label: Array | None = None,
        truncation: float = 1.0,
    ) -> Linearization:  # fmt: skip
        """Return the derivative of one picture at one code `(num_layers, w_dim)` or `(w_dim,)`.

        One vector moves all of `layers` (code indices), or with `per_layer` each has its own. The
        other arguments are those of `synthesize`; random noise is refused, since every pass would
        be the derivative of another picture.
        """
        own = self._own(code, "code", (self.w_dim,), (self.num_layers, self.w_dim))
        own = own.detach().expand(self.num_layers, -1)
        chosen = sorted(as_indices(layers, "layer", self.num_layers))
        check_noise_mode(noise_mode)
        if noise_mode == "random":
            raise UsageError("random noise for a derivative", "noise mode const or none")
        pixels = as_size(size, self.resolution)
        quick = self.takes_shortcut(size, preview)
        with torch.no_grad():
            make = self.make_chain
            chain = None if make is None else make(self, own[None], noise_mode, pixels, quick)
        labels = as_one_hot(label, 1, self.c_dim) if self.conditioned else None

        def paint(codes: Tensor) -> Tensor:
            return self.synthesize(codes, labels, truncation, noise_mode, size, preview)

        return Linearization(paint, own, chosen, per_layer, chain)

    def takes_shortcut(self, size: int | None, preview: bool) -> bool:
        """Return whether a picture of that size takes the network's shortcut, if it may."""
        shortcut = self.preview_size
        return bool(preview and shortcut and (size is None or size <= shortcut))

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

    def placed(self, x: float, y: float, degrees: float) -> AbstractContextManager[None]:
        """Turn the pictures of a `with` block counterclockwise, then move them right and down.

        x and y are in widths of the picture. Raises UsageError for all families but StyleGAN3.
        """
        raise UsageError(f"translation and rotation of a {self.family} model", "a stylegan3 model")

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
        return as_floats(value, what, shapes).to(self.dtype).to(self.device)

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
