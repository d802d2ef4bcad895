"""A small network of LPIPS's form, with random weights, in the tree that its file holds."""

import numpy as np
import torch

from sefa_cli.lpips import Lpips

WIDTHS = (2, 2, 3, 3, 2, 3, 2, 3, 2, 2, 3, 2, 2)  # of the 13 convolutions
TAPS = (1, 3, 6, 9, 12)  # those that are compared


def small_weights() -> dict[str, dict]:
    """Kernels are (height, width, inputs, outputs)."""
    rng = np.random.RandomState(0)
    convolutions, inputs = {}, 3
    for i, width in enumerate(WIDTHS):
        kernel = rng.randn(3, 3, inputs, width).astype(np.float32) / 3
        convolutions[f"Conv_{i}"] = {"kernel": kernel, "bias": rng.rand(width).astype(np.float32)}
        inputs = width
    heads = {
        f"NetLinLayer_{i}": {"Conv_0": {"kernel": rng.rand(1, 1, n, 1).astype(np.float32)}}
        for i, n in enumerate(WIDTHS[tap] for tap in TAPS)
    }
    return {"VGG16_0": convolutions, **heads}


def small_lpips() -> Lpips:
    tree = small_weights()
    convolutions = {f"VGG16_0/{k}/{n}": v for k, c in tree["VGG16_0"].items() for n, v in c.items()}
    heads = {f"{k}/Conv_0/kernel": v["Conv_0"]["kernel"] for k, v in tree.items() if "Net" in k}
    return Lpips({name: torch.from_numpy(v) for name, v in {**convolutions, **heads}.items()})
