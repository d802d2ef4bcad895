"""A full-width StyleGAN2 with random weights, in the genforce layout: stands in for a real file.

    python bench/random_stylegan2.py 512 random.pth [WIDTH]

Widths are those of config-f; about 120 MB at 512 px. Time and memory do not depend on the values.
"""

import sys

import torch


def genforce_state(resolution: int, width: int = 512) -> dict[str, torch.Tensor]:
    """The state dict of a published-size generator: z, w and channels of `width`."""
    torch.manual_seed(0)
    blocks = resolution.bit_length() - 2  # 4, 8, … resolution
    channels = [min(32768 // (4 << b), width) for b in range(blocks)]
    state = {}
    for i in range(8):
        state[f"mapping.dense{i}.weight"] = torch.randn(width, width) * 100  # lr multiplier 0.01
        state[f"mapping.dense{i}.bias"] = torch.zeros(width)
    state["truncation.w_avg"] = torch.randn(width) * 0.1
    state["synthesis.early_layer.const"] = torch.randn(1, channels[0], 4, 4)
    fir = torch.tensor([1.0, 3.0, 3.0, 1.0])
    for i in range(2 * blocks - 1):
        px = 4 << (i + 1) // 2
        wide, narrow = channels[i // 2], channels[(i + 1) // 2]
        layer = f"synthesis.layer{i}"
        state[f"{layer}.weight"] = torch.randn(narrow, wide, 3, 3)
        state[f"{layer}.bias"] = torch.zeros(narrow)
        state[f"{layer}.style.weight"] = torch.randn(wide, width)
        state[f"{layer}.style.bias"] = torch.zeros(wide)
        state[f"{layer}.noise"] = torch.randn(1, 1, px, px)
        state[f"{layer}.noise_strength"] = torch.tensor(0.1)
        if i % 2:
            state[f"{layer}.filter.kernel"] = (torch.outer(fir, fir) / 16)[None, None]
    for b, wide in enumerate(channels):
        output = f"synthesis.output{b}"
        state[f"{output}.weight"] = torch.randn(3, wide, 1, 1)
        state[f"{output}.bias"] = torch.zeros(3)
        state[f"{output}.style.weight"] = torch.randn(wide, width)
        state[f"{output}.style.bias"] = torch.zeros(wide)
    state["synthesis.upsample.kernel"] = (torch.outer(fir, fir) / 16)[None, None]
    return state


if __name__ == "__main__":
    resolution, path = int(sys.argv[1]), sys.argv[2]
    width = int(sys.argv[3]) if len(sys.argv) > 3 else 512
    torch.save({"generator_smooth": genforce_state(resolution, width)}, path)
    print(path)
