"""The choices of `localize` with their defaults and checks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from glob import escape
from pathlib import Path
from typing import TYPE_CHECKING

from sefa_cli.arguments import check_digits, check_fields, in_short
from sefa_cli.containers.checkpoint import Checkpoint
from sefa_cli.discovery.few_passes import KEPT, PICTURES
from sefa_cli.discovery.jacobian_file import check_jacobian_file
from sefa_cli.discovery.methods import check_method, check_options
from sefa_cli.discovery.null_space import RANK
from sefa_cli.discovery.partial import check_not_kept, check_resumable, partial_path
from sefa_cli.discovery.search import Search
from sefa_cli.editing.sum import check_truncation
from sefa_cli.errors import UsageError
from sefa_cli.file_kinds import check_exists
from sefa_cli.files import BUNDLES, check_suffix, check_writable
from sefa_cli.generators.precision import check_precision
from sefa_cli.parts import Shard
from sefa_cli.projections import levels, parse_layers
from sefa_cli.ranges import Indices, as_indices, is_whole

if TYPE_CHECKING:
    from sefa_cli.editing.codes import CodeArray

SMALLEST = 8  # pixels of a working size
MOST_IN_WPLUS = 64  # directions of w+, if `num` does not say

Tau = float | str  # a number, or "auto"


@dataclass(frozen=True, eq=False)  # codes are arrays, which do not compare as one
class Request:
    """How directions of a region are looked for: the keywords of `localize`, which explains them.

    Attributes:
        per_seed: Make a bundle for each seed instead of one for all.
        codes_name: What the bundle calls codes that are given as an array.
    """

    seeds: Indices = "0-4"
    codes: Path | str | CodeArray | None = None
    truncation: float | None = None
    label: int | None = None
    layers: Indices | None = None
    space: str | None = None
    size: int = 256
    fast: bool = True
    tau: Tau | None = None
    num: int | None = None
    alone: bool = False
    exact_gram: bool = False
    published: bool = False
    method: str = "resefa"
    rank: int | None = None
    sum_channels: bool = False
    sketch: int | None = None
    precision: str = "auto"
    memory: int | None = None
    stability: bool = False
    per_seed: bool = False
    codes_name: str | None = None

    def __post_init__(self) -> None:
        check_fields(self)
        check_truncation(self.truncation)
        check_precision(self.precision)
        as_indices(self.seeds, "seed", 2**32)
        if self.label is not None and not is_whole(self.label, 0):
            raise UsageError(f"label must be a whole number from 0, got {self.label}")
        if isinstance(self.codes, str | Path):
            check_exists(self.codes)
        if not is_whole(self.size, SMALLEST):
            raise UsageError(f"size must be {SMALLEST} pixels or more, got {self.size}")
        if self.num is not None and not is_whole(self.num, 1):
            raise UsageError(f"num must be 1 or more, got {self.num}")
        if self.sketch and (self.exact_gram or self.published):
            other = "exact_gram" if self.exact_gram else "published"
            raise UsageError(f"sketch and {other} cannot be used together")
        others = {"layers": self.layers, "tau": self.tau, "space": self.space}
        check_method("localize", self.method)
        check_options(self.method, vars(self))
        if self.method != "resefa":
            others["method"] = self.method
        chosen = [name for name, value in others.items() if value is not None]
        if self.published and chosen:
            raise UsageError(f"published and {chosen[0]} cannot be used together")

    def search(self, checkpoint: Checkpoint) -> Search:
        """Return the search for one model, with all defaults filled in.

        Raises:
            UsageError: for layers or a space that the model lacks, or contradictory choices.
        """
        config = checkpoint.config
        largest = config["resolution"]
        if self.size > max(largest, Request.size):  # the default suits smaller models as well
            raise UsageError(f"size must be between {SMALLEST} and {largest}, got {self.size}")
        styles = self.method == "stylespace"
        space = "w+" if styles else self.space or config["space"]
        wide = space == "w+"
        named = "middle" if levels(checkpoint)["middle"] and not self.published else "all"
        layers = named if self.layers is None else _range(self.layers)
        usual = 1e-3 if wide or self.published or self.sketch else 1e-4
        auto_tau = isinstance(self.tau, str) and self.tau == "auto"
        search = Search(
            layers=parse_layers(checkpoint, "all" if layers == "auto" else layers),
            auto_layers=layers == "auto",
            space=space,
            size=min(self.size, largest),
            fast=self.fast,
            tau=usual if self.tau is None or auto_tau else _number(self.tau),
            auto_tau=auto_tau,
            num=self.num,
            method=self.method,
            rank=RANK if self.rank is None else self.rank,
            sum_channels=self.sum_channels,
            sketch=0 if self.exact_gram or self.published else self.sketch,
            precision=self.precision,
            truncation=self.truncation,
            memory=self.memory,
        )
        if search.num is None and wide and not styles:
            search = replace(search, num=min(MOST_IN_WPLUS, search.most(config["w_dim"])))
        elif search.num is None and search.few(config["w_dim"]):
            search = replace(search, num=KEPT)
        search.check(checkpoint)
        return search

    def pictures(self, search: Search, given: int, d: int) -> int:
        """Return how many pictures the search looks at, if `given` were asked for."""
        joined = search.few(d) and not (self.per_seed or self.alone)
        return max(given, PICTURES) if joined else given

    def check_count(self, pictures: int) -> None:
        """Raise UsageError for choices that need several pictures at once."""
        if pictures < 2 and self.stability:
            raise UsageError("cannot measure stability on one picture", "two seeds or more")
        if pictures > 1 and not self.per_seed:
            return
        alone, instead = "for a single seed", "two seeds or more"
        if self.per_seed:
            alone, instead = "with a bundle for each seed", "one bundle for all seeds"
        if self.tau == "auto":
            raise UsageError(f"cannot choose tau {alone}", f"{instead}, or tau 1e-3")
        if self.layers == "auto":
            raise UsageError(f"cannot choose layers {alone}", f"{instead}, or layers middle")

    @property
    def seed_range(self) -> str:
        """The seeds as text."""
        return _range(self.seeds, "seed")


@dataclass(frozen=True)
class Files:
    """What a search writes.

    Attributes:
        output: The bundle, `NAME.dirs`; of several, `NAME_seed0003.dirs`. An interrupted search
            keeps its results so far in `NAME.dirs.partial`.
        jacobian: All derivatives, `NAME.npy`: float32 `(seeds, dim, channels, height, width)`.
        resume: Continue an interrupted search. With a shard, it may also be a new one.
        overwrite: Replace existing files.
        shard: Do this share of the seeds alone, and write a part, `NAME.dirs.2of8.part`.
    """

    output: Path | str | None = None
    jacobian: Path | str | None = None
    resume: bool = False
    overwrite: bool = False
    shard: Shard | None = None

    def __post_init__(self) -> None:
        """Raise UsageError for contradictions, or SefaError for a file that cannot be written."""
        if self.written and self.partial and not (self.resume or self.overwrite):
            names = f"{escape(self.written.stem)}_????{'[0-9]' * 4}*.dirs"  # one for each seed
            check_not_kept(self.written, self.written.parent.glob(names), self.jacobian is None)
        if self.output is not None:
            check_suffix(self.output, BUNDLES)
            may = self.overwrite or (self.resume and self.shard is not None)  # a shard that is done
            check_writable(self.written or self.output, may)
        elif self.shard is not None:
            raise UsageError("a shard without an output", "the output that is merged later")
        if self.jacobian is not None:
            check_jacobian_file(self.jacobian, self.overwrite)
        if self.jacobian is not None and self.shard is not None:
            raise UsageError("save_jacobian and shard cannot be used together: it has all seeds")
        if self.jacobian is not None and self.resume:
            raise UsageError("save_jacobian and resume cannot be used together")
        if self.resume and self.partial is None:
            raise UsageError("resume has no effect without output")
        if self.resume and self.partial is not None and self.shard is None:
            check_resumable(self.partial)

    @property
    def partial(self) -> Path | None:
        """The file that keeps an interrupted search; None without an output file."""
        written = self.written
        if written is None or written.name in ("", "-"):  # "." and "/" have no name
            return None
        return partial_path(written)

    @property
    def written(self) -> Path | None:
        """The path of the bundle, or of the part of it."""
        if self.output is None or self.shard is None:
            return None if self.output is None else Path(self.output)
        return self.shard.path(self.output)

    def search(self, request: Request, checkpoint: Checkpoint) -> Search:
        """Return the search that makes what is written: a Jacobian file takes every derivative.

        Raises UsageError as `Request.search` does, for a Jacobian file that would not be made once
        and whole, and for a share of what cannot be shared.
        """
        check_options(request.method, vars(self))
        if self.jacobian is not None and not request.sketch:
            request = replace(request, exact_gram=True)
        search, d = request.search(checkpoint), checkpoint.config["w_dim"]
        if self.shard is not None and request.per_seed:
            raise UsageError(
                "cannot share out bundles for each seed", "seeds of its own for every machine"
            )
        if self.shard is not None and (search.few(d) or search.sketched(d)):
            raise UsageError(
                "cannot share out few derivatives: each turn looks at all seeds",
                "all derivatives, with exact_gram=True",
            )
        if self.jacobian is not None and search.sketched(d):
            raise UsageError(
                "cannot write a Jacobian file with a sketch, which never makes it", "a sketch of 0"
            )
        if self.jacobian is not None and search.auto_layers:
            raise UsageError(
                "cannot write a Jacobian file with layers auto", "layers such as middle"
            )
        return search


def _range(given: Indices, what: str = "layer") -> str:
    return given if isinstance(given, str) else ",".join(map(str, as_indices(given, what)))


def _number(tau: Tau | None) -> float:
    check_digits("tau", tau)
    try:
        return float(tau)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise UsageError(
            f"tau must be a number, got {in_short(tau)}", 'something like 1e-3, 0, or "auto"'
        ) from None
