"""Both families once more, from their published description: slow, one sample, in numpy.

Nothing here is shared with the code under test: zeros are inserted where that transposes, every
sample has kernels of its own, demodulated as they stand, and the Haar step is written out.
"""

from collections.abc import Mapping

import numpy as np

Arrays = Mapping[str, np.ndarray]
FIR = np.outer([1, 3, 3, 1], [1, 3, 3, 1]) / 64


def correlate(x: np.ndarray, kernel: np.ndarray, pad: tuple[int, int]) -> np.ndarray:
    """x `(c, h, w)`, kernel `(o, c, k, k)`; `pad` before and after on both axes."""
    x = np.pad(x, ((0, 0), pad, pad))
    windows = np.lib.stride_tricks.sliding_window_view(x, kernel.shape[2:], axis=(1, 2))
    return np.einsum("chwyx,ocyx->ohw", windows, kernel)


def fir(x: np.ndarray, taps: np.ndarray, pad: tuple[int, int]) -> np.ndarray:
    """Every channel convolved with `taps`, which a convolution flips."""
    kernel = np.zeros((len(x), len(x), *taps.shape))
    kernel[range(len(x)), range(len(x))] = taps[::-1, ::-1]
    return correlate(x, kernel, pad)


def with_zeros(x: np.ndarray) -> np.ndarray:
    """`(c, h, w)` → `(c, 2h, 2w)`, every second row and column 0."""
    out = np.zeros((len(x), 2 * x.shape[1], 2 * x.shape[2]))
    out[:, ::2, ::2] = x
    return out


def upsample(x: np.ndarray, taps: np.ndarray) -> np.ndarray:
    return fir(with_zeros(x), taps * 4, ((len(taps) + 1) // 2, (len(taps) - 2) // 2))


def leaky(x: np.ndarray) -> np.ndarray:
    return np.where(x < 0, 0.2 * x, x)


def mapping(t: Arrays, z: np.ndarray, lr: float | None) -> np.ndarray:
    x, i = z / np.sqrt(np.mean(z**2) + 1e-8), 0
    while f"mapping.fc{i}.weight" in t:
        weight, bias = t[f"mapping.fc{i}.weight"], t[f"mapping.fc{i}.bias"]
        gain = 1 if lr is None else lr / np.sqrt(weight.shape[1])
        x = leaky(weight * gain @ x + bias * (1 if lr is None else lr)) * np.sqrt(2)
        i += 1
    return x


def stylegan2(
    t: Arrays,
    codes: np.ndarray,
    clamp: float | None = None,
    scaled: bool = False,
    noise: bool = True,
) -> np.ndarray:
    """The picture `(channels, h, w)` of codes `(layers, w_dim)`."""
    taps = t.get("synthesis.resample_filter", FIR)
    clip = (lambda x, gain=1.0: x) if clamp is None else (
        lambda x, gain=1.0: np.clip(x, -clamp * gain, clamp * gain)
    )  # fmt: skip

    def style(name: str, w: np.ndarray) -> np.ndarray:
        weight = t[f"{name}.affine.weight"]
        return weight @ w / np.sqrt(weight.shape[1]) + t[f"{name}.affine.bias"]

    def conv(name: str, x: np.ndarray, w: np.ndarray, up: bool, gain: float = 1.0) -> np.ndarray:
        kernel = t[f"{name}.weight"] * style(name, w)[:, None, None]
        kernel = kernel / np.sqrt(np.prod(kernel.shape[1:])) if scaled else kernel
        kernel = kernel / np.sqrt((kernel**2).sum(axis=(1, 2, 3), keepdims=True) + 1e-8)
        if up:
            x = correlate(with_zeros(x)[:, :-1, :-1], kernel[:, :, ::-1, ::-1], (2, 2))
            x = fir(x, taps * 4, ((len(taps) + 1) // 2 - 1, (len(taps) - 2) // 2))
        else:
            x = correlate(x, kernel, (1, 1))
        if noise:
            x = x + t[f"{name}.noise_const"] * t[f"{name}.noise_strength"]
        x = leaky(x + t[f"{name}.bias"][:, None, None]) * np.sqrt(2) * gain
        return clip(x, gain)

    x, image, index, block = t["synthesis.b4.const"], None, 0, 4
    while f"synthesis.b{block}.conv1.weight" in t:
        name, gain, shortcut = f"synthesis.b{block}", 1.0, None
        if f"{name}.skip.weight" in t:
            skip = t[f"{name}.skip.weight"]
            shortcut = upsample(correlate(x, skip / np.sqrt(skip.shape[1]), (0, 0)), taps)
            gain = np.sqrt(0.5)
        if block > 4:
            x = conv(f"{name}.conv0", x, codes[index], True)
            index += 1
        x = conv(f"{name}.conv1", x, codes[index], False, gain)
        index += 1
        x = x if shortcut is None else x + shortcut * gain
        image = None if image is None else upsample(image, taps)
        if f"{name}.torgb.weight" in t:
            kernel = t[f"{name}.torgb.weight"] * style(f"{name}.torgb", codes[index])[:, None, None]
            rgb = correlate(x, kernel / np.sqrt(kernel.shape[1]), (0, 0))
            rgb = clip(rgb + t[f"{name}.torgb.bias"][:, None, None])
            image = rgb if image is None else image + rgb
        block *= 2
    assert image is not None
    return image


def haar(x: np.ndarray) -> np.ndarray:
    """`(4c, h, w)` in the file's order → `(c, 2h, 2w)`: section 4 of the facts, word by word."""
    c = len(x) // 4
    low, tail = x[:c], x[c:].reshape(c, 3, *x.shape[1:])
    b0, b1, b2 = tail[:, 0], tail[:, 1], tail[:, 2]
    out = np.zeros((c, 2 * x.shape[1], 2 * x.shape[2]))
    out[:, ::2, ::2] = (low + b0 + b1 + b2) / 2
    out[:, ::2, 1::2] = (low + b0 - b1 - b2) / 2
    out[:, 1::2, ::2] = (low - b0 + b1 - b2) / 2
    out[:, 1::2, 1::2] = (low - b0 - b1 + b2) / 2
    return out


def mobilestylegan(t: Arrays, codes: np.ndarray, noise: bool = True) -> np.ndarray:
    """The picture `(3, h, w)` of codes `(layers, w_dim)`."""
    rest = iter(codes)

    def styled(name: str, x: np.ndarray) -> np.ndarray:
        style = t[f"{name}.affine.weight"] @ next(rest) + t[f"{name}.affine.bias"]
        return x * style[:, None, None]

    def conv(name: str, x: np.ndarray) -> np.ndarray:
        x = styled(name, x) / np.sqrt(9 * len(x))
        kernel = t[f"{name}.weight"]
        if f"{name}.depthwise" in t:
            depthwise = np.zeros((len(x), len(x), 3, 3))
            depthwise[range(len(x)), range(len(x))] = t[f"{name}.depthwise"][:, 0]
            x = correlate(correlate(x, depthwise, (1, 1)), kernel, (0, 0))
        else:
            x = correlate(x, kernel, (1, 1))
        x = x + t[f"{name}.noise"] if noise else x
        return leaky(x + t[f"{name}.bias"][:, None, None])

    x, i = conv("synthesis.conv1", t["synthesis.const"]), 0
    while f"synthesis.layers.{i}.up.affine.weight" in t:
        name = f"synthesis.layers.{i}"
        x = haar(styled(f"{name}.up", x))
        x = conv(f"{name}.conv2", conv(f"{name}.conv1", x))
        i += 1
    x = styled("synthesis.to_img", x) / np.sqrt(len(x))
    x = correlate(x, t["synthesis.to_img.weight"], (0, 0))
    return haar(x + t["synthesis.to_img.bias"][:, None, None])
