"""Latent codes: from seeds or a file, truncated, moved, kept."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from sefa_cli.editing.class_names import check_class
from sefa_cli.editing.sum import for_every_layer
from sefa_cli.errors import UsageError
from sefa_cli.files import open_atomically
from sefa_cli.generators.base import Generator
from sefa_cli.interchange.latents import checked, codes_for

CodeArray = torch.Tensor | NDArray[np.float32]  # (n, layers, dim), or (n, dim) for every layer


def codes_from_seeds(
    generator: Generator,
    seeds: Sequence[int],
    psi: float | None = None,
    layers: Sequence[int] | int | None = None,
    label: int | None = None,
) -> torch.Tensor:
    """Return the truncated codes of seeds: `(n, layers, dim)`, or `(n, dim)` if z is one code.

    A seed has the same code, to the last bit, whichever others are asked for.

    Args:
        generator: The generator.
        seeds: n seeds, each from 0 to 2³² − 1.
        psi: Truncation; None is the family's default, 0.7 if it has a mean w.
        layers: Truncate only the codes below this index, or those listed; None for all.
        label: The class of a conditional model, an index from 0.

    Raises:
        UsageError: The model has no such layer or class, or cannot be truncated that way.
    """
    check_class(label, generator.c_dim)
    psi = generator.default_truncation if psi is None else psi
    if generator.space != "w" and layers is not None:
        raise UsageError(
            f"truncation of layers for a {generator.family} model", "none: it acts on z"
        )
    labels = None if label is None else torch.tensor([label])

    def code(seed: int) -> torch.Tensor:  # alone: a batch changes the last bits
        if generator.space == "w":
            return generator.truncate(generator.map(generator.sample([seed]), labels), psi, layers)
        return generator.map(generator.sample([seed], psi), labels)  # (1, z_dim)

    return for_every_layer(torch.cat([code(seed) for seed in seeds]), generator.num_layers)


def save_codes(
    path: Path | str,
    codes: torch.Tensor,
    overwrite: bool = False,
    space: str | None = None,
    names: Sequence[str] = (),
) -> None:
    """Write codes as the NVIDIA projector does: key `w` `(n, layers, dim)`, or `z` `(n, dim)`.

    Args:
        path: The .npz file.
        codes: The codes.
        overwrite: Replace the file if it exists.
        space: "z" for codes `(n, layers, dim)` that are not in w, such as BigGAN's.
        names: The names of the photos they belong to, one for each; kept as `names`.

    Raises:
        SefaError: The file exists, or cannot be written.
    """
    key = space or ("w" if codes.ndim == 3 else "z")
    arrays = {key: codes.detach().cpu().numpy()}
    if names:
        arrays["names"] = np.array(names)
    with open_atomically(path, overwrite) as file:
        np.savez(file, allow_pickle=False, **arrays)


def load_codes(path: Path | str, generator: Generator) -> tuple[torch.Tensor, tuple[str, ...]]:
    """Read codes for this generator: `(n, layers, dim)`, or `(n, dim)` if z is one code.

    The file is an archive with the key `w` or `z`, or one of other tools (interchange/latents.py).
    The names of their pictures come with them, if the file has any.
    Raises SefaError as `as_codes` does, and for a file that cannot be read or holds Python objects.
    """
    found = codes_for(path, generator.space, generator.checkpoint.config)
    return _own(found.array, generator), found.names


def as_codes(codes: CodeArray, generator: Generator, source: str = "the array") -> torch.Tensor:
    """Return an array as codes of this generator, on its device: float32 `(n, layers, dim)`.

    Args:
        codes: Floats `(n, layers, dim)`, or `(n, dim)` to repeat for every layer.
        generator: The generator they are for.
        source: Where they come from, for errors.

    Raises:
        SefaError: They have another shape or type, or are not finite.
    """
    values = codes.detach().cpu().numpy() if isinstance(codes, torch.Tensor) else np.asarray(codes)
    made = checked(values, generator.space, generator.checkpoint.config, source)
    return _own(made, generator)


def _own(values: NDArray[np.floating], generator: Generator) -> torch.Tensor:
    return torch.as_tensor(values, dtype=torch.float32, device=generator.device)
