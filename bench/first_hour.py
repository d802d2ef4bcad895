"""What a new user meets first: how soon wrong words are refused, and Ctrl-C at any moment.

    python bench/first_hour.py [--times 5] [--moments 40]

Walls are medians of whole processes on the default model; run it on a calm machine.
"""

import argparse
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SEFA = [sys.executable, "-m", "sefa_cli"]
MODEL = "mobilestylegan_ffhq"
INTERRUPTED = re.compile(r"((loading|localizing) [^\n]*\n)*sefa: interrupted; [^\n]+\n")
WRONG = {  # what is wrong: the words after `sefa`
    "region": f"localize {MODEL} --region nosee -o x.dirs",
    "box": f"localize {MODEL} --box 1,2,3 -o x.dirs",
    "tau": f"localize {MODEL} --region mouth --tau -1 -o x.dirs",
    "no -o": f"localize {MODEL} --region mouth",
    "seed": "edit car.dirs --k 3 --seeds 99999999999",
    "k": "edit car.dirs --k 600",
    "alpha": "edit car.dirs --k 3 --alpha two",
    "size": "edit car.dirs --k 3 --size 0",
    "trunc": "edit car.dirs --k 3 --trunc -3",
    "class": "edit car.dirs --k 3 --class 4",
    "output": "edit car.dirs --k 3 -o /proc/x.png",
    "suffix": "animate car.dirs --k 3 -o x.txt",
    "model": "edit car.dirs --k 3 --model nothing.pth",
    "bundle": "edit nothing.dirs --k 3",
    "still film": "animate car.dirs --k 3 --range 3:3 -o x.gif",
    "attribute": f"supervise {MODEL} --attribute nose -o x.dirs",
    "scorer": "evaluate car.dirs --scorers noses -o e",
    "photo": f"invert nothing.jpg --model {MODEL} -o c.npz",
    "page": "report car.dirs -o page.html",
    "preset": "edit car.dirs --preset nothing.json",
}


def refusals(times: int) -> None:
    """Print the median wall of each refusal, and what it says."""
    slowest = 0.0
    for name, words in WRONG.items():
        walls = []
        for _ in range(times):
            begun = time.perf_counter()
            done = subprocess.run([*SEFA, *words.split()], capture_output=True, text=True)
            walls.append(time.perf_counter() - begun)
        said = done.stderr.strip()
        if done.returncode not in (1, 2) or not said.startswith("sefa: ") or "\n" in said:
            sys.exit(f"sefa {words}: exit {done.returncode}\n{said}")
        slowest = max(slowest, statistics.median(walls))
        print(f"{name:12}{statistics.median(walls):6.2f} s  {said}", flush=True)
    print(f"slowest: {slowest:.2f} s\n")


def interrupts(words: str, moments: int, last: float) -> None:
    """Interrupt a command at moments from 0.03 s to `last`, and print what it did."""
    found: dict[str, list[float]] = {}
    for i in range(moments):
        after = 0.03 + (last - 0.03) * i / (moments - 1)
        running = subprocess.Popen(
            [*SEFA, *words.split()],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        time.sleep(after)
        running.send_signal(signal.SIGINT)
        _, said = running.communicate()
        if running.returncode == 0:
            kind = "was done"
        elif running.returncode == 130 and INTERRUPTED.fullmatch(said):
            kind = "one line and 130"
        elif running.returncode == -signal.SIGINT:
            kind = "ended by the shell before Python handles signals"
        else:
            kind = f"exit {running.returncode}: {said.strip().splitlines()[-1:]}"
        found.setdefault(kind, []).append(after)
    print(f"sefa {words}")
    for kind, times in found.items():
        print(f"  {len(times):3}  {kind} ({min(times):.2f} to {max(times):.2f} s)", flush=True)


def main() -> None:
    """Measure in a folder of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--moments", type=int, default=40)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        subprocess.run([*SEFA, "factorize", MODEL, "-o", "car.dirs", "-q"], check=True)
        refusals(asked.times)
        interrupts("edit car.dirs --k 3 --overwrite -o x.png", asked.moments, 4)
        interrupts("animate car.dirs --k 3 --overwrite -o x.gif --size 128", asked.moments, 4)
        interrupts(f"localize {MODEL} --region mouth --overwrite -o l.dirs", asked.moments, 8)
        left = sorted(path.name for path in Path().iterdir() if path.name != "car.dirs")
        print("left in the folder:", ", ".join(left) or "nothing")


if __name__ == "__main__":
    main()
