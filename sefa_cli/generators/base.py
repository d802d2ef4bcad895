"""What every generator offers: seeds → z → codes → truncated codes → pictures."""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager

import numpy as np
import torch
from torch import Tensor

from sefa_cli.arguments import check_kind
from sefa_cli.editing.sum import check_truncation
from sefa_cli.errors import UsageError
from sefa_cli.generators.core import Core
from sefa_cli.generators.inputs import Array, as_one_hot, as_seeds, as_size
from sefa_cli.generators.layers import area_mean
from sefa_cli.generators.linearize import Linearization
from sefa_cli.generators.noise_modes import check_noise_mode
from sefa_cli.generators.weights import frozen
from sefa_cli.ranges import as_indices

_MEAN_ROWS = 10_000  # samples for a mean w that the file does not hold


class Generator(Core):
    """A pretrained generator. Codes and pictures are tensors on its `device`; numpy is accepted.

    Attributes:
        checkpoint: What it was built from.
        family: Its family, such as "stylegan2".
        space: "w" where a mapping network takes z to the codes, "z" where z is the code itself.
        z_dim: The dimension of z.
        w_dim: The dimension of a code.
        c_dim: The number of classes, 0 for unconditional networks.
        num_layers: How many codes make a picture.
        resolution: The longer side of its pictures in pixels.
        img_channels: The channels of its pictures, 3 for RGB.
        preview_size: The side of the network's own shortcut in pixels; None if it has none.
        conditioned: Whether pictures need a label and a truncation besides the codes (BigGAN).

    Example:
        >>> generator = sefa.load_generator(tiny, device="cpu")
        >>> generator
        <Generator stylegan2, 32 px, w (8, 32), on cpu>
        >>> w = generator.truncate(generator.map(generator.sample([0, 1])), 0.7)
        >>> w.shape, generator.synthesize(w, size=16).shape
        (torch.Size([2, 8, 32]), torch.Size([2, 3, 16, 16]))
    """

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
        """Return z of seeds: RandomState(seed).randn(1, z_dim) for each.

        Args:
            seeds: Whole numbers from 0 to 2³² − 1.
            truncation: For BigGAN, which draws from a truncated normal; others refuse any but 1.

        Returns:
            float32 `(n, z_dim)`.

        Raises:
            UsageError: A seed is not a whole number, or the truncation is refused.
            SefaError: A seed is out of range, there are none, or the file lacks what maps them.

        Example:
            >>> sefa.load_generator(tiny, device="cpu").sample(range(3)).shape
            torch.Size([3, 32])
        """
        self._check_truncation(truncation)
        self._check_label()
        rows = [self._draw(np.random.RandomState(seed), truncation) for seed in as_seeds(seeds)]
        return torch.from_numpy(np.concatenate(rows).astype(np.float32)).to(self.device)

    def map(self, z: Array, label: Array | None = None) -> Tensor:
        """Return codes of z, not truncated.

        Args:
            z: Floats `(n, z_dim)`.
            label: Class indices `(n,)` or one-hot rows `(n, c_dim)`. Conditional networks need
                it, but for those whose label goes into the synthesis.

        Returns:
            float32 `(n, w_dim)`.

        Raises:
            SefaError: z has a wrong shape, or the label is missing, out of range or of no use.

        Example:
            >>> sefa.load_generator(tiny, device="cpu").map(np.zeros((2, 32), np.float32)).shape
            torch.Size([2, 32])
        """
        self._check_label()
        z = self._own(z, "z", ("n", self.z_dim))
        label = None if self.conditioned else as_one_hot(label, len(z), self.c_dim)
        return self._map(z, label if label is None else label.to(z))

    def truncate(self, w: Array, psi: float, layers: int | Sequence[int] | None = None) -> Tensor:
        """Return w̄ + psi (w − w̄), where w̄ is `w_avg`.

        Args:
            w: Codes `(n, w_dim)` or `(n, num_layers, w_dim)`.
            psi: From -2 to 2: 1 changes nothing, 0 gives w̄, below 0 lie the opposites. Families
                whose codes are z refuse any but 1.
            layers: A list of code indices, or an int for the codes below it. Default: all.

        Returns:
            A new tensor `(n, num_layers, w_dim)`.

        Raises:
            UsageError: psi or a layer is out of range.
            SefaError: w has a wrong shape.

        Source: Karras et al., CVPR 2019, appendix B.

        Example:
            >>> generator = sefa.load_generator(tiny, device="cpu")
            >>> bool((generator.truncate(np.ones((1, 32)), 0.0) == generator.w_avg).all())
            True
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
        """Return the pictures of codes, which they can be differentiated by, both ways.

        Args:
            codes: `(n, w_dim)` or `(n, num_layers, w_dim)`.
            label: As in `map`, where the synthesis needs it (BigGAN); codes in w hold it already.
            truncation: That of `sample`, likewise.
            noise_mode: "const" (the file's), "random" (from torch's generator) or "none".
            size: The longer side in pixels, each the mean of its area. Default: full size.
            preview: Take the network's shortcut, if it has one of at least that size.

        Returns:
            float32 `(n, img_channels, height, width)`, about -1 to 1, not clamped.

        Raises:
            UsageError: The noise mode, the size or the truncation is not valid.
            SefaError: The codes have a wrong shape, or the label is missing.

        Example:
            >>> generator = sefa.load_generator(tiny, device="cpu")
            >>> generator.synthesize(np.zeros((2, 8, 32), np.float32)).shape
            torch.Size([2, 3, 32, 32])
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

    def linearize(
        self, code: Array, layers: Sequence[int], per_layer: bool = False, size: int | None = None,
        preview: bool = True, noise_mode: str = "const", label: Array | None = None,
        truncation: float = 1.0,
    ) -> Linearization:  # fmt: skip
        """Return the derivative of one picture at one code.

        Args:
            code: `(num_layers, w_dim)` or `(w_dim,)`.
            layers: The code indices to move.
            per_layer: Move each by a vector of its own, instead of all by one.
            size: As in `synthesize`.
            preview: As in `synthesize`, unless False is given.
            noise_mode: "const" or "none".
            label: As in `synthesize`.
            truncation: As in `synthesize`.

        Returns:
            The Jacobian: `forward` takes directions through it, `reverse` pictures back.

        Raises:
            UsageError: A layer or the size is out of range, or the noise is random.
            SefaError: The code has a wrong shape.

        Example:
            >>> generator = sefa.load_generator(tiny, device="cpu")
            >>> generator.linearize(np.zeros(32, np.float32), [0, 1], per_layer=True).dim
            64
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

    def placed(self, x: float, y: float, degrees: float) -> AbstractContextManager[None]:
        """Turn the pictures of a `with` block, then move them (StyleGAN3 only).

        Args:
            x: How far to the right, in widths of the picture.
            y: How far down, in widths of the picture.
            degrees: How far to turn, counterclockwise.

        Returns:
            What `with` takes.

        Raises:
            UsageError: The family cannot.

        Example:
            >>> try:
            ...     sefa.load_generator(tiny, device="cpu").placed(0, 0, 15)
            ... except sefa.UsageError as error:
            ...     print(error.expected)
            a stylegan3 model
        """
        raise UsageError(f"translation and rotation of a {self.family} model", "a stylegan3 model")
