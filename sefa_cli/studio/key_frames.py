"""The key frames of a page: what the film shows, and for how long it goes on to the next one.

They are values, as states are: each change makes new ones.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from sefa_cli.editing.mixing import code_of
from sefa_cli.editing.storyboard import Key, Storyboard
from sefa_cli.errors import UsageError
from sefa_cli.studio.presets import parts_of, with_parts
from sefa_cli.studio.session import Origin, State

if TYPE_CHECKING:
    from sefa_cli.studio.library import Model

SHORTEST, LONGEST = 0.1, 60.0  # seconds from one key frame to the next


@dataclass(frozen=True)
class KeyFrame:
    """What the page showed, and the seconds from here to the next key frame."""

    state: State
    seconds: float = 1.0
    caption: str = ""  # of its storyboard, if it has one


@dataclass(frozen=True)
class KeyFrames:
    """All key frames in their order, and how the film goes from one to the next."""

    frames: tuple[KeyFrame, ...] = ()
    ease: str = "linear"

    @property
    def times(self) -> list[float]:
        """The time of each, in seconds from the start."""
        ways = [frame.seconds for frame in self.frames[:-1]]
        return [round(at, 3) for at in accumulate(ways, initial=0.0)][: len(self.frames)]

    def added(self, state: State) -> "KeyFrames":
        """Return these and one more, as long as the last one."""
        seconds = self.frames[-1].seconds if self.frames else 1.0
        return replace(self, frames=(*self.frames, KeyFrame(state.alone, seconds)))

    def doubled(self, i: int) -> "KeyFrames":
        """Return these with a key frame twice: the film stays there."""
        return replace(self, frames=(*self.frames[: i + 1], *self.frames[i:]))

    def without(self, i: int) -> "KeyFrames":
        """Return these without one."""
        return replace(self, frames=(*self.frames[:i], *self.frames[i + 1 :]))

    def moved(self, i: int, to: int) -> "KeyFrames":
        """Return these with one at another place."""
        frames = list(self.frames)
        frames.insert(to, frames.pop(i))
        return replace(self, frames=tuple(frames))

    def lasting(self, i: int, seconds: float) -> "KeyFrames":
        """Return these with other seconds from one to the next. Raises UsageError out of range."""
        if not SHORTEST <= seconds <= LONGEST:
            raise UsageError(f"{seconds:g} seconds", f"{SHORTEST:g} to {LONGEST:g}")
        frame = replace(self.frames[i], seconds=round(seconds, 2))
        return replace(self, frames=(*self.frames[:i], frame, *self.frames[i + 1 :]))


def storyboard_of(model: "Model", shown: KeyFrames, inside: bool = False) -> Storyboard:
    """Return the storyboard of key frames; `inside` it are the codes, instead of their files.

    Raises UsageError unless there are two or more.
    """
    keys = [_key(model, frame, inside) for frame in shown.frames]
    return Storyboard(
        tuple(replace(key, at=at) for key, at in zip(keys, shown.times, strict=True)),
        model.ref,
        shown.ease,
    )


def film_look(model: "Model", shown: KeyFrames) -> tuple[int | None, float | None]:
    """Return the class and truncation of a whole film, for a model that needs one of each.

    Raises UsageError if the key frames of such a model have several.
    """
    found = {(frame.state.label, frame.state.trunc) for frame in shown.frames}
    if not model.generator.conditioned:
        return None, None
    if len(found) > 1:
        raise UsageError(
            f"several classes or truncations in a film of a {model.generator.family} model", "one"
        )
    return found.pop()


def with_storyboard(
    model: "Model", state: State, text: str, name: str, known: Mapping[str, Origin]
) -> KeyFrames:
    """Return the key frames in a storyboard.

    Its bundles are those of the page, or files in the folder where the studio runs; its codes are
    those that are `known` by their file, or files in that folder. Raises SefaError if it cannot be
    read, or belongs to another model.
    """
    bundles = {Path(own.path): own.bundle for own in state.sets}
    story = Storyboard.parse(text, name, bundles, codes=known)
    lasting = [b.at - a.at for a, b in pairwise(story.keys)]
    lasting.append(lasting[-1])
    frames = []
    for key, seconds in zip(story.keys, lasting, strict=True):
        start = _start(model, state.before().alone, key, known)
        own = with_parts(model, start, key.parts)
        own.codes(model.generator)  # raises an error if it is not of this model
        frames.append(KeyFrame(own, round(seconds, 3), key.caption))
    return KeyFrames(tuple(frames), story.ease)


def _key(model: "Model", frame: KeyFrame, inside: bool) -> Key:
    state, whole = frame.state, model.generator.conditioned
    if origin := state.origin:
        source: object = origin.codes if inside else origin.path
    else:
        source = state.seed
    label = None if whole or state.origin else state.label
    psi = None if whole else state.trunc
    return Key(0, source, state.mix or None, psi, parts_of(state), frame.caption, label)  # type: ignore[arg-type]


def _start(model: "Model", state: State, key: Key, known: Mapping[str, Origin]) -> State:
    """Return a state at the start of a key frame, before its moves."""
    mix = str(key.mix_from or "")
    if isinstance(key.source, int):
        label = state.label if key.label is None else key.label
        start = replace(state.with_seed(key.source), label=label, mix=mix)
    elif mix:
        raise UsageError(f"{key.source} is mixed with {mix}", "a seed, to mix from on the page")
    else:
        start = state.started(known.get(str(key.source)) or origin_of(model, str(key.source)))
    return replace(start, trunc=key.truncation)


def origin_of(model: "Model", path: str) -> Origin:
    """Return the code in a file of the folder where the studio runs: `face.npz`, `face.npz:2`."""
    code = code_of(model.generator, path)[0].cpu().numpy()
    return Origin(Path(path).name, path, code.astype("<f4").tobytes(), code.shape)


def origins_in(states: Sequence[State]) -> dict[str, Origin]:
    """Return the codes that states start from, by their files."""
    return {state.origin.path: state.origin for state in states if state.origin}
