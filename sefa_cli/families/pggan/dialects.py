"""PGGAN in six dialects → names after NVIDIA's StyleGAN2.

Native: `synthesis.b4.dense.weight (16·C, z_dim)` with rows in the order (channel, y, x), and its
`bias (C)`; `synthesis.b{r}.conv0` (from 8 px on, it doubles the resolution) and `conv1`, `.weight
(out, in, 3, 3)` as correlation kernels after nearest-neighbor doubling, and `.bias`;
`synthesis.b{r}.torgb`; of conditional networks `synthesis.b4.dense.label_weight (16·C, c_dim)`.
genforce and GAN Dissection have the dense layer as a convolution of a padded pixel, whose kernel is
therefore turned; fused up-sampling kernels are stored turned and transposed; Facebook's GAN zoo
applies the gains of the equalized learning rate after the bias, and to to-RGB as to the others.
MMGeneration's fused kernels count their outputs where the others count inputs in that gain.
"""

import math
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sefa_cli.containers.checkpoint import Config, LazyTensor
from sefa_cli.families import tensorflow
from sefa_cli.families.arguments import MMGEN_COLORS
from sefa_cli.families.family import Model, Rules
from sefa_cli.families.names import FLAT, Change, Rule, Shape, State, pair, translate
from sefa_cli.families.native_tensors import START, Network
from sefa_cli.families.progressive import growing, lod_of
from sefa_cli.families.tensorflow import HWIO, HWOI, TRANSPOSED, argument, axes, flipped

_DENSE = "synthesis.b4.dense"
_LABEL = "synthesis.b4.dense.label_weight"
_SCALE = "scale"
SQRT2 = math.sqrt(2)


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
    *pair(r"layer0\.", f"{_DENSE}.", Change(_rows, _unflipped)),
    *pair(r"layer(\d{1,3})\.", "{conv}."),
    *pair(r"output(\d{1,3})\.", "{rgb}."),
)

_TENSORFLOW = (
    Rule(r"lod"),
    *pair(r"4x4/Dense/", f"{_DENSE}.", TRANSPOSED),
    *pair(r"4x4/Conv/", "synthesis.b4.conv1.", HWIO),
    Rule(r"(\d{1,6})x\1/Conv0/weight", "synthesis.b{n}.conv0.weight", HWIO),
    Rule(r"(\d{1,6})x\1/Conv0_up/weight", "synthesis.b{n}.conv0.weight", flipped(HWOI)),
    Rule(r"(\d{1,6})x\1/Conv0(?:_up)?/bias", "synthesis.b{n}.conv0.bias"),
    *pair(r"(\d{1,6})x\1/Conv1/", "synthesis.b{n}.conv1.", HWIO),
    *pair(r"ToRGB_lod(\d{1,2})/", "{rgb_of_lod}.", HWIO),
)

_DISSECTION = (  # layers are counted from 1; only the last to-RGB is kept
    Rule(r"layer1\.conv\.weight", f"{_DENSE}.weight", Change(_rows, _unflipped)),
    Rule(r"layer1\.wscale\.b", f"{_DENSE}.bias"),
    Rule(r"layer(\d{1,3})\.conv\.weight", "{conv}.weight", shift=-1),
    Rule(r"layer(\d{1,3})\.wscale\.b", "{conv}.bias", shift=-1),
    Rule(r"output_(\d{1,6})x\1\.conv\.weight", "synthesis.b{n}.torgb.weight"),
    Rule(r"output_(\d{1,6})x\1\.wscale\.b", "synthesis.b{n}.torgb.bias"),
    Rule(r"\w+\.wscale\.scale", _SCALE),
)

_OLD_DISSECTION = (  # counted from 0
    Rule(r"features\.0\.conv\.weight", f"{_DENSE}.weight", Change(_rows, _unflipped)),
    Rule(r"features\.0\.wscale\.b", f"{_DENSE}.bias"),
    Rule(r"features\.(\d{1,3})\.conv\.weight", "{conv}.weight"),
    Rule(r"features\.(\d{1,3})\.wscale\.b", "{conv}.bias"),
    Rule(r"output\.conv\.weight", "{last_rgb}.weight"),
    Rule(r"output\.wscale\.b", "{last_rgb}.bias"),
    Rule(r"(?:features\.\d{1,3}|output)\.wscale\.scale", _SCALE),
)

_GAN_ZOO = tuple(  # older files have the names of the wrapped modules
    Rule(rf"{theirs}\.(?:module\.)?{part}", f"{native}.{part}")
    for theirs, native in (
        (r"formatLayer", _DENSE),
        (r"groupScale0\.0", "synthesis.b4.conv1"),
        (r"scaleLayers\.(\d{1,2})\.0", "{above}.conv0"),
        (r"scaleLayers\.(\d{1,2})\.1", "{above}.conv1"),
        (r"toRGBLayers\.(\d{1,2})", "{rgb}"),
    )
    for part in ("weight", "bias")
)

_MMGEN = (  # convolutions run as StyleGAN2's, from b4.conv1 on
    Rule(r"noise2feat\.linear\.weight_orig", f"{_DENSE}.weight"),
    Rule(r"noise2feat\.bias", f"{_DENSE}.bias", FLAT),
    Rule(r"conv_blocks\.(\d{1,3})\.conv\.weight_orig", "{conv}.weight", shift=1),
    Rule(r"conv_blocks\.(\d{1,3})\.conv\.bias", "{conv}.bias", shift=1),
    Rule(r"torgb_layers\.(\d{1,3})\.conv\.weight_orig", "{rgb}.weight"),
    Rule(r"torgb_layers\.(\d{1,3})\.conv\.bias", "{rgb}.bias"),
)


def read(dialect: str, rules: Rules, state: State) -> Model:
    """Return the model in a state of that dialect."""
    top = tensorflow.top_block(state)
    layers = sum(
        name.startswith("features.") and name.endswith("conv.weight") for name in state.leaves
    )

    def words(number: int) -> dict[str, str]:
        """Layers run b4.dense, b4.conv1, b8.conv0, b8.conv1 …; outputs 4, 8 … or backwards."""
        number = min(max(number, 0), 99)  # more is refused later, as a block nobody has
        conv = f"synthesis.b{START << number // 2}.conv{number % 2}"
        rgb = f"synthesis.b{START << number}.torgb"
        return {
            "conv": conv,
            "rgb": rgb,
            "rgb_of_lod": f"synthesis.b{top >> number}.torgb",
            "last_rgb": f"synthesis.b{START << max(layers // 2 - 1, 0)}.torgb",
            "above": f"synthesis.b{2 * START << number}",
        }

    found = translate(state, rules, words, shared=(_SCALE,))
    found.tensors.pop(_SCALE, None)  # says what the shapes say
    lod = lod_of(found.tensors)
    if dialect in ("genforce", "mmgen"):  # TensorFlow's names tell
        _unfuse(found.tensors, dialect == "mmgen")
    if dialect == "gan-zoo":
        _equalize(found.tensors)
    _split_label(found.tensors, argument(state, "label_size", 0))
    network = Network(found, dialect, "PGGAN")
    gain = SQRT2 if dialect == "gan-zoo" else SQRT2 / 4
    config = {**_describe(network), "lod": lod, "dense_gain": gain}
    colors = (MMGEN_COLORS,) if dialect == "mmgen" else ()
    about = (*network.left_out(), *colors, *tensorflow.argument_notes(state))
    return Model(dialect, Config(config), network.ordered, (*growing(lod), *about))


def _describe(network: Network) -> dict[str, Any]:
    """Return the configuration that the shapes imply. Raises SefaError at the first misfit."""
    rows, z_dim = network.shape(f"{_DENSE}.weight", 2)
    channels = rows // START**2
    network.expect(f"{_DENSE}.weight", (channels * START**2, z_dim))
    units = network.shape(f"{_DENSE}.bias", 1)[0]
    network.expect(f"{_DENSE}.bias", (rows if units == rows else channels,))
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


def _unfuse(tensors: dict[str, LazyTensor], mmgen: bool) -> None:
    """Turn fused up-sampling kernels, (in, out, 3, 3). The widths after them tell which are fused.

    Where all widths are the same, they are what the code makes by default: fused in MMGeneration.
    """
    ups = [name for name in tensors if name.endswith("conv0.weight")]
    before = {name: tensors.get(_conv1_before(name)) for name in ups}
    telling = [
        tensors[name].shape[0] == conv1.shape[0]
        for name, conv1 in before.items()
        if conv1 is not None and len(set(tensors[name].shape[:2])) == 2
    ]
    fused = any(telling) if telling else mmgen
    for name in ups if fused else ():
        turned = flipped(axes(1, 0, 2, 3))(tensors[name])
        if mmgen and len(turned.shape) == 4:
            gain = np.float32(math.sqrt(turned.shape[1] / max(turned.shape[0], 1)))
            turned = turned.then(partial(np.multiply, gain))
        tensors[name] = turned


def _equalize(tensors: dict[str, LazyTensor]) -> None:
    """Gains √(2 / fan-in) of whole layers → biases that follow the gain; to-RGB of gain 1."""
    for name in [name for name in tensors if name.endswith(".weight")]:
        bias = f"{name.removesuffix('weight')}bias"
        if bias in tensors:
            gain = np.float32(SQRT2 / math.sqrt(math.prod(tensors[name].shape[1:])))
            tensors[bias] = tensors[bias].then(partial(np.multiply, gain))
        if name.endswith("torgb.weight"):
            tensors[name] = tensors[name].then(partial(np.multiply, np.float32(SQRT2)))


def _conv1_before(name: str) -> str:
    resolution = int(name.split(".")[1][1:])
    return f"synthesis.b{resolution // 2}.conv1.weight"


def _split_label(tensors: dict[str, LazyTensor], classes: Any) -> None:
    """Split the dense layer of a conditional network, which takes z and then a one-hot label."""
    weight = tensors.get(f"{_DENSE}.weight")
    if weight is None or len(weight.shape) != 2 or not isinstance(classes, int):
        return
    rows, inputs = weight.shape
    z_dim = inputs - classes
    if classes > 0 and z_dim > 0:
        tensors[f"{_DENSE}.weight"] = weight.then(lambda a: a[:, :z_dim], (rows, z_dim))
        tensors[_LABEL] = weight.then(lambda a: a[:, z_dim:], (rows, classes))


RULES: dict[str, Rules] = {
    "genforce": _GENFORCE,
    "tensorflow": _TENSORFLOW,
    "dissection": _DISSECTION,
    "dissection-old": _OLD_DISSECTION,
    "gan-zoo": _GAN_ZOO,
    "mmgen": _MMGEN,
}
