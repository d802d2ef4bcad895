"""A made-up model of six layers and eight dimensions, and bundles of it."""

from typing import Any

import numpy as np
import pytest

from sefa_cli.bundle.bundle import Bundle

MODEL = {
    "ref": "tiny.pt", "family": "stylegan2", "resolution": 16, "z_dim": 8, "w_dim": 8,
    "num_layers": 6, "layer_names": [f"l{i}" for i in range(6)], "fingerprint": "a" * 64,
}  # fmt: skip


@pytest.fixture
def model() -> dict[str, Any]:
    return dict(MODEL)


@pytest.fixture
def flat() -> Bundle:
    """Three directions with a row for layers 1 to 3, everything known about them."""
    square = np.linalg.qr(np.random.default_rng(5).standard_normal((8, 8)))[0]
    return Bundle(
        directions=square[:3].astype(np.float32),
        layers=np.array((1, 2, 3)),
        eigenvalues=np.array((3.0, 2.0, 1.0)),
        method="sefa",
        params={},
        space="w",
        model=MODEL,
        info=(
            {"label": "smile", "scale": 2.5},
            {"label": "turns left", "scale": 0.3, "gain": 0.1},
            {},
        ),
    )


@pytest.fixture
def layered() -> Bundle:
    """Two directions with a row of their own for layers 0, 2 and 5."""
    rows = np.random.default_rng(6).standard_normal((2, 3, 8))
    rows /= np.linalg.norm(rows.reshape(2, -1), axis=1)[:, None, None]
    return Bundle(
        directions=rows.astype(np.float32),
        layers=np.array((0, 2, 5)),
        method="resefa",
        params={},
        space="w+",
        model=MODEL,
        info=({"label": "smile", "scale": 4.0}, {}),
    )
