"""Whole-process times of light commands, as ratios to `python -c "import numpy"`.

python bench/startup.py [--turns 7]
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from processes import show, side_by_side


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=7)
    turns = parser.parse_args().turns
    sefa = [sys.executable, "-m", "sefa_cli"]
    with tempfile.TemporaryDirectory() as folder:
        bundle = str(Path(folder, "face.dirs"))
        factorize = [*sefa, "factorize", "mobilestylegan_ffhq", "-o", bundle, "--overwrite"]
        subprocess.run(factorize, check=True, capture_output=True)
        commands = {
            "import numpy": [sys.executable, "-c", "import numpy"],
            "sefa --help": [*sefa, "--help"],
            "sefa inspect": [*sefa, "inspect", bundle],
            "sefa inspect --json": [*sefa, "inspect", "--json", bundle],
            "sefa factorize": factorize,
            "import torch": [sys.executable, "-c", "import torch"],
        }
        show(side_by_side(commands, turns), "import numpy")


if __name__ == "__main__":
    main()
