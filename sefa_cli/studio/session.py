"""The state of one page: a seed, its truncation, and sliders along the directions of bundles.

States are values: a move makes a new state, and `History` goes back and forth between them.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from sefa_cli.bundle.bundle import Bundle
from sefa_cli.editing.mixing import parse_mix
from sefa_cli.editing.moves import Move
from sefa_cli.errors import SefaError
from sefa_cli.ranges import check_indices

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray

    from sefa_cli.editing.start import Start
    from sefa_cli.generators.base import Generator


@dataclass(frozen=True)
class Sliders:
    """A bundle on the page, the step along each of its directions, and how it was made."""

    path: str  # the file's name in commands
    bundle: Bundle
    made_by: tuple[str, ...] = ()  # commands that make the file as it is here
    alphas: tuple[tuple[int, float], ...] = ()  # (k, α), sorted by k, without zeros
    layers: tuple[int, ...] | None = None  # to move instead of the bundle's layers

    @property
    def move(self) -> Move:
        """All steps as one move."""
        return Move(self.alphas)

    @property
    def applied(self) -> tuple[int, ...]:
        """The layers that move."""
        own = tuple(int(layer) for layer in self.bundle.layers)
        return own if self.layers is None else self.layers

    def alpha(self, k: int) -> float:
        """Return the step along direction `k`, in units of the latent."""
        return dict(self.alphas).get(k, 0.0)

    def end(self, k: int, steps: float) -> float:
        """Return where slider `k` ends: at some suggested steps, or farther if it stands there."""
        return max(round(steps * self.bundle.step(k), 1), abs(self.alpha(k)))

    def at(self, k: int, alpha: float) -> "Sliders":
        """Return these sliders with direction `k` at `alpha`, rounded as in commands."""
        steps = {**dict(self.alphas), k: round(alpha, 2)}
        return replace(self, alphas=tuple(sorted((k, a) for k, a in steps.items() if a)))

    def still(self) -> "Sliders":
        """Return these sliders, all at 0."""
        return replace(self, alphas=())


@dataclass(frozen=True)
class Origin:
    """A code that moves start from in place of a seed's: of a photo, or of a saved picture."""

    name: str  # of the photo or picture
    path: str  # the file of the code in commands
    data: bytes  # its float32 numbers
    shape: tuple[int, ...]  # (layers, dim) or (dim,)
    about: str = ""  # how near the photo it comes
    made_by: tuple[str, ...] = ()  # commands that make the file

    @property
    def codes(self) -> "NDArray[np.float32]":
        """The code `(1, layers, dim)` or `(1, dim)`."""
        import numpy as np

        return np.frombuffer(self.data, "<f4").reshape(1, *self.shape).astype(np.float32)


@dataclass(frozen=True)
class State:
    """Everything the picture depends on besides the model."""

    seed: int = 0
    trunc: float | None = None  # None: the family's default
    label: int | None = None  # the class of a conditional model
    sets: tuple[Sliders, ...] = ()
    active: int = 0  # the index in `sets` of the sliders that are shown
    origin: Origin | None = None  # what moves start from; None: the seed
    more: tuple[int, ...] = ()  # further seeds, whose faces are edited together with the first
    mix: str = ""  # styles of another source, as `--mix-from` names them: "7:8-22"

    @property
    def sliders(self) -> Sliders | None:
        """The sliders that are shown."""
        return self.sets[self.active] if self.sets else None

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds of all faces."""
        return self.seed, *self.more

    @property
    def moved(self) -> tuple[Sliders, ...]:
        """The sets with a slider that is not at 0."""
        return tuple(sliders for sliders in self.sets if sliders.alphas)

    @property
    def moves(self) -> str:
        """All moves, for names of files: `k3_+2.00`."""
        return "_".join(own.move.name for own in self.moved)

    def with_sliders(self, sliders: Sliders) -> "State":
        """Return this state with other sliders in the active place."""
        sets = list(self.sets)
        sets[self.active] = sliders
        return replace(self, sets=tuple(sets))

    def with_seed(self, seed: int) -> "State":
        """Return this state with another seed, and those after it for the other faces.

        Raises UsageError if one is out of range.
        """
        return replace(self, seed=seed, origin=None).of_faces(len(self.seeds))

    def of_faces(self, count: int) -> "State":
        """Return this state with the faces of `count` seeds from its own on."""
        seeds = check_indices(range(self.seed, self.seed + count), "seed", 2**32)
        return replace(self, more=seeds[1:], origin=None if count > 1 else self.origin)

    @property
    def alone(self) -> "State":
        """This state with the first face alone."""
        return replace(self, more=())

    def started(self, origin: Origin | None) -> "State":
        """Return this state with another start, alone, not truncated and not mixed."""
        return replace(self, origin=origin, trunc=None, more=(), mix="")

    @property
    def about(self) -> str:
        """What it shows, for people: `seed 3, k0_+2.00`."""
        start = f"seed {self.seed}" if self.origin is None else self.origin.name
        start += f" + {self.mix}" if self.mix else ""
        return ", ".join(filter(None, (start, self.moves)))

    @property
    def stem(self) -> str:
        """What names of files begin with: `seed0003`, or `me` for a photo."""
        return f"seed{self.seed:04d}" if self.origin is None else Path(self.origin.path).stem

    def at(self, k: int, alpha: float) -> "State":
        """Return this state with one slider of the active set moved."""
        assert self.sliders is not None
        return self.with_sliders(self.sliders.at(k, alpha))

    def before(self) -> "State":
        """Return this state with every slider at 0."""
        return replace(self, sets=tuple(sliders.still() for sliders in self.sets))

    def only(self, index: int) -> "State":
        """Return this state with the moves of one set alone."""
        sets = [own if i == index else own.still() for i, own in enumerate(self.sets)]
        return replace(self, sets=tuple(sets))

    def resting(self, index: int) -> "State":
        """Return this state without the moves of one set."""
        sets = [own.still() if i == index else own for i, own in enumerate(self.sets)]
        return replace(self, sets=tuple(sets))

    def added(self, sliders: Sliders) -> "State":
        """Return this state with `sliders` as the active set, in place of any of the same file."""
        others = tuple(own for own in self.sets if own.path != sliders.path)
        return replace(self, sets=(*others, sliders), active=len(others))

    def without(self, index: int) -> "State":
        """Return this state without the set at `index`."""
        sets = self.sets[:index] + self.sets[index + 1 :]
        return replace(self, sets=sets, active=max(0, min(self.active, len(sets) - 1)))

    def start(self, generator: "Generator") -> "Start":
        """Return the codes before any move."""
        from sefa_cli.editing.mixing import mixed
        from sefa_cli.editing.start import start_from

        if self.origin is not None:
            return start_from(generator, "0", self.origin.codes, self.trunc)
        start = start_from(generator, self.seeds, None, self.trunc, None, self.label)
        if not self.mix:
            return start
        return mixed(start, generator, self.mix, self.trunc, None, self.label)

    def codes(self, generator: "Generator") -> "torch.Tensor":
        """Return the codes `(n, layers, dim)` or `(n, dim)` of all faces, after all moves.

        Raises MismatchError if a bundle belongs to another model.
        """
        from sefa_cli.editing.start import moved

        start = self.start(generator)
        for sliders in self.moved:
            codes = moved(start, sliders.bundle, sliders.move, sliders.layers)
            start = replace(start, codes=codes)
        return start.codes


@dataclass
class History:
    """The states of a page: the present one, those before it, and those that were undone."""

    present: State = State()
    past: list[State] = field(default_factory=list)
    future: list[State] = field(default_factory=list)

    def do(self, state: State) -> State:
        """Go to a new state and forget what was undone."""
        if state != self.present:
            self.past.append(self.present)
            self.future.clear()
            self.present = state
        return state

    def undo(self) -> State:
        """Go back to the state before, if there is one."""
        return self._go(self.past, self.future)

    def redo(self) -> State:
        """Go to the state that was undone last, if there is one."""
        return self._go(self.future, self.past)

    @property
    def states(self) -> list[State]:
        """All states, the first one first."""
        return [*self.past, self.present, *reversed(self.future)]

    def go(self, index: int) -> State:
        """Go to one of `states`, and return it."""
        states = self.states
        self.past, self.present = states[:index], states[index]
        self.future = states[:index:-1]
        return self.present

    def _go(self, there: list[State], here: list[State]) -> State:
        if there:
            here.append(self.present)
            self.present = there.pop()
        return self.present


def shown_directions(sliders: Sliders, count: int) -> Iterator[tuple[int, str, float | None]]:
    """Yield the leading `count` directions: index, label or "", eigenvalue or None."""
    bundle = sliders.bundle
    for k in range(min(count, bundle.k)):
        value = None if bundle.eigenvalues is None else float(bundle.eigenvalues[k])
        yield k, bundle.labels[k] or "", value


def with_mix(state: State, text: str) -> State:
    """Return the state mixed from another seed. Raises SefaError unless it is one with layers."""
    if text:
        if state.origin:
            raise SefaError("a photo or a saved picture cannot be mixed here", "a face of a seed")
        source, _ = parse_mix(text)
        if not str(source).isdecimal():
            raise SefaError(f"cannot mix from {text!r} here", "a seed and its layers, as in 7:8-22")
    return replace(state, mix=text)
