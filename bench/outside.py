"""What `--outside` brings inside the face and costs around it, on real aligned photos in w+.

For each photo and share: PSNR inside and outside the face, LPIPS of the face alone (the photo's own
pixels around it), and identity of photo and code. Needs `sefa-cli[eval]`.

    python bench/outside.py [--photos collins,hopper] [--shares 1,0.3] [--passes 100]
"""

import argparse

import torch
from photos import PHOTOS, Judge, photo_of  # type: ignore[import-not-found]

import sefa_cli as sefa
from sefa_cli.inversion.how import How
from sefa_cli.inversion.invert import Inverter
from sefa_cli.inversion.loss import share_of, target_of


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", default=",".join(PHOTOS))
    parser.add_argument("--shares", default="1,0.3")
    parser.add_argument("--passes", type=int, default=How.passes)
    own = parser.parse_args()
    sefa.keep_blocks()
    generator = sefa.load_generator("mobilestylegan_ffhq", device="cpu")
    judge = Judge()

    def decibels(error: torch.Tensor, weight: torch.Tensor) -> float:
        mean = (error.square() * weight).sum() / (3 * weight.sum())
        return float(10 * torch.log10(4 / mean))

    for name in own.photos.split(","):
        for outside in map(float, own.shares.split(",")):
            inverter = Inverter(generator, How("w+", own.passes, align=True, outside=outside))
            photo = inverter.read(photo_of(name), name)
            found = inverter.find(photo, lambda *_: None)
            target, inside = target_of(photo), share_of(photo, 0)
            with torch.inference_mode():
                error = inverter.picture(found.code)[None].clamp(-1, 1) - target
                lpips = float(judge.lpips(target + inside * error, target))
            print(
                f"{name} {outside}: face {decibels(error, inside):.2f} dB, LPIPS {lpips:.3f};",
                f"around {decibels(error, 1 - inside):.2f} dB;",
                f"identity {judge.same(photo.pixels, found.picture):.2f}",
                flush=True,
            )
    judge.close()


if __name__ == "__main__":
    main()
