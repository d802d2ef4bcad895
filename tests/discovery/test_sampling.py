"""`sefa.factorize_samples` on checkpoints: each method's bundle, and what is refused."""

from typing import Any

import numpy as np
import pytest

import sefa_cli
from sefa_cli.discovery.methods import methods_of
from sefa_cli.editing.source import load_generator
from sefa_cli.errors import MismatchError, UsageError
from tests.helpers import networks


def found(method: str, model: Any = None, **how: Any) -> sefa_cli.Bundle:
    if method in ("ganspace", "frechet"):
        how.setdefault("samples", 20)
    return sefa_cli.factorize_samples(model or networks.stylegan2(), method, **how)


@pytest.mark.parametrize("method", methods_of("factorize")[1:])
def test_a_bundle_says_how_it_was_made(method: str) -> None:
    bundle = found(method, layers="0-1", num=3, seed=5)
    assert (bundle.method, bundle.space, bundle.k, bundle.layers.tolist()) == (
        method,
        "w",
        3,
        [0, 1],
    )
    assert bundle.params["num"] == 3 and bundle.params["seed"] == 5
    assert ("samples" in bundle.params) == (method in ("ganspace", "frechet"))
    rows = bundle.directions
    np.testing.assert_allclose(rows @ rows.T, np.eye(3), atol=1e-5)
    if method == "random":
        assert bundle.eigenvalues is None and "scale" not in bundle.info[0]
    else:
        assert (np.diff(bundle.eigenvalues) <= 0).all()
        assert bundle.info[0]["scale"] == pytest.approx(np.sqrt(bundle.eigenvalues[0]))
    again = found(method, layers="0-1", num=3, seed=5)
    np.testing.assert_array_equal(rows, again.directions)
    assert not np.allclose(rows, found(method, layers="0-1", num=3, seed=6).directions)


def test_local_basis_is_where_w_goes_when_z_moves() -> None:
    """Against steps in z: w moves within the leading directions, by no more than they allow."""
    model = networks.stylegan2()
    generator, bundle = load_generator(model, "cpu").double(), found("local-basis", model)
    z = generator.sample([0]).double()
    w = generator.map(z)
    for step in np.eye(8):
        moved = (generator.map(z + 1e-6 * z.new_tensor(step)) - w).numpy()[0] / 1e-6
        lengths = bundle.directions @ moved
        assert np.linalg.norm(moved) <= np.sqrt(bundle.eigenvalues[0]) * 1.001
        np.testing.assert_allclose(np.linalg.norm(lengths), np.linalg.norm(moved), rtol=1e-3)


def test_ganspace_follows_the_codes() -> None:
    model = networks.stylegan2()
    generator, bundle = load_generator(model, "cpu"), found("ganspace", model, samples=1500)
    z = np.random.RandomState(0).randn(1500, 8).astype(np.float32)
    spread = generator.map(z).numpy() @ bundle.directions.T
    np.testing.assert_allclose(spread.var(axis=0), bundle.eigenvalues, rtol=1e-3, atol=1e-9)


def test_a_model_without_a_mapping_network() -> None:
    """Its components are those of the first layer's features; it has no local basis."""
    bundle = found("ganspace", networks.pggan(), num=2, samples=300)
    assert bundle.space == "z" and bundle.info[0]["scale"] > 0
    for method in ("local-basis", "frechet"):
        with pytest.raises(UsageError, match="no mapping network"):
            found(method, networks.pggan())


def test_frechet_refines_other_directions_within_their_span() -> None:
    sefa = sefa_cli.factorize(networks.stylegan2(), num=4)
    bundle = found("frechet", refine=sefa, num=4)
    assert bundle.params["refines"] == "sefa"
    both = [rows.T @ rows for rows in (sefa.directions, bundle.directions)]
    np.testing.assert_allclose(both[0], both[1], atol=1e-5)
    assert not np.allclose(sefa.directions, bundle.directions, atol=0.05)


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"method": "nose"}, "unknown method 'nose'; expected sefa, ganspace"),
        ({"method": "sefa"}, "sefa takes no samples. Call factorize"),
        ({"method": "random", "num": 99}, "must be between 1 and 12, got 99"),
        ({"method": "random", "seed": -1}, "seed must be between 0"),
        ({"method": "ganspace", "samples": 1}, "samples must be 2 or more, got 1"),
        (
            {"method": "random", "samples": 5},
            "samples has no effect with method random; expected ganspace",
        ),
        (
            {"method": "frechet", "seed": 2**32 - 1, "samples": 5},
            "seeds from 4294967295 to 4294967299",
        ),
        ({"method": "random", "layers": "99"}, "layer 99 is out of range"),
    ],
)
def test_refuses(how: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        found(**how)


def test_refuses_what_cannot_be_refined() -> None:
    sefa = sefa_cli.factorize(networks.stylegan2(), num=4)
    with pytest.raises(UsageError, match="refine has no effect with method random"):
        found("random", refine=sefa)
    with pytest.raises(UsageError, match="5 directions of 4 to refine"):
        found("frechet", refine=sefa, num=5)
    with pytest.raises(MismatchError, match="belong to"):
        found("frechet", networks.stylegan2(seed=1), refine=sefa)


def test_numbers_are_refused_before_the_model_is_opened() -> None:
    for how in ({"seed": 2**32 - 1}, {"seed": -1}, {"samples": 1}):
        with pytest.raises(UsageError):
            found("frechet", "no_such_model.pth", **how)
