"""How a job is shared out: `--shard` does one share here, `--on` all of them on a cluster."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

import typer

from sefa_cli.commands.command import typed
from sefa_cli.errors import UsageError

if TYPE_CHECKING:
    from sefa_cli.cluster import Cluster
    from sefa_cli.parts import Shard
    from sefa_cli.rendering.outputs import PictureTarget

_FOLDER = "a folder: -o DIR"


@dataclass(kw_only=True, eq=False, repr=False)
class Shares:
    """How a job is shared out among machines, and how it goes on."""

    shard: Annotated[
        str | None,
        typer.Option(
            metavar="I/N",
            help="Do the I-th of N shares alone, into OUT.IofN.part; `sefa merge` puts the parts "
            "together, unless they are pictures.",
        ),
    ] = None
    on: Annotated[
        str | None,
        typer.Option(
            metavar="ray|ADDRESS",
            help="Do all shares on the workers of a Ray cluster, and merge them: ray starts one on "
            "this machine, auto joins the one that runs here, ray://HOST:PORT and HOST:PORT name "
            "one. Needs sefa-cli[cluster].",
        ),
    ] = None
    gpus_per_worker: Annotated[
        float | None,
        typer.Option(
            metavar="X",
            help="With --on, the share of a GPU that each worker has, such as 0.5. Default: 1, "
            "or 0 if the cluster has none.",
        ),
    ] = None
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Continue an interrupted run with the same options. With --shard or --on it may "
            "also be a new run; what is done is left alone.",
        ),
    ] = False

    def own(self) -> "Shard | None":
        """Return the shard to do; with `--on` the only one, for checks. Raises SefaError."""
        from sefa_cli.parts import Shard

        if self.on is None:
            if self.gpus_per_worker is not None:
                raise UsageError("--gpus-per-worker has no effect without --on")
            return None if self.shard is None else Shard.parse(self.shard)
        if self.shard is not None:
            raise UsageError("--shard and --on cannot be used together")
        if "-" in typed:
            raise UsageError("--on with a bundle from stdin", "a file, which the workers read too")
        self.cluster()
        return Shard(1, 1)

    def of_pictures(
        self, target: "PictureTarget", places: Sequence[str], show: bool
    ) -> "tuple[PictureTarget, Shard | None]":
        """Return where pictures go, and the shard to do. Raises UsageError for all but a folder.

        `places` are options that move the whole picture, which its note does not keep.
        """
        if places and (self.resume or self.on):
            way = "--resume" if self.resume else "--on"
            raise UsageError(f"{way} and {places[0]} cannot be used together")
        if self.on and show:
            raise UsageError("--on and --show cannot be used together")
        if self.resume and not target.is_folder:
            raise UsageError("cannot resume a sheet, which is written at its end", _FOLDER)
        own = self.own()
        if own is not None and not target.is_folder:
            raise UsageError("cannot share out a sheet, which holds all pictures", _FOLDER)
        return replace(target, resume=self.resume), own

    @property
    def option(self) -> str:
        """The option that shares the job out."""
        return "--shard" if self.on is None else "--on"

    def cluster(self) -> "Cluster":
        """Return the cluster that `--on` names. Raises SefaError."""
        from sefa_cli.cluster import Cluster

        assert self.on is not None
        return Cluster.parse(self.on, self.gpus_per_worker)
