"""Questions about directions, level by level. The answers go into the bundles and are counted."""

import io
import json

import pytest
from PIL import Image
from typer.testing import CliRunner

from sefa_cli.bundle.annotations import Tally, annotate, tallies
from sefa_cli.bundle.bundle import Bundle
from sefa_cli.errors import SefaError, UsageError
from sefa_cli.studio.annotating import (
    Answer,
    answered,
    is_answered,
    level_of,
    questions,
    sliders_of,
    sweep,
)
from sefa_cli.studio.library import Model
from sefa_cli.studio.session import State
from tests.helpers import FORMATS, Sefa


def test_questions_come_level_by_level(model: Model) -> None:
    state, asked = questions(model, State(), ["bottom", "middle", "top"], 3)
    assert [own.path for own in state.sets] == [
        f"tiny_{level}.dirs" for level in ("bottom", "middle", "top")
    ]
    assert [(q.level, q.k) for q in asked[:4]] == [
        ("bottom", 0), ("bottom", 1), ("bottom", 2), ("middle", 0),
    ]  # fmt: skip
    assert len(asked) == 9
    again, _ = questions(model, state, ["bottom"], 3)
    assert again == state


def test_questions_about_the_active_bundle(model: Model) -> None:
    state = State().added(model.factorize("2-3"))
    _, asked = questions(model, state, [], 99)
    assert {q.level for q in asked} == {"middle"} and len(asked) == 32
    with pytest.raises(UsageError, match="no bundle is open"):
        questions(model, State(), [], 3)


@pytest.mark.parametrize(("layers", "level"), [("0-1", "bottom"), ("1-3", "middle"), ("6", "top")])
def test_the_level_of_a_bundle(model: Model, layers: str, level: str) -> None:
    assert level_of(model, model.factorize(layers).bundle) == level


def test_answers_are_kept_and_can_be_changed(model: Model) -> None:
    state, asked = questions(model, State(), ["bottom"], 2)
    assert not is_answered(state, asked[0])
    state = answered(state, asked[0], Answer(True, True, " turns "))
    state = answered(state, asked[1], Answer(False, True))
    about = sliders_of(state, asked[0]).bundle.info
    assert about[0]["label"] == "turns" and is_answered(state, asked[0])
    assert about[0]["annotation"] == {"level": "bottom", "obvious": True, "meaningful": True}
    assert about[1]["annotation"]["meaningful"] is False  # a change that nobody sees means nothing
    with pytest.raises(SefaError, match="label"):
        answered(state, asked[1], Answer(True, True, "turns"))
    assert (
        "label"
        not in sliders_of(answered(state, asked[0], Answer(True, False)), asked[0]).bundle.info[0]
    )
    with pytest.raises(UsageError, match="no longer open"):
        answered(State(), asked[0], Answer(True, True))


def test_a_sweep_has_a_row_for_each_seed(model: Model) -> None:
    state, asked = questions(model, State(), ["bottom"], 1)
    made = [sweep(model, state, asked[0], seeds, 4) for seeds in ("1", "0-2")]
    one, three = (Image.open(io.BytesIO(png)) for png, _ in made)
    assert one.width == three.width > 5 * 32 and three.height > one.height + 2 * 32
    assert made[1][1].rows == ("seed 0", "seed 1", "seed 2")
    assert made[1][1].ratio == three.width / three.height


def test_a_sweep_is_headed_by_where_the_slider_would_stand(model: Model) -> None:
    """A name of the direction would suggest an answer."""
    state, asked = questions(model, State(), ["bottom"], 1)
    state = answered(state, asked[0], Answer(True, True, "smile"))
    _, headings = sweep(model, state, asked[0], "3", 5)
    assert headings.columns == ("-5", "-2.5", "before", "+2.5", "+5")
    assert headings.rows == ("seed 3",)


def test_tallies_skip_unfinished_answers(model: Model) -> None:
    bundle = model.factorize("bottom").bundle
    bundle = annotate(bundle, 0, {"level": "bottom", "obvious": True, "meaningful": True})
    bundle = annotate(bundle, 1, {"level": "bottom", "obvious": True})
    bundle = annotate(bundle, 2, {"level": "bottom", "obvious": False, "meaningful": False})
    bundle = annotate(bundle, 3, {"level": "bottom", "note": "not asked yet"})
    assert tallies([bundle]) == {"bottom": Tally("0-1", 3, 2, 1)}
    odd = Bundle.load(FORMATS / "golden" / "annotations.dirs")
    assert all(tally.asked for tally in tallies([odd]).values())


def test_inspect_prints_the_table(model: Model, sefa: Sefa) -> None:
    state, asked = questions(model, State(), ["bottom", "top"], 2)
    for question in asked:
        state = answered(state, question, Answer(question.k == 0, question.level == "bottom"))
    state = answered(state, asked[0], Answer(True, True, "[b]odd"))
    for sliders in state.sets:
        sliders.bundle.save(sliders.path)
    words = ["inspect", "--annotations", "tiny_bottom.dirs", "tiny_top.dirs"]
    text = sefa(*words).stdout
    assert "bottom (0-1)" in text and "top (6-7)" in text and "1 / 1" in text and "0 / 1" in text
    assert "[b]odd" in text and "2 bottom, 2 top judged directions" in text
    assert json.loads(sefa(*words, "--json").stdout)["top"] == {
        "layers": "6-7", "asked": 2, "obvious": 1, "meaningful": 0,
    }  # fmt: skip


def test_inspect_without_answers(model: Model, sefa: Sefa) -> None:
    from sefa_cli.cli import app

    sefa("factorize", "tiny.pth", "-o", "a.dirs")
    result = CliRunner().invoke(app, ["inspect", "--annotations", "a.dirs"])
    assert result.exit_code == 1 and "no direction has been judged" in result.stderr
