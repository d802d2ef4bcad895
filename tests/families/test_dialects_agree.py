"""One set of weights in the forms of NVIDIA (then and now), rosinality, genforce, Hammer is one."""

from pathlib import Path

import numpy as np
import pytest
import torch

import sefa_cli
from sefa_cli.checkpoints import open_checkpoint
from sefa_cli.projections import fingerprint
from tests.helpers.remap import WRITERS, native_state, write_mmgen
from tests.helpers.tf_files import write_stylegan2


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("dialects")
    native = native_state(z_dim=24, w_dim=24, mapping_layers=4)  # rosinality has one width only
    writers = {**WRITERS, "tensorflow": write_stylegan2}
    return {name: write(folder / name, native) for name, write in writers.items()}


def test_five_dialects_are_at_hand(files: dict[str, Path]) -> None:
    spoken = {open_checkpoint(str(path)).dialect for path in files.values()}
    assert spoken == {"nvidia", "rosinality", "genforce", "hammer", "tensorflow"}


def test_one_fingerprint(files: dict[str, Path]) -> None:
    found = {name: fingerprint(open_checkpoint(str(path))) for name, path in files.items()}
    assert len(set(found.values())) == 1, found


def test_the_same_bundle_but_for_the_name_of_the_file(files: dict[str, Path]) -> None:
    bundles = [sefa_cli.factorize(path) for path in files.values()]
    assert len({bundle.directions.tobytes() for bundle in bundles}) == 1
    assert len({bundle.eigenvalues.tobytes() for bundle in bundles}) == 1


@pytest.mark.parametrize("noise_mode", ["const", "none"])
def test_the_same_pictures(files: dict[str, Path], noise_mode: str) -> None:
    """To rounding: two dialects let the 1e-8 of the demodulation act on scaled weights."""
    pictures = {}
    for name, path in files.items():
        generator = sefa_cli.load_generator(path, "cpu")
        w = generator.truncate(generator.map(generator.sample([0, 7])), 0.7)
        with torch.no_grad():
            pictures[name] = generator.synthesize(w, noise_mode=noise_mode).numpy()
    first, *others = pictures.values()
    for other in others:
        assert np.abs(other - first).max() < 1e-4 * first.std()


def test_mmgen_paints_the_same_and_has_the_same_fingerprint(
    files: dict[str, Path], tmp_path: Path
) -> None:
    """It stores no mean w, so nothing is truncated here."""
    native = native_state(z_dim=24, w_dim=24, mapping_layers=4)
    path = write_mmgen(tmp_path / "mmgen.pth", native)
    checkpoints = [open_checkpoint(str(p)) for p in (path, files["rosinality"])]
    assert fingerprint(checkpoints[0]) == fingerprint(checkpoints[1])
    ours, theirs = (sefa_cli.load_generator(checkpoint, "cpu") for checkpoint in checkpoints)
    pictures = [g.synthesize(g.map(g.sample([0, 7]))) for g in (ours, theirs)]
    assert torch.equal(*pictures)
