"""The derivative of one picture by its code: along directions, and in reverse from pixels.

The generic route is torch's own forward and reverse mode and serves every family; forward mode is
traced once, so that the picture is not computed again for every batch of directions. A family may
hand in a `Chain`: its picture's layers once computed, their derivatives applied one after another.
"""

import warnings
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Protocol

import torch
from torch import Tensor
from torch.func import functionalize, jvp, linearize, vjp, vmap

from sefa_cli.generators.precision import cast, computing

_TOGETHER = {"cpu": 2}  # cotangents that a chain pulls back at once: on CPUs more take longer
_TRACED = 128  # dimensions from which on a trace is worth its second or two
_SAME = 1e-2  # of the largest change; a trace that is wrong is wrong altogether

Moved = Callable[[Tensor], Tensor]
Moves = Sequence[Tensor | None]  # for every code its tangents (b, d); None where it stands still


class Chain(Protocol):
    """A hand-written derivative of one picture: linear in the moves, no graph, any batch."""

    picture: Tensor  # (1, C, H, W)
    pass_bytes: int  # what the pass of one direction holds at its peak

    def push(self, moves: Moves) -> Tensor:
        """Return the changes of the picture `(b, C, H, W)`."""


class Linearization:
    """J of one picture `(C, H, W)` at one code, which never exists as a whole.

    `dim` is d, where one vector moves all `layers`, or n · d with a row for each (`per_layer`).
    """

    def __init__(
        self,
        paint: Callable[[Tensor], Tensor],
        code: Tensor,
        layers: Sequence[int],
        per_layer: bool = False,
        chain: Chain | None = None,
    ) -> None:
        """Take the derivative of `paint` at `code` `(num_layers, d)`.

        `paint` takes codes `(1, num_layers, d)` to a picture `(1, C, H, W)`; `chain` is the same
        derivative written by hand.
        """
        self.layers, self.per_layer = tuple(layers), per_layer
        self._precision, self._in = "float32", code.dtype
        self.dim: int = code.shape[1] * (len(self.layers) if per_layer else 1)
        self._paint, self._code, self._chain = paint, code, chain

    def compute_in(self, precision: str) -> None:
        """Choose the precision of all passes, before the first one: see `generators.precision`."""
        assert not {"_standing", "_traced"} & vars(self).keys(), "a pass was made"
        if precision != "bf16" or self._chain is None:
            self._precision = precision
            return
        self._in, picture = torch.bfloat16, self._chain.picture
        self._chain = cast(self._chain, self._in)
        self._chain.picture = picture

    @property
    def device(self) -> torch.device:
        """Where directions and cotangents have to be."""
        return self._code.device

    @property
    def dtype(self) -> torch.dtype:
        """What they have to be in."""
        return self._code.dtype

    @cached_property
    def picture(self) -> Tensor:
        """The picture itself `(C, H, W)`."""
        if self._chain is not None:
            return self._chain.picture[0]
        with torch.no_grad():
            return self._paint(self._code[None])[0]

    @cached_property
    def pass_bytes(self) -> int:
        """About the bytes that `forward` needs for one direction.

        The generic route is measured by its largest activation.
        """
        if self._chain is not None:
            return self._chain.pass_bytes
        largest = self.picture.nbytes

        def watch(tensor: Tensor) -> Tensor:
            nonlocal largest
            largest = max(largest, tensor.nbytes)
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(watch, lambda tensor: tensor):
            self._paint(self._code[None].clone().requires_grad_())
        return 8 * largest  # value and tangent, in and out, and what a batched kernel copies

    @cached_property
    def graph_bytes(self) -> int:
        """About what `reverse` holds: everything that one picture's graph saves.

        The graph of a hand-written derivative saves nothing, but takes several at once.
        """
        if self._chain is not None:
            return self._chained * self.pass_bytes
        saved: dict[int, int] = {}

        def watch(tensor: Tensor) -> Tensor:
            storage = tensor.untyped_storage()
            saved[storage.data_ptr()] = storage.nbytes()
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(watch, lambda tensor: tensor):
            self._paint(self._code[None].clone().requires_grad_())
        return sum(saved.values()) + 4 * max(saved.values(), default=0)  # and the pass itself

    def forward(self, directions: Tensor) -> Tensor:
        """J v for every row of directions `(b, dim)`: `(b, C, H, W)`."""
        with computing(self._precision, self.device):
            return self._along(self._spread(directions)).to(self.dtype)

    def _along(self, moves: Tensor) -> Tensor:
        """Return the changes of the picture for moves `(b, n, d)`."""
        if self._chain is not None:
            with torch.no_grad():
                return self._chain.push(self._by_layer(moves.to(self._in)))
        with torch.no_grad():
            changes: Tensor = vmap(self._anew if self._traced is None else self._traced)(moves)
        return changes

    def _anew(self, move: Tensor) -> Tensor:
        """Return the change for a move `(n, d)`, by torch's forward mode; it paints again."""
        change: Tensor = jvp(self._moved, (torch.zeros_like(move),), (move,))[1]
        return change

    @cached_property
    def _traced(self) -> Moved | None:
        """`_anew` with the picture computed once, which is up to three times as fast.

        None if torch cannot trace it, or traces it wrongly, as a check on two directions shows.
        """
        if self.dim < _TRACED:
            return None
        still = self._code.new_zeros(len(self.layers), self._code.shape[1])
        ramp = torch.linspace(-1, 1, still.numel()).to(still).reshape(still.shape)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # torch's own, about how it folds constants
                # Operations in place, replayed, would change what the trace holds.
                traced: Moved = linearize(functionalize(self._moved), still)[1]
            for move in (ramp, ramp.square()):
                found, exact = (vmap(along)(move[None]) for along in (traced, self._anew))
                if (found - exact).abs().max() > _SAME * exact.abs().max():
                    return None
        except (RuntimeError, NotImplementedError):
            return None
        return traced

    def reverse(self, cotangents: Tensor) -> Tensor:
        """Jᵀ u for every one of cotangents `(b, C, H, W)`: `(b, dim)`."""
        with computing(self._precision, self.device):
            if self._chain is not None:
                rows = self._transposed(cotangents)
                return rows.flatten(1) if self.per_layer else rows.sum(dim=1)
            pull = self._pull
            if self.device.type == "cpu":  # batches are not faster there, and take memory
                rows = torch.stack([pull(cotangent)[0] for cotangent in cotangents])
            else:
                rows = vmap(lambda cotangent: pull(cotangent)[0])(cotangents)
        return rows.flatten(1) if self.per_layer else rows.sum(dim=1)

    def together(self, budget: int) -> int:
        """Return how many cotangents `reverse` should take at once, for a budget in bytes."""
        if self._chain is not None:
            return self._chained
        on_cpu = self.device.type == "cpu"  # larger batches are not faster there, and take memory
        return 1 if on_cpu else max(1, min(16, budget // self.graph_bytes))

    @property
    def _chained(self) -> int:
        """How many cotangents a chain pulls back at once."""
        return _TOGETHER.get(self.device.type, 4)

    def _transposed(self, cotangents: Tensor) -> Tensor:
        """Return what the chain pulls back: `(b, C, H, W)` → `(b, n, d)`."""
        moves, changes = self._standing
        parts = []
        for start in range(0, len(cotangents), self._chained):
            part = cotangents[start : start + self._chained]
            padded = changes.new_zeros(changes.shape)
            padded[: len(part)] = part
            # Given as `grad_outputs`, the cotangents would have torch import SymPy: 0.3 s.
            (rows,) = torch.autograd.grad((changes * padded).sum(), moves, retain_graph=True)
            parts.append(rows[: len(part)])
        return torch.cat(parts).to(self.dtype)

    @cached_property
    def _standing(self) -> tuple[Tensor, Tensor]:
        """Moves of 0 and what they change: a linear graph, kept for all reverse passes."""
        assert self._chain is not None
        shape = self._chained, len(self.layers), self._code.shape[1]
        with torch.enable_grad():
            moves = self._code.new_zeros(shape, dtype=self._in).requires_grad_()
            return moves, self._chain.push(self._by_layer(moves))

    def _by_layer(self, moves: Tensor) -> list[Tensor | None]:
        by_layer: list[Tensor | None] = [None] * len(self._code)
        for position, layer in enumerate(self.layers):
            by_layer[layer] = moves[:, position]
        return by_layer

    @cached_property
    def _pull(self) -> Callable[[Tensor], tuple[Tensor]]:
        """One picture's graph, kept for all reverse passes."""
        still = self._code.new_zeros(len(self.layers), self._code.shape[1])
        pull: Callable[[Tensor], tuple[Tensor]] = vjp(self._moved, still)[1]
        return pull

    def _moved(self, moves: Tensor) -> Tensor:
        """Return the picture `(C, H, W)` after moves `(n, d)` of the chosen layers."""
        index = torch.tensor(self.layers, device=self.device)
        return self._paint(self._code.index_add(0, index, moves)[None])[0]

    def _spread(self, directions: Tensor) -> Tensor:
        """`(b, dim)` → `(b, n, d)`."""
        n, d = len(self.layers), self._code.shape[1]
        if self.per_layer:
            return directions.reshape(-1, n, d)
        return directions[:, None].expand(-1, n, d)
