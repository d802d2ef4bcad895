"""Collect the Gram matrices of several pictures, a stage at a time.

What an earlier run finished is taken from the partial file.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from sefa_cli.discovery import few_passes, null_space
from sefa_cli.discovery.directions import leading_of
from sefa_cli.discovery.gram_matrices import Grams, Leading, Matrices, Spanned, mean_grams
from sefa_cli.discovery.jacobian import Begun, Report, Watch, grams
from sefa_cli.discovery.memory import free_bytes
from sefa_cli.discovery.partial import Partial
from sefa_cli.discovery.resefa import equal_weights
from sefa_cli.discovery.search import Search, Target
from sefa_cli.discovery.sefa import Float64
from sefa_cli.discovery.sketch import Sketch, Within, first_basis, sketch, whole_trace, widened
from sefa_cli.generators.base import Generator
from sefa_cli.generators.linearize import Linearization
from sefa_cli.projections import select
from sefa_cli.ranges import format_range

Arrays = Sequence[NDArray[Any]]
TracesOf = Callable[[int, Grams, Float64], tuple[float, float]]  # picture, within, basis

LEADING = 10  # directions that have to be right before a sketch is good enough
SMALL = 0.01  # how right: the last residuals, as shares of λ c; the error is less than they are


class Aim(NamedTuple):
    """When the turns that widen a basis may end, and how many residuals each adds."""

    leading: int  # directions that have to be right
    small: float  # the residuals of a last turn, as shares of λ c
    turns: int  # at most
    block: int | None  # residuals; None for all
    later: Callable[[int, int], int] | None = None  # turn, how many have to be right → residuals

    def of(self, turn: int, found: Leading) -> tuple[Leading, int]:
        """Return what a turn adds, and how much of it has to be right."""
        if self.later is None:
            return found, self.leading
        right = few_passes.have_to_be_right(found.back)
        added = self.later(turn, right)
        return Leading(*(part[:added] for part in found)), right


@dataclass(frozen=True)
class Collector:
    """Collects a region's matrices from the pictures of several codes of one generator."""

    generator: Generator
    codes: torch.Tensor  # (s, num_layers, d) or (s, d)
    numbers: Sequence[int]  # seeds, or places in a file of codes
    target: Target
    label: int | None = None
    partial: Partial | None = None
    advance: Callable[[int], None] | None = None  # hears how many passes were done since
    watch: Callable[[int, slice, torch.Tensor], None] | None = None  # sees J: picture, rows, J v

    def matrices(self, search: Search, joint: bool = True) -> list[Matrices]:
        """Return M_f and M_b of every picture.

        dim is d, in w+ d × layers. If it is large, the matrices are within a basis: one for
        all pictures, or without `joint` one for each. Raises SefaError for a region that nothing
        changes, or a memory budget too small for one pass.
        """
        everyone = range(len(self.numbers))
        d = self.generator.w_dim
        if not (search.few(d) or search.sketched(d)):
            return [self._exact(i, search) for i in everyone]
        if joint:
            return list(self._spanned(everyone, search))
        return [found for i in everyone for found in self._spanned([i], search)]

    def _exact(self, i: int, search: Search) -> Grams:
        watch = self.watch

        def work(progress: Report, begun: Begun) -> Grams:
            seen = None if watch is None else lambda at, changes: watch(i, at, changes)
            return picture_grams(self, i, search, progress, begun, seen)

        stage = f"grams {format_range(search.layers)}"
        return Grams(*self._kept(stage, self.numbers[i], search.dim(self.generator.w_dim), work))

    def _spanned(self, chosen: Sequence[int], search: Search) -> list[Spanned]:
        """Return the matrices within a span that residuals widen: `few_passes` and `sketch`."""
        basis, traces_of, aim = self._first(chosen, search)
        device = self.generator.device
        memory = free_bytes(device) // 2 if search.memory is None else search.memory
        share = memory // len(chosen)
        linearize = self._linearizer(search, share)
        within = {i: Within(self.target.of(i), share, search.sum_channels) for i in chosen}

        def mean_within() -> tuple[Grams, Float64, float]:
            """Go on to the basis; return the mean matrices, the pictures' weights and tr M_b."""
            for i, own in within.items():
                new = basis.shape[1] - len(own.grams.fore)
                if new:
                    own.extend(linearize(i), basis, self._report(new))
            traces = np.array([traces_of(i, own.grams, basis) for i, own in within.items()])
            weights, trace = equal_weights(traces), float(traces[:, 1].mean())
            return mean_grams([own.grams for own in within.values()], weights), weights, trace

        def turn_of(turn: int) -> Arrays:
            """Return residuals to add `(p, dim)`, how large all are, and whether it is enough."""
            mean, weights, trace = mean_within()
            found = leading_of(mean, basis, trace, search, aim.block)
            found, right = aim.of(turn, found)
            rows = self._residuals(within, weights, basis, found, linearize)
            lacking = np.linalg.norm(rows, axis=1) / found.scale
            enough = np.array([lacking[:right].max() < aim.small], np.float32)
            return rows[lacking > aim.small / 10].astype(np.float32), lacking, enough

        leading = np.full(aim.leading, np.inf)
        for turn in range(aim.turns):
            rows, lacking, enough = self._turn(turn, chosen, turn_of)
            leading = lacking[: aim.leading]
            if len(rows):
                basis = widened(basis, rows)
            whole = basis.shape[1] == len(basis)
            if enough.any() or whole or not len(rows):
                break
        _, weights, trace = mean_within()
        return [
            Spanned(own.grams, basis, (float(fore), float(back)), trace, leading)
            for own, (fore, back) in zip(within.values(), weights, strict=True)
        ]

    def _turn(self, turn: int, chosen: Sequence[int], work: Callable[[int], Arrays]) -> Arrays:
        """Return what a turn found from `partial`, or do its `work`."""
        if self.partial is None:
            return work(turn)
        stage, first = f"turn {turn}", self.numbers[chosen[0]]
        if (found := self.partial.found(stage, first)) is not None:
            self._report(len(found[1]) * len(chosen))(1, 1)
            return found
        made = work(turn)
        self.partial.keep(stage, first, made)
        return made

    def _first(self, chosen: Sequence[int], search: Search) -> tuple[Float64, TracesOf, Aim]:
        """Return a basis to begin with, how it tells the traces, and when the turns may end."""
        d = self.generator.w_dim
        if search.few(d):
            layers = select(self.generator.checkpoint, format_range(search.layers), "all")
            matrices = [layer.matrix.finite(layer.name) for layer in layers]

            def probed(i: int, own: Grams, basis: Float64) -> tuple[float, float]:
                fore, back = (few_passes.probed_trace(M, d)[0] for M in own)
                return fore, back

            right, block = few_passes.LEADING, search.block(0)
            aim = Aim(right, few_passes.SMALL, few_passes.TURNS, block, search.block)
            if search.method == "nullspace":
                aim = Aim(right + search.rank, null_space.SMALL, null_space.TURNS, block)
            return few_passes.first_basis(matrices), probed, aim
        sketches = {i: self._sketch(i, search, len(chosen)) for i in chosen}

        def known(i: int, own: Grams, basis: Float64) -> tuple[float, float]:
            return float(np.trace(own.fore)), whole_trace(own, basis, sketches[i])

        aim = Aim(LEADING, SMALL, search.turns, search.num)
        return first_basis(list(sketches.values())), known, aim

    def _linearizer(self, search: Search, share: int) -> Callable[[int], Linearization]:
        """Return what makes a picture's derivative, and keeps it if its share of memory allows."""
        kept: dict[int, Linearization] = {}

        def linearize(i: int) -> Linearization:
            if i in kept:
                return kept[i]
            made = search.linearize(self.generator, self.codes[i], self.label)
            if made.graph_bytes < share // 2:
                kept[i] = made
            return made

        return linearize

    def _sketch(self, i: int, search: Search, pictures: int) -> Sketch:
        half, spare = search.shares(self.generator.w_dim, pictures)

        def work(progress: Report, begun: Begun) -> Sketch:
            return sketch(
                search.linearize(self.generator, self.codes[i], self.label),
                self.target.of(i),
                half,
                spare,
                search.memory,
                seed=self.numbers[i],
                sum_channels=search.sum_channels,
                progress=progress,
                begun=begun,
            )

        return Sketch(*self._kept("sketch", self.numbers[i], 2 * half + spare, work))

    def _residuals(
        self,
        within: Mapping[int, Within],
        weights: Float64,
        basis: Float64,
        found: Leading,
        linearize: Callable[[int], Linearization],
    ) -> Float64:
        """Return residuals `(p, dim)` of leading directions."""
        n = found.vectors
        pulled = []
        for (i, own), (fore, back) in zip(within.items(), weights, strict=True):
            inner = basis.T @ n.T  # (k, p)
            shares = found.fore, found.back * (back / fore)
            report = self._report(len(n))
            pulled.append(fore * own.pulled(linearize(i), inner, *shares, report))
        rows: Float64 = np.mean(pulled, axis=0, dtype=np.float64) - found.scale[:, None] * n
        return rows

    def _kept(
        self, stage: str, number: int, passes: int, work: Callable[[Report, Begun], Arrays]
    ) -> Arrays:
        """Return a picture's stage from `partial`, or do `work`, which takes `passes`."""
        report = self._report(passes)
        if self.partial is None:
            return work(report, Begun())
        if (found := self.partial.found(stage, number)) is not None:
            report(1, 1)
            return found
        begun = self.partial.begun(stage, number)
        try:
            made = work(report, begun)
        except (KeyboardInterrupt, SystemExit):
            self.partial.keep_begun(stage, number, begun)
            raise
        self.partial.keep(stage, number, made)
        return made

    def _report(self, passes: int) -> Report:
        """Return the report of a stage of `passes` passes, to `advance`."""
        told = 0

        def report(done: int, total: int) -> None:
            nonlocal told
            now = passes * done // total  # columns that do not fit together are made again
            if self.advance is not None:
                self.advance(now - told)
            told = now

        return report


def picture_grams(
    collector: Collector,
    i: int,
    search: Search,
    progress: Report | None = None,
    begun: Begun | None = None,
    watch: Watch | None = None,
) -> Grams:
    """Return M_f and M_b `(dim, dim)` of the i-th picture, by a pass for every dimension."""
    return grams(
        search.linearize(collector.generator, collector.codes[i], collector.label),
        *collector.target.of(i),
        search.memory,
        sum_channels=search.sum_channels,
        progress=progress,
        begun=begun,
        watch=watch,
    )
