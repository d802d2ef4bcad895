"""The rules hold for bundles made in Python as they do for files (formats/hostile has those)."""

from typing import Any

import numpy as np
import pytest

from sefa_cli.bundle.bundle import Bundle
from sefa_cli.bundle.rules import fields
from sefa_cli.container import Tensor
from sefa_cli.errors import SefaError

ROWS = np.array([[1, 0, 0, 0], [0.5, 0.5, -0.5, 0.5]], np.float32)


def parts(**changes: Any) -> dict[str, Any]:
    """Arguments of a small valid bundle, changed."""
    model = {
        "ref": "tiny.pkl",
        "family": "stylegan2",
        "resolution": 8,
        "z_dim": 4,
        "w_dim": 4,
        "num_layers": 4,
        "layer_names": ["a", "b", "c", "d"],
        "fingerprint": "0" * 64,
    }
    known = {
        "directions": ROWS,
        "layers": np.array([0, 2]),
        "method": "sefa",
        "params": {},
        "space": "w",
        "model": model,
    }
    return known | changes


def refusal(**changes: Any) -> str:
    with pytest.raises(SefaError) as caught:
        Bundle(**parts(**changes))
    return str(caught.value)


REFUSED = [
    ("directions", ROWS * 2, "holds a row of norm 2 (direction 0); expected 1 ± 1e-5"),
    ("directions", ROWS[0], "has the shape (4,); expected 2 or 3 axes, none empty"),
    ("directions", ROWS[:0], "has the shape (0, 4); expected 2 or 3 axes, none empty"),
    ("directions", ROWS.astype(int), "is of type int64; expected float32"),
    ("directions", ROWS.astype(complex), "is of type complex128; expected float32"),
    ("directions", [[1.0], [0.0, 1.0]], "is ragged; expected a whole array"),
    ("directions", None, "is of type object; expected float32"),
    ("directions", ROWS[:, :3], "are of dimension 3; expected 4, as the model says"),
    ("directions", ROWS.astype("f8") * 1e300, "holds NaN or infinity; expected finite numbers"),
    ("layers", [0.0, 1.0], "is of type float64; expected int64"),
    ("layers", [], "is of type float64; expected int64"),
    ("layers", [2, 0], "are [2, 0]; expected strictly increasing indices"),
    ("layers", [0, 4], "holds 4; expected 0-3, as model.num_layers says"),
    ("layers", [-1], "holds -1; expected 0-3, as model.num_layers says"),
    ("eigenvalues", [1.0], "there are 1 eigenvalues; expected 2"),
    ("eigenvalues", [1.0, np.nan], "holds NaN or infinity; expected finite numbers"),
    ("mask", np.ones((2, 2)), "is of type float64; expected uint8"),
    ("mask", np.ones((2, 2), np.uint16), "is of type uint16; expected uint8"),
    ("mask", np.ones((2, 2), bool), "is of type bool; expected uint8"),
    ("mask", np.ones((2, 2, 2), np.uint8), "holds 2 masks; expected one per entry of params.seeds"),
    ("background", np.ones((2, 2), np.uint8), "there is a background without a mask"),
    ("space", "s", "the space is 's'; expected z, w or w+"),
    ("version", "1", "the format version is '1'; expected '1.0' or another 1.x"),
    ("params", {"tau": np.inf}, "metadata.params.tau is inf; expected a finite number"),
    ("params", [1], "params is [1]; expected an object"),
    ("info", ({},), "the metadata describes 1 directions; expected 2"),
    ("info", {"label": "a"}, "info is not a list; expected one object per direction"),
    ("info", ({"label": "7"}, {}), "'7' reads as an index or a range; expected a word"),
    ("unknown", {"space": "z"}, "holds the key 'space'; expected keys the format does not have"),
    ("private", {"a": Tensor("U8", (1,), b"1")}, "'a' is misnamed; expected x. and a name"),
    ("private", {"x.a": Tensor("F32", (1,), b"1")}, "the private tensor 'x.a' has 1 bytes"),
]


@pytest.mark.parametrize(("key", "value", "message"), REFUSED)
def test_one_line_says_what_is_wrong(key: str, value: Any, message: str) -> None:
    assert refusal(**{key: value}).endswith(message)


@pytest.mark.parametrize("key", list(parts()["model"]))
def test_the_model_is_whole(key: str) -> None:
    model = {name: value for name, value in parts()["model"].items() if name != key}
    assert refusal(model=model) == f"model has no {key!r}"


@pytest.mark.parametrize("ref", ["a.pkl", "car v2.pkl", "hf:a/b/c.pkl", "https://host/a.pkl"])
def test_names_and_addresses_are_fine(ref: str) -> None:
    assert Bundle(**parts(model=parts()["model"] | {"ref": ref})).model["ref"] == ref


@pytest.mark.parametrize("ref", ["a/b.pkl", "./a.pkl", "C:/a.pkl", "c:\\a.pkl", ".."])
def test_paths_are_not(ref: str) -> None:
    message = refusal(model=parts()["model"] | {"ref": ref})
    assert message.endswith("expected a name or an address, not a path")


def test_norms_up_to_a_hundred_thousandth_are_fine() -> None:
    Bundle(**parts(directions=ROWS * np.float32(1 + 9e-6)))
    assert "norm" in refusal(directions=ROWS * np.float32(1 + 1.2e-5))


def test_the_norm_is_over_all_rows_of_a_direction() -> None:
    rows = np.stack([ROWS, ROWS], axis=1) * np.float32(np.sqrt(0.5))  # (2, 2, 4)
    assert Bundle(**parts(directions=rows, space="w+")).directions.shape == (2, 2, 4)
    assert "norm 1.41421" in refusal(directions=np.stack([ROWS, ROWS], axis=1))
    assert refusal(directions=rows, layers=[0]) == "directions has 2 rows each; expected 1 layers"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('"version":"2.0","space":3', "the format version is '2.0'; expected '1.0' or another 1.x"),
        ('"version":"1.3","requires":["curves"]', "it requires 'curves', which is unknown here"),
    ],
)
def test_a_later_file_is_called_that_before_anything_else(text: str, message: str) -> None:
    with pytest.raises(SefaError) as caught:
        fields(
            {"sefa": f'{{"format":"sefa-directions",{text}}}'}, {"new": Tensor("F4", (2,), b"1")}
        )
    assert str(caught.value).startswith(message)
