"""States are values, and history goes back and forth between them."""

from dataclasses import replace

import pytest
import torch

from sefa_cli.errors import MismatchError, SefaError
from sefa_cli.studio.filming import film_of
from sefa_cli.studio.library import Model
from sefa_cli.studio.session import History, Sliders, State, shown_directions
from sefa_cli.studio.shell import named


@pytest.fixture
def sliders(model: Model) -> Sliders:
    return model.factorize("all")


@pytest.fixture
def state(sliders: Sliders) -> State:
    return State(seed=3).added(sliders)


def test_sliders_round_as_commands_do(sliders: Sliders) -> None:
    moved = sliders.at(3, 1.234567).at(0, -2).at(1, 0.001)
    assert moved.alphas == ((0, -2.0), (3, 1.23)) and moved.alpha(1) == 0
    assert moved.at(3, 0).alphas == ((0, -2.0),) and not moved.still().alphas
    assert sliders.alphas == ()


def test_sets_are_added_replaced_and_removed(model: Model, state: State) -> None:
    both = state.added(model.factorize("bottom")).at(0, 2)
    assert both.active == 1 and [own.path for own in both.moved] == ["tiny_bottom.dirs"]
    assert both.added(model.factorize("bottom")).moved == ()
    assert replace(both, active=0).without(0).active == 0
    assert both.without(1).without(0) == State(seed=3) and State().sliders is None


def test_the_moves_of_all_sets_add_up(model: Model, state: State) -> None:
    generator = model.generator
    both = state.at(1, 2).added(model.factorize("bottom")).at(0, -1)
    expected = generator.truncate(generator.map(generator.sample([3])), 0.7)
    first, second = both.sets
    expected += 2 * torch.tensor(first.bundle.directions[1])
    expected[:, list(second.bundle.layers)] -= torch.tensor(second.bundle.directions[0])
    torch.testing.assert_close(both.codes(generator), expected)
    assert torch.equal(both.before().codes(generator), state.start(generator).codes)


def test_directions_of_z_cannot_move_w(model: Model, state: State, sliders: Sliders) -> None:
    """Also after the moves of another set, and in a film that starts from them."""
    of_z = Sliders("z.dirs", replace(sliders.bundle, space="z"))
    both = state.at(0, 1).added(of_z)
    with pytest.raises(MismatchError, match="directions are for z"):
        both.at(0, 1).codes(model.generator)
    with pytest.raises(MismatchError, match="directions are for z"):
        film_of(model, both, 0)


def test_history(state: State) -> None:
    history = History(state)
    moved = history.do(state.at(0, 1))
    again = history.do(moved.at(0, 2))
    assert history.do(again) is again and len(history.past) == 2
    assert history.undo() is moved and history.undo() is state and history.undo() is state
    assert history.redo() is moved
    other = history.do(moved.at(1, 1))
    assert history.redo() is other and history.undo() is moved


def test_names(state: State) -> None:
    called = named(state, 2, "turns left")
    assert [label for _, label, _ in shown_directions(called.sets[0], 3)] == ["", "", "turns left"]
    with pytest.raises(SefaError, match="label"):
        named(called, 3, "turns left")
    with pytest.raises(SefaError, match="label"):
        named(called, 3, "0-3")
    assert named(called, 2, None).sets[0].bundle.labels[2] is None


def test_a_bundle_of_another_model_is_refused(model: Model, sliders: Sliders) -> None:
    foreign = replace(sliders.bundle, model={**sliders.bundle.model, "fingerprint": "0" * 64})
    with pytest.raises(MismatchError, match=r"x\.dirs belongs to tiny\.pth"):
        model.sliders_of("x.dirs", foreign)


def test_a_slider_ends_at_suggested_steps_or_where_it_stands(sliders: Sliders) -> None:
    bundle = sliders.bundle
    assert sliders.end(1, 2) == round(2 * bundle.step(1), 1) > sliders.end(1, 1)
    assert sliders.at(1, -50).end(1, 2) == 50


def test_history_goes_to_any_of_its_states() -> None:
    history = History()
    for seed in range(1, 5):
        history.do(State(seed=seed))
    for index in (1, 4, 0, 2):
        history.go(index)
        assert [state.seed for state in history.states] == [0, 1, 2, 3, 4]
        assert history.present.seed == len(history.past) == index
    assert history.redo().seed == 3 and history.undo().seed == 2
