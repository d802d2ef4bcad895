"""Our factorization against the published implementations' numbers."""

import numpy as np
import pytest
from safetensors.numpy import load_file
from threadpoolctl import threadpool_limits

from sefa_cli.discovery.sefa import factorize, style_gains
from tests.helpers import GOLDEN


@pytest.fixture(scope="module")
def reference() -> dict[str, np.ndarray]:
    return load_file(GOLDEN / "sefa_reference.safetensors")


def genforce_styles(indices: list[int]) -> list[np.ndarray]:
    """Style affines of the published StyleGAN2 at these code indices; the last one is to-RGB."""
    state = load_file(GOLDEN / "stylegan2_genforce.safetensors")
    names = [f"layer{i}" if i < 7 else "output3" for i in indices]
    return [state[f"state/synthesis.{name}.style.weight"] for name in names]


@pytest.mark.parametrize(
    ("layers", "indices"), [("all", range(8)), ("0-1", range(2)), ("2-5", range(2, 6))]
)
def test_equals_the_published_factorization(
    reference: dict[str, np.ndarray], layers: str, indices: range
) -> None:
    found = factorize(genforce_styles(list(indices)))
    case = f"stylegan2_genforce/{layers}"
    np.testing.assert_allclose(found.eigenvalues, reference[f"{case}/values"], rtol=1e-5)
    for vectors in (f"{case}/vectors_eigh_float64", f"{case}/vectors"):
        cosines = np.abs(np.sum(found.directions * reference[vectors], axis=1))
        assert cosines.min() > 1 - 1e-6


def test_equals_rosinalitys_closed_form(reference: dict[str, np.ndarray]) -> None:
    state = load_file(GOLDEN / "stylegan2_rosinality.safetensors")
    matrices = [
        value for name, value in state.items() if "modulation.weight" in name and "rgbs" not in name
    ]
    found = factorize(matrices, normalize=False)
    columns = reference["stylegan2_rosinality/closed_form/eigvec"]
    assert np.abs(np.sum(found.directions * columns.T, axis=1)).min() > 1 - 1e-6
    singular = reference["stylegan2_rosinality/closed_form/singular_values"]
    np.testing.assert_allclose(np.sqrt(found.eigenvalues), singular, rtol=1e-5)


def test_order_sign_and_length() -> None:
    found = factorize(genforce_styles([0, 1]))
    assert (np.diff(found.eigenvalues) <= 0).all()
    largest = np.abs(found.directions).argmax(axis=1)
    assert (found.directions[np.arange(48), largest] > 0).all()
    np.testing.assert_allclose(np.linalg.norm(found.directions, axis=1), 1, atol=1e-6)
    assert found.directions.flags.c_contiguous and found.directions.dtype == np.float32


def test_num_keeps_the_leading_ones() -> None:
    everything, few = factorize(genforce_styles([0])), factorize(genforce_styles([0]), num=3)
    np.testing.assert_array_equal(few.directions, everything.directions[:3])
    np.testing.assert_array_equal(few.eigenvalues, everything.eigenvalues[:3])


def test_center_subtracts_the_mean_row_of_the_whole_stack() -> None:
    matrices = genforce_styles([0, 1])
    A = np.concatenate(matrices).astype(np.float64)
    A -= A.mean(axis=0)
    A /= np.linalg.norm(A, axis=1, keepdims=True)
    expected = np.linalg.eigvalsh(A.T @ A)[::-1]
    np.testing.assert_allclose(factorize(matrices, center=True).eigenvalues, expected, atol=1e-9)


def test_deflation_takes_the_leading_direction_out() -> None:
    matrices = genforce_styles([2, 3, 4])
    u = factorize(matrices).directions[0].astype(np.float64)
    deflated = factorize(matrices, deflate=True)
    assert np.abs(deflated.directions[:-1] @ u).max() < 1e-5
    assert deflated.eigenvalues[-1] < 1e-9  # nothing is left along u itself
    A = np.concatenate(matrices).astype(np.float64)
    A -= np.outer(A @ u, u)
    A /= np.linalg.norm(A, axis=1, keepdims=True)
    expected = np.linalg.eigvalsh(A.T @ A)[::-1]
    np.testing.assert_allclose(deflated.eigenvalues, expected, atol=1e-5)


def test_a_row_of_zeros_stays_zero() -> None:
    A = np.zeros((3, 4), np.float32)
    A[0, 1] = 5
    found = factorize([A])
    np.testing.assert_allclose(found.eigenvalues, [1, 0, 0, 0], atol=1e-12)
    np.testing.assert_allclose(found.directions[0], [0, 1, 0, 0], atol=1e-7)


def test_the_number_of_threads_changes_no_bit() -> None:
    matrices = [np.random.RandomState(i).randn(512, 256).astype(np.float32) for i in range(4)]
    results = []
    for threads in (1, 2, 4):
        with threadpool_limits(threads):
            results.append(factorize(matrices))
    for other in results[1:]:
        assert other.directions.tobytes() == results[0].directions.tobytes()
        assert other.eigenvalues.tobytes() == results[0].eigenvalues.tobytes()


def test_style_gain_is_one_along_the_mean_style_and_zero_across() -> None:
    A = directions = np.eye(4, dtype=np.float32)
    style = np.array([3, 0, 0, 0], np.float32)
    np.testing.assert_allclose(style_gains(directions, [A, A], [style, style]), [1, 0, 0, 0])


def test_a_gain_that_raises_one_layer_and_lowers_another_is_no_common_gain() -> None:
    A = np.eye(4, dtype=np.float32)
    style = np.array([3, 0, 0, 0], np.float32)
    np.testing.assert_allclose(style_gains(A, [A, A], [style, -style]), 0)
