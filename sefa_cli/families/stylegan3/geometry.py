"""The geometry of StyleGAN3's layers, from their names and filters: factors, sampling rates, sizes.

A layer raises its input's sampling rate by `up`, applies the leaky ReLU there, and lowers it by
`down`. A low-pass filter of either step has as many taps as its factor times one filter size, the
same for the whole network, so that lengths tell the factors and, from the picture's side backwards,
all sampling rates. Nothing is taken from the resolution alone.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from sefa_cli.containers.checkpoint import LazyTensor
from sefa_cli.errors import SefaError

_NAME = re.compile(r"synthesis\.(L(\d+)(?:_(\d+)_(\d+))?)\.weight")
_MARGIN = 10  # pixels beyond the picture's border on every side, in all but the last two layers
_FIRST_CUTOFF = 2.0  # of the input layer, by default
_FIRST_RATE = 16  # of the input layer, in networks of 16 px or more


def layer_names(tensors: Mapping[str, LazyTensor]) -> list[str]:
    """`L0_36_512` …, by number: the order in which they run, whatever the order in the file."""
    found = [match for name in tensors if (match := _NAME.fullmatch(name))]
    return [match[1] for match in sorted(found, key=lambda match: int(match[2]))]


def side_of(name: str) -> int:
    """Pixels on a side of what a layer makes, margins included: 36 of `L0_36_512`."""
    return int(name.split("_")[1])


class LayerGeometry(NamedTuple):
    """One layer: sides of what goes in and comes out in pixels, factors, and padding.

    `before` and `after` are samples to add on either side at the leaky ReLU's rate; negative ones
    are cut off.
    """

    name: str
    inputs: int
    outputs: int
    up: int
    down: int
    before: int
    after: int


def steps(tensors: Mapping[str, LazyTensor], nonlinearity: int = 2) -> list[LayerGeometry]:
    """All layers, by number. The leaky ReLU runs at `nonlinearity` times the sampling rate.

    Raises SefaError where names and filters do not make one network.
    """
    names, size = layer_names(tensors), _filter_size(tensors, nonlinearity)
    found = []
    for name, before in zip(names, names[:1] + names, strict=False):
        found.append(_step(tensors, name, side_of(before), size))
    return found


def _step(tensors: Mapping[str, LazyTensor], name: str, inputs: int, size: int) -> LayerGeometry:
    """Return one layer.

    Its convolution pads by kernel − 1, each filter takes its length less one, and an odd remainder
    goes where samples stay in place (Alias-Free GAN, appendix C.3).
    """
    lengths = _taps(tensors, name, "up"), _taps(tensors, name, "down")
    up, down = (max(1, length // size) for length in lengths)
    kernel, outputs = tensors[f"synthesis.{name}.weight"].shape[-1], side_of(name)
    total = (outputs - 1) * down + 1 - (inputs + kernel - 1) * up + sum(lengths) - 2
    if total > sum(lengths):  # more than filters can fill: mostly empty, and perhaps huge
        raise SefaError(f"synthesis.{name} makes {outputs} px of {inputs}")
    before = (total + up) // 2
    return LayerGeometry(name, inputs, outputs, up, down, before, total - before)


def _taps(tensors: Mapping[str, LazyTensor], layer: str, kind: str) -> int:
    """Length of a layer's `up` or `down` filter; 1 where it has none."""
    filter = tensors.get(f"synthesis.{layer}.{kind}_filter")
    return filter.shape[-1] if filter is not None and filter.shape else 1


def _filter_size(tensors: Mapping[str, LazyTensor], nonlinearity: int = 2) -> int:
    """Taps for a factor of one. The shortest filter's factor is the leaky ReLU's, at least two."""
    lengths = [_taps(tensors, n, kind) for n in layer_names(tensors) for kind in ("up", "down")]
    shortest = min((length for length in lengths if length > 1), default=2)
    return max(1, shortest // max(2, nonlinearity))


def sampling_rates(tensors: Mapping[str, LazyTensor]) -> list[int]:
    """Pixels across the picture in the input layer, then in each layer, margins not counted.

    The last is the picture's side, rounded up to a power of two.
    """
    names = layer_names(tensors)
    rates = [1 << (side_of(names[-1]) - 1).bit_length()] if names else []
    for name in reversed(names):
        up, down = (_taps(tensors, name, kind) for kind in ("up", "down"))
        rates.append(max(1, rates[-1] * down // up))
    return rates[::-1]


def sized_names(
    tensors: Mapping[str, LazyTensor], grid: LazyTensor | None = None
) -> dict[str, str]:
    """`L0` → `L0_36_512` … for Hammer, whose names tell no sizes.

    `grid (1, size, size, 2)` holds the input layer's coordinates, where the file has it: its reach
    is (size − 1) / 2 samples.
    """
    first, margin = _FIRST_RATE, _MARGIN
    if grid is not None and len(grid.shape) == 4 and grid.shape[1] > 1:
        reach = float(grid.float32().max())
        side = grid.shape[1]
        first = round((side - 1) / 2 / reach) if reach > 0 else first
        margin = max(0, (side - first) // 2)
    names, rates = layer_names(tensors), [first]
    for name in names:
        up, down = (_taps(tensors, name, kind) for kind in ("up", "down"))
        rates.append(rates[-1] * up // down)
    sides = [rate + 2 * margin for rate in rates[1:-2]] + rates[-1:] * 2
    return {
        name: f"{name}_{side}_{tensors[f'synthesis.{name}.weight'].shape[0]}"
        for name, side in zip(names, sides[-len(names) :], strict=True)
    }


def first_cutoff(tensors: Mapping[str, LazyTensor]) -> float:
    """Where a file does not say what the input's frequencies stay below: none is larger than it.

    Networks are made with frequencies that reach close to it, 2 by default.
    """
    frequencies = tensors["synthesis.input.freqs"].float32()  # (channels, 2)
    largest = float(np.linalg.norm(frequencies, axis=1).max())
    beyond = not _FIRST_CUTOFF < largest < sampling_rates(tensors)[0] / 2
    return _FIRST_CUTOFF if beyond else largest
