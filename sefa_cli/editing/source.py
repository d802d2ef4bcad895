"""Where the generator comes from: a reference, or a bundle that remembers its model."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from sefa_cli.bundle.bundle import Bundle
from sefa_cli.checkpoints import is_remote, open_checkpoint
from sefa_cli.containers.checkpoint import Checkpoint
from sefa_cli.errors import MismatchError, SefaError
from sefa_cli.families.build import build
from sefa_cli.generators.base import Generator
from sefa_cli.projections import fingerprint
from sefa_cli.sources import cache


def load_generator(
    ref: str | Path | Checkpoint, device: str = "auto", offline: bool | None = None
) -> Generator:
    """The generator of a zoo name, path, address or open checkpoint, on `device`.

    `device` is `auto`, `cpu`, `cuda` or `mps`. A mean w that the file lacks is computed when it
    is first needed and kept in the cache for this mapping network.
    Raises SefaError for a model that cannot be found or read.
    """
    checkpoint = ref if isinstance(ref, Checkpoint) else open_checkpoint(str(ref), offline=offline)
    generator = build(checkpoint, device)
    if generator.space == "w" and "mapping.w_avg" not in checkpoint.tensors:
        _cache_mean_w(generator, _mapping_key(checkpoint))
    return generator


def _mapping_key(checkpoint: Checkpoint) -> str:
    """The fingerprint and a digest of the mapping network: a fine-tune may change only that."""
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
        cache.save_w_avg(key, np.asarray(generator.w_avg.cpu()))


def open_model_of(
    bundle: Bundle,
    model: str | None = None,
    bundle_path: Path | None = None,
    *,
    any_model: bool = False,
    offline: bool | None = None,
) -> Checkpoint:
    """The checkpoint a bundle was made from, verified by its fingerprint.

    `model` names it; else it is looked for as the bundle's own reference: a zoo name or address,
    or a file of that name beside the bundle, in the working folder, in the cache's index.
    Raises MismatchError (both fingerprints) where only other models were found, unless
    `any_model` accepts the one named by `model`; SefaError where none was found.
    """
    ref, wanted = str(bundle.model["ref"]), str(bundle.model["fingerprint"])
    if "tensors" in bundle.params:
        raise SefaError(
            f"the bundle was made of the tensors {bundle.params['tensors']!r:.80} of {ref}; "
            "nothing says where their latent enters a generator",
            "a bundle made without --tensors",
        )
    refs = [model] if model else list(_candidates(ref, wanted, bundle_path))
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
        raise MismatchError(
            f"the bundle belongs to {ref} with fingerprint {wanted}, but {other[0]} has {other[1]}",
            remedy="Name the right model with --model, or accept this one with --any-model.",
        )
    raise SefaError(
        f"the bundle's model {ref} is neither beside the bundle nor here nor in the cache",
        remedy="Name it with --model.",
    )


def _candidates(ref: str, wanted: str, bundle_path: Path | None) -> Iterator[str]:
    if is_remote(ref):
        yield ref
        return
    name = Path(ref).name  # a bundle from elsewhere may not point at any other folder
    folders = [bundle_path.parent] if bundle_path else []
    seen: set[Path] = set()
    for path in [*(folder / name for folder in folders), Path(name), *cache.recall(wanted)]:
        if path.exists() and path.resolve() not in seen:
            seen.add(path.resolve())
            yield str(path if path.is_absolute() else Path.cwd() / path)
