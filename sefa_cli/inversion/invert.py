"""Find the codes of photographs: what `sefa invert` and `sefa.invert` do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from sefa_cli.allocator import keep_blocks
from sefa_cli.arguments import public
from sefa_cli.editing.source import load_generator
from sefa_cli.errors import UsageError
from sefa_cli.inversion.align import face_finder
from sefa_cli.inversion.descent import Descent, Report, Watch
from sefa_cli.inversion.found import Found, Inversion
from sefa_cli.inversion.guess import Guess
from sefa_cli.inversion.how import How
from sefa_cli.inversion.loss import Loss, loss_to, psnr, share_of, target_of
from sefa_cli.inversion.photos import Given, Photo, check_photo, find_photos, read_photo
from sefa_cli.inversion.prior import Prior, prior_of
from sefa_cli.inversion.tune import tune_to
from sefa_cli.lpips import load_lpips
from sefa_cli.projections import weights_digest
from sefa_cli.rendering.pictures import to_uint8

if TYPE_CHECKING:
    from sefa_cli.generators.base import Generator

Progress = Callable[[str, int, int, float], object]  # name, passes so far, in all, loss


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
        begin = {} if self._lpips is None else {"begin": "guess"}
        return {"model": model, **asdict(self.how), "space": self.space, **begin}

    @cached_property
    def guess(self) -> Guess | None:
        """What guesses a code to begin with, if LPIPS is in the loss; it takes a while to learn."""
        if self._lpips is None:
            return None
        return Guess(self.generator, self.prior, self._lpips, self.size)

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
        loss, weight = self.loss_to(photo), float(self.how.regularize)
        start = self.guess(target) if self.guess else None
        return Descent(
            self.generator, self.prior, target, loss, weight, report, start=start, share=share
        )

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


def _each(given: Given) -> Sequence[Given]:
    return find_photos([given]) if isinstance(given, str | Path) else [given]


@public
def invert(  # noqa: PLR0913 - keywords, each with a default
    pictures: Given | Sequence[Given],
    model: str | Path | Generator,
    *,
    device: str = "auto",
    offline: bool | None = None,
    progress: Progress | None = None,
    space: str | None = None,
    passes: int = 100,
    size: int = 256,
    regularize: float = 1e-3,
    loss: str = "pixels",
    tune: bool = False,
    align: bool = False,
    face: int | None = None,
    outside: float = 1.0,
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
        space: "w" gives all layers one code and edits best; "w+" gives each layer its own and
            looks more like the photo. Default: "w+"; "z" for models without a mapping network.
        passes: Pictures with gradients for each photo, 1 or more; each costs about 2.5 pictures.
        size: Working size in pixels, of the longer side, 16 or more; at most the model's.
        regularize: Weight of the distance from the model's mean code and between layers, 0 or
            more: higher values give codes that edit better and look less like the photo.
        loss: "pixels" compares pixels and edges at every scale. "lpips" adds LPIPS, which sees
            what people see; its weights are fetched once (64 MB). Its search begins with a guess,
            learned once for each model.
        tune: Also change the model's convolutions a little, so that the codes show the photos
            better; each photo gets as many passes again.
        align: Crop and turn the face as in FFHQ, from landmarks. Needs `sefa-cli[eval]`; without
            it, photos are taken as they are.
        face: With `align`, which face, from 0 at the left. Default: the largest.
        outside: With `align`, how much an error outside the face counts, from 0 to 1. Below 1,
            the face comes nearer, and hat, hair and background come less near.

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
    how = How(space, passes, size, regularize, loss, tune, align, face, outside)
    several = isinstance(pictures, list | tuple)
    given: Sequence[Given] = pictures if several else [pictures]  # type: ignore[assignment,list-item]
    if not given:
        raise UsageError("no photos are given", "one or more")
    given = [one for some in given for one in _each(some)]
    for one in given:
        check_photo(one)
    keep_blocks()
    inverter = Inverter(load_generator(model, device, offline), how, offline)
    report = progress or (lambda name, done, of, loss: None)
    of = how.passes * (2 if how.tune else 1)
    photos = [inverter.read(one) for one in given]
    found = [
        inverter.find(photo, lambda done, loss, n=photo.name: report(n, done, of, loss))  # type: ignore[misc]
        for photo in photos
    ]
    tuned = None
    if how.tune:
        found, tuned = tune_to(
            inverter, found, lambda name, n, loss: report(name, how.passes + n, of, loss)
        )
    return Inversion(tuple(found), inverter.space, tuned)
