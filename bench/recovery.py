"""Does the code that was put in come out? Pictures of the default model with known codes, in w.

For each seed: LPIPS and PSNR of the picture found; how far its code is from the true one, over the
distance of the mean code, in w and in the styles (by the Gram matrices of the style affines); the
share of the error's square along the 64 directions that change the styles most; and the PSNR after
a random move of the true code that is as long as the error.

    python bench/recovery.py [--seeds 7003-7012] [--passes 100] [--size 128] [--loss lpips]
"""

import argparse

import torch

import sefa_cli as sefa
from sefa_cli.inversion.how import How
from sefa_cli.inversion.invert import Inverter
from sefa_cli.inversion.loss import psnr
from sefa_cli.inversion.prior import _PRIOR
from sefa_cli.lpips import load_lpips
from sefa_cli.ranges import parse_range


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", default="7003-7012")
    parser.add_argument("--passes", type=int, default=100)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--loss", default="pixels")
    own = parser.parse_args()
    sefa.keep_blocks()
    generator = sefa.load_generator("mobilestylegan_ffhq", device="cpu")
    inverter = Inverter(generator, How("w", own.passes, own.size, 0, own.loss))
    prior, lpips = inverter.prior, load_lpips()
    gram = torch.linalg.inv(prior.shared @ prior.shared.T) - _PRIOR * prior.precision
    leading = torch.linalg.eigh(gram).eigenvectors[:, -64:]
    spread = torch.linalg.cholesky(torch.linalg.inv(prior.precision))

    def paint(w: torch.Tensor) -> torch.Tensor:
        codes = w.float().expand(generator.num_layers, -1)[None]
        with torch.inference_mode():
            return generator.synthesize(codes, size=own.size, preview=True)

    for seed in parse_range(own.seeds, "seed", 2**32):
        code = generator.truncate(generator.map(generator.sample([seed])), 0.7)
        photo = inverter.read(sefa.sample(generator, codes=code, size=256)[0])
        found = inverter.find(photo, lambda *_: None)
        true = code[0, 0].double()
        error, away = found.code[0].double() - true, true - prior.mean
        styles = ((error @ gram @ error) / (away @ gram @ away)).sqrt()
        share = (leading.T @ error).square().sum() / error.square().sum()
        move = (
            spread @ torch.randn(len(true), generator=torch.Generator().manual_seed(seed)).double()
        )
        random = paint(true + move * error.norm() / move.norm())
        goal, made = paint(true), paint(found.code[0])
        distance = float(error.norm() / away.norm())
        print(
            f"{seed}: LPIPS {float(lpips(made, goal)):.3f}, {psnr(made, goal):.1f} dB; distance",
            f"{distance:.2f} in w, {float(styles):.2f} in styles; {float(share):.0%} along 64",
            f"directions; random move {psnr(random, goal):.1f} dB",
            flush=True,
        )


if __name__ == "__main__":
    main()
