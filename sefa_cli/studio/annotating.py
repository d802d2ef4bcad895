"""The paper's user study for one person: each direction swept over several seeds, two questions.

SeFa (Shen & Zhou, CVPR 2021), table 1: does the direction change the picture obviously, and is the
change semantically meaningful? Asked of the leading directions of every level of layers.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sefa_cli.bundle.annotations import annotate, relabeled
from sefa_cli.bundle.bundle import Bundle
from sefa_cli.bundle.rules import LEVELS
from sefa_cli.errors import UsageError
from sefa_cli.studio.session import Sliders, State

if TYPE_CHECKING:
    from sefa_cli.studio.library import Model

SIDE = 160  # pixels of a picture of a sweep
STEPS = (-1.0, -0.5, 0.5, 1.0)  # of the reach
# How far directions are swept by default: the higher the layers, the more a step shows.
REACH = {"bottom": 5.0, "middle": 4.0, "top": 2.5}


@dataclass(frozen=True)
class Question:
    """One direction of one bundle, and the level its layers belong to."""

    path: str
    level: str
    k: int


@dataclass(frozen=True)
class Answer:
    """What a person saw; `meaningful` is asked only where the change is obvious."""

    obvious: bool
    meaningful: bool
    name: str = ""


def level_of(model: "Model", bundle: Bundle) -> str:
    """The level that most layers of a bundle belong to."""
    own = {int(layer) for layer in bundle.layers}
    shared = {level: len(own & set(model.levels.get(level, ()))) for level in LEVELS}
    return max(LEVELS, key=lambda level: shared[level])


def questions(
    model: "Model", state: State, levels: Iterable[str], num: int
) -> tuple[State, list[Question]]:
    """The leading `num` directions of each level; bundles that are missing are factorized.

    `levels` empty: those of the active bundle alone. Raises UsageError where there is none.
    """
    chosen: list[tuple[str, Sliders]] = []
    for level in levels:
        sliders = model.factorize(level)
        own = next((known for known in state.sets if known.path == sliders.path), None)
        if own is None:
            state = state.added(sliders)
        chosen.append((level, own or sliders))
    if not chosen:
        if state.sliders is None:
            raise UsageError("no bundle is open", "one whose directions can be asked about")
        chosen = [(level_of(model, state.sliders.bundle), state.sliders)]
    return state, [
        Question(sliders.path, level, k)
        for level, sliders in chosen
        for k in range(min(num, sliders.bundle.k))
    ]


def sliders_of(state: State, question: Question) -> Sliders:
    """The sliders that a question is about. Raises UsageError where they were closed."""
    for sliders in state.sets:
        if sliders.path == question.path:
            return sliders
    raise UsageError(f"{question.path} is no longer open", "an open bundle")


def answered(state: State, question: Question, answer: Answer) -> State:
    """The state whose bundle holds the answer, and the name as the direction's label.

    Raises SefaError for a name that is not a valid label, or is another direction's.
    """
    own = sliders_of(state, question)
    said = {
        "level": question.level,
        "obvious": answer.obvious,
        "meaningful": answer.obvious and answer.meaningful,
    }
    bundle = annotate(own.bundle, question.k, said)
    bundle = relabeled(bundle, {question.k: answer.name.strip() or None})
    sets = [replace(o, bundle=bundle) if o.path == own.path else o for o in state.sets]
    return replace(state, sets=tuple(sets))


def is_answered(state: State, question: Question) -> bool:
    """Whether both questions have been answered."""
    annotation = sliders_of(state, question).bundle.info[question.k].get("annotation", {})
    return bool({"obvious", "meaningful"} <= annotation.keys())


def sweep(model: "Model", state: State, question: Question, seeds: str, reach: float) -> bytes:
    """A sheet as PNG: a row per seed, the direction from −reach to reach, and before it."""
    import numpy as np

    from sefa_cli.editing.moves import Move
    from sefa_cli.editing.start import start_from
    from sefa_cli.rendering.edits import Edits
    from sefa_cli.rendering.pictures import png
    from sefa_cli.rendering.scene import Scene
    from sefa_cli.rendering.view import View

    own, generator = sliders_of(state, question), model.generator
    start = start_from(generator, seeds, None, state.trunc, None, state.label)
    moves = [Move(((question.k, step * reach),)) for step in STEPS]
    side = min(SIDE, generator.resolution)
    view = View(side, fast=True, label=state.label, truncation=state.trunc)
    unnamed = relabeled(own.bundle, {question.k: None})  # so that no name suggests an answer
    edits = Edits(Scene(generator, start, view, own.layers), unnamed, [moves])
    return png(np.asarray(edits.sheet()), compression=1)
