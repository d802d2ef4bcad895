"""The default model at 256 px, one seed, a box on the mouth: all of w, or w+ over all 23 layers.

python bench/localize.py [--space w+]

The whole command is run as a process: wall seconds, CPU seconds, peak memory. Beside it stands
what the arithmetic alone would take: derivatives × 10.1 GFLOP, at the rate that dense 3×3
convolutions reach in the same run, before and after it.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

FLOP = 10.1e9  # of one derivative at 256 px by the shortcut: multiplications and additions
SHAPE = (8, 256, 64)  # batch, channels, side of the convolution that gives the rate


def rate() -> float:
    """FLOP per second of a 3×3 convolution, channels last, the best of five."""
    import torch

    batch, channels, side = SHAPE
    x = torch.randn(batch, channels, side, side).contiguous(memory_format=torch.channels_last)
    kernel = torch.randn(channels, channels, 3, 3)
    work, best = 2 * 9 * batch * channels * channels * side * side, float("inf")
    with torch.inference_mode():
        for _ in range(6):
            start = time.perf_counter()
            torch.nn.functional.conv2d(x, kernel, padding=1)
            best = min(best, time.perf_counter() - start)
    return work / best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--space", choices=["w", "w+"], default="w")
    asked = parser.parse_args()
    before = rate()
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "sefa_cli", "localize", "mobilestylegan_ffhq"]
        command += ["--box", "165,100,35,60", "--seeds", "0", "--space", asked.space]
        command += ["-o", str(Path(folder, "mouth.dirs"))]
        start = time.perf_counter()
        process = subprocess.Popen(command, env=os.environ)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
    if status:
        sys.exit("localize failed")
    speed = (before + rate()) / 2
    print(f"{asked.space}: {seconds:.0f} s, {usage.ru_utime + usage.ru_stime:.0f} CPU seconds, ")
    print(f"peak {usage.ru_maxrss / 1024:.0f} MB, load {os.getloadavg()[0]:.1f}")
    if asked.space == "w":
        bound = 512 * FLOP / speed
        print(
            f"512 × {FLOP / 1e9:.1f} GFLOP at {speed / 1e9:.0f} GFLOP/s: {bound:.0f} s, "
            f"so {seconds / bound:.2f} × the arithmetic"
        )


if __name__ == "__main__":
    main()
