"""Pictures begun in the middle are the pictures, bit for bit, and cost what lies above."""

import pytest
import torch

from sefa_cli.families.build import build
from sefa_cli.generators.base import Generator
from sefa_cli.generators.resuming import Resuming
from tests.helpers import networks


@pytest.fixture(params=["mobilestylegan", "skip", "resnet", "orig"])
def stepwise(request: pytest.FixtureRequest) -> Generator:
    if request.param == "mobilestylegan":
        return build(networks.mobilestylegan(), "cpu")
    return build(networks.stylegan2(request.param), "cpu")


def codes_of(generator: Generator, seed: int = 0) -> torch.Tensor:
    return generator.truncate(generator.map(generator.sample([seed])), 0.7)


@pytest.mark.parametrize("preview", [False, True])
@pytest.mark.parametrize("noise_mode", ["const", "none"])
def test_the_same_bits_whatever_moves(stepwise: Generator, preview: bool, noise_mode: str) -> None:
    resuming = Resuming(stepwise, preview=preview, noise_mode=noise_mode)
    codes = codes_of(stepwise)
    everything = None
    for layer in [None, *range(stepwise.num_layers), 0, stepwise.num_layers - 1, 2]:
        if layer is not None:
            codes = codes.clone()
            codes[:, layer] += 0.5
        wanted = stepwise.synthesize(codes, None, 1.0, noise_mode, None, preview)
        assert torch.equal(resuming.paint(codes), wanted), layer
        everything = everything or resuming.ran
        assert layer != stepwise.num_layers - 1 or resuming.ran < everything


def test_layers_below_are_computed_once(stepwise: Generator) -> None:
    resuming, codes = Resuming(stepwise), codes_of(stepwise)
    resuming.paint(codes)
    ran = []
    for layer in range(stepwise.num_layers):
        moved = codes.clone()
        moved[:, layer] += 1
        resuming.paint(moved)
        resuming.paint(codes)  # back again costs the same
        ran.append(resuming.ran)
    assert ran == sorted(ran, reverse=True) and ran[0] > ran[-1]


def test_smaller_pictures(stepwise: Generator) -> None:
    resuming, codes = Resuming(stepwise, size=8), codes_of(stepwise)
    for _ in range(2):
        assert torch.equal(resuming.paint(codes), stepwise.synthesize(codes, size=8))
        codes = codes + 0.1


def test_families_without_steps_are_painted_anew() -> None:
    generator = build(networks.dcgan(), "cpu")
    codes = generator.sample([3])
    resuming = Resuming(generator)
    assert torch.equal(resuming.paint(codes), generator.synthesize(codes))


def test_random_noise_is_drawn_each_time(stepwise: Generator) -> None:
    resuming, codes = Resuming(stepwise, noise_mode="random"), codes_of(stepwise)
    torch.manual_seed(0)
    one, other = resuming.paint(codes), resuming.paint(codes)
    assert not torch.equal(one, other)
