"""Compare the cost of a derivative along one direction, by every route, with a plain picture.

python bench/derivatives.py [MODEL …] [--size 256]

The routes are torch's forward mode, the same traced once, and, if the family has one, the pass
written by hand: batches of eight directions, the median of five.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from functools import partial

import torch

import sefa_cli as sefa
from sefa_cli.editing.codes import codes_from_seeds
from sefa_cli.generators import linearize

BATCH, TIMES = 8, 5


def seconds(work: Callable[[], object]) -> float:
    """Of one call, once warm."""
    work()
    taken = []
    for _ in range(TIMES):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def measure(model: str, size: int) -> None:
    generator = sefa.load_generator(model, device="cpu")
    code = codes_from_seeds(generator, [0])[0]
    size = min(size, generator.resolution)
    label = torch.tensor([0]) if generator.conditioned else None
    with torch.inference_mode():
        plain = seconds(lambda: generator.synthesize(code[None], label, size=size, preview=True))
    print(f"{model}, {size} px: a plain picture {1e3 * plain:.1f} ms; a derivative")
    for route, traced_from in (("as it is", float("inf")), ("traced", 0), ("by hand", 0)):
        linearize._TRACED = traced_from  # type: ignore[assignment]
        derivative = generator.linearize(code, range(generator.num_layers), size=size, label=label)
        if route == "by hand" and derivative._chain is None:
            continue
        if route != "by hand":
            derivative._chain = None
        directions = torch.randn(BATCH, derivative.dim)
        each = seconds(partial(derivative.forward, directions)) / BATCH
        print(f"  {route}: {1e3 * each:.1f} ms, {each / plain:.2f} of a picture")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="*", default=["dcgan_digiface64", "mobilestylegan_ffhq"])
    parser.add_argument("--size", type=int, default=256)
    asked = parser.parse_args()
    sefa.keep_blocks()
    for name in asked.models:
        measure(name, asked.size)
