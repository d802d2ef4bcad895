"""The frames of a film: steps, easing, rests, several directions."""

import numpy as np
import pytest

from sefa_cli.errors import UsageError
from sefa_cli.rendering.sweeps import frame_alphas, rest_frames, shots


def test_alphas_of_a_sweep():
    assert frame_alphas((-3, 3), 7).tolist() == [-3, -2, -1, 0, 1, 2, 3]
    assert frame_alphas((2, -2), 2).tolist() == [2, -2]
    assert frame_alphas((1, 5), 1).tolist() == [1]


def test_a_sweep_passes_its_stops_in_turn() -> None:
    assert frame_alphas((0, 2, -2, 0), 3).tolist() == [0, 1, 2, 0, -2, -1, 0]
    assert frame_alphas((0, 2, -2), 2, rest=1).tolist() == [0, 0, 2, 2, -2, -2]
    assert frame_alphas((0, 2, 1), 2, bounce=True).tolist() == [0, 2, 1, 2]
    smooth = frame_alphas((0, 2, 0), 9, ease="smooth")
    assert np.allclose(smooth, smooth[::-1]) and smooth[8] == 2


def test_alphas_that_bounce_loop_without_a_jump():
    alphas = frame_alphas((-1, 1), 5, bounce=True)
    assert alphas.tolist() == [-1, -0.5, 0, 0.5, 1, 0.5, 0, -0.5]
    steps = np.diff(np.append(alphas, alphas[0]))
    assert np.allclose(np.abs(steps), 0.5)
    assert frame_alphas((-1, 1), 2, bounce=True).tolist() == [-1, 1]
    assert frame_alphas((-1, 1), 1, bounce=True).tolist() == [-1]


@pytest.mark.parametrize("bad", [((-1, 1), 0), ((float("nan"), 1), 3), ((0, float("inf")), 3)])
def test_sweeps_that_are_refused(bad):
    with pytest.raises(UsageError):
        frame_alphas(*bad)


def test_smooth_keeps_the_ends_and_is_slow_there():
    alphas = frame_alphas((-3, 3), 49, ease="smooth")
    assert (alphas[0], alphas[24], alphas[-1]) == (-3, pytest.approx(0), 3)
    assert np.allclose(alphas, -alphas[::-1])
    steps = np.diff(alphas)
    assert (steps > 0).all() and steps[0] < steps[24] / 10
    assert frame_alphas((1, 2), 1, ease="smooth").tolist() == [1]


def test_smooth_bounce_turns_without_a_kink():
    """The speed changes little everywhere, also at the turns and at the loop."""
    alphas = frame_alphas((-3, 3), 25, bounce=True, ease="smooth")
    speed = np.diff(np.concatenate([alphas, alphas[:2]]))
    assert np.abs(np.diff(speed)).max() < np.abs(speed).max() / 7


@pytest.mark.parametrize("bounce", [False, True])
def test_rests_show_both_ends_longer(bounce):
    alphas = frame_alphas((-1, 1), 3, bounce, rest=2).tolist()
    assert alphas == [-1, -1, -1, 0, 1, 1, 1] + [0] * bounce


def test_the_last_frame_of_a_sweep_is_its_end():
    for ease in ("linear", "smooth"):
        assert frame_alphas((0.1, 0.7), 7, ease=ease)[-1] == 0.7


def test_rests_are_whole_frames():
    assert [rest_frames(s, 25) for s in (0, 0.5, 1, 0.1)] == [0, 13, 25, 3]
    for bad in (-1, float("nan"), float("inf"), 4000):
        with pytest.raises(UsageError, match="hold must be between 0 and 3600 seconds"):
            rest_frames(bad, 25)


def test_rows_move_together_and_a_sequence_one_by_one():
    assert shots([4, 1], [0, 2]) == [((4, 0), (1, 0)), ((4, 2), (1, 2))]
    assert shots([4, 1], [0, 2], "sequence") == [((4, 0),), ((4, 2),), ((1, 0),), ((1, 2),)]


def test_a_sequence_from_0_that_bounces_never_jumps():
    """Directions change at α = 0, where they are the same picture."""
    film = shots([0, 1], frame_alphas((0, 3), 7, bounce=True).tolist(), "sequence")
    pairs = zip(film, [*film[1:], film[0]], strict=True)
    places = [[np.array([a * (k == n) for n in (0, 1)]) for ((k, a),) in pair] for pair in pairs]
    assert max(np.abs(one - other).max() for one, other in places) == pytest.approx(0.5)


def test_unknown_words_are_refused():
    with pytest.raises(UsageError, match=r"unknown ease 'fast'.*linear or smooth"):
        frame_alphas((0, 1), 2, ease="fast")
    with pytest.raises(UsageError, match=r"unknown arrangement 'grid'.*rows or sequence"):
        shots([0], [1], "grid")
