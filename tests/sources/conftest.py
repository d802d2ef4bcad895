"""A cache of its own for every test that asks, and a web server on this machine."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.server import Server


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache; nothing of the user's settings or other caches reaches the test, no proxy."""
    for name in ("SEFA_ZOO", "SEFA_OFFLINE", "HF_ENDPOINT", "HF_TOKEN", "HUGGINGFACE_HUB_CACHE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DNNLIB_CACHE_DIR", str(tmp_path / "dnnlib"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("NO_PROXY", "*")
    cache = tmp_path / "cache"
    monkeypatch.setenv("SEFA_CACHE", str(cache))
    return cache


@pytest.fixture
def web() -> Iterator[Server]:
    """A server without pages."""
    with Server() as server:
        yield server
