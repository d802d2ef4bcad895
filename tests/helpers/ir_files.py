"""IR files written by hand: MobileStyleGAN as an exporter would write it, under other names."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

Arrays = Mapping[str, np.ndarray]


class Writer:
    """Operations and constants of one network, in the order in which they are added."""

    def __init__(self, version: str = "10") -> None:
        self.version = version
        self.layers: list[str] = []
        self.edges: list[str] = []
        self.content = bytearray(b"\0\0\0\0")  # so that offsets are not aligned to 8 bytes

    def add(self, kind: str, *inputs: int, data: str = "") -> int:
        """An operation on earlier ones; returns its id."""
        number = len(self.layers)
        self.layers.append(
            f'<layer id="{number}" name="n{number * 37 % 1001}" type="{kind}" version="opset1">'
            f"{f'<data {data}/>' if data else ''}</layer>"
        )
        for port, source in enumerate(inputs):
            self.edges.append(
                f'<edge from-layer="{source}" from-port="9" to-layer="{number}" to-port="{port}"/>'
            )
        return number

    def const(self, array: np.ndarray) -> int:
        names = {"f4": "f32", "f2": "f16", "i8": "i64"}
        kind = names[array.dtype.str[1:]]
        shape = ", ".join(map(str, array.shape))
        place = f'offset="{len(self.content)}" size="{array.nbytes}"'
        self.content += array.astype(array.dtype.newbyteorder("<")).tobytes()
        return self.add("Const", data=f'element_type="{kind}" shape="{shape}" {place}')

    def xml(self) -> str:
        return (
            f'<?xml version="1.0" ?>\n<net name="anything" version="{self.version}">\n<layers>\n'
            + "\n".join(self.layers) + "\n</layers>\n<edges>\n" + "\n".join(self.edges)
            + "\n</edges>\n</net>\n"
        )  # fmt: skip

    def save(self, path: Path) -> None:
        path.write_text(self.xml())
        path.with_suffix(".bin").write_bytes(self.content)


def mapping_network(arrays: Arrays, transposed: bool = False, version: str = "10") -> Writer:
    """z → w. `transposed`: weights as `(in, out)`, which the MatMul then says."""
    net = Writer(version)
    x, i = net.add("Parameter"), 0
    squares = net.add("Power", x, net.const(np.array([[2]], np.float32)))
    x = net.add("Multiply", x, net.add("Power", squares, net.const(np.array([[-0.5]], np.float32))))
    while (weight := arrays.get(f"mapping.fc{i}.weight")) is not None:
        stored = np.ascontiguousarray(weight.T) if transposed else weight
        flag = f'transpose_a="false" transpose_b="{"false" if transposed else "true"}"'
        x = net.add("MatMul", x, net.const(stored), data=flag)
        bias = net.add("Reshape", net.const(arrays[f"mapping.fc{i}.bias"]), net.add("Concat"))
        x = net.add("PReLU", net.add("Add", x, bias), net.const(np.array([0.2], np.float32)))
        x = net.add("Multiply", x, net.const(np.array([[1.4142135]], np.float32)))
        i += 1
    net.add("Result", x)
    return net


class SynthesisNetwork(Writer):
    """w → picture, with the shape plumbing that an exporter leaves in."""

    def __init__(self, arrays: Arrays, half: bool = False) -> None:
        super().__init__()
        self.arrays, self.half = arrays, half
        blocks = sum(name.endswith("up.affine.weight") for name in arrays)
        self.w = self.add("Parameter")
        layers = [f"layers.{i}.{part}" for i in range(blocks) for part in ("up", "conv1", "conv2")]
        names = ["conv1", *layers, "to_img"]
        # As in the real file, the affines of the last layers come first.
        self.styles = {name: self.style(f"synthesis.{name}") for name in reversed(names)}
        x = self.add("Broadcast", self.weight("synthesis.const", 0), self.add("ShapeOf", self.w))
        x = self.conv("conv1", self.add("Tile", x, self.const(np.array([1, 1, 1, 1], np.int64))))
        for i in range(blocks):
            x = self.add("Multiply", self.styles[f"layers.{i}.up"], x)
            x = self.haar(x, self.arrays[f"synthesis.layers.{i}.up.affine.bias"].size // 4)
            x = self.conv(f"layers.{i}.conv2", self.conv(f"layers.{i}.conv1", x))
        self.add("Result", self.haar(self.conv("to_img", x), 3))

    def weight(self, name: str, *axes: int) -> int:
        """A constant with axes of size one put in, in half precision behind a Convert."""
        array = np.expand_dims(self.arrays[name], axes)
        if self.half:
            return self.add("Convert", self.const(array.astype(np.float16)))
        return self.const(array)

    def style(self, name: str) -> int:
        x = self.add(
            "MatMul", self.w, self.weight(f"{name}.affine.weight"), data='transpose_b="true"'
        )
        x = self.add("Add", x, self.weight(f"{name}.affine.bias", 0))
        x = self.add("Reshape", x, self.add("Concat", self.add("ShapeOf", x)))
        if name.endswith("up"):
            return x
        scale = 1 / math.sqrt(9 * len(self.arrays[f"{name}.affine.bias"]))
        return self.add("Multiply", x, self.const(np.full((1, 1, 1, 1), scale, np.float32)))

    def conv(self, layer: str, x: int) -> int:
        name = f"synthesis.{layer}"
        x = self.add("Multiply", self.styles[layer], x)
        if f"{name}.depthwise" in self.arrays:
            x = self.add("GroupConvolution", x, self.weight(f"{name}.depthwise", 1))
        x = self.add("Convolution", x, self.weight(f"{name}.weight"))
        if layer != "to_img":
            x = self.add("Add", x, self.weight(f"{name}.noise", 0, 1))
        x = self.add("Add", x, self.weight(f"{name}.bias", 0, 2, 3))
        return (
            x
            if layer == "to_img"
            else self.add("PReLU", x, self.const(np.array([0.2], np.float32)))
        )

    def haar(self, x: int, channels: int) -> int:
        kernel = np.full((channels, 1, 1, 2, 1), 0.7071, np.float32)
        self.add("Gather", self.add("ShapeOf", x))
        parts = self.add(
            "VariadicSplit",
            x,
            self.const(np.array(1, np.int64)),
            self.const(np.array([1, 3], np.int64)),
        )
        one, other = (
            self.add("GroupConvolutionBackpropData", parts, self.const(kernel)) for _ in range(2)
        )
        return self.add("Add", one, other)


def save_pair(folder: Path, arrays: Arrays, names: Sequence[str] = ("a", "b")) -> Path:
    """Both networks in `folder`; which is which, the names do not say."""
    SynthesisNetwork(arrays).save(folder / f"{names[0]}.xml")
    mapping_network(arrays).save(folder / f"{names[1]}.xml")
    return folder
