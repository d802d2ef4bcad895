"""The paper's user study for one person: each direction swept over several seeds, two questions.

Does the direction change the picture obviously, and is the change semantically meaningful? The
study asks this about the leading directions of every level of layers.

Source: Shen & Zhou, CVPR 2021, table 1.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sefa_cli.bundle.annotations import annotate, relabeled
from sefa_cli.bundle.bundle import Bundle
from sefa_cli.bundle.rules import LEVELS
from sefa_cli.errors import UsageError
from sefa_cli.studio.annotating_sheet import Headings
from sefa_cli.studio.session import Sliders, State

if TYPE_CHECKING:
    from sefa_cli.studio.library import Model

SIDE = 160  # pixels: the size of one picture in a sweep
STEPS = (-1.0, -0.5, 0.0, 0.5, 1.0)  # in units of the reach
# The default reach of a sweep. The higher the layers, the more a step shows.
REACH = {"bottom": 5.0, "middle": 4.0, "top": 2.5}


@dataclass(frozen=True)
class Question:
    """One direction of one bundle, and the level its layers belong to."""

    path: str
    level: str
    k: int


@dataclass(frozen=True)
class Answer:
    """What a person saw. `meaningful` counts only if the change is obvious."""

    obvious: bool
    meaningful: bool
    name: str = ""


def level_of(model: "Model", bundle: Bundle) -> str:
    """Return the level that most layers of a bundle belong to."""
    own = {int(layer) for layer in bundle.layers}
    shared = {level: len(own & set(model.levels.get(level, ()))) for level in LEVELS}
    return max(LEVELS, key=lambda level: shared[level])


def questions(
    model: "Model", state: State, levels: Iterable[str], num: int
) -> tuple[State, list[Question]]:
    """Return questions about the leading directions of each level, and a state with their bundles.

    Bundles that are not open yet are made. The active bundle stays the same.

    Args:
        model: The model.
        state: The state of the page.
        levels: "bottom", "middle", "top"; empty for the active bundle alone.
        num: Directions per level.

    Raises:
        UsageError: `levels` is empty and no bundle is open.
    """
    chosen: list[tuple[str, Sliders]] = []
    active = state.active
    for level in levels:
        sliders = model.factorize(level)
        own = next((known for known in state.sets if known.path == sliders.path), None)
        if own is None:
            state = state.added(sliders)
        chosen.append((level, own or sliders))
    if not chosen:
        if state.sliders is None:
            raise UsageError("no bundle is open", "an open bundle, or a level")
        chosen = [(level_of(model, state.sliders.bundle), state.sliders)]
    return replace(state, active=active), [
        Question(sliders.path, level, k)
        for level, sliders in chosen
        for k in range(min(num, sliders.bundle.k))
    ]


def sliders_of(state: State, question: Question) -> Sliders:
    """Return the sliders that a question is about. Raises UsageError if they were closed."""
    for sliders in state.sets:
        if sliders.path == question.path:
            return sliders
    raise UsageError(f"{question.path} is no longer open", "an open bundle")


def answered(state: State, question: Question, answer: Answer) -> State:
    """Return the state with the answer in its bundle; the name becomes the direction's label.

    Raises SefaError if the name is not a valid label, or is the label of another direction.
    """
    own = sliders_of(state, question)
    annotation = {
        "level": question.level,
        "obvious": answer.obvious,
        "meaningful": answer.obvious and answer.meaningful,
    }
    bundle = annotate(own.bundle, question.k, annotation)
    bundle = relabeled(bundle, {question.k: answer.name.strip() or None})
    sets = [replace(o, bundle=bundle) if o.path == own.path else o for o in state.sets]
    return replace(state, sets=tuple(sets))


def is_answered(state: State, question: Question) -> bool:
    """Return whether both questions have answers."""
    return _has_answers(sliders_of(state, question).bundle.info[question.k])


def count_answers(bundle: Bundle) -> int:
    """Return how many directions of a bundle have both answers."""
    return sum(map(_has_answers, bundle.info))


def _has_answers(info: Mapping[str, Any]) -> bool:
    return bool({"obvious", "meaningful"} <= info.get("annotation", {}).keys())


def sweep(
    model: "Model", state: State, question: Question, seeds: str, reach: float
) -> tuple[bytes, Headings]:
    """Return pictures as one PNG: a row for each seed, the direction from −reach to reach.

    A column's heading is where the slider would stand.
    """
    from sefa_cli.editing.moves import Move
    from sefa_cli.rendering.edits import edit
    from sefa_cli.rendering.film_frames import gap_of, one_below_another, side_by_side
    from sefa_cli.rendering.pictures import png

    own, generator = sliders_of(state, question), model.generator
    moves = [Move(((question.k, step * reach),)) for step in STEPS]
    edits = edit(
        own.bundle,
        [moves],
        seeds=seeds,
        truncation=state.trunc,
        label=state.label,
        layers=own.layers,
        model=generator,
        size=min(SIDE, generator.resolution),
        fast=True,
    )
    rows = list(zip(*(edits.render(move) for move in moves), strict=True))
    picture = one_below_another(list(map(side_by_side, rows)), gap_of(rows[0][0].shape[1]))
    headings = Headings(
        tuple(f"{step * reach:+g}" if step else "before" for step in STEPS),
        tuple(edits.scene.start.names),
        picture.shape[1] / picture.shape[0],
    )
    return png(picture, compression=1), headings
