"""Derivatives of every family, hand-written or not, against torch's own forward mode."""

import sys
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.func import jvp

from sefa_cli.containers.checkpoint import Config
from sefa_cli.errors import SefaError, UsageError
from sefa_cli.families.build import build
from sefa_cli.families.reading import read_checkpoint
from sefa_cli.generators import precision
from sefa_cli.generators.base import Generator
from sefa_cli.generators.linearize import Linearization
from tests.helpers import networks

WAYS: dict[str, dict[str, Any]] = {
    "preview": {},
    "full": {"preview": False},
    "half": {"size": 16, "preview": False},
    "quarter, odd": {"size": 5, "preview": False},
    "smaller preview": {"size": 4},
    "without noise": {"noise_mode": "none"},
}
LAYERS = {"all": range(6), "the last": [5], "inner": [2, 3], "the first": [0]}


def some(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def along(generator: Generator, code: Tensor, move: Tensor, **way: Any) -> Tensor:
    """The change of the picture for a move `(num_layers, d)`, by torch."""
    way = {"preview": True, **way}
    change: Tensor = jvp(lambda c: generator.synthesize(c, **way), (code[None],), (move[None],))[1]
    return change[0]


@pytest.mark.parametrize("layers", LAYERS.values(), ids=LAYERS)
@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_forward_is_torchs_forward_mode(
    tiny: Generator, way: dict[str, Any], layers: list[int]
) -> None:
    chosen = [tiny.num_layers - 1] if layers == [5] else list(layers)
    code, directions = some(tiny.num_layers, tiny.w_dim), some(3, tiny.w_dim, seed=1)
    linear = tiny.linearize(code, chosen, **way)
    changes = linear.forward(directions)
    assert changes.shape == (3, *linear.picture.shape)
    for v, change in zip(directions, changes, strict=True):
        move = torch.zeros_like(code)
        move[chosen] = v
        exact = along(tiny, code, move, **way)
        assert (change - exact).abs().max() < 1e-5 * exact.abs().max()


@pytest.mark.parametrize("config", [{"lod": 0.5}, {"lod": 1.0}, {"early_activation": True}])
def test_stylegan_half_grown_or_ported(config: dict[str, Any]) -> None:
    made = networks.stylegan()
    made = replace(made, config=Config({**made.config, **config}))
    generator = build(made, "cpu").double()
    code, v = some(generator.num_layers, 12).double(), some(1, 12, seed=1).double()
    change = generator.linearize(code, range(generator.num_layers)).forward(v)[0]
    exact = along(generator, code, v.expand_as(code))
    assert (change - exact).abs().max() < 1e-9 * exact.abs().max()


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_its_picture_is_the_generators(tiny: Generator, way: dict[str, Any]) -> None:
    code = some(tiny.num_layers, tiny.w_dim)
    linear = tiny.linearize(code, [0], **way)
    assert torch.equal(linear.picture, tiny.synthesize(code[None], **{"preview": True, **way})[0])


def test_a_row_for_each_layer(tiny: Generator) -> None:
    code = some(tiny.num_layers, tiny.w_dim)
    linear = tiny.linearize(code, [4, 1], per_layer=True)
    assert linear.dim == 2 * tiny.w_dim
    moves = some(2, 2, tiny.w_dim, seed=1)
    for v, change in zip(moves, linear.forward(moves.flatten(1)), strict=True):
        move = torch.zeros_like(code)
        move[[1, 4]] = v  # in the order of execution, as bundles keep them
        exact = along(tiny, code, move)
        assert (change - exact).abs().max() < 1e-5 * exact.abs().max()


@pytest.mark.parametrize("per_layer", [False, True])
def test_reverse_is_the_transpose(tiny: Generator, per_layer: bool) -> None:
    tiny.double()
    code = some(tiny.num_layers, tiny.w_dim).double()
    linear = tiny.linearize(code, [0, 2, 5], per_layer=per_layer)
    directions = some(4, linear.dim, seed=1).double()
    cotangents = some(2, *linear.picture.shape, seed=2).double()
    there = torch.einsum("uchw,vchw->uv", cotangents, linear.forward(directions))
    back = linear.reverse(cotangents) @ directions.T
    assert torch.allclose(there, back, rtol=1e-9, atol=1e-9 * float(there.abs().max()))


def test_a_reverse_pass_needs_no_algebra(tiny: Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Importing SymPy would take a third of a second."""
    monkeypatch.setitem(sys.modules, "torch.fx.experimental.symbolic_shapes", None)
    linear = tiny.linearize(some(tiny.num_layers, tiny.w_dim), [0])
    assert linear.reverse(some(1, *linear.picture.shape)).any()


def test_in_bfloat16_it_is_nearly_the_same(tiny: Generator) -> None:
    code, directions = some(tiny.num_layers, tiny.w_dim), some(3, tiny.w_dim, seed=1)
    exact, coarse = (tiny.linearize(code, range(1, tiny.num_layers)) for _ in range(2))
    coarse.compute_in("bf16")
    cotangents = some(5, *exact.picture.shape, seed=2)
    for one, other in (
        (exact.forward(directions), coarse.forward(directions)),
        (exact.reverse(cotangents), coarse.reverse(cotangents)),
    ):
        assert other.dtype == torch.float32 and not torch.equal(one, other)
        assert (one - other).norm() < 0.02 * one.norm()
    assert torch.equal(coarse.picture, tiny.synthesize(code[None], preview=True)[0])


def test_for_bfloat16_no_network_is_copied(
    tiny: Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each layer is; StyleGAN's derivative held all of it, and copied it for every picture."""
    copied: list[Any] = []
    monkeypatch.setattr(precision, "deepcopy", lambda part: copied.append(part) or deepcopy(part))
    tiny.linearize(some(tiny.num_layers, tiny.w_dim), [0]).compute_in("bf16")
    assert not any(isinstance(part, Generator) for part in copied)


def test_the_generic_route_is_the_same_derivative(tiny: Generator) -> None:
    """What plug-ins get, on a family that has a pass of its own."""
    code, directions = some(tiny.num_layers, tiny.w_dim), some(3, tiny.w_dim, seed=1)
    by_hand = tiny.linearize(code, range(tiny.num_layers))
    generic = Linearization(
        lambda codes: tiny.synthesize(codes, preview=True), code, range(tiny.num_layers)
    )
    exact = generic.forward(directions)
    assert (by_hand.forward(directions) - exact).abs().max() < 1e-5 * exact.abs().max()
    assert torch.equal(by_hand.picture, generic.picture)
    assert generic.pass_bytes > generic.picture.nbytes


@pytest.fixture
def always_traced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small networks would not be."""
    monkeypatch.setattr("sefa_cli.generators.linearize._TRACED", 1)


@pytest.mark.parametrize("per_layer", [False, True])
@pytest.mark.parametrize("family", ["biggan", "dcgan", "lucidrains", "pggan", "stylegan3"])
@pytest.mark.usefixtures("always_traced")
def test_a_trace_is_the_same_derivative(family: str, per_layer: bool) -> None:
    generator = build(getattr(networks, family)(), "cpu").double()
    code = some(generator.num_layers, generator.w_dim).double()
    label = torch.tensor([1]) if generator.conditioned else None
    layers = range(generator.num_layers)
    linear = generator.linearize(code, layers, per_layer=per_layer, label=label)
    assert linear._traced is not None
    moves = some(3, linear.dim, seed=1).double()
    for v, change in zip(moves, linear.forward(moves), strict=True):
        move = v.reshape(generator.num_layers, -1) if per_layer else v.expand_as(code)
        exact = along(generator, code, move, label=label)
        assert (change - exact).abs().max() < 1e-9 * exact.abs().max()


@pytest.mark.usefixtures("always_traced")
def test_the_real_small_model_is_traced(digiface: Path) -> None:
    generator = build(read_checkpoint(digiface), "cpu")
    code = generator.map(generator.sample([0]))
    linear, v = generator.linearize(code[0], [0]), some(1, generator.w_dim)
    assert linear._traced is not None
    exact = along(generator, code, v)
    assert (linear.forward(v)[0] - exact).abs().max() < 1e-5 * exact.abs().max()


def in_place(codes: Tensor) -> Tensor:
    """What torch's trace gets wrong: the factor 3 is lost in it."""
    picture = codes.square().reshape(1, 1, 2, 4)
    picture[:, :, 0].mul_(3.0)
    return picture


def by_value(codes: Tensor) -> Tensor:
    """What it refuses: a tensor that is asked for its number."""
    return (codes.square() * torch.tensor([2.0]).item()).reshape(1, 1, 2, 4)


@pytest.mark.parametrize("paint", [in_place, by_value])
@pytest.mark.usefixtures("always_traced")
def test_what_cannot_be_traced_is_right_all_the_same(paint: Any) -> None:
    """As a plug-in may be written."""
    code, v = some(2, 4), some(1, 4, seed=1)
    exact = jvp(paint, (code[None],), (v.expand(2, 4)[None],))[1][0]
    changes = Linearization(paint, code, range(2)).forward(v)
    assert torch.allclose(changes[0], exact)


def test_works_on_what_inference_mode_made(tiny: Generator) -> None:
    with torch.inference_mode():
        code = tiny.map(tiny.sample([0]))[0]
    linear = tiny.linearize(code, [0])
    changes = linear.forward(some(1, tiny.w_dim))
    there = (changes * changes).sum()
    assert torch.allclose((linear.reverse(changes) * some(1, tiny.w_dim)).sum(), there, rtol=1e-4)


def test_bad_input_is_refused(tiny: Generator) -> None:
    code = some(tiny.num_layers, tiny.w_dim)
    with pytest.raises(UsageError, match=r"layer 99 is out of range; expected 0-"):
        tiny.linearize(code, [99])
    with pytest.raises(UsageError, match="no layer given"):
        tiny.linearize(code, [])
    with pytest.raises(UsageError, match="random noise"):
        tiny.linearize(code, [0], noise_mode="random")
    with pytest.raises(SefaError, match="code has the shape"):
        tiny.linearize(code[:, 1:], [0])


def test_the_real_model(faces: Generator) -> None:
    """At 256 px: all layers, one direction, to 1e-5 of the largest change."""
    code = faces.truncate(faces.map(faces.sample([0])), 0.7)[0]
    direction = some(1, faces.w_dim)
    change = faces.linearize(code, range(23)).forward(direction)[0]
    exact = along(faces, code, direction.expand(23, -1))
    assert change.shape == (3, 256, 256)
    assert (change - exact).abs().max() < 1e-5 * exact.abs().max()
