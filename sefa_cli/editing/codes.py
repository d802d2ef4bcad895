"""Latent codes: from seeds or a file, truncated, moved, kept."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from sefa_cli.editing.class_names import check_class
from sefa_cli.editing.sum import for_every_layer
from sefa_cli.errors import SefaError, UsageError
from sefa_cli.files import open_atomically
from sefa_cli.generators.base import Generator
from sefa_cli.interchange.latents import read_codes


def codes_from_seeds(
    generator: Generator,
    seeds: Sequence[int],
    psi: float | None = None,
    layers: Sequence[int] | int | None = None,
    label: int | None = None,
) -> torch.Tensor:
    """The truncated codes of the seeds: `(n, layers, dim)`, or `(n, dim)` where z is one code.

    `psi` None is the family's default: 0.7 where it has a mean w. `layers` limits the truncation
    of w to the first so many codes, or to those listed. `label` is a class index. A seed has
    the same code, to the last bit, whichever others are asked for.
    """
    check_class(label, generator.c_dim)
    psi = generator.default_truncation if psi is None else psi
    if generator.space != "w" and layers is not None:
        raise UsageError(
            f"truncation of layers for a {generator.family} model", "none: it acts on z"
        )
    labels = None if label is None else torch.tensor([label])

    def code(seed: int) -> torch.Tensor:  # alone: in a batch the last bits are others
        if generator.space == "w":
            return generator.truncate(generator.map(generator.sample([seed]), labels), psi, layers)
        return generator.map(generator.sample([seed], psi), labels)  # (1, z_dim)

    return for_every_layer(torch.cat([code(seed) for seed in seeds]), generator.num_layers)


def save_codes(
    path: Path | str, codes: torch.Tensor, overwrite: bool = False, space: str | None = None
) -> None:
    """Write codes as the NVIDIA projector does: key `w` `(n, layers, dim)`, or `z` `(n, dim)`.

    `space` says "z" of codes `(n, layers, dim)` that are no w: BigGAN's.
    """
    key = space or ("w" if codes.ndim == 3 else "z")
    with open_atomically(path, overwrite) as file:
        np.savez(file, allow_pickle=False, **{key: codes.detach().cpu().numpy()})


def load_codes(path: Path | str, generator: Generator) -> torch.Tensor:
    """Read codes for this generator: `(n, layers, dim)`, or `(n, dim)` where z is one code.

    The file is an archive with the key `w` or `z`, or one of other tools (interchange/latents.py).
    Of several layers, codes `(n, dim)` are repeated for each. Raises SefaError for a file that
    holds no codes, holds Python objects, has another width or numbers that are not finite.
    """
    key = "w" if generator.space == "w" else "z"
    codes = read_codes(path, key, generator.num_layers)
    dim = generator.w_dim if key == "w" else generator.z_dim
    layered = key == "w" or generator.num_layers > 1
    if layered and codes.ndim == 2:
        codes = np.repeat(codes[:, None], generator.num_layers, axis=1)
    expected = (generator.num_layers, dim) if layered else (dim,)
    if codes.dtype.kind != "f" or codes.shape[1:] != expected or not len(codes):
        raise SefaError(
            f"{path} holds {codes.dtype} codes of shape {codes.shape}",
            f"floats of shape (n, {', '.join(map(str, expected))}) for this model",
        )
    if not np.isfinite(codes).all():
        raise SefaError(f"{path} holds codes that are not finite numbers")
    return torch.as_tensor(codes, dtype=torch.float32, device=generator.device)
