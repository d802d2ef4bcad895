"""How coarser derivatives change directions: bfloat16, and TensorFloat-32 simulated on a CPU.

python bench/precision.py [MODEL] [--regions mouth,eyes,hair] [--seed 0] [--layers all] [--size 256]
    [--precisions tf32,tf32-cut,bf16,one-thread]

TensorFloat-32 multiplies numbers of ten mantissa bits and adds in float32. A CPU has no such unit,
so every input of a convolution or matrix product first loses its last thirteen bits, rounded to the
nearest or cut off (`tf32-cut`): libraries do one or the other. As on a GPU, the picture
itself and the Gram matrices stay in float32. The leading directions, at the default ridge, are
compared with those of float32; `one-thread` is float32 in another order of additions.
"""

import argparse
from contextlib import nullcontext
from typing import Any

import numpy as np
import torch
from torch.utils._python_dispatch import TorchDispatchMode

import sefa_cli as sefa
from sefa_cli.checkpoints import open_checkpoint
from sefa_cli.discovery.gram_matrices import Grams
from sefa_cli.discovery.jacobian import Parts, jacobian
from sefa_cli.discovery.regions.region import one_region
from sefa_cli.discovery.resefa import resefa
from sefa_cli.discovery.sefa import Factors
from sefa_cli.editing.codes import codes_from_seeds
from sefa_cli.generators.base import Generator
from sefa_cli.projections import parse_layers

NUM = 40
aten = torch.ops.aten
FACTORS = {  # which arguments are multiplied; a bias is added in float32
    aten.convolution.default: (0, 1),
    aten.mm.default: (0, 1),
    aten.bmm.default: (0, 1),
    aten.addmm.default: (1, 2),
}


class TensorFloat32(TorchDispatchMode):
    """Convolutions and matrix products of numbers with ten bits of mantissa."""

    def __init__(self, nearest: bool) -> None:
        super().__init__()
        self.nearest, self.products = nearest, 0

    def __torch_dispatch__(
        self, operation: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        if factors := FACTORS.get(operation):
            self.products += 1
            args = [self._short(x) if i in factors else x for i, x in enumerate(args)]
        return operation(*args, **(kwargs or {}))

    def _short(self, value: torch.Tensor) -> torch.Tensor:
        """Without the last thirteen of float32's twenty-three bits; halves go to even."""
        value = value.contiguous()
        bits = value.view(torch.int32)
        if self.nearest:
            bits = bits + 0x0FFF + ((bits >> 13) & 1)
        return (bits & ~0x1FFF).view(torch.float32)


def derivatives(
    generator: Generator, precision: str, asked: argparse.Namespace
) -> tuple[torch.Tensor, Any]:
    """Changes of the picture `(dim, C, H, W)` for every direction of w."""
    code = codes_from_seeds(generator, [asked.seed])[0]
    layers = parse_layers(open_checkpoint(asked.model), asked.layers)
    linearization = generator.linearize(code, layers, size=asked.size)
    linearization.compute_in("bf16" if precision == "bf16" else "float32")
    assert linearization.picture.dtype == torch.float32  # made before anything is rounded
    rounded = TensorFloat32(precision == "tf32") if "tf32" in precision else None
    with rounded or nullcontext():
        rows = torch.from_numpy(np.ascontiguousarray(jacobian(linearization).T))
    assert rounded is None or rounded.products > 0
    return rows.reshape(-1, *linearization.picture.shape), linearization


def directions(changes: torch.Tensor, linearization: Any, region: str, size: int) -> Factors:
    """The leading ones for a named region of a face."""
    fore = one_region(named=region, subject="face").weights(size, size)
    parts = Parts(linearization, fore, 255 - fore, sum_channels=False)
    rows = parts.rows(changes)
    return resefa(*Grams(*(parts.products(rows, rows) / parts.totals[:, None, None])), num=NUM)


def compare(found: Factors, exact: Factors) -> str:
    """How far directions and eigenvalues are from those of float32."""
    cosines = np.abs((found.directions * exact.directions).sum(-1)).ravel()
    values = np.abs(found.eigenvalues / exact.eigenvalues - 1)
    return (
        f"least |cos| of ten {cosines[:10].min():.6f}, of forty {cosines.min():.4f}; "
        f"eigenvalues of ten within {100 * values[:10].max():.2g} %"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", nargs="?", default="mobilestylegan_ffhq")
    parser.add_argument("--regions", default="mouth,eyes,hair")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--layers", default="all")
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--precisions", default="tf32,tf32-cut,bf16,one-thread")
    asked = parser.parse_args()
    sefa.keep_blocks()
    generator = sefa.load_generator(asked.model, device="cpu")
    known: dict[str, Factors] = {}
    for precision in ("float32", *asked.precisions.split(",")):
        if precision == "one-thread":
            torch.set_num_threads(1)
        changes, linearization = derivatives(generator, precision, asked)
        for region in asked.regions.split(","):
            found = directions(changes, linearization, region, asked.size)
            if precision == "float32":
                known[region] = found
            else:
                print(f"{precision}, {region}: {compare(found, known[region])}", flush=True)
        del changes
