"""Directions as values: arithmetic, moves, and back into a bundle."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from sefa_cli.bundle.bundle import Bundle
from sefa_cli.bundle.picking import mix, pick
from sefa_cli.errors import MismatchError, SefaError, UsageError


def bundle_of(rows: object, layers: tuple[int, ...] = (0, 1), finger: str = "a") -> Bundle:
    rows = np.asarray(rows, np.float32)
    return Bundle(
        directions=rows,
        eigenvalues=np.arange(len(rows), 0, -1.0),
        layers=np.array(layers),
        method="sefa",
        params={},
        space="w",
        model={
            "ref": "m.pt", "family": "stylegan2", "resolution": 32, "z_dim": 4, "w_dim": 4,
            "num_layers": 4, "layer_names": list("abcd"), "fingerprint": finger * 64,
        },
        info=({"label": "<b>yaw"}, *[{}] * (len(rows) - 1)),
    )  # fmt: skip


@pytest.fixture
def bundle() -> Bundle:
    return bundle_of(np.eye(4))


def test_a_bundle_is_a_sequence_of_directions(bundle: Bundle) -> None:
    assert len(bundle) == 4 and len(list(bundle)) == 4
    first = bundle["<b>yaw"]
    assert (first.label, first.eigenvalue, first.layers, first.length) == ("<b>yaw", 4.0, (0, 1), 1)
    np.testing.assert_array_equal(bundle[-1].vector, np.eye(4)[3])
    np.testing.assert_array_equal(np.asarray(bundle[2]), np.eye(4)[2])
    assert repr(bundle[1]) == "<Direction k1, w, layers 0-1, length 1>"


def test_what_there_is_not(bundle: Bundle) -> None:
    for wrong in (4, -5):
        with pytest.raises(IndexError, match="expected 0-3"):
            bundle[wrong]
    with pytest.raises(UsageError, match="no direction is called 'yawn'"):
        bundle["yawn"]
    for odd in (slice(0, 2), 1.5, None, [0, 1]):
        with pytest.raises(TypeError, match="a direction has an index or a label, got "):
            bundle[odd]  # type: ignore[index]


def test_a_label_is_in_a_bundle(bundle: Bundle) -> None:
    assert "<b>yaw" in bundle and "yawn" not in bundle
    assert 3 in bundle and 4 not in bundle and 1.5 not in bundle


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda b: b.name("x"), "labels must be a mapping, got 'x'; expected something like {3: "),
        (lambda b: b.pick([0, 1]), r"direction must be an index or a label, got \[0, 1\]"),
        (lambda b: b.without([0]), r"direction must be an index or a label, got \[0\]"),
        (lambda b: b.mix({0: 1}), r"text must be a string, got {0: 1}"),
        (
            lambda b: pick([b], [0]),
            r"bundles must have names, got \[<Bundle of 4 .*; expected {.face",
        ),
        (lambda b: mix(b, "0"), "bundles must have names, got <Bundle of 4 .*; expected {.face"),
    ],
)
def test_words_of_another_kind_are_refused(
    bundle: Bundle, ask: Callable[[Any], object], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        ask(bundle)


def test_directions_are_picked_by_their_numbers(bundle: Bundle) -> None:
    picked = pick({"face": bundle}, [0, -1])
    np.testing.assert_array_equal(picked.directions, np.eye(4)[[0, 3]])


def test_arithmetic(bundle: Bundle) -> None:
    sum_ = 2 * bundle[0] - bundle[1] / 2 + -bundle[2]
    np.testing.assert_array_equal(sum_.vector, [2, -0.5, -1, 0])
    assert sum_.label is None and sum_.eigenvalue is None and (-bundle[0]).label is None
    unit = sum_.normalized()
    assert unit.length == pytest.approx(1) and repr(sum_).startswith("<Direction 2*<b>yaw - 0.5*k1")
    np.testing.assert_array_equal((bundle[0] + bundle[0]).vector, [2, 0, 0, 0])
    with pytest.raises(SefaError, match="is zero"):
        (bundle[0] - bundle[0]).normalized()
    first: Any = bundle[0]
    for wrong in (lambda: first + 1, lambda: first * bundle[1], lambda: first * "2"):
        with pytest.raises(TypeError):
            wrong()


def test_directions_of_other_layers_and_models(bundle: Bundle) -> None:
    other = bundle_of(np.eye(4), layers=(1, 2))
    both = bundle[0] + other[1]
    assert both.layers == (0, 1, 2)
    np.testing.assert_array_equal(both.vector, [[1, 0, 0, 0], [1, 1, 0, 0], [0, 1, 0, 0]])
    with pytest.raises(SefaError, match="bundles of one model"):
        bundle[0] + bundle_of(np.eye(4), finger="b")[0]


def test_moves(bundle: Bundle) -> None:
    codes = np.zeros((2, 4, 4), np.float32)
    moved = bundle.move(codes, "<b>yaw", 2)
    np.testing.assert_array_equal(moved[:, :2, 0], 2)
    assert not moved[:, 2:].any() and not codes.any()
    tensor = bundle.move(torch.zeros(1, 4), bundle[0] + bundle[1], -1)
    assert tensor.shape == (1, 4, 4) and tensor[0, 0].tolist() == [-1, -1, 0, 0]
    np.testing.assert_array_equal(bundle.move(codes, bundle[0] + bundle_of(np.eye(4), (3,))[1], 2)[
        0, :, :2], [[2, 0], [2, 0], [0, 0], [0, 2]])  # fmt: skip
    with pytest.raises(MismatchError):
        bundle.move(np.zeros((1, 4, 5), np.float32), 0)


@pytest.mark.parametrize(
    ("alpha", "reason"),
    [("far", "alpha must be a number, got 'far'"), (float("nan"), "alpha must be finite, got nan")],
)
def test_a_step_must_be_a_finite_number(bundle: Bundle, alpha: Any, reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        bundle.move(np.zeros((1, 4, 4), np.float32), 0, alpha)


@pytest.mark.parametrize(
    ("codes", "got"),
    [
        (np.zeros((1, 4, 4), np.int64), "int64"),  # they would cut the step down to whole numbers
        (torch.zeros(1, 4, 4, dtype=torch.int32), "torch.int32"),
        ([[0.0] * 4], "list"),
        (None, "NoneType"),
    ],
)
def test_codes_must_be_arrays_of_floats(bundle: Bundle, codes: Any, got: str) -> None:
    with pytest.raises(UsageError, match=f"an array or a tensor of floats, got {got}$"):
        bundle.move(codes, 0, 0.5)


@pytest.mark.parametrize(
    ("shape", "error", "said"),
    [
        ((4,), UsageError, r"codes have the shape \(4\); expected \(n, 4, 4\) or \(n, 4\)"),
        ((1, 4, 4, 1), UsageError, r"codes have the shape \(1, 4, 4, 1\); expected "),
        ((1, 5), MismatchError, r"codes have the shape \(1, 5\); expected "),
        ((1, 3, 4), MismatchError, r"codes have the shape \(1, 3, 4\); expected "),
    ],
)
def test_codes_must_have_the_shape_of_the_models(
    bundle: Bundle, shape: tuple[int, ...], error: type[SefaError], said: str
) -> None:
    with pytest.raises(error, match=f"^{said}"):
        bundle.move(np.zeros(shape, np.float32), 0)


def test_back_into_a_bundle(bundle: Bundle) -> None:
    made = (bundle[0] + bundle[1]).as_bundle("both")
    np.testing.assert_allclose(made.directions, [[0.5**0.5, 0.5**0.5, 0, 0]], atol=1e-7)
    assert made.labels == ["both"] and made.info[0]["scale"] == pytest.approx(2**0.5)
    assert [part["k"] for part in made.info[0]["from"]["parts"]] == [0, 1]
    assert made.to_bytes() == Bundle.from_bytes(made.to_bytes()).to_bytes()


def test_methods_that_make_bundles(bundle: Bundle) -> None:
    assert bundle.name({0: None, 2: "age"}).labels == [None, None, "age", None]
    assert bundle.pick("1-2", 0).labels == [None, None, "<b>yaw"]
    np.testing.assert_array_equal(bundle.pick(3, flip=True).directions, -np.eye(4)[3:])
    assert bundle.mix("0 + 1", label="both").labels == ["both"]
    assert len(bundle.without(0, 2)) == 2
    with pytest.raises(UsageError, match="no direction is left"):
        bundle.without("0-3")
    assert bundle.compare(bundle.pick(1)).matches[1].cosine == 1


def test_a_notebook_shows_labels_as_text(bundle: Bundle) -> None:
    shown = bundle._repr_html_()
    assert "&lt;b&gt;yaw" in shown and "<b>yaw" not in shown and shown.count("<tr>") == 5
    many = bundle_of(np.eye(4)[[0] * 12])
    assert "and 2 more" in many._repr_html_()
