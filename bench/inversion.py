"""Passes that `sefa.invert` needs on the default model's own pictures, against plain Adam.

Both descend the same loss in w, without regularization. A pass is one picture with its gradient;
four looks at a rough picture count as one. Adam starts from the mean code, as StyleGAN2's
projector does.

    python bench/inversion.py [--seeds 7000-7009] [--marks 5,10,20,40] [--most 300] [--lr 0.05]
"""

import argparse
import math
import time

import numpy as np
import torch

import sefa_cli as sefa
from sefa_cli.inversion.how import How
from sefa_cli.inversion.invert import Inverter
from sefa_cli.inversion.photos import Photo
from sefa_cli.ranges import parse_range


def adam(inverter: Inverter, photo: Photo, goals: list[float], most: int, lr: float) -> list[float]:
    """Return how many passes Adam takes from the mean code to each loss; infinite if too many."""
    w = inverter.prior.mean.float().clone().requires_grad_()
    search, loss_of = torch.optim.Adam([w], lr=lr), inverter.loss_to(photo)
    needed: list[float] = []
    for done in range(1, most + 1):
        search.zero_grad()
        loss = loss_of(inverter.generator.synthesize(w[None], size=inverter.size, preview=True))
        while len(needed) < len(goals) and float(loss.detach()) <= goals[len(needed)]:
            needed.append(done)
        if len(needed) == len(goals):
            break
        loss.backward()
        search.step()
    return needed + [math.inf] * (len(goals) - len(needed))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", default="7000-7009")
    parser.add_argument("--marks", default="5,10,20")
    parser.add_argument("--most", type=int, default=150)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--lr", type=float, default=0.05)
    own = parser.parse_args()
    marks = [int(mark) for mark in own.marks.split(",")]
    sefa.keep_blocks()
    generator = sefa.load_generator("mobilestylegan_ffhq", device="cpu")
    inverter = Inverter(generator, How("w", marks[-1], own.size, 0))
    ratios = []
    for seed in parse_range(own.seeds, "seed", 2**32):
        code = generator.truncate(generator.map(generator.sample([seed])), 0.7)
        photo = inverter.read(sefa.sample(generator, codes=code, size=256)[0])
        losses = dict.fromkeys(marks, math.inf)

        def keep(passes: int, loss: float, losses: dict[int, float] = losses) -> None:
            for mark in marks:
                if passes <= mark and passes > 4:  # a rough picture's loss is not the picture's
                    losses[mark] = min(losses[mark], loss)

        began = time.process_time()
        found = inverter.found(photo, inverter.descent(photo, keep).run(marks[-1], "w"))
        took = time.process_time() - began
        away = float((found.code[0] - code[0, 0]).norm())
        distance = away / float((code[0, 0] - inverter.prior.mean.float()).norm())
        needed = adam(inverter, photo, list(losses.values()), own.most, own.lr)
        ratios.append([n / mark for n, mark in zip(needed, marks, strict=True)])
        rows = zip(marks, losses.values(), needed, ratios[-1], strict=True)
        told = "; ".join(f"{m} passes: {x:.4f}, Adam {n:.0f} ({r:.1f}x)" for m, x, n, r in rows)
        print(
            f"{seed}: {found.psnr:.1f} dB, distance {distance:.2f}; {told}; {took:.0f} s of CPU",
            flush=True,
        )
    print("median ratios", *(f"{ratio:.1f}" for ratio in np.median(ratios, axis=0)))


if __name__ == "__main__":
    main()
