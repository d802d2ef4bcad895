"""The first guess: nearer than the mean code, learned once; a search with LPIPS begins with it."""

from pathlib import Path

import pytest
import torch

import sefa_cli as sefa
from sefa_cli.families.build import build
from sefa_cli.inversion import guess
from sefa_cli.inversion import invert as inverting
from sefa_cli.inversion.guess import Guess
from sefa_cli.inversion.how import How
from sefa_cli.inversion.invert import Inverter
from sefa_cli.inversion.loss import target_of
from sefa_cli.inversion.prior import prior_of
from tests.helpers import networks
from tests.helpers.lpips_weights import small_lpips

pytestmark = pytest.mark.slow
MODELS = {
    "stylegan2": networks.stylegan2,
    "rough pictures": lambda: networks.mobilestylegan(blocks=5),  # of 16 pixels
    "z": networks.dcgan,
}


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEFA_CACHE", str(tmp_path))


@pytest.mark.parametrize("name", MODELS)
def test_a_guess_is_nearer_than_the_mean(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guess, "_SAMPLES", 80)
    generator = build(MODELS[name](), "cpu")
    prior = prior_of(generator)
    first = Guess(generator, prior, small_lpips(), 16)
    errors = torch.zeros(2, dtype=torch.float64)
    for seed in range(8):
        code = generator.map(generator.sample([seed]))
        with torch.inference_mode():
            found = first(generator.synthesize(code, preview=True))
        own = code.flatten()[: len(prior.mean)].double()
        assert found.shape == prior.mean.shape and found.dtype == torch.float64
        errors += torch.stack([(found - own).norm(), (prior.mean - own).norm()])
    assert errors[0] < 0.97 * errors[1]


def test_it_is_learned_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cache keeps it; a file that is not as it was written is learned again."""
    generator = build(networks.stylegan2(), "cpu")
    prior, network = prior_of(generator), small_lpips()
    photo = torch.zeros(1, 3, 16, 16)
    first = Guess(generator, prior, network, 16)(photo)
    paint, painted = generator.synthesize, []
    monkeypatch.setattr(
        generator, "synthesize", lambda *a, **k: [painted.append(1), paint(*a, **k)][1]
    )
    assert torch.equal(Guess(generator, prior, network, 16)(photo), first) and not painted
    (file,) = tmp_path.glob("guesses/*.npy")
    file.write_bytes(file.read_bytes()[:-1])
    assert torch.equal(Guess(generator, prior, network, 16)(photo), first) and painted


@pytest.mark.parametrize("space", ["w", "w+"])
def test_a_search_with_lpips_begins_with_it(space: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It looks at no rough picture; without LPIPS, nothing is learned."""
    monkeypatch.setattr(inverting, "load_lpips", lambda offline: small_lpips())
    generator = build(networks.mobilestylegan(blocks=4), "cpu")
    photo = sefa.sample(generator, seeds=[3])[0]
    assert Inverter(generator, How(space, 3, 32)).guess is None
    inverter = Inverter(generator, How(space, 3, 32, loss="lpips"))
    assert inverter.guess is not None
    read = inverter.read(photo)
    paint, seen = generator.synthesize, list[torch.Tensor]()
    monkeypatch.setattr(generator, "rough", lambda codes: pytest.fail("a rough picture"))
    monkeypatch.setattr(
        generator, "synthesize", lambda w, **k: [seen.append(w.detach()), paint(w, **k)][1]
    )
    inverter.find(read, lambda done, loss: None)
    start = inverter.guess(target_of(read)).float()
    assert torch.allclose(seen[0][0], start.expand(generator.num_layers, -1), atol=1e-5)
