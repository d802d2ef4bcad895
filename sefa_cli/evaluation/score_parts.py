"""Scores of a shard's seeds in a part, and the directions that all parts find together.

The scores are the long part of `supervise`. To merge is to write them into a file as `--scores`
does, and to find the directions from it.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from sefa_cli.bundle.bundle import Bundle
from sefa_cli.containers.checkpoint import Checkpoint
from sefa_cli.editing.source import load_generator
from sefa_cli.editing.start import start_from
from sefa_cli.errors import MismatchError, SefaError
from sefa_cli.evaluation.kept_scores import Kept, about_samples
from sefa_cli.evaluation.measuring import Begin
from sefa_cli.evaluation.supervise import scored, supervise
from sefa_cli.parts import Job, Part, Shard
from sefa_cli.ranges import parse_range

KIND = "scores"


def scores_job(
    checkpoint: Checkpoint, condition: Bundle | None, asked: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what all parts share; `asked` are the other arguments of `supervise`, as JSON."""
    how = asked["truncation"], asked["label"], asked["scorers"]
    digest = None if condition is None else hashlib.sha256(condition.to_bytes()).hexdigest()
    items = list(parse_range(asked["seeds"], "seed", 2**32))
    about = about_samples(checkpoint, *how)
    return {"items": items, "about": about, "asked": dict(asked), "condition": digest}


def scores_part(
    checkpoint: Checkpoint,
    shard: Shard,
    condition: Bundle | None,
    asked: Mapping[str, Any],
    local: Mapping[str, Any],
    begin: Begin,
) -> Part:
    """Return the part with all scores of a shard's seeds; `local` are device and offline."""
    job = scores_job(checkpoint, condition, asked)
    share = shard.share(len(job["items"]))
    generator = load_generator(checkpoint, local["device"])
    look = asked["truncation"], asked["label"]
    start = start_from(generator, job["items"], None, look[0], None, look[1])
    start = start.only(share.start, share.stop)
    how = asked["attributes"], None, asked["scorers"], look, local["offline"]
    kept, _ = scored(generator, start, *how, begin)
    arrays = {f"scores/{i}": kept.rows[n] for i, n in zip(share, start.numbers, strict=True)}
    if condition is not None:
        arrays["condition"] = np.frombuffer(condition.to_bytes(), np.uint8)
    notes = {"key": kept.key, "attributes": list(kept.attributes), "local": dict(local)}
    return Part(KIND, shard, job, notes, arrays)


def merge_scores(job: Job) -> Bundle:
    """Return the directions that the scores of all seeds give.

    Raises:
        MismatchError: The scores are not those that this machine would measure.
        SefaError: A part is broken, or the model cannot be read.
    """
    asked, first = job.asked, job.parts[0]
    keys = {part.notes["key"] for part in job.parts}
    rows = {seed: job.array(i, "scores") for i, seed in enumerate(asked["items"])}
    kept = Kept(first.notes["key"], asked["about"], tuple(first.notes["attributes"]), rows)
    condition = None
    if asked["condition"] is not None:
        condition = Bundle.from_bytes(first.array("condition").tobytes(), "the condition")
    with TemporaryDirectory() as folder:
        file = Path(folder) / "scores.npz"
        kept.write(file)
        try:
            if len(keys) > 1:
                raise SefaError(str(file))
            how = {**asked["asked"], **first.notes["local"]}
            return supervise(**how, condition=condition, scores=file)
        except SefaError as error:
            if str(file) not in error.found:
                raise
    raise MismatchError(
        "the parts were measured with other scorers, codes or versions than there are here",
        remedy="Merge them where the shards were run.",
    )
