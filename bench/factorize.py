"""`sefa factorize` against the published procedure, whole processes, one 512-px StyleGAN2 file.

python bench/factorize.py [--turns 7]
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from processes import show, side_by_side

HERE = Path(__file__).parent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=7)
    turns = parser.parse_args().turns
    with tempfile.TemporaryDirectory() as folder:
        file, bundle, arrays = (str(Path(folder, name)) for name in ("s.pth", "s.dirs", "s.npz"))
        subprocess.run([sys.executable, HERE / "random_stylegan2.py", "512", file], check=True)
        print(f"{Path(file).stat().st_size / 1e6:.0f} MB, StyleGAN2, 512 px, full width")
        sefa = [sys.executable, "-m", "sefa_cli", "factorize", file, "-o", bundle, "--overwrite"]
        published = [sys.executable, str(HERE / "published_sefa.py"), file, arrays]
        results = side_by_side(
            {
                "published": published,
                "published, no generator": [*published, "--no-generator"],
                "sefa factorize": sefa,
                "import numpy": [sys.executable, "-c", "import numpy"],
            },
            turns,
        )
        show(results, "published")
        print(f"the same directions: least |cos| {least_cosine(bundle, arrays):.8f}")


def least_cosine(bundle: str, arrays: str) -> float:
    """How parallel the two sets of directions are, at worst, once both are sorted."""
    import sefa_cli as sefa

    published = np.load(arrays)
    order = np.argsort(-published["values"].real)
    theirs = published["directions"].real[order]
    return float(np.abs(np.sum(sefa.Bundle.load(bundle).directions * theirs, axis=1)).min())


if __name__ == "__main__":
    main()
