"""Pictures of the default model on this machine's CPU: seconds each, as glibc is and told to keep.

python bench/pictures.py [--turns 5]

Each case runs in a process of its own, because the allocator switch cannot be taken back.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from typing import Any

CASES: dict[str, dict[str, Any]] = {
    "1024 px": {},
    "512 px, exact": {"size": 512},
    "256 px, exact": {"size": 256},
    "256 px, shortcut": {"preview": True},
}


def measure(turns: int) -> dict[str, float]:
    """Median seconds of one picture for each case."""
    import torch

    import sefa_cli as sefa

    generator = sefa.load_generator("mobilestylegan_ffhq", device="cpu")
    w = generator.truncate(generator.map(generator.sample([0])), 0.7)
    seconds = {}
    with torch.inference_mode():
        for name, options in CASES.items():
            generator.synthesize(w, **options)
            taken = []
            for _ in range(turns):
                start = time.perf_counter()
                generator.synthesize(w, **options)
                taken.append(time.perf_counter() - start)
            seconds[name] = statistics.median(taken)
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--child", choices=["keep", "leave"], help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.child:
        if asked.child == "keep":
            import sefa_cli as sefa

            sefa.keep_blocks()
        print(json.dumps(measure(asked.turns)))
        return
    results = {}
    for child in ("leave", "keep"):
        command = [sys.executable, __file__, "--turns", str(asked.turns), "--child", child]
        results[child] = json.loads(subprocess.check_output(command, env=os.environ))
    print(f"{'':18}  as it is  keeping blocks")
    for name in CASES:
        print(f"{name:18}  {results['leave'][name]:8.2f}  {results['keep'][name]:14.2f}")


if __name__ == "__main__":
    main()
