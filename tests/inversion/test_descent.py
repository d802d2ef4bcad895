"""The descent: no pass is spent twice, and none is left."""

import pytest
import torch

import sefa_cli as sefa
from sefa_cli.families.build import build
from sefa_cli.inversion import descent
from sefa_cli.inversion.lbfgs import minimize
from tests.helpers import networks

pytestmark = pytest.mark.slow


def test_layers_get_what_one_code_for_all_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second stage begins with the best picture of the first, which need not be made again."""
    generator = build(networks.stylegan2(), "cpu")
    photo = sefa.sample(generator, seeds=[3])[0]
    starts: list[torch.Tensor] = []

    def stops_early(evaluate, u):
        starts.append(evaluate(u)[1])
        if len(starts) > 1:
            minimize(evaluate, u)

    monkeypatch.setattr(descent, "minimize", stops_early)
    losses: list[float] = []
    sefa.invert(
        photo, generator, space="w+", passes=12,
        progress=lambda name, done, total, loss: losses.append(loss),
    )  # fmt: skip
    assert len(losses) == 12 and len(set(losses)) == 12
    assert losses[1] < losses[0]
    assert starts[0].shape != starts[1].shape and starts[1].any()
