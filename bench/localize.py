"""The default model at 256 px, one seed, a box on the mouth: all of w, or w+ over all 23 layers.

python bench/localize.py [--space w+]

The whole command is run as a process: wall seconds, CPU seconds, peak memory. Beside it stands
what the arithmetic alone would take: derivatives × 10 GFLOP, at two rates measured in the same run,
before and after the command. One is that of this network's own convolutions (depthwise, pointwise,
Haar) in a plain picture, each timed by itself; the other that of a dense 3×3 convolution, which
this network has only at 4×4 pixels.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

import sefa_cli as sefa
from sefa_cli.editing.codes import codes_from_seeds
from sefa_cli.generators.base import Generator

DENSE = (8, 256, 64)  # batch, channels, side of the dense convolution


class Convolutions(TorchDispatchMode):
    """Adds up the seconds that convolutions take."""

    seconds = 0.0

    def __torch_dispatch__(
        self, operation: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        start = time.perf_counter()
        result = operation(*args, **(kwargs or {}))
        if operation is torch.ops.aten.convolution.default:
            self.seconds += time.perf_counter() - start
        return result


def own(generator: Generator) -> tuple[float, float]:
    """FLOP of a plain picture at 256 px, and FLOP per second of its convolutions (best of five)."""
    code = codes_from_seeds(generator, [0])

    def paint() -> None:
        generator.synthesize(code, preview=True)

    with FlopCounterMode(display=False) as counter:
        paint()
    best = float("inf")
    for _ in range(5):
        with Convolutions() as convolutions:
            paint()
        best = min(best, convolutions.seconds)
    work = counter.get_total_flops()
    return work, work / best


def dense() -> float:
    """FLOP per second of a 3×3 convolution, channels last, the best of five."""
    batch, channels, side = DENSE
    x = torch.randn(batch, channels, side, side).contiguous(memory_format=torch.channels_last)
    kernel = torch.randn(channels, channels, 3, 3)
    work, best = 2 * 9 * batch * channels * channels * side * side, float("inf")
    for _ in range(6):
        start = time.perf_counter()
        torch.nn.functional.conv2d(x, kernel, padding=1)
        best = min(best, time.perf_counter() - start)
    return work / best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--space", choices=["w", "w+"], default="w")
    asked = parser.parse_args()
    sefa.keep_blocks()  # as the command does
    generator = sefa.load_generator("mobilestylegan_ffhq")
    before = own(generator)[1], dense()
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "sefa_cli", "localize", "mobilestylegan_ffhq"]
        command += ["--box", "165,100,35,60", "--seeds", "0", "--space", asked.space]
        command += ["--published"] if asked.space == "w" else ["-L", "all"]  # every derivative
        command += ["-o", str(Path(folder, "mouth.dirs"))]
        start = time.perf_counter()
        process = subprocess.Popen(command, env=os.environ)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
    if status:
        sys.exit("localize failed")
    print(f"{asked.space}: {seconds:.0f} s, {usage.ru_utime + usage.ru_stime:.0f} CPU seconds, ")
    print(f"peak {usage.ru_maxrss / 1024:.0f} MB, load {os.getloadavg()[0]:.1f}")
    if asked.space == "w":
        work, after = own(generator)
        for what, speed in (
            ("the network's own convolutions", (before[0] + after) / 2),
            ("a dense 3×3 convolution", (before[1] + dense()) / 2),
        ):
            bound = 512 * work / speed
            print(
                f"512 × {work / 1e9:.1f} GFLOP at the {speed / 1e9:.0f} GFLOP/s of {what}: "
                f"{bound:.0f} s, so {seconds / bound:.2f} × the arithmetic"
            )


if __name__ == "__main__":
    main()
