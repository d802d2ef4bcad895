"""The region as weights, and one search for its directions, with every default filled in."""

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sefa_cli.bundle.rules import SPACES
from sefa_cli.containers.checkpoint import Checkpoint
from sefa_cli.discovery import few_passes, null_space
from sefa_cli.discovery.methods import check_method
from sefa_cli.discovery.null_space import RANK, check_rank
from sefa_cli.discovery.regions.shapes import Weights
from sefa_cli.discovery.resefa import check_tau
from sefa_cli.errors import UsageError, either
from sefa_cli.generators.precision import check_precision, multiplies_bf16
from sefa_cli.projections import levels

if TYPE_CHECKING:  # a request is checked before torch is loaded
    import torch

    from sefa_cli.generators.base import Generator
    from sefa_cli.generators.linearize import Linearization

LARGE = 2048  # dimensions from which on a sketch takes fewer passes
ROWS = 200  # of a sketch, where nothing else was asked for
SPARE = 16  # random rows of the background, of all pictures together, for its trace


@dataclass(frozen=True)
class Target:
    """What should change and what should not, as weights × 255 at the working size."""

    text: str  # as the user wrote it
    fore: Weights  # (H, W), or (s, H, W) with one for every code
    back: Weights | None = None  # as fore; None is the rest

    def of(self, i: int) -> tuple[Weights, Weights]:
        """Return weights `(H, W)` of region and background for the i-th code."""
        fore = self.fore if self.fore.ndim == 2 else self.fore[i]
        if self.back is None:
            return fore, 255 - fore
        return fore, self.back if self.back.ndim == 2 else self.back[i]

    def first(self, count: int) -> "Target":
        """Return the same for the first codes alone."""
        fore, back = (
            part if part is None or part.ndim == 2 else part[:count]
            for part in (self.fore, self.back)
        )
        assert fore is not None
        return Target(self.text, fore, back)

    def only(self, i: int) -> "Target":
        """Return the same for the i-th code alone."""
        back = self.back if self.back is None or self.back.ndim == 2 else self.back[i]
        return Target(self.text, self.fore if self.fore.ndim == 2 else self.fore[i], back)


@dataclass(frozen=True)
class Search:
    """How directions are looked for in one model; the bundle keeps all of it but `memory`."""

    layers: tuple[int, ...]
    space: str  # "w": one row moves all layers; "w+": a row for each; "z": the latent itself
    size: int = 256
    fast: bool = True  # the network's shortcut
    tau: float = 1e-3
    auto_tau: bool = False  # choose τ from the pictures: `directions.settled`
    auto_layers: bool = False  # choose the layers too, among the model's levels
    num: int | None = None
    method: str = "resefa"
    rank: int = RANK  # of the background, for "nullspace"
    sum_channels: bool = False
    sketch: int | None = None  # random rows of all pictures, the beginning of a basis; 0 is none
    turns: int = 5  # of adding residuals to that basis, at most
    precision: str = "float32"  # of the derivatives
    truncation: float | None = None  # of BigGAN's synthesis; None is its default
    memory: int | None = None  # bytes

    def __post_init__(self) -> None:
        check_method("localize", self.method)
        if self.space not in SPACES:
            raise UsageError(f"unknown space {self.space!r}", either(SPACES))
        if self.sketch is not None and self.sketch < 0:
            raise UsageError(
                f"sketch must be 0 or more, got {self.sketch}", "some hundreds, or 0 for none"
            )

    def dim(self, d: int) -> int:
        """Return the length of a direction, all rows together, if one code has d numbers."""
        return d * (len(self.layers) if self.space == "w+" else 1)

    def sketched(self, d: int) -> int:
        """Return how many random rows replace a pass for every dimension; 0 for none.

        By default only large latents are sketched: with its residuals a sketch takes up to 1,056
        passes, more than the 512 of w. `lowrank` looks at every number of the whole matrices,
        and `stylespace` at no matrix.
        """
        rows = 0 if self.method in ("lowrank", "stylespace") else self.sketch
        if rows is None:
            rows = ROWS if self.dim(d) > LARGE else 0
        return rows if 2 * rows < self.dim(d) else 0

    def few(self, d: int) -> bool:
        """Whether all of w takes a few passes: see `few_passes`. The raw form takes every one."""
        return (
            self.space == "w"
            and self.sketch is None
            and self.method != "lowrank"
            and not (self.auto_tau or self.auto_layers or self.tau == 0)
            and max(self.num or few_passes.KEPT, self.rank) <= few_passes.MOST
            and few_passes.START * 4 <= self.dim(d) <= LARGE
        )

    def block(self, turn: int, right: int = few_passes.LEADING) -> int:
        """Return how many residuals a turn of a few passes adds, if `right` have to be right."""
        if self.method == "nullspace":
            return max(self.num or 0, null_space.BLOCK) + self.rank
        return few_passes.block(turn, self.num, right)

    def shares(self, d: int, pictures: int) -> tuple[int, int]:
        """Return the random rows of each picture: of region and background each, and spare ones."""
        return math.ceil(self.sketched(d) / 2 / pictures), math.ceil(SPARE / pictures)

    def most(self, d: int) -> int:
        """Return how many directions there can be."""
        return self.sketched(d) or self.dim(d)

    def passes(self, d: int, pictures: int = 1) -> int:
        """Return how many derivatives the pictures take, both modes; with a sketch, at most."""
        rows = self.sketched(d)
        if self.few(d):
            turns = null_space.TURNS if self.method == "nullspace" else few_passes.TURNS
            added = sum(self.block(turn, few_passes.MOST_RIGHT) for turn in range(turns))
            return pictures * (few_passes.START + few_passes.PROBES + 2 * added)
        if not rows:
            return pictures * self.dim(d)
        half, spare = self.shares(d, pictures)
        block = self.block(0) if self.method == "nullspace" else self.num or rows
        added = 2 * self.turns * block
        return pictures * (2 * half + spare + rows + added)

    def check(self, checkpoint: Checkpoint) -> None:
        """Refuse what this model lacks, and contradictions. Raises UsageError."""
        spaces = ("w", "w+") if checkpoint.config.space == "w" else ("z",)
        if self.space not in spaces:
            raise UsageError(
                f"a {checkpoint.family} model has no space {self.space!r}", either(spaces)
            )
        check_tau(self.tau)
        # A pass holds at least one channel and its change, in and out. `budget_for` knows the rest.
        if self.memory is not None and self.memory < 4 * self.size**2 * 4:
            raise UsageError(
                f"memory of {self.memory:,} B is too small for pictures of {self.size} pixels",
                "a size such as 800M or 4G",
            )
        if self.auto_layers and self.method == "stylespace":
            raise UsageError("cannot choose layers with method stylespace", "layers such as middle")
        d = checkpoint.config.w_dim
        self._check_sketch(d)
        if self.method == "nullspace":
            check_rank(self.rank, self.most(d))
        sketched, most = self.sketched(d), self.most(d)
        if self.num is not None and self.num > most:
            remedy = "A larger sketch gives more." if sketched else ""
            raise UsageError(f"num must be between 1 and {most}, got {self.num}", remedy=remedy)
        if self.auto_layers and sum(map(bool, levels(checkpoint).values())) < 3:
            raise UsageError("cannot choose layers for a model with a single level", "layers all")

    def _check_sketch(self, d: int) -> None:
        """Refuse a sketch that is none, and what no sketch can do. Raises UsageError."""
        remedy = "A sketch of 0 takes a pass for every dimension."
        if not self.sketched(d):
            if self.sketch and self.method != "lowrank":
                few = f"less than half of the {self.dim(d)} dimensions"
                raise UsageError(f"sketch must be {few}, got {self.sketch}", remedy=remedy)
            return
        if self.auto_layers:
            raise UsageError("cannot choose layers with a sketch", "layers, such as middle", remedy)
        if (self.auto_tau or self.tau == 0) and self.method == "resefa":
            raise UsageError(
                f"cannot use tau {'auto' if self.auto_tau else 0} with a sketch",
                "tau above 0, such as 1e-3",
                remedy,
            )

    def settled(self, generator: "Generator") -> "Search":
        """Return the same with "auto" replaced by a precision that suits the generator's device.

        A few passes over all of w may be coarse where their derivative is written by hand; torch's
        own modes are slower in bfloat16 (StyleGAN3), or less exact.
        Raises UsageError for a precision that the device does not have.
        """
        precision = self.precision
        if precision == "auto":
            few = self.few(generator.w_dim) and self.method == "resefa"
            coarse = few and generator.make_chain is not None
            precision = "bf16" if coarse and multiplies_bf16(generator.device) else "float32"
        check_precision(precision, generator.device.type)
        return replace(self, precision=precision)

    def alternatives(self, checkpoint: Checkpoint) -> list["Search"]:
        """Return the searches to make: one, or with `auto_layers` one for every level."""
        if not self.auto_layers:
            return [self]
        named = dict.fromkeys(levels(checkpoint).values())
        return [replace(self, layers=layers) for layers in named if layers]

    def linearize(
        self, generator: "Generator", code: "torch.Tensor", label: int | None = None
    ) -> "Linearization":
        """Return the derivative of the picture at one code `(num_layers, d)` or `(d,)`."""
        import torch

        truncation = 1.0
        if generator.conditioned:
            own = generator.default_truncation
            truncation = own if self.truncation is None else self.truncation
        linearization = generator.linearize(
            code,
            self.layers,
            per_layer=self.space == "w+",
            size=self.size,
            preview=self.fast,
            label=None if label is None else torch.tensor([label]),
            truncation=truncation,
        )
        linearization.compute_in(self.precision)
        return linearization
