"""The way to a generator: from a reference, or from a bundle that remembers its model."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sefa_cli.arguments import public
from sefa_cli.bundle.bundle import Bundle
from sefa_cli.checkpoints import candidates, checkpoint_of, open_checkpoint
from sefa_cli.containers.checkpoint import Checkpoint
from sefa_cli.errors import SefaError
from sefa_cli.generators.devices import check_device
from sefa_cli.held import holdable
from sefa_cli.projections import check_same, check_same_print, fingerprint
from sefa_cli.sources import cache

if TYPE_CHECKING:  # a model that does not match is refused before torch is loaded
    from sefa_cli.generators.base import Generator

_stage = logging.getLogger("sefa_cli.stage")


@holdable
@public
def load_generator(
    ref: str | Path | Checkpoint | Generator, device: str = "auto", offline: bool | None = None
) -> Generator:
    """Load a pretrained generator.

    A mean w that the file lacks is computed when it is first needed, and kept in the cache.

    Args:
        ref: A zoo name, a path, an address, or a checkpoint that is already open. A generator
            is returned as it is.
        device: "auto", "cpu", "cuda" or "mps".
        offline: Fetch nothing. Default: what SEFA_OFFLINE says.

    Returns:
        The generator, a torch module in evaluation mode with fixed weights.

    Raises:
        SefaError: The model cannot be found or read.
        OfflineError: It is not cached and may not be fetched.

    Example:
        >>> generator = sefa.load_generator(tiny, device="cpu")
        >>> generator
        <Generator stylegan2, 32 px, w (8, 32), on cpu>
        >>> generator.synthesize(generator.map(generator.sample([0]))).shape
        torch.Size([1, 3, 32, 32])
    """
    if not isinstance(ref, str | Path | Checkpoint):
        return ref
    check_device(device)
    checkpoint = checkpoint_of(ref, offline)
    _stage.debug("loading %s", checkpoint.ref)
    from sefa_cli.editing.tuned import tune
    from sefa_cli.families.build import build

    generator = build(checkpoint, device)
    if checkpoint.tuned is not None:
        tune(generator, checkpoint.tuned)
    if generator.space == "w" and "mapping.w_avg" not in checkpoint.tensors:
        _cache_mean_w(generator, _mapping_key(checkpoint))
    return generator


def generator_for(
    bundle: Bundle,
    model: str | Path | Generator | None = None,
    bundle_path: Path | None = None,
    *,
    device: str = "auto",
    any_model: bool = False,
    offline: bool | None = None,
) -> Generator:
    """Return the generator that a bundle's directions belong to, verified by its fingerprint.

    Args:
        bundle: The bundle.
        model: The model, if it is not found by the bundle's own reference; a generator is used
            as it is.
        bundle_path: The bundle's file; its model may lie in the same folder.
        device: "auto", "cpu", "cuda" or "mps".
        any_model: Accept a `model` with another fingerprint.
        offline: Fetch nothing. Default: what SEFA_OFFLINE says.

    Raises:
        MismatchError: Only other models were found.
        SefaError: No model was found, or it cannot be read.
    """
    if model is not None and not isinstance(model, str | Path):
        if not any_model:
            check_same(bundle, model.checkpoint)
        return model
    ref = None if model is None else str(model)
    checkpoint = open_model_of(bundle, ref, bundle_path, any_model=any_model, offline=offline)
    return load_generator(checkpoint, device)


def _mapping_key(checkpoint: Checkpoint) -> str:
    """Return the fingerprint with a digest of the mapping network, which fine-tunes change."""
    digest = hashlib.sha256()
    for name in sorted(checkpoint.tensors):
        if name.startswith("mapping."):
            digest.update(checkpoint.tensors[name].float32().tobytes())
    return f"{fingerprint(checkpoint)}-{digest.hexdigest()[:16]}"


def _cache_mean_w(generator: Generator, key: str) -> None:
    known = cache.load_w_avg(key)
    if known is not None and known.shape == (generator.w_dim,):
        generator.w_avg = known
    else:
        _stage.debug("computing the mean w of %s", generator.checkpoint.ref)
        cache.save_w_avg(key, np.asarray(generator.w_avg.cpu()))


def open_model_of(
    bundle: Bundle,
    model: str | None = None,
    bundle_path: Path | None = None,
    *,
    any_model: bool = False,
    offline: bool | None = None,
) -> Checkpoint:
    """Return the checkpoint a bundle was made from, verified by its fingerprint.

    Without `model` it is found by the bundle's own reference: a zoo name or address, or a file
    of that name in the bundle's folder, in the working folder, or where it was seen before.
    Raises MismatchError (with both fingerprints) if only other models were found, unless
    `any_model` accepts the one that `model` names; SefaError if none was found.
    """
    ref, wanted = str(bundle.model["ref"]), str(bundle.model["fingerprint"])
    if "tensors" in bundle.params:
        raise SefaError(
            f"the bundle was made of the tensors {bundle.params['tensors']!r:.80} of {ref}, so no "
            "generator is known for it",
            "a bundle of a model that sefa knows",
        )
    refs = [model] if model else list(candidates(ref, wanted, bundle_path))
    other = None
    for candidate in refs:
        checkpoint = open_checkpoint(candidate, offline=offline)
        found = fingerprint(checkpoint)
        if found == wanted:
            cache.remember(wanted, checkpoint.path)
            return checkpoint
        if model and any_model:
            return checkpoint
        other = other or (checkpoint.ref, found)
    if other:
        check_same_print(bundle, *other)
    alike = [str(path) for path in cache.recall(wanted) if path.exists()]
    raise SefaError(
        f"the bundle's model {ref} was not found in the bundle's folder, here or in the cache",
        remedy="Name it with model="
        + (f"; {alike[0]} has the same fingerprint." if alike and not model else "."),
    )
