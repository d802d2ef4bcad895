"""The shell commands that do the same as the page: the same codes, and so the same picture."""

import shlex
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from sefa_cli.bundle.annotations import relabeled
from sefa_cli.checkpoints import is_remote
from sefa_cli.ranges import format_range
from sefa_cli.studio.session import Sliders, State

if TYPE_CHECKING:
    from sefa_cli.studio.library import Model

FRAMES = 24  # of the page's films


def command(*words: object) -> str:
    """Return a `sefa` command, quoted for a shell."""
    return shlex.join(["sefa", *map(str, words)])


def factorize_command(model: str, layers: str, deflate: bool, path: str) -> str:
    """Return the command that makes the bundle of global directions."""
    gain = ["--deflate-gain"] if deflate else []
    return command("factorize", model, "-L", layers, *gain, "-o", path)


def name_command(path: str, k: int, label: str | None) -> str:
    """Return the command that names a direction, or removes its name."""
    words = ["--clear", k] if label is None else [k, label]
    return command("name", path, *words)


def named(state: State, k: int, label: str | None) -> State:
    """Return the state with `label` on direction `k` of the active set, or with no label on it.

    Raises SefaError if the label is not valid.
    """
    own = state.sliders
    assert own is not None
    bundle = relabeled(own.bundle, {k: label})
    made_by = (*own.made_by, name_command(own.path, k, label))
    return state.with_sliders(replace(own, bundle=bundle, made_by=made_by))


def picture_commands(model: "Model", state: State, output: str = "picture") -> list[str]:
    """Return the commands that make the picture at full size in the folder `output`.

    They also make the bundle whose sliders are shown.
    """
    own = state.sliders
    lines = [*started_by(state), *([] if own is None or own.alphas else own.made_by)]
    how = ["--size", quick_size(model), "--fast"] if state.more else []
    if not state.moved:
        sample = command("sample", model.ref, *start_words(state), *how, "-o", output)
        return _once([*lines, sample])
    *first, last = state.moved
    lines += [*codes_commands(model, state, first), *last.made_by]
    edit = edit_command(model, last, _from(model, state, len(first)), *how, "-o", output)
    return _once([*lines, edit])


def codes_commands(
    model: "Model", state: State, sets: Sequence[Sliders], of: str = ""
) -> list[str]:
    """Return the commands that make `codes1.npz`, `codes2.npz` …: the code after each set's move.

    `of` is a prefix of these names, for codes that are not those of the picture on the page.
    """
    lines: list[str] = []
    for number, sliders in enumerate(sets, start=1):
        lines += sliders.made_by
        start = _from(model, state, number - 1, of)
        keep = ["-o", f"{of}codes{number}", "--save-codes", codes_name(number, of)]
        lines.append(edit_command(model, sliders, start, *keep))
    return lines


def face_command(model: "Model", state: State, output: str) -> str:
    """Return the command that makes the face before any move, a picture that keeps its code."""
    return command("sample", model.ref, *start_words(state), "-o", output)


def codes_name(number: int, of: str = "") -> str:
    """Return the name of the file with the codes after `number` moves."""
    return f"{of}codes{number}.npz"


def film_commands(model: "Model", state: State, k: int, output: str) -> list[str]:
    """Return the commands for a film of direction `k` of the active set.

    All other sliders stay where they are.
    """
    own = state.sliders
    assert own is not None
    others = film_start(state, k).moved
    lines = [*started_by(state), *codes_commands(model, state, others)]
    start = _from(model, state, len(others))
    how = ["--frames", FRAMES, "--bounce"]
    how += ["--size", quick_size(model), "--fast", "-o", output]
    film = command("animate", *_dirs(model, own), "--k", k, *start, *how)
    return _once([*lines, *own.made_by, film])


def quick_size(model: "Model") -> int:
    """Return the size of quick pictures and of a film's, in pixels."""
    return min(256, model.generator.resolution)


def film_start(state: State, k: int) -> State:
    """Return the state that a film of direction `k` starts from: this slider at 0."""
    return state.at(k, 0.0)


def started_by(state: State) -> list[str]:
    """Return the commands that make the file of the code that the moves start from."""
    return [*state.origin.made_by] if state.origin else []


def _once(lines: Sequence[str]) -> list[str]:
    """Return the lines without repetitions: several bundles may need the same command."""
    return list(dict.fromkeys(lines))


def edit_command(model: "Model", sliders: Sliders, start: Sequence[object], *rest: object) -> str:
    """Return the command that moves `start`, the options for codes, by a set's move."""
    pairs = [word for k, a in sliders.alphas for word in ("--k", k, "--alpha", f"{a:g}")]
    return command("edit", *_dirs(model, sliders), *pairs, *start, *rest)


def _dirs(model: "Model", sliders: Sliders) -> list[object]:
    """Return the options for the bundle, for a model that is a file, and for other layers."""
    words: list[object] = ["--dirs", sliders.path]
    if not is_remote(model.ref):
        words += ["--model", model.ref]
    if sliders.layers is not None:
        words += ["-L", format_range(sliders.layers)]
    return words


def start_words(state: State) -> list[object]:
    """Return the options for the faces before any move."""
    if state.origin:
        return ["--codes", state.origin.path, *_look(state)]
    mix = ["--mix-from", state.mix] if state.mix else []
    return ["--seeds", format_range(state.seeds), *mix, *_look(state)]


def _look(state: State) -> list[object]:
    trunc = [] if state.trunc is None else ["--trunc", f"{state.trunc:g}"]
    label = [] if state.label is None or state.origin else ["--class", state.label]
    return [*trunc, *label]


def _from(model: "Model", state: State, moves: int, of: str = "") -> list[object]:
    """Return the options for the seeds, or for the codes after `moves` moves."""
    if not moves:
        return start_words(state)
    look = _look(state) if model.generator.conditioned else []  # synthesis needs them, too
    return ["--codes", codes_name(moves, of), *look]
