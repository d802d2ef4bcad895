"""Pivotal tuning: the network's convolutions move a little, so that given codes show their photos.

The codes stay, and so do the mapping network and the style affines: directions, and the
fingerprint that bundles check, belong to the tuned model as to the model itself. Photos are seen
at the working size; the detail of the full picture beyond it is held where it was, or the
convolutions would fill it with a grid that no photo forbids.

Source: Roich et al., ACM TOG 2022.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

from sefa_cli.checkpoints import TUNED
from sefa_cli.editing.tuned import Changes, save_tuned, tunable
from sefa_cli.errors import UsageError
from sefa_cli.generators.layers import area_mean

if TYPE_CHECKING:
    from sefa_cli.generators.base import Generator
    from sefa_cli.inversion.found import Found
    from sefa_cli.inversion.invert import Inverter

Progress = Callable[[str, int, float], object]  # name, passes so far of this photo, loss

_STEP = 8e-4  # of Adam, at most
_SLOW = 6  # passes until then: otherwise the loss rises first
_BETAS = (0.9, 0.99)
_DETAIL = 10.0  # weight of the mean square change of the detail


@dataclass(frozen=True, eq=False, repr=False)
class Tuned:
    """The changes to a generator that belong to some codes.

    Attributes:
        generator: The generator, without the changes.
        changes: By the name of its parameter, float16.
    """

    generator: "Generator"
    changes: Changes

    @staticmethod
    def beside(codes: Path | str) -> Path:
        """Return the file of the changes that belong to a file of codes."""
        return Path(codes).with_suffix(TUNED)

    def save(self, codes: Path | str, overwrite: bool = False) -> None:
        """Write them beside the file `codes`. Raises SefaError."""
        save_tuned(self.beside(codes), self.generator, self.changes, overwrite)


def tune_to(
    inverter: "Inverter", found: "Sequence[Found]", progress: Progress
) -> "tuple[list[Found], Tuned]":
    """Return what is found for photos after the network was tuned to their codes; the changes.

    Each photo gets the passes of `inverter.how`. The generator is afterwards as it was.
    Raises UsageError for a model that is tuned already.
    """
    generator = inverter.generator
    if generator.checkpoint.tuned is not None:
        raise UsageError(f"{generator.checkpoint.tuned} is tuned already", "the model it changes")
    weights = tunable(generator)
    before = {name: weight.detach().clone() for name, weight in weights.items()}
    losses = [inverter.loss_to(one.photo) for one in found]
    codes = [one.code.to(generator.dtype).to(generator.device)[None] for one in found]
    passes = inverter.how.passes
    with torch.no_grad():
        details = [_parts(generator, code, inverter.size)[1].half() for code in codes]
    try:
        for weight in weights.values():
            weight.requires_grad_()
        search = torch.optim.Adam(weights.values(), _STEP, _BETAS)
        for done in range(1, passes + 1):
            rate = min(done / _SLOW, 1, 2 * (1 - (done - 1) / passes))  # the second half slows down
            search.param_groups[0]["lr"] = _STEP * rate
            for one, loss_to, code, detail in zip(found, losses, codes, details, strict=True):
                search.zero_grad()
                picture, finer = _parts(generator, code, inverter.size)
                loss = loss_to(picture)
                (loss + _DETAIL * (finer - detail).square().mean()).backward()  # type: ignore[no-untyped-call]
                search.step()
                progress(one.photo.name, done, float(loss.detach()))
        changes = {
            name: (weight.detach() - before[name]).half() for name, weight in weights.items()
        }
        for name, change in changes.items():  # as the file will have it
            weights[name].requires_grad_(False).copy_(before[name] + change)
        results = [inverter.found(one.photo, one.code) for one in found]
    finally:
        for name, weight in weights.items():
            weight.requires_grad_(False).copy_(before[name])
    numbers = {name: change.cpu().numpy() for name, change in changes.items()}
    return results, Tuned(generator, numbers)


def _parts(generator: "Generator", code: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """Return the picture of a code at a working size, and what the full one has beyond it."""
    full = generator.synthesize(code)
    picture = area_mean(full, size)
    return picture, full - F.interpolate(picture, tuple(full.shape[-2:]))
