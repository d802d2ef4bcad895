"""How much does one suggested step change the picture along each direction?

    sefa evaluate docs/directions/face_bottom.dirs -k 0-3 --seeds 5000-5009 --steps 1 --fast \
      --calibrate -o equal/
    python bench/equal_steps.py docs/directions/face_bottom.dirs equal/face_bottom_calibrated.dirs

Prints the median change of the pixels over the seeds, one step both ways, of 255 levels.
"""

import argparse

import numpy as np

import sefa_cli as sefa


def changes(bundle: sefa.Bundle, ks: tuple[int, ...], seeds: str, size: int) -> list[float]:
    """Return the median change of each direction."""
    found = []
    for k in ks:
        step = bundle.step(k)
        edits = sefa.edit(bundle, {k: [-step, step]}, seeds=seeds, size=size, fast=True)
        before = list(edits.scene.pictures(edits.scene.view)) * 2
        after = [picture for move in edits.moves for picture in edits.render(move)]
        squares = [
            np.square(a.astype(float) - b).mean() for a, b in zip(after, before, strict=True)
        ]
        found.append(float(np.median(np.sqrt(squares))))
    return found


def main() -> None:
    """Print a line for each bundle."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("bundles", nargs="+")
    parser.add_argument("-k", default="0-3")
    parser.add_argument("--seeds", default="5100-5103")
    parser.add_argument("--size", type=int, default=128)
    given = parser.parse_args()
    for path in given.bundles:
        bundle = sefa.Bundle.load(path)
        found = changes(bundle, bundle.indices(given.k), given.seeds, given.size)
        print(path, *(f"{value:.1f}" for value in found))


if __name__ == "__main__":
    main()
