"""Small random generators, as checkpoints that were never files."""

import numpy as np

from sefa_cli.containers.checkpoint import Checkpoint
from tests.helpers.r3gan_reference import r3gan
from tests.helpers.unsaved import Arrays, checkpoint

__all__ = ["Arrays", "checkpoint", "r3gan"]  # what others take from here


class Draw:
    """Random arrays under dotted names, each the size that keeps a network's values near one."""

    def __init__(self, seed: int) -> None:
        self.random = np.random.RandomState(seed)
        self.arrays: Arrays = {}

    def put(self, name: str, *shape: int, std: float = 1.0, mean: float = 0.0) -> None:
        self.arrays[name] = np.asarray(mean + std * self.random.randn(*shape), np.float32)

    def affine(self, name: str, outputs: int, inputs: int, std: float = 1.0) -> None:
        self.put(f"{name}.affine.weight", outputs, inputs, std=std)
        self.put(f"{name}.affine.bias", outputs, std=0.1, mean=1.0)


def stylegan2(
    architecture: str = "skip",
    resolution: int = 16,
    classes: int = 0,
    label_mode: str = "embed",
    clamp: float | None = None,
    scaled: bool = False,
    start: tuple[int, int] = (4, 4),
    mean: bool = True,
    seed: int = 0,
    channels: int = 10,
) -> Checkpoint:
    """z 8, w 12 numbers; `channels` at 4 px, one less with every block."""
    draw, width = Draw(seed), 8
    if classes and label_mode == "embed":
        draw.put("mapping.embed.weight", 5, classes)
        draw.put("mapping.embed.bias", 5)
        width += 5
    elif classes:
        draw.put("mapping.label_weight", classes, 6)
        width += 6
    for i in range(2):
        draw.put(f"mapping.fc{i}.weight", 12, width, std=100)
        draw.put(f"mapping.fc{i}.bias", 12, std=10)
        width = 12
    if mean:
        draw.put("mapping.w_avg", 12)
    widest, side, blocks = channels, start, int(np.log2(resolution / 2))
    draw.put("synthesis.b4.const", channels, *start)
    for block in range(blocks):
        name, outputs = f"synthesis.b{4 << block}", widest - block
        if architecture == "resnet" and block:
            draw.put(f"{name}.skip.weight", outputs, channels, 1, 1)
        for conv in ("conv0", "conv1") if block else ("conv1",):
            draw.put(f"{name}.{conv}.weight", outputs, channels, 3, 3)
            draw.put(f"{name}.{conv}.bias", outputs)
            draw.put(f"{name}.{conv}.noise_strength", std=0.3)
            draw.put(f"{name}.{conv}.noise_const", *side)
            draw.affine(f"{name}.{conv}", channels, 12)
            channels = outputs
        if architecture == "skip" or block == blocks - 1:
            draw.put(f"{name}.torgb.weight", 3, channels, 1, 1)
            draw.put(f"{name}.torgb.bias", 3)
            draw.affine(f"{name}.torgb", channels, 12)
        side = (2 * side[0], 2 * side[1])
    config = {
        "resolution": max(start) << (blocks - 1),
        "img_channels": 3,
        "z_dim": 8,
        "w_dim": 12,
        "c_dim": classes,
        "num_layers": 2 * blocks,
        "space": "w",
        "architecture": architecture,
        "conv_clamp": clamp,
        "demod_scaled": scaled,
        "label_mode": label_mode if classes else None,
        "lr_multiplier": 0.01,
    }
    return checkpoint("stylegan2", "nvidia", config, draw.arrays)


def pggan(blocks: int = 3, seed: int = 0, channels: int = 10) -> Checkpoint:
    """z 8 numbers; `channels` at 4 px, one less with every block."""
    draw, inputs = Draw(seed), channels
    draw.put("synthesis.b4.dense.weight", 16 * channels, 8)
    draw.put("synthesis.b4.dense.bias", channels)
    for block in range(blocks):
        name, outputs = f"synthesis.b{4 << block}", channels - block
        for conv in ("conv0", "conv1") if block else ("conv1",):
            draw.put(f"{name}.{conv}.weight", outputs, inputs, 3, 3)
            draw.put(f"{name}.{conv}.bias", outputs)
            inputs = outputs
        draw.put(f"{name}.torgb.weight", 3, outputs, 1, 1)
        draw.put(f"{name}.torgb.bias", 3)
    config = {
        "resolution": 2 << blocks,
        "img_channels": 3,
        "z_dim": 8,
        "w_dim": 8,
        "c_dim": 0,
        "num_layers": 1,
        "space": "z",
        "lod": 0.0,
    }
    return checkpoint("pggan", "genforce", config, draw.arrays)


def stylegan(blocks: int = 3, seed: int = 0, channels: int = 10) -> Checkpoint:
    """z 8, w 12 numbers; `channels` at 4 px, one less with every block."""
    draw, inputs, width = Draw(seed), channels, 8
    for i in range(2):
        draw.put(f"mapping.fc{i}.weight", 12, width, std=100)
        draw.put(f"mapping.fc{i}.bias", 12, std=10)
        width = 12
    draw.put("mapping.w_avg", 12)
    draw.put("synthesis.b4.const", channels, 4, 4)
    for block in range(blocks):
        outputs, side = channels - block, 4 << block
        for conv in ("conv0", "conv1"):
            name = f"synthesis.b{side}.{conv}"
            if block or conv == "conv1":
                draw.put(f"{name}.weight", outputs, inputs, 3, 3)
            draw.put(f"{name}.bias", outputs)
            draw.put(f"{name}.noise_strength", outputs, std=0.3)
            draw.put(f"{name}.noise_const", side, side)
            draw.put(f"{name}.affine.weight", 2 * outputs, 12)
            draw.put(f"{name}.affine.bias", 2 * outputs, std=0.1)
            inputs = outputs
        draw.put(f"synthesis.b{side}.torgb.weight", 3, outputs, 1, 1)
        draw.put(f"synthesis.b{side}.torgb.bias", 3)
    config = {
        "resolution": 2 << blocks,
        "img_channels": 3,
        "z_dim": 8,
        "w_dim": 12,
        "c_dim": 0,
        "num_layers": 2 * blocks,
        "space": "w",
        "lr_multiplier": 0.01,
        "lod": 0.0,
    }
    return checkpoint("stylegan", "genforce", config, draw.arrays)


def mobilestylegan(blocks: int = 3, seed: int = 0) -> Checkpoint:
    """z and w 8 numbers; 16 channels at 4 px, 16 in every block but the last, 8 there."""
    draw = Draw(seed)
    for i in range(2):
        draw.put(f"mapping.fc{i}.weight", 8, 8, std=0.4)
        draw.put(f"mapping.fc{i}.bias", 8, std=0.1)
    draw.put("synthesis.const", 16, 4, 4)

    def conv(name: str, inputs: int, outputs: int, side: int, separable: bool = True) -> None:
        draw.affine(name, inputs, 8, std=0.4)
        if separable:
            draw.put(f"{name}.depthwise", inputs, 1, 3, 3)
        k = 1 if separable else 3
        draw.put(f"{name}.weight", outputs, inputs, k, k, std=0.8)
        draw.put(f"{name}.noise", side, side, std=0.1)
        draw.put(f"{name}.bias", outputs, std=0.1)

    conv("synthesis.conv1", 16, 16, 4, separable=False)
    for i in range(blocks):
        name, outputs, side = f"synthesis.layers.{i}", 8 if i == blocks - 1 else 16, 8 << i
        draw.affine(f"{name}.up", 16, 8, std=0.4)
        conv(f"{name}.conv1", 4, outputs, side)
        conv(f"{name}.conv2", outputs, outputs, side)
    draw.affine("synthesis.to_img", 8, 8, std=0.4)
    draw.put("synthesis.to_img.weight", 12, 8, 1, 1)
    draw.put("synthesis.to_img.bias", 12, std=0.1)
    config = {
        "resolution": 8 << blocks,
        "img_channels": 3,
        "z_dim": 8,
        "w_dim": 8,
        "c_dim": 0,
        "num_layers": 2 + 3 * blocks,
        "space": "w",
    }
    return checkpoint("mobilestylegan", "random-face", config, draw.arrays)


def dcgan(channels: tuple[int, ...] = (9, 6, 4), bias: bool = False, seed: int = 0) -> Checkpoint:
    """z 8 numbers; the last convolution gives 3 channels, the sides are 4, 8, 16 …"""
    draw, inputs, blocks = Draw(seed), 8, (*channels, 3)
    for number, outputs in enumerate(blocks):
        i = 3 * number
        draw.put(f"main.{i}.weight", inputs, outputs, 4, 4, std=0.3)
        if bias:
            draw.put(f"main.{i}.bias", outputs, std=0.3)
        if number < len(channels):
            draw.put(f"main.{i + 1}.weight", outputs, std=0.3, mean=1)
            draw.put(f"main.{i + 1}.bias", outputs, std=0.3)
            draw.put(f"main.{i + 1}.running_mean", outputs, std=0.3)
            draw.put(f"main.{i + 1}.running_var", outputs, std=0.1, mean=1)
        inputs = outputs
    config = {
        "resolution": 4 << len(channels),
        "img_channels": 3,
        "z_dim": 8,
        "w_dim": 8,
        "c_dim": 0,
        "num_layers": 1,
        "space": "z",
    }
    return checkpoint("dcgan", "pytorch-example", config, draw.arrays)


def biggan(deep: bool = True, seed: int = 0) -> Checkpoint:
    """z 8 numbers (deep) or two chunks of them (hierarchical), 3 classes, 16 px or 8 px."""
    draw, embedded, see = Draw(seed), 5, 8 if deep else 4

    def normalized(name: str, *shape: int, bias: bool = True) -> None:
        draw.put(f"{name}.weight", *shape)
        draw.put(f"{name}.u", shape[0])
        if bias:
            draw.put(f"{name}.bias", shape[0], std=0.2)

    def statistics(name: str, width: int) -> None:
        rows = 51 if deep else 1
        draw.put(f"{name}.mean", rows, width, std=0.2)
        draw.put(f"{name}.var", rows, width, std=0.1, mean=1)

    def layer(block: int, j: int, inputs: int, outputs: int, side: int, up: bool = False) -> None:
        name = f"blocks.{block}"
        for part in ("scale", "offset"):
            normalized(f"{name}.bn{j}.{part}", inputs, see + embedded, bias=False)
        statistics(f"{name}.bn{j}", inputs)
        normalized(f"{name}.conv{j}{'_up' if up else ''}", outputs, inputs, side, side)

    draw.put("embedding.weight", 3, embedded)
    normalized("linear", 16 * 16, see + embedded if deep else see)
    for block in range(2 if deep else 1):
        if deep:
            layer(block, 0, 16, 4, 1)
            layer(block, 1, 4, 4, 3, up=True)
            layer(block, 2, 4, 4, 3)
            layer(block, 3, 4, 16, 1)
        else:
            layer(block, 0, 16, 16, 3, up=True)
            layer(block, 1, 16, 16, 3)
            normalized(f"blocks.{block}.shortcut", 16, 16, 1, 1)
    for part, outputs in (("theta", 2), ("phi", 2), ("g", 8)):
        normalized(f"attention.1.{part}", outputs, 16, 1, 1, bias=False)
    normalized("attention.1.o", 16, 8, 1, 1, bias=False)
    draw.put("attention.1.gamma")
    draw.put("norm.weight", 16, std=0.2, mean=1)
    draw.put("norm.bias", 16, std=0.2)
    statistics("norm", 16)
    normalized("to_rgb", 16 if deep else 3, 16, 3, 3)
    config = {
        "resolution": 16 if deep else 8,
        "img_channels": 3,
        "z_dim": 8,
        "w_dim": 8,
        "c_dim": 3,
        "num_layers": 9 if deep else 3,
        "space": "z",
        "deep": deep,
        "bn_epsilon": 1e-4 if deep else 1e-5,
    }
    dialect = "huggingface" if deep else "ajbrock"
    return checkpoint("biggan", dialect, config, draw.arrays)


def stylegan3(channels: tuple[int, ...] = (10, 8, 6), seed: int = 0) -> Checkpoint:
    """z 8, w 12 numbers, 16 px; the last layer but one, as published, has no margin."""
    draw, inputs, last = Draw(seed), channels[0], len(channels) - 1
    for i in range(2):
        draw.put(f"mapping.fc{i}.weight", 12, 12 if i else 8, std=100)
        draw.put(f"mapping.fc{i}.bias", 12, std=10)
    draw.put("mapping.w_avg", 12)
    draw.put("synthesis.input.weight", inputs, inputs)
    draw.put("synthesis.input.freqs", inputs, 2)
    draw.put("synthesis.input.phases", inputs)
    draw.put("synthesis.input.affine.weight", 4, 12, std=0.1)
    draw.put("synthesis.input.affine.bias", 4, std=0.1, mean=1)
    for i, outputs in enumerate((*channels, 3)):
        name = f"synthesis.L{i}_{36 if i < last else 16}_{outputs}"
        side = 1 if i > last else 3
        draw.put(f"{name}.weight", outputs, inputs, side, side)
        draw.put(f"{name}.bias", outputs, std=0.1)
        draw.put(f"{name}.magnitude_ema", std=0.1, mean=1)
        draw.affine(name, inputs, 12)
        for kind in ("up", "down") if i <= last else ():
            taps = np.hanning(14)[1:-1].astype(np.float32)
            draw.arrays[f"{name}.{kind}_filter"] = taps / taps.sum()
        inputs = outputs
    config = {
        "resolution": 16,
        "img_channels": 3,
        "z_dim": 8,
        "w_dim": 12,
        "c_dim": 0,
        "num_layers": len(channels) + 2,
        "space": "w",
        "label_mode": None,
        "lr_multiplier": 0.01,
        "conv_clamp": 256.0,
        "output_scale": 0.25,
        "first_cutoff": 2.0,
        "lrelu_upsampling": 2,
    }
    return checkpoint("stylegan3", "nvidia", config, draw.arrays)


def lucidrains(blocks: int = 3, seed: int = 0, channels: int = 10) -> Checkpoint:
    """z and w 8 numbers; `channels` at 4 px, one less with every block."""
    draw, inputs = Draw(seed), channels
    for i in range(2):
        draw.put(f"mapping.fc{i}.weight", 8, 8, std=6)
        draw.put(f"mapping.fc{i}.bias", 8)
    draw.put("synthesis.const", channels, 4, 4)
    draw.put("synthesis.initial_conv.weight", channels, channels, 3, 3, std=0.1)
    draw.put("synthesis.initial_conv.bias", channels)
    draw.arrays["synthesis.blur"] = np.array([1, 2, 1], np.float32)
    for block in range(blocks):
        name, outputs = f"synthesis.blocks.{block}", channels - block
        for conv in ("conv1", "conv2"):
            draw.put(f"{name}.{conv}.weight", outputs, inputs, 3, 3)
            draw.put(f"{name}.{conv}.noise_weight", outputs, std=0.3)
            draw.put(f"{name}.{conv}.noise_bias", outputs)
            draw.affine(f"{name}.{conv}", inputs, 8, std=0.4)
            inputs = outputs
        draw.put(f"{name}.torgb.weight", 3, inputs, 1, 1, std=0.1)
        draw.affine(f"{name}.torgb", inputs, 8, std=0.4)
    config = {
        "resolution": 2 << blocks,
        "img_channels": 3,
        "z_dim": 8,
        "w_dim": 8,
        "c_dim": 0,
        "num_layers": blocks,
        "space": "w",
        "mapping_layers": 2,
        "lr_multiplier": 0.1,
        "normalize_z": True,
    }
    return checkpoint("lucidrains", "lucidrains", config, draw.arrays)


def arrays(made: Checkpoint) -> Arrays:
    """Its tensors in double precision."""
    return {name: tensor.numpy().astype(np.float64) for name, tensor in made.tensors.items()}
