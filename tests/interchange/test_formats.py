"""Round trips through every format, reported losses, and the table in the docs."""

import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from sefa_cli.bundle.bundle import Bundle
from sefa_cli.errors import SefaError, UsageError
from sefa_cli.interchange.formats import FORMATS, Format, content, find_format, not_held
from sefa_cli.interchange.gguf import read_control_vector
from sefa_cli.interchange.reading import read_directions
from tests import helpers
from tests.helpers import published
from tests.helpers.published import DIM, LAYERS

DOCS = helpers.DOCS / "formats.md"
SEVERAL = [form for form in FORMATS.values() if not form.single]
SINGLE = [form for form in FORMATS.values() if form.single]
Model = dict[str, Any]


def back(tmp_path: Path, form: Format, bundle: Bundle, *ks: int, **options: Any) -> Bundle:
    path = tmp_path / f"a file{form.suffix}"
    path.write_bytes(content(form, bundle, ks))
    return read_directions(path, bundle.model, **{"space": "w", "format": form.name, **options})[0]


def scales(bundle: Bundle, *ks: int) -> list[float]:
    return [bundle.info[k].get("scale", 1.0) for k in ks]


@pytest.mark.parametrize("form", SEVERAL, ids=lambda form: form.name)
def test_several_in_a_file(tmp_path: Path, flat: Bundle, form: Format) -> None:
    read = back(tmp_path, form, flat, 0, 1, 2)
    np.testing.assert_allclose(read.directions, flat.directions, atol=3e-7)
    check_the_rest(read, flat, form, (0, 1, 2))


@pytest.mark.parametrize("form", SINGLE, ids=lambda form: form.name)
def test_one_in_a_file(tmp_path: Path, flat: Bundle, form: Format) -> None:
    read = back(tmp_path, form, flat, 1)
    np.testing.assert_allclose(read.directions, flat.directions[1:2], atol=3e-7)
    check_the_rest(read, flat, form, (1,))


def check_the_rest(read: Bundle, written: Bundle, form: Format, ks: tuple[int, ...]) -> None:
    """Check that what the format holds came back, and that the rest was reported as lost."""
    lost = " ".join(not_held(form, written, ks))
    kept_layers = list(read.layers) == list(written.layers)
    assert kept_layers == ("layers" in form.holds) == ("layers (1-3)" not in lost)
    close = np.allclose(scales(read, *range(len(ks))), scales(written, *ks), rtol=1e-6)
    assert close == ("scale" in form.holds) == ("the scales" not in lost)
    labels = [written.labels[k] for k in ks]
    kept_labels = read.labels[: len(labels) - labels.count(None)] == [x for x in labels if x]
    assert kept_labels == ("labels" in form.holds) == ("the labels" not in lost)
    assert read.eigenvalues is None and "the eigenvalues" in lost
    assert "fingerprint" in lost


@pytest.mark.parametrize("form", SEVERAL, ids=lambda form: form.name)
def test_unit_rows_over_all_layers_lose_no_bit(tmp_path: Path, model: Model, form: Format) -> None:
    published.resefa(tmp_path / "x.npy")
    bundle, _ = read_directions(tmp_path / "x.npy", model, space="w")
    read = back(tmp_path, form, bundle, *range(DIM))
    np.testing.assert_array_equal(read.directions, bundle.directions)
    assert not any("layers" in lost for lost in not_held(form, bundle, (0,)))


@pytest.mark.parametrize("form", FORMATS.values(), ids=lambda form: form.name)
def test_a_row_per_layer_comes_back_or_is_refused(
    tmp_path: Path, layered: Bundle, form: Format
) -> None:
    if "rows" not in form.holds:
        with pytest.raises(SefaError, match=r"a row per layer.*npy, w\+, e4e or gguf"):
            content(form, layered, (0,))
        return
    options: dict[str, Any] = {} if "layers" in form.holds else {"layers": (0, 2, 5)}
    read = back(tmp_path, form, layered, 0, **options)
    np.testing.assert_allclose(read.directions, layered.directions[:1], atol=3e-7)
    assert list(read.layers) == [0, 2, 5] and read.space == "w+"
    assert scales(read, 0) == pytest.approx(scales(layered, 0), rel=1e-6)


@pytest.mark.parametrize("form", FORMATS.values(), ids=lambda form: form.name)
def test_equal_directions_give_equal_bytes(flat: Bundle, form: Format) -> None:
    again = Bundle.from_bytes(flat.to_bytes())
    assert content(form, flat, (0,)) == content(form, again, (0,))


def load(form: str, bundle: Bundle, *ks: int) -> Any:
    """Return the file as the other tools read it."""
    file = io.BytesIO(content(find_format(form), bundle, ks))
    if FORMATS[form].suffix == ".pt":
        return torch.load(file, weights_only=True)
    return np.load(file)


def test_the_published_conventions_are_met(flat: Bundle) -> None:
    """Keys, shapes, types and norms are the published ones."""
    boundary = load("interfacegan", flat, 0)
    assert (boundary.shape, boundary.dtype) == ((1, DIM), np.float64)
    assert np.linalg.norm(boundary) == pytest.approx(1, abs=1e-6)
    assert load("resefa", flat, 0, 1, 2).shape == (3, DIM)
    plus = load("w+", flat, 0)
    assert (plus.shape, plus.dtype) == ((LAYERS, DIM), np.float64)
    assert not plus[[0, 4, 5]].any() and (plus[1] == plus[2]).all()
    assert np.linalg.norm(plus[1]) == pytest.approx(2.5)
    factor = load("rosinality", flat, 0, 1, 2)
    assert factor["eigvec"].shape == (DIM, 3) and factor["ckpt"] == "tiny.pt"
    np.testing.assert_allclose(factor["eigvec"][:, 1], 0.3 * flat.directions[1], rtol=1e-6)
    pca = load("e4e-pca", flat, 0, 1)
    assert [tuple(pca[key].shape) for key in ("comp", "mean", "std")] == [(2, 1, 8), (1, 8), (2,)]
    np.testing.assert_allclose(pca["std"], [2.5, 0.3])
    named = load("anycost", flat, 0, 1, 2)
    assert list(named) == ["smile", "turns left", "direction 2"]
    assert load("e4e", flat, 0).shape == (LAYERS, DIM)


def test_ganspace_reads_all_its_keys(flat: Bundle) -> None:
    archive = load("ganspace", flat, 0, 1, 2)
    shapes = {name: archive[name].shape for name in archive}
    assert shapes == {
        "act_comp": (3, 1, 8), "act_mean": (1, 8), "act_stdev": (3,), "lat_comp": (3, 1, 8),
        "lat_mean": (1, 8), "lat_stdev": (3,), "var_ratio": (3,), "random_stdevs": (3,),
    }  # fmt: skip
    assert all(archive[name].dtype == np.float32 for name in archive)
    np.testing.assert_allclose(archive["lat_stdev"], [2.5, 0.3, 1])
    np.testing.assert_array_equal(archive["lat_comp"][:, 0], flat.directions)


def test_ganspace_and_e4e_round_trip(tmp_path: Path, model: Model) -> None:
    """Mean, deviations and shares of variance survive in the bundle, bit by bit."""
    arrays = published.ganspace(tmp_path / "x.npz")
    bundle, _ = read_directions(tmp_path / "x.npz", model, space="w")
    archive = load("ganspace", bundle, 0, 1, 2, 3)
    for name, array in arrays.items():
        if name != "act_mean":
            np.testing.assert_array_equal(archive[name], array, err_msg=name)
    np.testing.assert_array_equal(archive["act_mean"], arrays["lat_mean"])
    pca = published.e4e_pca(tmp_path / "pca.pt")
    bundle, _ = read_directions(tmp_path / "pca.pt", model, space="w")
    for name, tensor in load("e4e-pca", bundle, 0, 1, 2, 3).items():
        assert torch.equal(tensor, pca[name]), name


PUBLISHED = {
    "interfacegan": published.interfacegan, "resefa": published.resefa, "e4e": published.e4e,
    "rosinality": published.rosinality, "anycost": published.anycost,
    "w+": published.luxemburg, "lowrankgan": published.interfacegan, "npy": published.resefa,
}  # fmt: skip


@pytest.mark.parametrize("name", [*PUBLISHED, "w+ of eps696"])
def test_published_files_are_read_and_written_back(tmp_path: Path, model: Model, name: str) -> None:
    """Keys, shapes and types are those of the file; float64 keeps the digits of float32."""
    form = find_format(name.partition(" ")[0])
    path = tmp_path / f"x{form.suffix}"
    PUBLISHED.get(name, published.eps696)(path)
    bundle, _ = read_directions(path, model, space="w")
    assert bundle.info[0]["from"]["format"] in (name.partition(" ")[0], "npy", "interfacegan")
    written, original = load(form.name, bundle, *range(bundle.k)), read_as_it_is(path)
    if not isinstance(original, dict):
        written, original = {"": written}, {"": original}
    assert list(written) == list(original)
    for key, value in original.items():
        if key == "ckpt":
            assert written[key] == "tiny.pt" and value.endswith("stylegan2-ffhq.pt")
            continue
        assert written[key].dtype == value.dtype and written[key].shape == value.shape
        ours, theirs = np.asarray(written[key], float), np.asarray(value, float)
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=2e-7 * np.abs(theirs).max())


def test_a_control_vector_is_read_and_written_back(tmp_path: Path, model: Model) -> None:
    rows = published.repeng(tmp_path / "happy.gguf")
    bundle, _ = read_directions(tmp_path / "happy.gguf", model, space="w")
    assert list(bundle.layers) == [0, 1, 2, 3, 4] and bundle.labels == ["happy"]
    assert bundle.info[0]["from"]["model_hint"] == "llama"
    again = read_control_vector(content(find_format("gguf"), bundle, (0,)))
    assert (again.layers, again.hint, again.name) == ((1, 2, 3, 4, 5), "tiny.pt", "happy")
    np.testing.assert_allclose(again.rows, rows, atol=1e-7)


def read_as_it_is(path: Path) -> Any:
    return np.load(path) if path.suffix == ".npy" else torch.load(path, weights_only=True)


def test_one_row_is_enough_if_all_layers_move_alike(tmp_path: Path, model: Model) -> None:
    published.e4e(tmp_path / "age.pt")
    bundle, _ = read_directions(tmp_path / "age.pt", model, space="w")
    assert load("e4e", bundle, 0).shape == (1, DIM)


def test_an_unknown_format_lists_the_known_ones() -> None:
    with pytest.raises(UsageError, match="unknown format 'ganspaec'; expected npy"):
        find_format("ganspaec")


def test_the_table_in_the_docs_agrees() -> None:
    """Each format's row in docs/formats.md: one per file, rows, layers, scale, labels."""
    rows = re.findall(r"^\| `([^`]+)` \|(.*)\|$", DOCS.read_text(), re.MULTILINE)
    written = {name: [cell.strip() for cell in cells.split("|")] for name, cells in rows}
    assert written.pop("--to") and list(written) == list(FORMATS)
    for name, form in FORMATS.items():
        file, single, *holds = written[name][1:7]
        assert file == f"`{form.suffix}`" and single == ("1" if form.single else "k"), name
        order = ("rows", "layers", "scale", "labels")
        assert [cell == "yes" for cell in holds] == [key in form.holds for key in order], name
