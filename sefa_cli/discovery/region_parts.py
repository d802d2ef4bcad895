"""Gram matrices of a shard's pictures in a part, and the bundle that all parts make together.

Each picture's matrices are kept, not their sum: they are then added in the order of the seeds,
as one run adds them, so that the bundle is the same to the last bit. τ, layers and stability
depend on single pictures too. They are read one at a time: a merge needs the memory of two.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sefa_cli.discovery.gram_matrices import Grams, Matrices
from sefa_cli.discovery.region_bundle import Found, found_in
from sefa_cli.discovery.regions.shapes import Weights
from sefa_cli.discovery.search import Search, Target
from sefa_cli.files import BUNDLES, check_writable
from sefa_cli.parts import Job, Part, Shard

KIND = "directions"
_EACH = "its own in each picture"


def region_job(job: Mapping[str, Any], target: Target) -> dict[str, Any]:
    """Return a job with digests of its regions."""
    each = {what: _digest(w) if w.ndim == 2 else _EACH for what, w in _regions(target).items()}
    return {**job, **each}


def region_digests(target: Target) -> dict[str, str]:
    """Return digests of all weights, also of those that each picture has of its own."""
    return {f"{what}_digest": _digest(weights) for what, weights in _regions(target).items()}


def _regions(target: Target) -> dict[str, Weights]:
    background = {} if target.back is None else {"background": target.back}
    return {"region": target.fore, **background}


def region_part(
    shard: Shard, job: Mapping[str, Any], target: Target, tried: Sequence[Sequence[Matrices]]
) -> Part:
    """Return the part with the matrices of a shard's pictures, for each search."""
    regions = _regions(target)
    arrays: dict[str, NDArray[Any]] = {what: w for what, w in regions.items() if w.ndim == 2}
    for i, item in enumerate(shard.share(len(job["items"]))):
        arrays |= {f"{what}/{item}": w[i] for what, w in regions.items() if w.ndim == 3}
        for number, pictures in enumerate(tried):
            own = pictures[i]
            assert isinstance(own, Grams)
            arrays |= {f"{number} {part}/{item}": M for part, M in own._asdict().items()}
    return Part(KIND, shard, job, {}, arrays)


def merge_regions(job: Job, output: Path | str, overwrite: bool = False) -> Found:
    """Write the bundle of all pictures, and return what was found, as one run would.

    Raises:
        SefaError: A part is broken, or the bundle cannot be written.
    """
    path = check_writable(output, overwrite, BUNDLES)
    asked = job.asked
    searches = [Search(**{**one, "layers": tuple(one["layers"])}) for one in asked["searches"]]
    text, still = asked["parameters"]["region"], "background" in asked
    back = _weights(job, "background") if still else None
    target = Target(text, _weights(job, "region"), back)
    found = found_in(
        [(search, _Kept(job, number)) for number, search in enumerate(searches)],
        asked["model"],
        target,
        asked["items"],
        dict(asked["codes"]),
        agreement=asked["stability"],
    )
    found.bundles[0].save(path, overwrite)
    return replace(found, paths=(path,))


@dataclass(frozen=True)
class _Kept(Sequence[Matrices]):
    """The matrices of all pictures, for one search, read when they are needed."""

    job: Job
    search: int

    def __len__(self) -> int:
        return len(self.job.owner)

    def __getitem__(self, i: int) -> Grams:  # type: ignore[override]
        return Grams(*(self.job.array(i, f"{self.search} {part}") for part in Grams._fields))

    def __iter__(self) -> Iterator[Grams]:
        return (self[i] for i in range(len(self)))


def _digest(weights: Weights) -> str:
    return hashlib.sha256(weights.tobytes()).hexdigest()


def _weights(job: Job, what: str) -> Weights:
    if job.asked[what] != _EACH:
        return job.parts[0].array(what)
    return np.stack([job.array(item, what) for item in range(len(job.owner))])
