"""Localize in few passes against all of w: the error of the six leading directions.

python bench/few_passes.py --cache FOLDER [--seeds 0-2] [--regions mouth,left-eye,hair] [--whole]

Every derivative of each seed of the default model is made once (256 px, shortcut, psi 0.7, middle
layers); the Gram matrices are kept in the folder. Turn by turn, the functions of `sefa localize`
then see no more than their passes would show them: M within the basis, and M n of leading
directions. For every τ the table says, turn by turn and at the end, the passes so far, the least
|cos| of the six leading directions to those of the whole matrices, and the largest residual of
those that have to be right. The ridge is that of the estimated trace, whose error stands beside it.

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
from sefa_cli.discovery.few_passes import (
    LEADING,
    PROBES,
    SMALL,
    START,
    TURNS,
    block,
    first_basis,
    have_to_be_right,
    probed_trace,
)
from sefa_cli.discovery.gram_matrices import Grams
from sefa_cli.discovery.jacobian import grams
from sefa_cli.discovery.regions.region import one_region
from sefa_cli.discovery.resefa import resefa, resefa_in_span
from sefa_cli.discovery.sketch import widened
from sefa_cli.editing.codes import codes_from_seeds
from sefa_cli.projections import parse_layers, select
from sefa_cli.ranges import parse_range


class Turn(NamedTuple):
    """What is known before a turn adds its residuals, or at the end."""

    passes: int  # so far, of both modes
    cosine: float  # the least of the leading six
    residual: float | None  # the largest of those that have to be right, as a share of λ c


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
    """What the passes show, turn by turn, and at the end."""
    exact = resefa(*M, tau, LEADING).directions.astype(np.float64)
    passes, residual = basis.shape[1], np.inf
    for turn in range(TURNS + 1):
        within = Grams(*(basis.T @ part @ basis for part in M))
        trace = probed_trace(within.back, len(basis))[0]
        found = resefa_in_span(*within, basis, trace, tau, block(0, None))
        n = found.directions.astype(np.float64)
        cosine = float(np.abs(np.sum(n[:LEADING] * exact, axis=1)).min())
        if turn == TURNS or residual < SMALL:
            yield Turn(passes, cosine, None)
            return
        right = have_to_be_right(found.eigenvalues)
        added = block(turn, None, right)
        scale = tau * trace * found.eigenvalues[:, None]
        rows = (n @ M.fore - found.eigenvalues[:, None] * (n @ M.back) - scale * n)[:added]
        residual = float(np.linalg.norm(rows / scale[:added], axis=1)[:right].max())
        yield Turn(passes, cosine, residual)
        basis = widened(basis, rows)
        passes += 2 * added


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
    print(f"{START} directions of SeFa, {PROBES} probes; the last residuals are below {SMALL}\n")
    print("| region | seed | τ | trace | passes: least cosine (residual) |")
    print("|---|---|---|---|---|")
    ends: list[Turn] = []
    for region in asked.regions.split(","):
        for seed in parse_range(asked.seeds, "seed", 2**32):
            M = whole(asked.cache, seed, region, asked.layers)
            trace, error = probed_trace(basis.T @ M.back @ basis, len(basis))
            true = float(np.trace(M.back))
            for tau in map(float, asked.taus.split(",")):
                seen = list(turns(M, basis, tau))
                cells = [
                    f"{own.passes}: {own.cosine:.3f} ({own.residual:.2g})" for own in seen[:-1]
                ]
                last = f"**{seen[-1].passes}: {seen[-1].cosine:.3f}**"
                told = f"{trace / true:.2f} ± {error / true:.2f}"
                print(f"| {region} | {seed} | {tau:g} | {told} | {', '.join([*cells, last])} |")
                ends.append(seen[-1])
    passes = [end.passes for end in ends]
    print(f"\nleast cosine of all: {min(end.cosine for end in ends):.4f}; passes at the median")
    print(f"{np.median(passes):g}, {min(passes)} to {max(passes)}")


if __name__ == "__main__":
    main()
