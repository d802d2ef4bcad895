"""StyleGAN (1) as three ports write it → the native names of dialects.py.

All have no bias on the constant, and style biases that hold the +1 of the scales. MMGeneration and
pytorch_GAN_zoo have one noise strength for all channels. Their gains differ: MMGeneration has none
of √2 in the mapping, one in style affines and to-RGBs; it bends by a leaky ReLU before the blur and
once more after the noise, and divides by √(variance + 1e-5). pytorch_GAN_zoo applies √(2 / fan-in)
everywhere, after the bias; it blurs nothing and stores no noise.

rosinality's style-based-gan-pytorch applies √(2 / fan-in) everywhere too, noise strengths included,
before the bias; the bias comes before the blur. It stores no noise and always has blocks for
1024 px: those above the size it was trained for still have the noise strengths 0 of the start.
"""

import math
import re
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sefa_cli.containers.checkpoint import Config, LazyTensor
from sefa_cli.families.arguments import MMGEN_COLORS
from sefa_cli.families.family import Model, Rules
from sefa_cli.families.names import (
    AS_STORED,
    FIRST_ROW,
    FLAT,
    ONE_MAP,
    UNBATCHED,
    Change,
    Rule,
    State,
    pair,
    translate,
)
from sefa_cli.families.native_tensors import START, Network, notes_on_absence
from sefa_cli.families.stylegan.dialects import BLUR, CHANNEL, describe, unusual_blur

_FIRST = "synthesis.b4"
_ROOT = np.float32(math.sqrt(2))
_UP = Change(numbers=partial(np.multiply, _ROOT))
_DOWN = Change(numbers=partial(np.multiply, 1 / _ROOT))


_MMGEN_BLOCK = r"convs\.(\d{1,2})"


def _styled(k: int) -> tuple[Rule, ...]:
    """Noise and style after MMGeneration's convolution k of a block, 0 or 1."""
    theirs, ours = rf"{_MMGEN_BLOCK}\.", f"{{block}}.conv{k}"
    return (
        Rule(rf"{theirs}noise_injector{k + 1}\.weight", f"{ours}.noise_strength"),
        Rule(rf"{theirs}adain{k + 1}\.affine\.weight_orig", f"{ours}.affine.weight", _UP),
        Rule(rf"{theirs}adain{k + 1}\.affine\.bias", f"{ours}.affine.bias"),
    )


_MMGEN = (
    Rule(r"style_mapping\.(\d{1,3})\.linear\.weight_orig", "mapping.fc{n}.weight", _DOWN, -1),
    Rule(r"style_mapping\.(\d{1,3})\.bias", "mapping.fc{n}.bias", shift=-1),
    Rule(r"convs\.0\.conv1\.(?:weight|input)", f"{_FIRST}.const", UNBATCHED),
    Rule(rf"{_MMGEN_BLOCK}\.conv1\.0\.conv\.weight_orig", "{block}.conv0.weight"),
    Rule(rf"{_MMGEN_BLOCK}\.conv1\.0\.conv\.bias", "{block}.conv0.bias"),
    Rule(rf"{_MMGEN_BLOCK}\.conv1\.\d\.kernel", BLUR),
    Rule(rf"{_MMGEN_BLOCK}\.conv2\.conv\.weight_orig", "{block}.conv1.weight"),
    Rule(rf"{_MMGEN_BLOCK}\.conv2\.conv\.bias", "{block}.conv1.bias"),
    *_styled(0),
    *_styled(1),
    Rule(r"to_rgbs\.(\d{1,2})\.conv\.weight_orig", "{block}.torgb.weight", _UP),
    Rule(r"to_rgbs\.(\d{1,2})\.conv\.bias", "{block}.torgb.bias"),
    Rule(r"injected_noise_(\d{1,3})", "{conv}.noise_const", ONE_MAP),
)


def _layers(weight: str, *layers: tuple[str, str, Change]) -> tuple[Rule, ...]:
    """Return rules for layers that have a weight, of some gain, and a bias.

    Older files of pytorch_GAN_zoo have the names of the wrapped modules.
    """
    return tuple(
        Rule(rf"{theirs}\.(?:module\.)?{part}", f"{ours}.{native}", change)
        for theirs, ours, gain in layers
        for part, native, change in ((weight, "weight", gain), ("bias", "bias", AS_STORED))
    )


_PROGRESSION = r"generator\.progression\.(\d{1,2})"
_NOISE = Change(FLAT.shape, lambda a: a.reshape(-1) * (_ROOT / np.float32(math.sqrt(a.size))))
_FUSED = Change(  # (in, out, 3, 3) of a transposed convolution, whose four shifts are averaged
    lambda s: (s[1], s[0], *s[2:]) if len(s) == 4 else s,
    lambda a: a.swapaxes(0, 1)[..., ::-1, ::-1] / np.float32(4),
)
_ROSINALITY = (
    Rule(r"generator\.progression\.0\.conv1\.input", f"{_FIRST}.const", UNBATCHED),
    *pair(rf"{_PROGRESSION}\.conv1\.0\.", "{block}.conv0.", _FUSED),
    Rule(rf"{_PROGRESSION}\.conv1\.[12]\.weight(?:_flip)?", BLUR, CHANNEL),
    Rule(rf"{_PROGRESSION}\.noise1\.weight_orig", "{block}.conv0.noise_strength", _NOISE),
    Rule(rf"{_PROGRESSION}\.noise2\.weight_orig", "{block}.conv1.noise_strength", _NOISE),
    *_layers(
        "weight_orig",
        (r"style\.(\d{1,3})\.linear", "mapping.fc{half}", AS_STORED),
        (rf"{_PROGRESSION}\.conv1\.1\.conv", "{block}.conv0", AS_STORED),
        (rf"{_PROGRESSION}\.conv2\.conv", "{block}.conv1", AS_STORED),
        (rf"{_PROGRESSION}\.adain1\.style\.linear", "{block}.conv0.affine", _UP),
        (rf"{_PROGRESSION}\.adain2\.style\.linear", "{block}.conv1.affine", _UP),
        (r"generator\.to_rgb\.(\d{1,2})\.conv", "{block}.torgb", _UP),
    ),
)

_GAN_ZOO = (
    Rule(r"baseScale0", f"{_FIRST}.const", UNBATCHED),
    Rule(r"mean_w", "mapping.w_avg", FIRST_ROW),
    Rule(r"noiseMod0([01])\.module\.weight", f"{_FIRST}.conv{{n}}.noise_strength"),
    Rule(r"noiseModulators\.(\d{1,2})\.0\.module\.weight", "{above}.conv0.noise_strength"),
    Rule(r"noiseModulators\.(\d{1,2})\.1\.module\.weight", "{above}.conv1.noise_strength"),
    *_layers(
        "weight",
        (r"mapping\.FC\.(\d{1,3})", "mapping.fc{n}", AS_STORED),
        (r"adain00\.styleModulator", f"{_FIRST}.conv0.affine", _UP),
        (r"conv0", f"{_FIRST}.conv1", AS_STORED),
        (r"adain01\.styleModulator", f"{_FIRST}.conv1.affine", _UP),
        (r"scaleLayers\.(\d{1,2})\.0", "{above}.conv0", AS_STORED),
        (r"scaleLayers\.(\d{1,2})\.1\.styleModulator", "{above}.conv0.affine", _UP),
        (r"scaleLayers\.(\d{1,2})\.2", "{above}.conv1", AS_STORED),
        (r"scaleLayers\.(\d{1,2})\.3\.styleModulator", "{above}.conv1.affine", _UP),
        (r"toRGBLayers\.(\d{1,2})", "{above}.torgb", _UP),
    ),
)


def _words(number: int) -> dict[str, str]:
    """Return names by number: `block` from 4 px, `above` from 8 px, `conv` from b4.conv0."""
    number = min(max(number, 0), 99)  # more is refused later, as a block nobody has
    return {
        "block": f"synthesis.b{START << number}",
        "above": f"synthesis.b{2 * START << number}",
        "conv": f"synthesis.b{START << number // 2}.conv{number % 2}",
        "half": str(number // 2),
    }


_SETTINGS: dict[str, dict[str, Any]] = {
    "mmgen": {"early_activation": True, "norm_epsilon": 1e-5},
    "rosinality": {"early_bias": True, "norm_epsilon": 1e-5, "lr_multiplier": 1.0},
}


def read(dialect: str, rules: Rules, state: State) -> Model:
    """Return the model in a state of that dialect."""
    found = translate(state, rules, _words, shared=(BLUR,))
    zoo = dialect == "gan-zoo"
    blur = {BLUR: _filled(1, (1, 1))} if zoo else unusual_blur(found.tensors.pop(BLUR, None))
    untrained = _without_untrained(found.tensors) if dialect == "rosinality" else ()
    _as_published(found.tensors, gain_after_bias=zoo)
    network = Network(found, dialect, "StyleGAN")
    config: dict[str, Any] = {**describe(network), "lr_multiplier": 0.01, "lod": 0.0}
    config |= _SETTINGS.get(dialect, {})
    tensors = {**network.ordered, **blur}
    colors = (MMGEN_COLORS,) if dialect == "mmgen" else ()
    said = (*notes_on_absence(tensors), *untrained, *network.left_out(), *colors)
    return Model(dialect, Config(config), tensors, said)


def _without_untrained(tensors: dict[str, LazyTensor]) -> tuple[str, ...]:
    """Drop the blocks above the last one with noise; return a note if there are some."""
    noise = {name: _block(name) for name in tensors if name.endswith("noise_strength")}
    trained = [block for name, block in noise.items() if tensors[name].float32().any()]
    last = max(trained, default=1 << 20)
    if all(block <= last for block in noise.values()):
        return ()
    for name in [name for name in tensors if _block(name) > last]:
        del tensors[name]
    return (f"The blocks above {last} px were never trained: left out.",)


def _block(name: str) -> int:
    """Return the resolution of `synthesis.b{r}.…`; 0 for other names."""
    match = re.match(r"synthesis\.b(\d+)\.", name)
    return int(match[1]) if match else 0


def _as_published(tensors: dict[str, LazyTensor], gain_after_bias: bool) -> None:
    """Turn biases, noise strengths and styles into those of the first code."""
    for name in [name for name in tensors if name.endswith(".weight")]:
        bias = f"{name.removesuffix('weight')}bias"
        if bias in tensors and gain_after_bias:
            gain = _ROOT / np.float32(math.sqrt(math.prod(tensors[name].shape[1:]) or 1))
            tensors[bias] = tensors[bias].then(partial(np.multiply, gain))
        if bias in tensors and name.endswith(".affine.weight"):
            channels = tensors[name].shape[0] // 2
            tensors[bias] = tensors[bias].then(partial(_without_one, channels))
            _spread(tensors, f"{name.removesuffix('.affine.weight')}.noise_strength", channels)
            if name.startswith(f"{_FIRST}.conv0"):  # the constant has none
                tensors[f"{_FIRST}.conv0.bias"] = _filled(0, (channels,))


def _without_one(channels: int, bias: NDArray[Any]) -> NDArray[Any]:
    """Return a style's bias without the 1 of its scales, which come first."""
    without = bias.copy()
    without[:channels] -= 1
    return without


def _spread(tensors: dict[str, LazyTensor], name: str, channels: int) -> None:
    """Repeat a single noise strength for every channel."""
    if name in tensors and math.prod(tensors[name].shape) == 1:
        tensors[name] = tensors[name].then(
            lambda a: np.repeat(a.reshape(-1), channels), (channels,)
        )


def _filled(value: float, shape: tuple[int, ...]) -> LazyTensor:
    return LazyTensor(shape, "float32", lambda: np.full(shape, value, np.float32))


RULES: dict[str, Rules] = {"mmgen": _MMGEN, "gan-zoo": _GAN_ZOO, "rosinality": _ROSINALITY}
