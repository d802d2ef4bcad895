"""PGGAN as genforce and NVIDIA's TensorFlow code write it → names after NVIDIA's StyleGAN2.

Native: `synthesis.b4.dense.weight (16·C, z_dim)` with rows in the order (channel, y, x), and its
`bias (C)`; `synthesis.b{r}.conv0` (from 8 px on, it doubles the resolution) and `conv1`, `.weight
(out, in, 3, 3)` as correlation kernels after nearest-neighbour doubling, and `.bias`;
`synthesis.b{r}.torgb`. genforce has the dense layer as a convolution of a padded pixel, whose
kernel is therefore turned; fused up-sampling kernels are stored turned and transposed.
"""

import math
from collections.abc import Iterator
from typing import Any

from numpy.typing import NDArray

from sefa_cli.checkpoints.checkpoint import LazyTensor
from sefa_cli.checkpoints.dialects import tensorflow
from sefa_cli.checkpoints.dialects.model import Dialect, Model
from sefa_cli.checkpoints.dialects.names import Change, Rule, Shape, State, translate
from sefa_cli.checkpoints.dialects.network import START, Network
from sefa_cli.checkpoints.dialects.progressive import left_out, lod_of
from sefa_cli.checkpoints.dialects.tensorflow import (
    HWIO,
    HWOI,
    TRANSPOSED,
    argument,
    axes,
    flipped,
)

_DENSE = "synthesis.b4.dense"
_LABEL = "synthesis.b4.dense.label_weight"


def _rows(shape: Shape) -> Shape:
    return (math.prod((shape[0], *shape[2:])), shape[1]) if len(shape) == 4 else shape


def _unflipped(kernel: NDArray[Any]) -> NDArray[Any]:
    """(C, z, 4, 4) → (16·C, z): the picture of a single pixel is the kernel turned by 180°."""
    if kernel.ndim != 4:
        return kernel
    rows = kernel[:, :, ::-1, ::-1].transpose(0, 2, 3, 1)  # (C, 4, 4, z)
    return rows.reshape(-1, kernel.shape[1])


_GENFORCE = (
    Rule(r"lod"),
    Rule(r"layer0\.weight", f"{_DENSE}.weight", Change(_rows, _unflipped)),
    Rule(r"layer0\.bias", f"{_DENSE}.bias"),
    Rule(r"layer(\d{1,3})\.weight", "{conv}.weight"),
    Rule(r"layer(\d{1,3})\.bias", "{conv}.bias"),
    Rule(r"output(\d{1,3})\.weight", "{rgb}.weight"),
    Rule(r"output(\d{1,3})\.bias", "{rgb}.bias"),
)

_TENSORFLOW = (
    Rule(r"lod"),
    Rule(r"4x4/Dense/weight", f"{_DENSE}.weight", TRANSPOSED),
    Rule(r"4x4/Dense/bias", f"{_DENSE}.bias"),
    Rule(r"4x4/Conv/weight", "synthesis.b4.conv1.weight", HWIO),
    Rule(r"4x4/Conv/bias", "synthesis.b4.conv1.bias"),
    Rule(r"(\d{1,6})x\1/Conv0/weight", "synthesis.b{n}.conv0.weight", HWIO),
    Rule(r"(\d{1,6})x\1/Conv0_up/weight", "synthesis.b{n}.conv0.weight", flipped(HWOI)),
    Rule(r"(\d{1,6})x\1/Conv0(?:_up)?/bias", "synthesis.b{n}.conv0.bias"),
    Rule(r"(\d{1,6})x\1/Conv1/weight", "synthesis.b{n}.conv1.weight", HWIO),
    Rule(r"(\d{1,6})x\1/Conv1/bias", "synthesis.b{n}.conv1.bias"),
    Rule(r"ToRGB_lod(\d{1,2})/weight", "{rgb_of_lod}.weight", HWIO),
    Rule(r"ToRGB_lod(\d{1,2})/bias", "{rgb_of_lod}.bias"),
)


def _read(dialect: Dialect, state: State) -> Model:
    top = tensorflow.top_block(state)

    def words(number: int) -> dict[str, str]:
        """Layers run b4.dense, b4.conv1, b8.conv0, b8.conv1 …; outputs 4, 8 … or backwards."""
        number = min(max(number, 0), 99)  # more is refused later, as a block nobody has
        conv = f"synthesis.b{START << number // 2}.conv{number % 2}"
        rgb = f"synthesis.b{START << number}.torgb"
        return {"conv": conv, "rgb": rgb, "rgb_of_lod": f"synthesis.b{top >> number}.torgb"}

    found = translate(state, dialect.rules, words)
    lod = lod_of(found.tensors, state.path)
    if dialect.name == "genforce":  # TensorFlow's names tell
        _unfuse(found.tensors)
    classes = argument(state, "label_size", 0)
    _split_label(found.tensors, classes)
    network = Network(found.tensors, found.names, dialect.name, state.path, "PGGAN")
    config = {**_describe(network), "lod": lod}
    return Model(
        dialect.name, dialect.family, config, network.ordered,
        tuple(_notes(state, left_out(found, network), lod)),
    )  # fmt: skip


def _describe(network: Network) -> dict[str, Any]:
    """The configuration that the shapes tell. Raises SefaError at the first that does not fit."""
    rows, z_dim = network.shape(f"{_DENSE}.weight", 2)
    channels = rows // START**2
    network.expect(f"{_DENSE}.weight", (channels * START**2, z_dim))
    network.expect(f"{_DENSE}.bias", (channels,))
    classes = network.shape(_LABEL, 2)[1] if _LABEL in network else 0
    resolutions = network.resolutions()
    img_channels = network.shape(f"synthesis.b{resolutions[-1]}.torgb.weight", 4)[0]
    for r in resolutions:
        for conv in ("conv0", "conv1") if r > START else ("conv1",):
            name = f"synthesis.b{r}.{conv}"
            inputs, channels = channels, network.shape(f"{name}.weight", 4)[0]
            network.expect(f"{name}.weight", (channels, inputs, 3, 3))
            network.expect(f"{name}.bias", (channels,))
        rgb, optional = f"synthesis.b{r}.torgb", r < resolutions[-1]
        network.expect(f"{rgb}.weight", (img_channels, channels, 1, 1), optional)
        network.expect(f"{rgb}.bias", (img_channels,), optional)
    return {
        "resolution": resolutions[-1],
        "img_channels": img_channels,
        "z_dim": z_dim,
        "w_dim": z_dim,
        "c_dim": classes,
        "num_layers": 1,
        "space": "z",
    }


def _unfuse(tensors: dict[str, LazyTensor]) -> None:
    """Turns genforce's fused up-sampling kernels, (in, out, 3, 3): widths that follow tell them."""
    ups = [name for name in tensors if name.endswith("conv0.weight")]
    before = {name: tensors.get(_conv1_before(name)) for name in ups}
    fused = any(
        conv1 is not None
        and len(set(tensors[name].shape[:2])) == 2
        and tensors[name].shape[0] == conv1.shape[0]
        for name, conv1 in before.items()
    )
    for name in ups if fused else ():
        tensors[name] = flipped(axes(1, 0, 2, 3))(tensors[name])


def _conv1_before(name: str) -> str:
    resolution = int(name.split(".")[1][1:])
    return f"synthesis.b{resolution // 2}.conv1.weight"


def _split_label(tensors: dict[str, LazyTensor], classes: Any) -> None:
    """The dense layer of a conditional network takes z and then a one-hot label."""
    weight = tensors.get(f"{_DENSE}.weight")
    if weight is None or len(weight.shape) != 2 or not isinstance(classes, int):
        return
    rows, inputs = weight.shape
    z_dim = inputs - classes
    if classes > 0 and z_dim > 0:
        tensors[f"{_DENSE}.weight"] = weight.then(lambda a: a[:, :z_dim], (rows, z_dim))
        tensors[_LABEL] = weight.then(lambda a: a[:, z_dim:], (rows, classes))


def _notes(state: State, unused: str, lod: float) -> Iterator[str]:
    if lod:
        yield f"The network was saved while it grew, at level of detail {lod:g}: pictures are soft."
    if unused:
        yield unused
    yield from tensorflow.argument_notes(state)


DIALECTS = (
    Dialect(
        "genforce", "pggan", ("layer0.weight", "layer1.weight", "output0.weight"), _GENFORCE, _read
    ),
    Dialect("tensorflow", "pggan", ("4x4/Dense/weight", "4x4/Conv/weight"), _TENSORFLOW, _read),
)
