"""What one page shows: a seed, its truncation, and sliders along the directions of bundles.

States are values: a move makes a new one, and `History` goes back and forth between them.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from sefa_cli.bundle.bundle import Bundle
from sefa_cli.editing.moves import Move
from sefa_cli.errors import UsageError

if TYPE_CHECKING:
    import torch

    from sefa_cli.editing.start import Start
    from sefa_cli.generators.base import Generator


@dataclass(frozen=True)
class Sliders:
    """A bundle on the page, how far each of its directions is moved, and where it comes from."""

    path: str  # what commands call the file
    bundle: Bundle
    made_by: tuple[str, ...] = ()  # commands that make the file as it is here
    alphas: tuple[tuple[int, float], ...] = ()  # (k, step), by k; none is 0
    layers: tuple[int, ...] | None = None  # instead of the bundle's

    @property
    def move(self) -> Move:
        """All steps together."""
        return Move(self.alphas)

    @property
    def applied(self) -> tuple[int, ...]:
        """The layers that are moved."""
        own = tuple(int(layer) for layer in self.bundle.layers)
        return own if self.layers is None else self.layers

    def alpha(self, k: int) -> float:
        """How far direction `k` is moved, in units of the latent."""
        return dict(self.alphas).get(k, 0.0)

    def at(self, k: int, alpha: float) -> "Sliders":
        """These sliders with direction `k` at `alpha`, rounded to what a command would say."""
        steps = {**dict(self.alphas), k: round(alpha, 2)}
        return replace(self, alphas=tuple(sorted((k, a) for k, a in steps.items() if a)))

    def still(self) -> "Sliders":
        """These sliders, all at 0."""
        return replace(self, alphas=())


@dataclass(frozen=True)
class State:
    """Everything the picture depends on beside the model."""

    seed: int = 0
    trunc: float | None = None  # None: the family's default
    label: int | None = None  # class of a conditional model
    sets: tuple[Sliders, ...] = ()
    active: int = 0  # of the sets, the one whose sliders are shown

    @property
    def sliders(self) -> Sliders | None:
        """The sliders that are shown."""
        return self.sets[self.active] if self.sets else None

    @property
    def moved(self) -> tuple[Sliders, ...]:
        """The sets of which any slider is moved."""
        return tuple(sliders for sliders in self.sets if sliders.alphas)

    def with_sliders(self, sliders: Sliders) -> "State":
        """This state with other sliders in the active place."""
        sets = list(self.sets)
        sets[self.active] = sliders
        return replace(self, sets=tuple(sets))

    def with_seed(self, seed: int) -> "State":
        """Another face. Raises UsageError for no seed."""
        if not 0 <= seed < 2**32:
            raise UsageError(f"seed {seed} is out of range", f"0-{2**32 - 1}")
        return replace(self, seed=seed)

    def at(self, k: int, alpha: float) -> "State":
        """One slider of the active set moved."""
        assert self.sliders is not None
        return self.with_sliders(self.sliders.at(k, alpha))

    def before(self) -> "State":
        """The same face with every slider at 0."""
        return replace(self, sets=tuple(sliders.still() for sliders in self.sets))

    def added(self, sliders: Sliders) -> "State":
        """One set more, which becomes the active one; one of the same file is replaced."""
        others = tuple(own for own in self.sets if own.path != sliders.path)
        return replace(self, sets=(*others, sliders), active=len(others))

    def without(self, index: int) -> "State":
        """The set at `index` taken away."""
        sets = self.sets[:index] + self.sets[index + 1 :]
        return replace(self, sets=sets, active=max(0, min(self.active, len(sets) - 1)))

    def start(self, generator: "Generator") -> "Start":
        """The codes before any move."""
        from sefa_cli.editing.start import start_from

        return start_from(generator, str(self.seed), None, self.trunc, None, self.label)

    def codes(self, generator: "Generator") -> "torch.Tensor":
        """The codes `(1, layers, dim)` or `(1, dim)` after the moves of all sets, one by one.

        Raises MismatchError for a bundle that is not of this model.
        """
        from sefa_cli.editing.start import moved

        start = self.start(generator)
        for sliders in self.moved:
            codes = moved(start, sliders.bundle, sliders.move, sliders.layers)
            start = replace(start, codes=codes)
        return start.codes


@dataclass
class History:
    """The states of a page in time; the present one is what it shows."""

    present: State = State()
    past: list[State] = field(default_factory=list)
    future: list[State] = field(default_factory=list)

    def do(self, state: State) -> State:
        """Go on to `state`; what had been undone is forgotten."""
        if state != self.present:
            self.past.append(self.present)
            self.future.clear()
            self.present = state
        return state

    def undo(self) -> State:
        """Back by one, if there is any."""
        return self._go(self.past, self.future)

    def redo(self) -> State:
        """Forward again, if there is anything undone."""
        return self._go(self.future, self.past)

    def _go(self, there: list[State], here: list[State]) -> State:
        if there:
            here.append(self.present)
            self.present = there.pop()
        return self.present


def shown_directions(sliders: Sliders, count: int) -> Iterator[tuple[int, str, float | None]]:
    """The leading `count` directions: index, label or nothing, eigenvalue where there is one."""
    bundle = sliders.bundle
    for k in range(min(count, bundle.k)):
        value = None if bundle.eigenvalues is None else float(bundle.eigenvalues[k])
        yield k, bundle.labels[k] or "", value
