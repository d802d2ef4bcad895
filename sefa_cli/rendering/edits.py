"""Pictures before and after moves: as rows of a sheet, one by one, or as frames of a film."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sefa_cli.bundle.bundle import Bundle
from sefa_cli.editing.moves import Move
from sefa_cli.rendering.film_frames import Captions, gap_of, one_below_another, side_by_side
from sefa_cli.rendering.lettering import heading
from sefa_cli.rendering.sheets import contact_sheet
from sefa_cli.rendering.sweeps import Shot
from sefa_cli.rendering.view import View

if TYPE_CHECKING:
    import torch

    from sefa_cli.editing.start import Start
    from sefa_cli.generators.base import Generator

Picture = NDArray[np.uint8]
_KEPT = 256 * 2**20  # bytes of frames that will be shown again


@dataclass(frozen=True)
class Edits:
    """A table of moves (a row per direction, a column per α) applied to some starting codes."""

    generator: "Generator"
    bundle: Bundle
    start: "Start"
    table: Sequence[Sequence[Move]]
    layers: Sequence[int] | None = None  # instead of the bundle's

    def codes(self, move: Move) -> "torch.Tensor":
        """The starting codes after one move: `(n, layers, dim)` or `(n, dim)`."""
        from sefa_cli.editing.start import moved

        return moved(self.start, self.bundle, move, self.layers)

    def all_codes(self) -> "torch.Tensor":
        """All moved codes, move after move, seeds within: `(moves · n, …)`."""
        import torch

        return torch.cat([self.codes(move) for row in self.table for move in row])

    def pictures(self, view: View) -> Iterator[tuple[str, Picture]]:
        """The moved pictures with their file stems, `seed0003_k3_+2.00`."""
        for row in self.table:
            for move in row:
                made = view.pictures(self.generator, self.codes(move), self.start.numbers)
                for i, picture in enumerate(made):
                    yield f"{self.start.stem(i)}_{move.name}", picture

    def sheet(self, view: View, advance: Callable[[], None]) -> Picture:
        """One picture of all: per direction and seed a row, before first, then a column per α."""
        numbers = self.start.numbers
        before = []
        for picture in view.pictures(self.generator, self.start.codes, numbers):
            before.append(picture)
            advance()
        rows, names = [], []
        for moves in self.table:
            after = [[] for _ in numbers]  # type: list[list[Picture]]
            for move in moves:
                made = view.pictures(self.generator, self.codes(move), numbers)
                for i, picture in enumerate(made):
                    after[i].append(picture)
                    advance()
            rows += [[b, *a] for b, a in zip(before, after, strict=True)]
            names += [self._row_name(moves, name) for name in self.start.names]
        return contact_sheet(rows, names, ["before", *self._column_names()])

    def _row_name(self, moves: Sequence[Move], name: str) -> str:
        return name if len(self.table) == 1 else f"{self._direction(moves[0].steps[0][0])}, {name}"

    def _column_names(self) -> list[str]:
        moves = self.table[0]
        if len(self.table) > 1:
            return [f"α {move.steps[0][1]:+g}" for move in moves]
        return [
            ", ".join(f"{self._direction(k)}  α {alpha:+g}" for k, alpha in move.steps)
            for move in moves
        ]

    def _direction(self, k: int) -> str:
        return heading(self.bundle.labels[k]) or f"k {k}"

    def frames(self, view: View, film: Sequence[Shot], captions: bool = False) -> Iterator[Picture]:
        """The frames of a film: a row per direction, the seeds side by side.

        With `captions` each row has its direction and α under it. A frame that comes again, on
        the way back or while an end rests, is rendered once and kept, up to 256 MB of them.
        """
        shown = film if captions else ()
        texts = frozenset(self._caption(step) for shot in shown for step in shot)
        to_come = Counter(film)
        kept: dict[Shot, Picture] = {}
        for shot in film:
            to_come[shot] -= 1
            frame = kept.pop(shot, None)
            if frame is None:
                frame = self._frame(view, shot, texts)
            if to_come[shot] and (len(kept) + 1) * frame.nbytes <= _KEPT:
                kept[shot] = frame
            yield frame

    def _frame(self, view: View, shot: Shot, texts: frozenset[str]) -> Picture:
        """The rows of one shot; under each its caption where there are `texts`, which all fit."""
        rows = [self._row(view, step) for step in shot]
        side, width = rows[0].shape[:2]
        if texts:
            room = Captions.for_texts(texts, width, side)
            pairs = zip(rows, shot, strict=True)
            rows = [room.under(row, self._caption(step)) for row, step in pairs]
        return one_below_another(rows, gap_of(side))

    def _row(self, view: View, step: tuple[int, float]) -> Picture:
        codes = self.codes(Move((step,)))
        return side_by_side(list(view.pictures(self.generator, codes, self.start.numbers)))

    def _caption(self, step: tuple[int, float]) -> str:
        k, alpha = step
        return f"{self._direction(k)}  α {round(alpha, 2) + 0.0:+.2f}"
