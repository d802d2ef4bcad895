"""`import sefa_cli as sefa`: the Python interface, sentence by sentence, on the real model."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

import sefa_cli as sefa
from tests.helpers import GOLDEN


def test_names() -> None:
    for name in sefa.__all__:
        assert getattr(sefa, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = sefa.nonsense


@pytest.fixture(scope="module")
def generator(default_model: Path) -> Any:
    return sefa.load_generator(str(default_model), device="cpu")


def test_the_default_model(generator: Any) -> None:
    assert (generator.family, generator.z_dim, generator.w_dim) == ("mobilestylegan", 512, 512)
    assert (generator.num_layers, generator.resolution, generator.img_channels) == (23, 1024, 3)
    assert generator.device == torch.device("cpu")
    golden = load_file(GOLDEN / "golden_mobilestylegan.safetensors")
    z = generator.sample([0, 1])
    np.testing.assert_array_equal(z.numpy(), np.concatenate([golden["z.0"], golden["z.1"]]))
    w = generator.map(z)
    np.testing.assert_allclose(w.numpy(), np.concatenate([golden["w.0"], golden["w.1"]]), atol=1e-4)


def test_moves_are_a_line_of_python(generator: Any) -> None:
    bundle = sefa.factorize("mobilestylegan_ffhq", layers="0-4", deflate_gain=True, num=2)
    w = generator.truncate(generator.map(generator.sample([0])), 0.7)
    before = generator.synthesize(w, size=256, preview=True)
    w[:, list(bundle.layers)] += 3 * torch.tensor(bundle.directions[0])
    after = generator.synthesize(w, size=256, preview=True)
    assert after.shape == (1, 3, 256, 256)
    assert 0.05 < (after - before).abs().mean() < 0.5


def test_the_mean_w_is_that_of_ten_thousand_samples(
    default_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file has none: it is computed, kept in the cache, and read from there."""
    monkeypatch.setenv("SEFA_CACHE", str(tmp_path))
    expected = load_file(GOLDEN / "sefa_mobilestylegan.safetensors")["w_avg"]
    first = sefa.load_generator(str(default_model), device="cpu").w_avg
    # the golden file used seeds 0-9999, one by one; ours is one draw of 10,000 rows
    assert (first.numpy() - expected).std() < 0.02
    kept = list((tmp_path / "w_avg").glob("*.npy"))
    assert len(kept) == 1
    np.save(kept[0], np.full(512, 7, np.float32))
    again = sefa.load_generator(str(default_model), device="cpu").w_avg
    assert (again == 7).all()


def test_layers_in_words_and_in_numbers(default_model: Path) -> None:
    words, numbers = (sefa.factorize(default_model, layers) for layers in ("0-2", range(3)))
    assert words.to_bytes() == numbers.to_bytes()


def test_bundles_are_frozen_and_round_trip(tmp_path: Path, default_model: Path) -> None:
    bundle = sefa.factorize(default_model, layers="bottom", num=4)
    bundle.save(tmp_path / "a.dirs")
    again = sefa.Bundle.load(tmp_path / "a.dirs")
    again.save(tmp_path / "b.dirs")
    assert (tmp_path / "a.dirs").read_bytes() == (tmp_path / "b.dirs").read_bytes()
    np.testing.assert_array_equal(again.directions, bundle.directions)
    with pytest.raises(AttributeError):
        bundle.method = "other"  # type: ignore[misc]
    for name in ("directions", "eigenvalues", "layers", "mask", "background", "method", "params",
                 "space", "model", "info", "version"):  # fmt: skip
        assert hasattr(bundle, name)


def test_importing_changes_nothing() -> None:
    """No allocator setting, no thread setting, no signal handler, no environment variable."""
    code = (
        "import os, signal, ctypes\n"
        "before = dict(os.environ), signal.getsignal(signal.SIGTERM)\n"
        "import torch; threads = torch.get_num_threads()\n"
        "import sefa_cli as sefa, sefa_cli.cli\n"
        "sefa.load_generator, sefa.factorize, sefa.Bundle\n"
        "assert (dict(os.environ), signal.getsignal(signal.SIGTERM)) == before\n"
        "assert torch.get_num_threads() == threads\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env=dict(os.environ))
