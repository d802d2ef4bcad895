"""Passes that `sefa.invert` needs on the default model's own pictures, against plain Adam.

Both descend the same loss in w, without regularization, and a pass is one picture with its
gradient for both. Adam starts from the mean code, as StyleGAN2's projector does.

    python bench/inversion.py [--seeds 7000-7009] [--passes 30] [--most 300] [--lr 0.05]
"""

import argparse
import time

import numpy as np
import torch

import sefa_cli as sefa
from sefa_cli.inversion.descent import Descent
from sefa_cli.inversion.how import How
from sefa_cli.inversion.invert import Inverter, _pixels
from sefa_cli.inversion.loss import picture_loss
from sefa_cli.ranges import parse_range


def adam(inverter: Inverter, target: torch.Tensor, goal: float, most: int, lr: float) -> int:
    """Return how many passes Adam takes from the mean code to the loss `goal`; `most` if more."""
    w = inverter.prior.mean.float().clone().requires_grad_()
    search = torch.optim.Adam([w], lr=lr)
    for done in range(1, most + 1):
        search.zero_grad()
        picture = inverter.generator.synthesize(w[None], size=inverter.size, preview=True)
        loss = picture_loss(picture, target)
        if float(loss.detach()) <= goal:
            return done
        loss.backward()
        search.step()
    return most


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", default="7000-7009")
    parser.add_argument("--passes", type=int, default=30)
    parser.add_argument("--most", type=int, default=300)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--lr", type=float, default=0.05)
    own = parser.parse_args()
    sefa.keep_blocks()
    generator = sefa.load_generator("mobilestylegan_ffhq", device="cpu")
    inverter = Inverter(generator, How("w", own.passes, own.size, 0))
    print("seed   loss     PSNR  distance  passes  Adam   ratio")
    ratios = []
    for seed in parse_range(own.seeds, "seed", 2**32):
        code = generator.truncate(generator.map(generator.sample([seed])), 0.7)
        pixels = sefa.sample(generator, codes=code, size=256)[0]
        photo = inverter.read(pixels)
        descent = Descent(
            generator,
            inverter.prior,
            inverter.loss_to(photo),
            0,
            inverter.size,
            lambda done, loss: None,
        )
        began = time.process_time()
        found = inverter.found(photo, descent.run(own.passes, "w"))
        took = time.process_time() - began
        away = float((found.code[0] - code[0, 0]).norm())
        distance = away / float((code[0, 0] - inverter.prior.mean.float()).norm())
        passes = adam(inverter, _pixels(photo), found.loss, own.most, own.lr)
        ratios.append(passes / own.passes)
        print(
            f"{seed}  {found.loss:.4f}  {found.psnr:6.1f}  {distance:8.2f}  {own.passes:6d}  "
            f"{passes:4d}{'+' * (passes == own.most):1}  {ratios[-1]:5.1f}   ({took:.0f} s of CPU)",
            flush=True,
        )
    print(f"median ratio {np.median(ratios):.1f}")


if __name__ == "__main__":
    main()
