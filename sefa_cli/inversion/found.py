"""What `invert` returns: the codes of photographs, and how good they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from sefa_cli.arguments import public
from sefa_cli.editing.codes import save_codes
from sefa_cli.inversion.photos import Photo, unlike
from sefa_cli.inversion.tune import Tuned
from sefa_cli.rendering.gallery import checked_index
from sefa_cli.rendering.pictures import Picture, png, to_image
from sefa_cli.rendering.sheets import contact_sheet


@dataclass(frozen=True, repr=False)
class Found:
    """The code of one photo.

    Attributes:
        photo: The photo as the network saw it.
        code: float32 `(layers, dim)`, or `(dim,)` if z is one code.
        loss: The loss of its picture (inversion/loss.py).
        psnr: Peak signal-to-noise ratio of its picture in dB, at the working size.
        picture: Its picture, uint8 `(height, width, channels)`.
        lpips: LPIPS of its picture at the working size, if it was in the loss.
    """

    photo: Photo
    code: torch.Tensor
    loss: float
    psnr: float
    picture: Picture
    lpips: float | None = None

    def __repr__(self) -> str:
        return f"<code of {self.photo.name}: {self.quality}>"

    @property
    def quality(self) -> str:
        """How near its picture comes, in words: `loss 0.1234, 23.8 dB`."""
        seen = "" if self.lpips is None else f", LPIPS {self.lpips:.3f}"
        return f"loss {self.loss:.4f}, {self.psnr:.1f} dB{seen}"


@dataclass(frozen=True, eq=False)
class Inversion(Sequence[Found]):
    """The codes of photos; a notebook shows photos and reconstructions as a sheet.

    Attributes:
        found: One result for each photo.
        space: The space of the codes: "w", "w+" or "z".
        tuned: The changes to the model that belong to the codes, if it was tuned.

    Example:
        >>> photos = list(sefa.sample(tiny, seeds="3-4", device="cpu"))
        >>> found = sefa.invert(photos, tiny, space="w", passes=5, device="cpu")
        >>> len(found), found.names, tuple(found[-1].code.shape)
        (2, ['photo', 'photo-2'], (8, 32))
    """

    found: tuple[Found, ...]
    space: str
    tuned: Tuned | None = None

    def __len__(self) -> int:
        return len(self.found)

    def __getitem__(self, i: int) -> Found:  # type: ignore[override]
        """Return the result of photo `i`."""
        return self.found[checked_index(i, len(self), "photo")]

    def __repr__(self) -> str:
        several = "s" * (len(self) != 1)
        return f"<codes of {len(self):,} photo{several} in {self.space}>"

    @property
    def codes(self) -> torch.Tensor:
        """The codes, float32 `(n, layers, dim)`, or `(n, dim)` if z is one code."""
        return torch.stack([one.code for one in self.found])

    @property
    def names(self) -> list[str]:
        """The names of the photos, each different."""
        return unlike(one.photo.name for one in self.found)

    @property
    def losses(self) -> list[float]:
        """The loss of each reconstruction."""
        return [one.loss for one in self.found]

    @property
    def lpips(self) -> list[float | None]:
        """LPIPS of each reconstruction, if it was in the loss."""
        return [one.lpips for one in self.found]

    @property
    def psnrs(self) -> list[float]:
        """The peak signal-to-noise ratio of each reconstruction, in dB."""
        return [one.psnr for one in self.found]

    @public
    def save(self, path: Path | str, overwrite: bool = False) -> None:
        """Write the codes with the photos' names to an .npz, for `codes=`.

        If the model was tuned, `NAME.tuned.safetensors` beside it gets the changes: a model for
        `model=`.

        Args:
            path: The file.
            overwrite: Replace the files if they exist.

        Raises:
            SefaError: The file exists, or cannot be written.

        Example:
            >>> photo = sefa.sample(tiny, seeds=3, device="cpu")[0]
            >>> sefa.invert(photo, tiny, passes=5, device="cpu").save("me.npz")
            >>> sefa.sample(tiny, codes="me.npz", device="cpu")
            <1 picture of tiny.pth>
        """
        space = "z" if self.space == "z" else None
        save_codes(path, self.codes, overwrite, space, self.names)
        if self.tuned is not None:
            self.tuned.save(path, overwrite)

    def sheet(self) -> Image.Image:
        """Return one Pillow image: a column for each photo, its reconstruction below."""
        return to_image(self.paint_sheet())

    def paint_sheet(self) -> NDArray[np.uint8]:
        """Return `sheet` as an array `(height, width, 3)`."""
        rows = [[one.photo.pixels for one in self.found], [one.picture for one in self.found]]
        texts = [f"{one.psnr:.1f} dB" for one in self.found]
        return contact_sheet(rows, ["photo", "code"], self.names, [[""] * len(texts), texts])

    @cached_property
    def _png(self) -> bytes:
        return png(self.paint_sheet())

    def _repr_png_(self) -> bytes:
        """Return the sheet as PNG, for notebooks."""
        return self._png
