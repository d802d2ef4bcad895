"""What `--regularize` costs and brings: five weights on real photos, on rough pictures.

For each photo and weight, after 30 looks for one code and 40 for one in each layer: the PSNR of
the rough picture (64 pixels), the code's distance from the mean in deviations squared, the
identity of photo and code, and over alpha -3 to 3 of "turns the head": identity of code and edits,
and degrees of yaw.

    python bench/regularize.py FOLDER_OF_PHOTOS
"""

import sys
from collections import deque

import numpy as np
import torch
import torch.nn.functional as F
from photos import DIRECTIONS, Judge, delta_of  # type: ignore[import-not-found]

import sefa_cli as sefa
from sefa_cli.bundle.bundle import Bundle
from sefa_cli.inversion.descent import _Look
from sefa_cli.inversion.how import How
from sefa_cli.inversion.invert import Inverter
from sefa_cli.inversion.lbfgs import HISTORY
from sefa_cli.inversion.loss import loss_to, psnr
from sefa_cli.inversion.photos import find_photos

WEIGHTS = (0, 1e-3, 1e-2, 1e-1, 1.0)


def main() -> None:
    sefa.keep_blocks()
    generator = sefa.load_generator("mobilestylegan_ffhq", device="cpu")
    inverter = Inverter(generator, How("w+", 30, align=True))
    prior, layers, judge = inverter.prior, generator.num_layers, Judge()
    bundle, dim = Bundle.load(DIRECTIONS), len(inverter.prior.mean)
    moves = [delta_of(bundle, layers, 0, alpha) for alpha in (-3, 0, 3)]

    def paint(code: torch.Tensor) -> np.ndarray:
        with torch.inference_mode():
            picture = (inverter.picture(code).clamp(-1, 1) + 1) * 127.5
        return picture.round().byte().permute(1, 2, 0).numpy()

    for path in find_photos(sys.argv[1:]):
        photo = inverter.read(path)
        for weight in WEIGHTS:
            descent = inverter.descent(photo, lambda *_: None)
            descent.regularize = weight
            small = F.avg_pool2d(descent.target, inverter.size // generator.rough_size)
            look = _Look(generator.rough, loss_to(small), 1.0)
            mean = prior.mean.expand(layers, dim)
            zero = torch.zeros(layers, dim, dtype=mean.dtype)
            shared = lambda u, mean=mean: mean + prior.shared @ u  # noqa: E731
            descent._descend(30, zero[0], shared, look, deque(maxlen=HISTORY))
            begun = descent._code
            apart = lambda u, begun=begun: begun + torch.einsum("lij,lj->li", prior.layered, u)  # noqa: E731
            descent._descend(70, zero, apart, look, deque(maxlen=HISTORY))
            code = descent._code.float()
            low, own, high = (paint(code + move) for move in moves)
            with torch.inference_mode():
                near = psnr(generator.rough(code[None]), small)
            print(
                f"{path.stem} {weight}: {near:.2f} dB, {float(prior.distance(code.mean(0))):.2f}",
                f"from the mean, identity {judge.same(photo.pixels, own):.2f}; edits",
                f"{judge.same(own, low):.2f} {judge.same(own, high):.2f},",
                f"{judge.yaw(high) - judge.yaw(low):.1f} degrees",
                flush=True,
            )
    judge.close()


if __name__ == "__main__":
    main()
