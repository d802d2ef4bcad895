"""Comparing bundles: angles between spans, best matches, what cannot be compared."""

from dataclasses import replace

import numpy as np
import pytest

from sefa_cli.bundle.bundle import Bundle
from sefa_cli.bundle.compare import compare
from sefa_cli.errors import SefaError


def bundle_of(rows: np.ndarray, layers: tuple[int, ...] = (0, 1), fingerprint: str = "a") -> Bundle:
    rows = np.asarray(rows, np.float32)
    norms = np.sqrt((rows**2).sum(axis=tuple(range(1, rows.ndim)), keepdims=True))
    return Bundle(
        directions=rows / norms,
        layers=np.array(layers),
        eigenvalues=None,
        method="sefa",
        params={},
        space="w",
        model={
            "ref": "m.pt", "family": "stylegan2", "resolution": 32, "z_dim": rows.shape[-1],
            "w_dim": rows.shape[-1], "num_layers": 8, "layer_names": [f"l{i}" for i in range(8)],
            "fingerprint": fingerprint * 64,
        },
        info=tuple({} for _ in rows),
    )  # fmt: skip


def test_a_bundle_equals_itself_with_rows_turned_round() -> None:
    rows = np.eye(6)[:4]
    found = compare(bundle_of(rows), bundle_of(-rows[::-1]), num=4)
    assert found.same_model and found.same_layers
    np.testing.assert_allclose(found.angles, 0, atol=1e-5)
    assert [(match.k, match.other, match.cosine) for match in found.matches] == [
        (0, 3, -1), (1, 2, -1), (2, 1, -1), (3, 0, -1)
    ]  # fmt: skip


def test_known_angle() -> None:
    turned = np.eye(4)[:2].copy()
    turned[1] = [0, np.cos(np.pi / 6), np.sin(np.pi / 6), 0]
    found = compare(bundle_of(np.eye(4)[:2]), bundle_of(turned, fingerprint="b"), num=2)
    np.testing.assert_allclose(found.angles, [0, 30], atol=1e-4)
    assert not found.same_model
    np.testing.assert_allclose(found.shared, [1, (1 + 0.75) / 2])


def test_a_row_per_layer_against_one_row() -> None:
    one = bundle_of(np.eye(4)[:1])
    each = bundle_of(np.stack([np.eye(4)[:2]]))  # (1, 2 layers, 4): another row for layer 1
    found = compare(one, each, num=1)
    assert found.matches[0].cosine == pytest.approx(0.5)
    elsewhere = bundle_of(np.stack([np.eye(4)[:2]]), layers=(2, 3))
    assert compare(one, elsewhere, num=1).matches[0].cosine == 0  # they move nothing in common
    half = bundle_of(np.stack([np.eye(4)[:2]]), layers=(1, 3))
    found = compare(bundle_of(np.eye(4)[:1], layers=(0, 1, 3)), half, num=1)
    assert found.matches[0].cosine == pytest.approx(1 / 6**0.5)
    assert found.matches[0].angle == pytest.approx(65.905, abs=1e-3)


def test_z_and_w_are_no_one_space() -> None:
    w = bundle_of(np.eye(4))
    z = replace(w, space="z", layers=np.array([0]))
    assert not compare(w, z).same_space and compare(w, replace(w, space="w+")).same_space


def test_other_dimensions_are_refused() -> None:
    with pytest.raises(SefaError, match="4 and 6 dimensions"):
        compare(bundle_of(np.eye(4)), bundle_of(np.eye(6)))
