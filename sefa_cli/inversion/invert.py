"""The codes of photographs: what `sefa invert` and `sefa.invert` do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from sefa_cli.allocator import keep_blocks
from sefa_cli.editing.codes import save_codes
from sefa_cli.editing.source import load_generator
from sefa_cli.errors import UsageError
from sefa_cli.inversion.align import face_finder
from sefa_cli.inversion.descent import Descent, Report, Watch
from sefa_cli.inversion.how import How
from sefa_cli.inversion.loss import Loss, loss_to, psnr, share_of, target_of
from sefa_cli.inversion.photos import Given, Photo, find_photos, read_photo, unlike
from sefa_cli.inversion.prior import Prior, prior_of
from sefa_cli.inversion.tune import Tuned, tune_to
from sefa_cli.lpips import load_lpips
from sefa_cli.projections import weights_digest
from sefa_cli.rendering.pictures import Picture, png, to_image, to_uint8
from sefa_cli.rendering.sheets import contact_sheet

if TYPE_CHECKING:
    from sefa_cli.generators.base import Generator

Progress = Callable[[str, int, int, float], object]  # name, passes so far, in all, loss


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


class Inverter:
    """A model with everything that is learned once for all photos.

    Raises UsageError for a model or a space that cannot be inverted.
    """

    def __init__(self, generator: Generator, how: How = How(), offline: bool | None = None) -> None:
        self.generator = generator
        self.space, self.how = how.space_of(generator.checkpoint), how
        self.size = min(how.size, generator.resolution)
        self._finder = face_finder(offline) if how.align else None
        self._lpips = load_lpips(offline).to(generator.device) if how.loss == "lpips" else None
        self.prior: Prior = prior_of(generator)
        with torch.inference_mode():
            self.shape: tuple[int, ...] = tuple(self.picture(self._mean_code).shape)  # (c, h, w)

    @cached_property
    def task(self) -> dict[str, object]:
        """Everything but the photo that a code depends on, as JSON."""
        model = weights_digest(self.generator.checkpoint)
        return {"model": model, **asdict(self.how), "space": self.space}

    @property
    def _mean_code(self) -> torch.Tensor:
        return self.prior.mean.float().expand(self.generator.num_layers, -1)

    def picture(self, code: torch.Tensor) -> torch.Tensor:
        """Return the picture `(channels, height, width)` of a code, at the working size."""
        own = code.to(self.generator.device)
        picture: torch.Tensor = self.generator.synthesize(own[None], size=self.size, preview=True)
        return picture[0]

    def read(self, given: Given, name: str | None = None) -> Photo:
        """Read a photo in the model's shape. Raises SefaError."""
        channels, height, width = self.shape
        return read_photo(given, (height, width), channels, name, self._finder, self.how.face)

    def find(self, photo: Photo, report: Report, watch: Watch | None = None) -> Found:
        """Return the code of a photo; the same photo gives the same code.

        `report` and `watch` are those of `Descent`.
        """
        descent = self.descent(photo, report)
        if watch:
            descent.watch = watch
        return self.found(photo, descent.run(self.how.passes, self.space))

    def descent(self, photo: Photo, report: Report) -> Descent:
        """Return the search for the code of a photo."""
        target, share = self._goal(photo)
        loss, weight = self.loss_to(photo), self.how.regularize
        return Descent(self.generator, self.prior, target, loss, weight, report, share=share)

    def loss_to(self, photo: Photo) -> Loss:
        """Return what is made small for a photo."""
        target, share = self._goal(photo)
        return loss_to(target, self._lpips, share)

    def _goal(self, photo: Photo) -> tuple[torch.Tensor, torch.Tensor]:
        """Return a photo as the network paints, and how much the error of each pixel counts."""
        share = share_of(photo, self.how.outside)
        return target_of(photo).to(self.generator.device), share.to(self.generator.device)

    def found(self, photo: Photo, code: torch.Tensor) -> Found:
        """Return what belongs to a code that was found for a photo."""
        target, distance = target_of(photo), None
        with torch.inference_mode():
            picture = self.picture(code)[None]
            loss = float(self.loss_to(photo)(picture))
            if self._lpips is not None:
                distance = float(self._lpips(picture, target.to(picture)))
        pixels = to_uint8(picture.cpu().numpy())[0]
        layered = self.generator.space == "w" or self.generator.num_layers > 1
        own = code if layered else code[0]
        return Found(photo, own, loss, psnr(picture.cpu(), target), pixels, distance)


@dataclass(frozen=True, eq=False)
class Inversion(Sequence[Found]):
    """The codes of photos; a notebook shows photos and reconstructions as a sheet.

    Attributes:
        found: One result for each photo.
        space: The space of the codes: "w", "w+" or "z".
        tuned: The changes to the model that belong to the codes, if it was tuned.
    """

    found: tuple[Found, ...]
    space: str
    tuned: Tuned | None = None

    def __len__(self) -> int:
        return len(self.found)

    def __getitem__(self, i: int) -> Found:  # type: ignore[override]
        """Return the result of photo `i`."""
        return self.found[i]

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

    def save(self, path: Path | str, overwrite: bool = False) -> None:
        """Write the codes with the photos' names to an .npz, for `codes=` and `--codes`.

        If the model was tuned, `NAME.tuned.safetensors` beside it gets the changes: a model for
        `model=` and `--model`.

        Raises:
            SefaError: The file exists, or cannot be written.
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


def _each(given: Given) -> Sequence[Given]:
    return find_photos([given]) if isinstance(given, str | Path) else [given]


def _ignore(name: str, done: int, total: int, loss: float) -> None:
    """Ignore progress."""


def invert(
    pictures: Given | Sequence[Given],
    model: str | Path | Generator,
    *,
    device: str = "auto",
    offline: bool | None = None,
    progress: Progress = _ignore,
    **choices: Any,
) -> Inversion:
    """Find the codes whose pictures look like given photos.

    Photos are turned upright, cropped to their center and made smaller. Faces must be aligned as
    the model's own: a model of faces knows only faces of its own position and size.

    Args:
        pictures: One photo or several: files, folders, Pillow images, or arrays
            `(height, width, 3)` of uint8.
        model: A zoo name, a path, an address, or a generator from `load_generator`.
        device: `"auto"`, `"cpu"`, `"cuda"` or `"mps"`; not used for a loaded generator.
        offline: Fetch nothing. Default: what SEFA_OFFLINE says.
        progress: Called as `progress(name, passes, of, loss)` after each pass. What it raises
            stops the search.
        **choices: The space, passes and more: the fields of `How`, where the defaults are.

    Returns:
        The codes, with names, reconstructions and how good they are.

    Raises:
        UsageError: An option is not valid, or the model cannot be inverted.
        SefaError: A photo or the model cannot be read.

    Source: Karras et al., CVPR 2020, section 5 (projection); Nocedal, Mathematics of Computation
        1980 (L-BFGS).

    Example:
        >>> photo = sefa.sample(tiny, seeds=[3], device="cpu")[0]
        >>> found = sefa.invert(photo, tiny, space="w", passes=30, device="cpu")
        >>> found, found.names, tuple(found.codes.shape)
        (<codes of 1 photo in w>, ['photo'], (1, 8, 32))
        >>> pictures = sefa.sample(tiny, codes=found.codes, device="cpu")
    """
    how = How(**choices)
    several = isinstance(pictures, list | tuple)
    given: Sequence[Given] = pictures if several else [pictures]  # type: ignore[assignment,list-item]
    if not given:
        raise UsageError("no photos are given", "one or more")
    keep_blocks()
    inverter = Inverter(load_generator(model, device, offline), how, offline)
    of = how.passes * (2 if how.tune else 1)
    photos = [inverter.read(one) for some in given for one in _each(some)]
    found = [
        inverter.find(photo, lambda done, loss, n=photo.name: progress(n, done, of, loss))  # type: ignore[misc]
        for photo in photos
    ]
    tuned = None
    if how.tune:
        found, tuned = tune_to(
            inverter, found, lambda name, n, loss: progress(name, how.passes + n, of, loss)
        )
    return Inversion(tuple(found), inverter.space, tuned)
