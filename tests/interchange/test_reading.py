"""Published files become bundles; other files are recognized and refused."""

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from sefa_cli.bundle.bundle import Bundle
from sefa_cli.errors import SefaError
from sefa_cli.interchange.foreign import MEAN
from sefa_cli.interchange.reading import read_directions
from tests.helpers import FORMATS, published
from tests.helpers.published import DIM, LAYERS

Model = dict[str, Any]


def read(path: Path, model: Model, **options: Any) -> Bundle:
    return read_directions(path, model, **{"space": "w", **options})[0]


def refusal(path: Path, model: Model, **options: Any) -> str:
    with pytest.raises(SefaError) as caught:
        read(path, model, **options)
    message = str(caught.value)
    assert path.name in message and "\n" not in message
    return message


def test_a_boundary_of_interfacegan(tmp_path: Path, model: Model) -> None:
    row = published.interfacegan(tmp_path / "smile_w_boundary.npy")
    bundle = read(tmp_path / "smile_w_boundary.npy", model)
    np.testing.assert_array_equal(bundle.directions, row.astype(np.float32))
    assert bundle.method == "imported" and bundle.space == "w" and bundle.eigenvalues is None
    assert list(bundle.layers) == list(range(LAYERS))
    origin = {"file": "smile_w_boundary.npy", "format": "interfacegan", "row": 0}
    assert bundle.info == ({"label": "smile", "from": origin},)


def test_rows_of_resefa(tmp_path: Path, model: Model) -> None:
    rows = published.resefa(tmp_path / "image_00_region_mouth_name_x.npy")
    bundle = read(tmp_path / "image_00_region_mouth_name_x.npy", model, layers=(4, 2))
    np.testing.assert_array_equal(bundle.directions, rows.astype(np.float32))
    assert list(bundle.layers) == [2, 4] and not any("scale" in about for about in bundle.info)


def test_equal_rows_are_folded_and_their_norm_is_the_scale(tmp_path: Path, model: Model) -> None:
    row = published.luxemburg(tmp_path / "smile.npy")
    bundle = read(tmp_path / "smile.npy", model)
    assert bundle.directions.shape == (1, DIM) and list(bundle.layers) == list(range(LAYERS))
    assert bundle.info[0]["scale"] == pytest.approx(0.26, rel=1e-12)
    np.testing.assert_allclose(bundle.directions * 0.26, row, atol=1e-8)


def test_only_the_first_rows_may_be_used(tmp_path: Path, model: Model) -> None:
    published.luxemburg(tmp_path / "smile.npy")
    assert list(read(tmp_path / "smile.npy", model, layers=(0, 1, 2)).layers) == [0, 1, 2]


def test_a_row_per_layer_stays_one(tmp_path: Path, model: Model) -> None:
    rows = published.eps696(tmp_path / "age.npy")
    bundle = read(tmp_path / "age.npy", model)
    assert bundle.directions.shape == (1, LAYERS, DIM) and bundle.space == "w+"
    assert bundle.info[0]["scale"] == pytest.approx(np.linalg.norm(rows))
    np.testing.assert_allclose(bundle.directions[0] * bundle.info[0]["scale"], rows, rtol=1e-5)
    some = read(tmp_path / "age.npy", model, layers=(1, 3))
    np.testing.assert_allclose(
        some.directions[0] * some.info[0]["scale"], rows[[1, 3]], rtol=1e-5, atol=1e-6
    )


def test_components_of_ganspace(tmp_path: Path, model: Model) -> None:
    arrays = published.ganspace(tmp_path / "x_w.npz")
    bundle = read(tmp_path / "x_w.npz", model)
    np.testing.assert_array_equal(bundle.directions, arrays["lat_comp"][:, 0])
    for row, about in enumerate(bundle.info):
        assert about.get("scale", 1) == pytest.approx(float(arrays["lat_stdev"][row]), rel=1e-6)
        assert about["from"]["var_ratio"] == float(arrays["var_ratio"][row])
    kept = np.frombuffer(bundle.private[MEAN].data, "<f4")
    np.testing.assert_array_equal(kept, arrays["lat_mean"][0])


def test_dropped_activations_are_reported(tmp_path: Path, model: Model) -> None:
    arrays = published.ganspace(tmp_path / "a.npz")
    assert read_directions(tmp_path / "a.npz", model, space="w")[1] == ()
    arrays["act_comp"] = np.zeros((4, 3, 5, 5), np.float32)
    np.savez(tmp_path / "b.npz", **arrays)  # type: ignore[arg-type]
    assert "act_comp" in read_directions(tmp_path / "b.npz", model, space="w")[1][0]


def test_components_of_e4e(tmp_path: Path, model: Model) -> None:
    content = published.e4e_pca(tmp_path / "ffhq_pca.pt")
    bundle = read(tmp_path / "ffhq_pca.pt", model)
    np.testing.assert_array_equal(bundle.directions, content["comp"].numpy()[:, 0])
    assert bundle.info[0]["scale"] == 3.0 and bundle.info[0]["from"]["format"] == "e4e-pca"


def test_a_tensor_of_e4e(tmp_path: Path, model: Model) -> None:
    row = published.e4e(tmp_path / "age.pt")
    bundle = read(tmp_path / "age.pt", model)
    np.testing.assert_array_equal(bundle.directions, row.astype(np.float32))
    assert bundle.labels == ["age"] and bundle.info[0]["from"]["format"] == "e4e"


@pytest.mark.parametrize("new_zip", [True, False])
def test_columns_of_rosinality(tmp_path: Path, model: Model, new_zip: bool) -> None:
    rows = published.rosinality(tmp_path / "factor.pt")
    if not new_zip:
        content = torch.load(tmp_path / "factor.pt", weights_only=True)
        torch.save(content, tmp_path / "factor.pt", _use_new_zipfile_serialization=False)
    bundle = read(tmp_path / "factor.pt", model)
    np.testing.assert_array_equal(bundle.directions, rows.astype(np.float32))
    assert bundle.info[2]["from"] == {
        "ckpt": "stylegan2-ffhq.pt", "file": "factor.pt", "format": "rosinality", "row": 2,
    }  # fmt: skip


def test_names_of_anycost(tmp_path: Path, model: Model) -> None:
    rows = published.anycost(tmp_path / "boundary.pt")
    bundle = read(tmp_path / "boundary.pt", model)
    assert bundle.labels == ["00_5_o_Clock_Shadow", "31_Smiling", "39_Young"]
    np.testing.assert_allclose(bundle.directions * 2, rows, atol=1e-6)


def test_z_has_one_input(tmp_path: Path, model: Model) -> None:
    published.interfacegan(tmp_path / "smile_boundary.npy")
    bundle = read(tmp_path / "smile_boundary.npy", {**model, "w_dim": 5}, space="z")
    assert bundle.space == "z" and list(bundle.layers) == [0]


SAVED: dict[str, tuple[Any, str]] = {
    "another width": (np.ones((1, 7)), "of shape (1, 7) is 7 wide; expected 8"),
    "whole numbers": (np.ones((1, DIM), int), "of type int64"),
    "zero": (np.zeros((1, DIM)), "direction 0 is zero"),
    "a zero among others": (published.unit_rows(4) * [[1], [1], [0], [1]], "direction 2 is zero"),
    "NaN": (np.full((2, DIM), np.nan), "direction 0 holds NaN"),
    "infinity": (np.full((1, DIM), np.inf), "direction 0 holds NaN or infinity"),
    "too long to measure": (np.full((1, DIM), 1e300), "length of direction 0 overflows"),
    "Jacobians": (np.zeros((2, 4, 4, 1, DIM), np.float32), "does not hold directions"),
    "channels of StyleCLIP": (np.ones((6048, DIM)) * np.arange(6048)[:, None], "StyleCLIP"),
    "codes": (published.codes(3), "may hold latent codes"),
    "codes of ReSeFa": (published.codes(3)[:, :1], "use --format npy; for codes, use --codes"),
    "nothing": (np.zeros((0, DIM)), "is empty"),
    "one number": (np.float64(3), "empty"),
    "rows of another model": (np.ones((9, DIM)), "9 rows, one per layer; the model has 6"),
    "objects": (np.array([{"w": 1}, None], object), "Python objects"),
}


@pytest.mark.parametrize("case", SAVED)
def test_arrays_that_are_refused(tmp_path: Path, model: Model, case: str) -> None:
    array, said = SAVED[case]
    np.save(tmp_path / "x.npy", array, allow_pickle=True)
    assert said in refusal(tmp_path / "x.npy", model)


def style_space(path: Path) -> None:
    path.write_bytes(pickle.dumps([["g1"], [np.zeros((2, 3), np.float32)]]))


def network(path: Path) -> None:
    torch.save({"state_dict": {"a.weight": torch.ones(3, 3)}, "opts": {"n": 1}}, path)


def weights(path: Path) -> None:
    torch.save({"conv.weight": torch.ones(3, 3), "conv.bias": torch.ones(3)}, path)


def projected(path: Path) -> None:
    published.rosinality_projector(path)


def projected_w(path: Path) -> None:
    with open(path, "wb") as file:
        np.savez(file, w=published.codes(1))


def other_arrays(path: Path) -> None:
    with open(path, "wb") as file:
        np.savez(file, fid=np.ones(3))


def objects_in_archive(path: Path) -> None:
    with open(path, "wb") as file:
        np.savez(file, lat_comp=np.array([{}], object), lat_stdev=np.ones(1))


def unequal_components(path: Path) -> None:
    with open(path, "wb") as file:
        np.savez(file, lat_comp=published.unit_rows(3)[:, None], lat_stdev=np.ones(2))


def no_deviation(path: Path) -> None:
    with open(path, "wb") as file:
        np.savez(file, lat_comp=published.unit_rows(2)[:, None], lat_stdev=np.zeros(2))


def cut_off(path: Path) -> None:
    published.resefa(path.with_suffix(".npy"))
    path.write_bytes(path.with_suffix(".npy").read_bytes()[:-9])


def forged_shape(path: Path) -> None:
    head = "{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000, 1000000), }"
    path.write_bytes(b"\x93NUMPY\x01\x00" + (len(head) + 1).to_bytes(2, "little")
                     + head.encode() + b"\n")  # fmt: skip


def bundle_of_ours(path: Path) -> None:
    source = FORMATS / "golden" / "w.dirs"
    path.write_bytes(source.read_bytes())


OTHERS: dict[Callable[[Path], Any], str] = {
    style_space: "channels inside the network",
    network: "weights of a network",
    weights: "weights of a network",
    projected: "Use it as --codes",
    projected_w: "Use it as --codes",
    other_arrays: "archive with 'fid'",
    objects_in_archive: "Python objects",
    unequal_components: "components of shape (3, 8) with deviations of shape (2,)",
    no_deviation: "deviation of direction 0 is 0",
    cut_off: "damaged or cut off",
    forged_shape: "damaged or cut off",
    bundle_of_ours: "already a sefa bundle",
    lambda path: path.write_bytes(b""): "empty",
    lambda path: path.write_bytes(b"\x89PNG what"): "a file of an unknown kind",
    lambda path: path.mkdir(): "folder",
    lambda path: None: "does not exist",
}


@pytest.mark.parametrize("make", OTHERS, ids=lambda make: make.__name__)
def test_files_that_are_refused(tmp_path: Path, model: Model, make: Callable[[Path], Any]) -> None:
    make(tmp_path / "x.any")
    assert OTHERS[make] in refusal(tmp_path / "x.any", model)


@pytest.mark.parametrize("form", ["x.npy", "x.pt"])
def test_nothing_is_run(
    tmp_path: Path, model: Model, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    """A pickle under either name, and a tensor file whose pickle calls something first."""
    from tests.helpers import hostile

    canary = tmp_path / "canary"
    monkeypatch.setenv("CANARY", str(canary))
    for number, code in enumerate(hostile.CALLS.values()):
        path = tmp_path / f"{number}{form}"
        path.write_bytes(code)
        refusal(path, model)
    assert not canary.exists()


def test_a_file_with_a_short_name_is_named_too(tmp_path: Path, model: Model) -> None:
    style_space(tmp_path / "S")
    assert refusal(tmp_path / "S", model).startswith(f"{tmp_path}/S is a list")


def test_uncertain_readings_are_reported(tmp_path: Path, model: Model) -> None:
    rows = 2 * published.unit_rows(DIM)

    def notes(array: np.ndarray, **options: Any) -> tuple[str, ...]:
        np.save(tmp_path / "x.npy", array)
        return read_directions(tmp_path / "x.npy", model, **{"space": "w", **options})[1]

    assert "if it holds 6 directions, use --format npy" in notes(rows[:6])[0]
    assert "4 directions, although not of unit length" in notes(rows[:4])[0]
    for clear in (rows[:1], rows / 2, np.repeat(rows[:1], 6, axis=0), np.repeat(rows[:1], 4, 0)):
        assert notes(clear, layers=range(len(clear)) if len(clear) == 4 else None) == ()
    assert notes(rows[:6], format="npy") == () == notes(rows[:6], format="w+")


def test_the_format_can_be_given(tmp_path: Path, model: Model) -> None:
    np.save(tmp_path / "codes.npy", published.codes(3))
    assert read(tmp_path / "codes.npy", model, format="w+").directions.shape == (3, LAYERS, DIM)
    np.save(tmp_path / "six.npy", 3 * published.unit_rows(LAYERS))
    assert read(tmp_path / "six.npy", model).k == 1  # a row per layer
    assert read(tmp_path / "six.npy", model, format="npy").k == LAYERS
    assert "its format is w+; expected ganspace" in refusal(
        tmp_path / "six.npy", model, format="ganspace"
    )


def test_layers_that_do_not_fit(tmp_path: Path, model: Model) -> None:
    np.save(tmp_path / "x.npy", np.ones((4, DIM)))
    assert "Use --layers to name the 4 layers" in refusal(tmp_path / "x.npy", model)
    assert "and --layers names 3" in refusal(tmp_path / "x.npy", model, layers=(0, 1, 2))
    assert list(read(tmp_path / "x.npy", model, layers=(0, 1, 2, 5)).layers) == [0, 1, 2, 5]


def test_a_cut_file_is_damaged_not_named_twice(tmp_path: Path, model: Model) -> None:
    np.savez(tmp_path / "x.npz", lat_comp=published.unit_rows(DIM))
    (tmp_path / "x.npz").write_bytes((tmp_path / "x.npz").read_bytes()[:-30])
    assert refusal(tmp_path / "x.npz", model).startswith(f"{tmp_path}/x.npz is damaged: ")
