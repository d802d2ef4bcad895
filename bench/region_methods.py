"""Directions of regions by every method of `localize`, from the same derivatives, as bundles.

    python bench/region_methods.py OUT [--regions face:mouth,face:eyes] [--seeds 0] [--size 128]

Every derivative of each seed is taken once, for all regions, and its matrices are kept in OUT: the
same command goes on after an interrupt. Each method then finds its directions from the mean
matrices of the seeds: ReSeFa with its own ridge and with the one that suits the seeds ("auto"), the
null space, and LowRankGAN. SeFa's directions of the same layers get the region too, so that they
can be measured in it. Prints the CPU seconds of both. `sefa evaluate` measures the bundles.
StyleSpace has derivatives of its own: `sefa localize --method stylespace`.
"""

import argparse
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from sefa_cli.discovery.directions import settled
from sefa_cli.discovery.factorize import factorize
from sefa_cli.discovery.gram_matrices import Grams
from sefa_cli.discovery.jacobian import Parts, jacobian
from sefa_cli.discovery.localize import prepare
from sefa_cli.discovery.region_bundle import region_bundle
from sefa_cli.discovery.request import Request
from sefa_cli.discovery.work import Prepared
from sefa_cli.projections import model_card
from sefa_cli.ranges import parse_range

MODEL, NUM = "mobilestylegan_ffhq", 10
METHODS: dict[str, Any] = {
    "resefa": {},
    "auto": {"tau": "auto"},
    "nullspace": {"method": "nullspace"},
    "lowrank": {"method": "lowrank"},
}


def matrices(tasks: dict[str, Prepared], seed: int, kept: Path) -> dict[str, Grams]:
    """The matrices of one seed, a pair for each region."""
    if not kept.exists():
        start = time.process_time()
        task = next(iter(tasks.values()))
        place = task.start.numbers.index(seed)
        linearization = task.searches[0].linearize(task.generator, task.start.codes[place])
        whole = torch.from_numpy(np.ascontiguousarray(jacobian(linearization).T))
        changes = whole.reshape(-1, *linearization.picture.shape)  # (dim, C, H, W)
        found = {}
        for region, own in tasks.items():
            parts = Parts(linearization, *own.target.of(place), sum_channels=False)
            rows = parts.rows(changes)
            found[region] = parts.products(rows, rows) / parts.totals[:, None, None]
        np.savez(kept, **found)  # type: ignore[arg-type]
        print(f"seed {seed}: {time.process_time() - start:.0f} CPU s", flush=True)
    with np.load(kept) as arrays:
        return {region: Grams(*arrays[region]) for region in tasks}


def main() -> None:
    """Write OUT/METHOD_REGION.dirs."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--regions", default="face:mouth,face:eyes")
    parser.add_argument("--seeds", default="0")
    parser.add_argument("--size", type=int, default=128)
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    regions, how = asked.regions.split(","), {"seeds": asked.seeds, "size": asked.size}
    opened = prepare(MODEL, regions[0], Request(**how, exact_gram=True), device="cpu")
    tasks = {
        region: prepare(opened.generator, region, Request(**how, exact_gram=True))
        for region in regions
    }
    seeds = parse_range(asked.seeds, "seed")
    each = [matrices(tasks, seed, asked.out / f"{seed}_{asked.size}.npz") for seed in seeds]
    for region, task in tasks.items():
        pictures = [own[region] for own in each]
        for name, own in METHODS.items():
            request = Request(**how, exact_gram=True, num=NUM, **own)
            start = time.process_time()
            search, used, _ = settled([(request.search(task.checkpoint), pictures)])
            made = region_bundle(
                model_card(task.checkpoint), used, task.target, search, seeds, {"trunc": 0.7}
            )
            spent = time.process_time() - start
            path = asked.out / f"{name}_{region.partition(':')[2]}.dirs"
            made.save(path, overwrite=True)
            quotients = [
                about["change"]["inside"] ** 2 / about["change"]["outside"] ** 2
                for about in made.info[:3]
            ]
            said = ", ".join(f"{quotient:.3g}" for quotient in quotients)
            print(
                f"{path.name}: {spent:.1f} CPU s, inside / outside {said} to first order",
                flush=True,
            )
        plain = factorize(task.checkpoint, layers="middle", num=NUM, deflate_gain=True)
        local = replace(plain, mask=task.target.fore, background=task.target.back)
        local.save(asked.out / f"sefa_{region.partition(':')[2]}.dirs", overwrite=True)


if __name__ == "__main__":
    main()
