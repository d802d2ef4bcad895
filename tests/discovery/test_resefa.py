"""Region factorization against the published implementation's numbers, and what it refuses."""

from collections.abc import Sequence
from functools import partial

import numpy as np
import pytest

from sefa_cli.discovery.jacobian import grams
from sefa_cli.discovery.null_space import low_rank, null_space
from sefa_cli.discovery.resefa import MatrixPair, equal_weights, left_out, resefa
from sefa_cli.errors import SefaError, UsageError
from sefa_cli.generators.linearize import Linearization

Regions = dict[str, np.ndarray]
FORMS = {"plain": 0.0, "full_rank": 1e-3}


def cosines(directions: np.ndarray, published: np.ndarray) -> np.ndarray:
    return np.abs(np.sum(directions * published, axis=1))


@pytest.mark.parametrize("region", ["box", "corner"])
@pytest.mark.parametrize("form", FORMS)
def test_published_matrices_give_the_published_directions(
    regions: Regions, region: str, form: str
) -> None:
    M_f, M_b = regions[f"{region}/M_fore"], regions[f"{region}/M_back"]
    found = resefa(M_f.astype(np.float64), M_b.astype(np.float64), FORMS[form])
    case = f"{region}/{form}"
    exact = regions[f"{case}/eigenvalues_eigh_float64"]
    # the published ridge has a trace summed in single precision
    np.testing.assert_allclose(found.eigenvalues, exact, rtol=1e-7 if FORMS[form] else 1e-9)
    np.testing.assert_allclose(found.eigenvalues[:5], regions[f"{case}/eigenvalues"][:5], rtol=3e-6)
    assert cosines(found.directions, regions[f"{case}/directions_eigh_float64"]).min() > 1 - 1e-6
    published = cosines(found.directions, regions[f"{case}/directions"])
    assert published[:5].min() > 1 - 1e-6
    assert published.min() > 0.997  # single precision cost the published plain form as much


@pytest.mark.parametrize("region", ["box", "corner"])
@pytest.mark.parametrize("form", FORMS)
def test_our_network_gives_the_published_directions(
    regions: Regions, linearized: Linearization, region: str, form: str
) -> None:
    """From the weights on: generator, derivative, Gram matrices, directions."""
    mask = regions[f"{region}/mask"]
    M = grams(linearized, mask, 1 - mask)
    for ours, name in ((M.fore, "M_fore"), (M.back, "M_back")):
        published = regions[f"{region}/{name}"]
        assert np.abs(ours - published).max() < 1e-5 * np.abs(published).max()
    found = resefa(*M, FORMS[form])
    case = f"{region}/{form}"
    np.testing.assert_allclose(found.eigenvalues[:5], regions[f"{case}/eigenvalues"][:5], rtol=1e-4)
    assert cosines(found.directions, regions[f"{case}/directions"])[:5].min() > 1 - 1e-6


def test_the_ridge_is_a_share_of_the_trace(regions: Regions) -> None:
    M_f, M_b = (regions[f"box/{name}"].astype(np.float64) for name in ("M_fore", "M_back"))
    ridge = regions["box/full_rank/M_back"] - M_b
    np.testing.assert_allclose(ridge, 1e-3 * np.trace(M_b) * np.eye(48), rtol=1e-6)
    np.testing.assert_allclose(resefa(M_f, M_b).eigenvalues, resefa(M_f, M_b + ridge, 0)[1])


def test_eigenvalues_are_the_quotients(regions: Regions) -> None:
    M_f, M_b = (regions[f"box/{name}"].astype(np.float64) for name in ("M_fore", "M_back"))
    n, values = resefa(M_f, M_b, tau=0)
    quotients = np.einsum("kd,de,ke->k", n, M_f, n) / np.einsum("kd,de,ke->k", n, M_b, n)
    np.testing.assert_allclose(quotients, values, rtol=1e-4)  # of directions in single precision


def test_order_sign_length_and_num(regions: Regions) -> None:
    M_f, M_b = (regions[f"box/{name}"].astype(np.float64) for name in ("M_fore", "M_back"))
    found, few = resefa(M_f, M_b), resefa(M_f, M_b, num=3)
    assert (np.diff(found.eigenvalues) <= 0).all()
    largest = np.abs(found.directions).argmax(axis=1)
    assert (found.directions[np.arange(48), largest] > 0).all()
    np.testing.assert_allclose(np.linalg.norm(found.directions, axis=1), 1, atol=1e-6)
    assert found.directions.flags.c_contiguous and found.directions.dtype == np.float32
    np.testing.assert_array_equal(few.directions, found.directions[:3])
    np.testing.assert_array_equal(few.eigenvalues, found.eigenvalues[:3])


def test_the_raw_form_refuses_a_singular_background() -> None:
    M_f, M_b = np.diag([1.0, 2.0, 3.0]), np.diag([1.0, 1.0, 0.0])
    with pytest.raises(SefaError, match=r"singular.*tau above 0"):
        resefa(M_f, M_b, tau=0)
    found = resefa(M_f, M_b, tau=1e-3)  # what the ridge is for
    np.testing.assert_allclose(found.directions[0], [0, 0, 1], atol=1e-6)
    assert found.eigenvalues[0] == pytest.approx(3 / 2e-3)


def by_tau(pictures: Sequence[MatrixPair], tau: float) -> float:
    return left_out(pictures, partial(resefa, tau=tau, num=1))


def test_tau_auto_takes_a_small_ridge_where_the_still_direction_is_still_everywhere() -> None:
    """Direction 0 changes 1 in the region and 1e-5 beside it, direction 1 changes 500 and 1."""
    picture = np.diag([1.0, 500.0]), np.diag([1e-5, 1.0])
    assert by_tau([picture, picture, picture], 1e-2) == pytest.approx(500)
    assert by_tau([picture, picture, picture], 1e-6) == pytest.approx(1e5)


def test_tau_auto_takes_a_large_ridge_where_stillness_is_chance() -> None:
    """Every picture has a direction that moves its own background alone not at all."""
    pictures = []
    for i in range(3):
        back = np.array([1.0, 1e4, 1e4, 1e4])
        back[1 + i] = 1e-6
        pictures.append((np.diag([20.0, 1.0, 1.0, 1.0]), np.diag(back)))
    mean = [np.mean([picture[part] for picture in pictures[:1]], axis=0) for part in (0, 1)]
    assert abs(resefa(mean[0], mean[1], tau=1e-9).directions[0][1]) > 0.99  # still by chance
    assert by_tau(pictures[:2], 1e-2) > 10 * by_tau(pictures[:2], 1e-9)


def test_left_out_looks_at_the_picture_that_was_not_used() -> None:
    one, other = (np.diag([4.0, 1.0]), np.eye(2)), (np.diag([1.0, 9.0]), np.eye(2))
    assert left_out([one, other], lambda fore, back: resefa(fore, back, tau=0)) == 1.0


def test_no_picture_outweighs_the_others() -> None:
    """Direction 1 suits the last picture alone, which changes a hundred times as much."""
    quiet, loud = (np.diag([9.0, 1.0]), np.eye(2)), (np.diag([1.0, 900.0]), 100 * np.eye(2))
    pictures = [quiet, quiet, quiet, loud]
    plain = [np.mean([picture[part] for picture in pictures], axis=0) for part in (0, 1)]
    assert abs(resefa(*plain).directions[0][1]) > 0.99
    weights = equal_weights([[np.trace(M) for M in picture] for picture in pictures])
    weighed = [
        np.mean([w * own[part] for w, own in zip(weights[:, part], pictures, strict=True)], axis=0)
        for part in (0, 1)
    ]
    np.testing.assert_allclose(
        np.trace(weighed, axis1=1, axis2=2), np.trace(plain, axis1=1, axis2=2)
    )
    assert abs(resefa(*weighed).directions[0][0]) > 0.99
    assert left_out(pictures, lambda fore, back: resefa(fore, back, tau=0)) == pytest.approx(9)


def test_a_picture_that_does_not_change_has_no_weight() -> None:
    with pytest.raises(SefaError, match="nothing in the region changes"):
        equal_weights([[1.0, 1.0], [0.0, 1.0]])


def test_leaving_one_out_needs_two_pictures() -> None:
    with pytest.raises(UsageError, match="two or more"):
        by_tau([(np.eye(2), np.eye(2))], 1e-3)


@pytest.mark.parametrize("tau", [-1e-3, float("nan"), float("inf")])
def test_tau_below_zero_is_refused(tau: float) -> None:
    with pytest.raises(UsageError, match="0 or more"):
        resefa(np.eye(2), np.eye(2), tau)


@pytest.mark.parametrize("solve", [resefa, null_space, low_rank])
def test_what_does_not_change_is_refused(solve) -> None:
    with pytest.raises(SefaError, match="nothing in the region"):
        solve(np.zeros((8, 8)), np.eye(8))
    with pytest.raises(SefaError, match="nothing in the background"):
        solve(np.eye(8), np.zeros((8, 8)))
