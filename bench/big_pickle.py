"""`sefa factorize` on an NVIDIA pickle of 380 MB against `pickle.load` of it, whole processes.

python bench/big_pickle.py [--turns 5] [--resolution 1024]
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from factorize import least_cosine
from processes import show, side_by_side

HERE = Path(__file__).parent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--resolution", type=int, default=1024)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        file, bundle, arrays = (str(Path(folder, name)) for name in ("s.pkl", "s.dirs", "s.npz"))
        make = [sys.executable, str(HERE / "nvidia_pickle.py"), str(arguments.resolution), file]
        subprocess.run(make, check=True, stdout=subprocess.DEVNULL)
        size = Path(file).stat().st_size
        print(f"{size:,} bytes: G, D and G_ema of a StyleGAN2, {arguments.resolution} px")
        naive = [sys.executable, str(HERE / "naive_pickle.py"), file]
        sefa = [sys.executable, "-m", "sefa_cli"]
        results = side_by_side(
            {
                "pickle.load": naive,
                "pickle.load, published": [*naive, arrays],
                "sefa factorize": [*sefa, "factorize", file, "-o", bundle, "--overwrite"],
                "sefa inspect": [*sefa, "inspect", file],
                "import torch": [sys.executable, "-c", "import torch"],
                "import numpy": [sys.executable, "-c", "import numpy"],
            },
            arguments.turns,
        )
        show(results, "pickle.load")
        print(f"the same directions: least |cos| {least_cosine(bundle, arrays):.8f}")
    print(f"load of the machine at the end: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
