"""The descent: no pass is spent twice, and none is left."""

import pytest
import torch

import sefa_cli as sefa
from sefa_cli.families.build import build
from sefa_cli.generators.base import Generator
from sefa_cli.inversion import descent
from sefa_cli.inversion.how import How
from sefa_cli.inversion.invert import Inverter
from sefa_cli.inversion.lbfgs import minimize
from sefa_cli.inversion.loss import psnr
from tests.helpers import networks

pytestmark = pytest.mark.slow


def test_layers_get_what_one_code_for_all_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second stage begins with the best picture of the first, which need not be made again."""
    generator = build(networks.stylegan2(), "cpu")
    photo = sefa.sample(generator, seeds=[3])[0]
    starts: list[torch.Tensor] = []

    def stops_early(evaluate, u, pairs):
        starts.append(evaluate(u)[1])
        if len(starts) > 1:
            minimize(evaluate, u, pairs)

    monkeypatch.setattr(descent, "minimize", stops_early)
    losses: list[float] = []
    sefa.invert(
        photo, generator, space="w+", passes=12,
        progress=lambda name, done, total, loss: losses.append(loss),
    )  # fmt: skip
    assert len(losses) == 12 and len(set(losses)) == 12
    assert losses[1] < losses[0]
    assert starts[0].shape != starts[1].shape and starts[1].any()


def test_layers_start_with_the_curvature_that_one_code_has_seen() -> None:
    """In w+, a step of all layers changes the gradient as in w; the first step is none too far."""
    generator = build(networks.mobilestylegan(blocks=4), "cpu")
    photo = sefa.sample(generator, seeds=[3])[0]
    inverter = Inverter(generator, How("w+", 24, 32, regularize=0))
    losses: list[float] = []
    search = inverter.descent(inverter.read(photo), lambda done, loss: losses.append(loss))
    search.run(12, "w")
    pairs = search._layered_pairs()
    assert 3 <= len(pairs) <= len(search._steps)
    (step, change), (s, y) = search._steps[-1], pairs[-1]
    assert torch.allclose(torch.einsum("lij,lj->li", inverter.prior.layered, s), step, atol=1e-8)
    assert float((s * y).sum()) == pytest.approx(float((step * change).sum()))


def test_rough_pictures_come_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four looks at them count as one pass; at most half of the passes go to them."""
    generator = build(networks.mobilestylegan(blocks=4), "cpu")
    assert (generator.resolution, generator.rough_size) == (128, 8)
    photo = sefa.sample(generator, seeds=[3])[0]
    looks: list[str] = []
    for name in ("rough", "synthesize"):
        method = getattr(generator, name)
        monkeypatch.setattr(
            generator, name, lambda *a, n=name, m=method, **k: [looks.append(n), m(*a, **k)][1]
        )

    def passes_of(passes: int, size: int) -> list[int]:
        done: list[int] = []
        looks.clear()
        sefa.invert(
            photo, generator, space="w", passes=passes, size=size,
            progress=lambda name, n, total, loss: done.append(n),
        )  # fmt: skip
        return done

    assert passes_of(12, 32) == [n for n in (1, 2, 3, 4) for _ in range(4)] + [*range(5, 13)]
    assert looks == ["synthesize"] + ["rough"] * 16 + ["synthesize"] * 9  # the first: its shape
    assert passes_of(4, 32) == [1] * 4 + [2] * 4 + [3, 4]
    assert passes_of(1, 32) == [1] and passes_of(3, 20) == [1, 2, 3]  # 20 does not divide by 8
    assert "rough" not in looks


@pytest.mark.parametrize("passes", [2, 3, 5])
def test_few_passes_are_enough_for_a_code_in_each_layer(passes: int) -> None:
    generator = build(networks.mobilestylegan(blocks=4), "cpu")
    photo = sefa.sample(generator, seeds=[3])[0]
    (found,) = sefa.invert(photo, generator, space="w+", passes=passes, size=32)
    assert found.code.shape == (generator.num_layers, generator.w_dim) and found.psnr > 0


def test_rough_pictures_are_near(faces: Generator) -> None:
    with torch.inference_mode():
        codes = faces.truncate(faces.map(faces.sample([0])), 0.7)
        rough, exact = faces.rough(codes), faces.synthesize(codes, size=faces.rough_size)
    assert psnr(rough, exact) > 24
