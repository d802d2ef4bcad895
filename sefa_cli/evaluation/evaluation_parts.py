"""Measurements of a shard's seeds in a part, and the evaluation that all parts make together.

A part holds the measurements that the cache of one run has for its seeds, with the bundles and
options. To merge is to fill a cache with the parts, and to evaluate from it.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sefa_cli.bundle.bundle import Bundle
from sefa_cli.errors import MismatchError
from sefa_cli.evaluation.evaluate import evaluate
from sefa_cli.evaluation.found import Evaluation
from sefa_cli.evaluation.measuring import Advance, Measured, keep
from sefa_cli.parts import Job, Part, Shard

KIND = "evaluation"
_LOCAL = ("device", "offline")  # what may differ from machine to machine


def evaluation_part(
    found: Evaluation,
    shard: Shard,
    files: Sequence[Path | str],
    asked: Mapping[str, Any],
    options: Mapping[str, Any],
    notes: Mapping[str, Any],
) -> Part:
    """Return the part with the measurements of a shard's seeds.

    Args:
        found: What `evaluate` returned for the shard.
        shard: The shard.
        files: The bundles' files, in the order of `found.names`.
        asked: The other arguments of `evaluate`: k, alpha, steps, scorers, distorted.
        options: Its picture options.
        notes: What else is of use to the merge.
    """
    start = found.trials[0].scene.start
    bundles = [np.fromfile(file, np.uint8) for file in files]
    plain = {key: _plain(value) for key, value in options.items()}
    job = {
        "items": [start.stem(i) for i in range(len(start.numbers))],
        "bundles": [[name, _digest(data)] for name, data in zip(found.names, bundles, strict=True)],
        "measurements": [trial.key for trial in found.trials],
        "asked": dict(asked),
        "options": {key: value for key, value in plain.items() if key not in _LOCAL},
    }
    arrays: dict[str, NDArray[Any]] = {f"bundle {n}": data for n, data in enumerate(bundles)}
    share = shard.share(len(start.numbers))
    for n, measured in enumerate(found.measured):
        for i, one in zip(share, measured, strict=True):
            arrays |= {f"{n} {own.name}/{i}": getattr(one, own.name) for own in fields(Measured)}
    local = {key: plain[key] for key in _LOCAL if key in plain}
    return Part(KIND, shard, job, {**notes, "local": local}, arrays)


def merge_evaluation(job: Job, cache: Path) -> Evaluation:
    """Return the evaluation of all seeds; `cache` keeps the measurements of each.

    Raises:
        MismatchError: What was measured is not what this machine would measure.
        SefaError: A part is broken, or the model cannot be read.
    """
    asked, first = job.asked, job.parts[0]
    for n, key in enumerate(asked["measurements"]):
        for i, stem in enumerate(asked["items"]):
            own = {one.name: job.array(i, f"{n} {one.name}") for one in fields(Measured)}
            keep(cache / key / f"{stem}.npz", Measured(**own))

    def check(missing: int) -> Advance:
        if missing:
            raise MismatchError(
                "the parts were measured with other scorers, codes or versions than there are here",
                remedy="Merge them where the shards were run.",
            )
        return lambda done: None

    options = {**asked["options"], **first.notes["local"]}
    for name, kind in (("translate", tuple), ("beside", Path)):
        if options.get(name) is not None:
            options[name] = kind(options[name])
    bundles = {
        name: Bundle.from_bytes(first.array(f"bundle {n}").tobytes(), name)
        for n, (name, _) in enumerate(asked["bundles"])
    }
    return evaluate(bundles, cache=cache, begin=check, **asked["asked"], **options)


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Path) else value


def _digest(data: NDArray[np.uint8]) -> str:
    return hashlib.sha256(data.tobytes()).hexdigest()
