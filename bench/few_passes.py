"""Localize in few passes against all of w: the error of the six leading directions.

python bench/few_passes.py --cache FOLDER [--seeds 0-2] [--regions mouth,left-eye,hair] [--whole]

Every derivative of each seed of the default model is made once (256 px, shortcut, psi 0.7, middle
layers); the Gram matrices are kept in the folder. Turn by turn, the functions of `sefa localize`
then see no more than their passes would show them: M within the basis, and M n of leading
directions. For every τ the table says, after each turn, the forward and reverse passes so far, the
least |cos| of the six leading directions to those of the whole matrices, and the residual that
localize reports. The ridge is that of the estimated trace, whose error stands beside it.

With `--whole`, `sefa.localize` itself looks for the directions instead, at its default ridge, in
float32 and in bfloat16; beside the least |cos| of the six stand its CPU seconds.
"""

import argparse
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from region_directions import MODEL, SIZE

import sefa_cli as sefa
from sefa_cli.checkpoints import open_checkpoint
from sefa_cli.discovery import few_passes
from sefa_cli.discovery.few_passes import BLOCK, LEADING, PROBES, START, first_basis, probed_trace
from sefa_cli.discovery.gram_matrices import Grams
from sefa_cli.discovery.jacobian import grams
from sefa_cli.discovery.regions.region import one_region
from sefa_cli.discovery.resefa import resefa, resefa_in_span
from sefa_cli.discovery.sketch import widened
from sefa_cli.editing.codes import codes_from_seeds
from sefa_cli.projections import parse_layers, select
from sefa_cli.ranges import parse_range

TURNS = 5


class Turn(NamedTuple):
    """What is known after a turn."""

    forward: int  # passes so far
    reverse: int
    cosine: float  # the least of the leading six
    residual: float  # the largest of the leading six, as a share of λ c
    trace: float  # estimated, as a share of the true one
    error: float  # what the estimate says of itself


def whole(folder: Path, seed: int, region: str, layers: str) -> Grams:
    """M_f and M_b of every dimension: from the folder, or from 512 passes."""
    file = folder / f"whole_{layers}_{region}_{seed:04d}.npz"
    if not file.exists():
        generator = sefa.load_generator(MODEL, device="cpu")
        code = codes_from_seeds(generator, [seed])[0]
        moved = parse_layers(open_checkpoint(MODEL), layers)
        fore = one_region(named=region, subject="face").weights(SIZE, SIZE)
        made = grams(generator.linearize(code, moved, size=SIZE), fore, 255 - fore)
        np.savez(file, fore=made.fore, back=made.back)
    arrays = np.load(file)
    return Grams(arrays["fore"], arrays["back"])


def turns(M: Grams, basis: np.ndarray, tau: float) -> Iterator[Turn]:
    """What the passes show, turn by turn."""
    exact = resefa(*M, tau, LEADING).directions.astype(np.float64)
    true = float(np.trace(M.back))
    for turn in range(TURNS + 1):
        within = Grams(*(basis.T @ part @ basis for part in M))
        trace, error = probed_trace(within.back, len(basis))
        found = resefa_in_span(*within, basis, trace, tau, BLOCK)
        n, c = found.directions.astype(np.float64), tau * trace
        scale = c * found.eigenvalues[:, None]
        rows = n @ M.fore - found.eigenvalues[:, None] * (n @ M.back) - scale * n
        lacking = np.linalg.norm(rows / scale, axis=1)
        cosines = np.abs(np.sum(n[:LEADING] * exact, axis=1))
        passes = basis.shape[1], (turn + 1) * BLOCK
        told = float(cosines.min()), float(lacking[:LEADING].max())
        yield Turn(*passes, *told, trace / true, error / true)
        basis = widened(basis, rows)


def compared(asked: argparse.Namespace) -> None:
    """Print what the whole search finds, in both precisions."""
    generator = sefa.load_generator(MODEL, device="cpu")
    print("| region | seed | float32 | seconds | bf16 | seconds | bf16 to float32 |")
    print("|---|---|---|---|---|---|---|")
    for region in asked.regions.split(","):
        for seed in parse_range(asked.seeds, "seed", 2**32):
            M = whole(asked.cache, seed, region, asked.layers)
            known = [resefa(*M, 1e-4, LEADING).directions]
            cells = []
            for precision in ("float32", "bf16"):
                began = time.process_time()
                found = sefa.localize(
                    generator,
                    region,
                    seeds=[seed],
                    layers=asked.layers,
                    alone=True,
                    precision=precision,
                )
                seconds = time.process_time() - began
                known.append(found.directions[:LEADING])
                cosines = np.abs(np.sum(known[0] * known[-1], axis=1))
                cells.append(f"{cosines.min():.4f} | {seconds:.0f}")
            both = np.abs(np.sum(known[1] * known[2], axis=1)).min()
            print(f"| {region} | {seed} | {' | '.join(cells)} | {both:.5f} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--seeds", default="0-2")
    parser.add_argument("--regions", default="mouth,left-eye,hair")
    parser.add_argument("--layers", default="middle")
    parser.add_argument("--taus", default="1e-3,1e-4")
    parser.add_argument("--whole", action="store_true")
    asked = parser.parse_args()
    asked.cache.mkdir(exist_ok=True)
    sefa.keep_blocks()
    if asked.whole:
        compared(asked)
        return
    layers = select(open_checkpoint(MODEL), asked.layers, "all")
    basis = first_basis([layer.matrix.finite(layer.name) for layer in layers])
    print(f"{START} directions of SeFa, {PROBES} probes, {BLOCK} residuals a turn; localize")
    print(
        f"makes {few_passes.TURNS} turns at most; residuals below {few_passes.SMALL} are the last\n"
    )
    ends = [f"{START + PROBES + turn * BLOCK} + {(turn + 1) * BLOCK}" for turn in range(TURNS + 1)]
    print("| region | seed | τ | trace | " + " | ".join(ends) + " |")
    print("|---|---|---|---|" + "---|" * len(ends))
    for region in asked.regions.split(","):
        for seed in parse_range(asked.seeds, "seed", 2**32):
            M = whole(asked.cache, seed, region, asked.layers)
            for tau in map(float, asked.taus.split(",")):
                seen = list(turns(M, basis, tau))
                trace = f"{seen[0].trace:.2f} ± {seen[0].error:.2f}"
                cells = [f"{own.cosine:.3f} ({own.residual:.2g})" for own in seen]
                print(f"| {region} | {seed} | {tau:g} | {trace} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
