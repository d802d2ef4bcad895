"""All shares of a job on a cluster: what is done already, what failed, and the merge."""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sefa_cli.cluster import Cluster, Outcome, Task
from sefa_cli.commands.command import command_line, typed, unshared
from sefa_cli.commands.console import say, working, wrote
from sefa_cli.commands.merge import put_together
from sefa_cli.commands.photos import say_missing
from sefa_cli.commands.shares import Shares
from sefa_cli.discovery.partial import check_not_kept, partial_path
from sefa_cli.errors import MismatchError, OfflineError, SefaError, UsageError
from sefa_cli.file_kinds import why_not
from sefa_cli.parts import Shard, load_alike

if TYPE_CHECKING:
    from sefa_cli.bundle.bundle import Bundle
    from sefa_cli.rendering.options import PictureOptions

_AT_ONCE = 32  # pictures of a task: one takes less time than a task does
_MOST = 10_000  # shards of a job: each of its parts lists all items
_SHOWN = 5  # names in a message
_STOPPING = {kind.exit_code: kind for kind in (UsageError, MismatchError, OfflineError)}


@dataclass(frozen=True)
class Items:
    """What is shared out: "seed", "code" or "photo", and a name for each."""

    kind: str
    names: Sequence[str]


def merge(
    shares: Shares,
    output: str,
    items: Items,
    device: str,
    overwrite: bool,
    more: Sequence[str] = (),
) -> None:
    """Do all shares on the cluster, one for each item, and merge their parts.

    Args:
        shares: Which cluster, and whether it goes on.
        output: What is written.
        items: The seeds, codes or photos.
        device: Where the workers compute.
        overwrite: Whether what is there is replaced.
        more: Options of the shares that were not typed.
    """
    count = min(len(items.names), _MOST)
    paths = {(shard := Shard(n, count)): shard.path(output) for n in range(1, count + 1)}
    there = [shard for shard, path in paths.items() if path.exists()]
    if there and not (shares.resume or overwrite):
        raise SefaError(
            f"{paths[there[0]]} already exists",
            remedy="Go on with --resume, or start again with --overwrite.",
        )
    if not (shares.resume or overwrite):
        for path in paths.values():
            check_not_kept(path)
    cluster = shares.cluster()
    if shares.resume:
        load_alike(paths[shard] for shard in there)
    else:
        for error in _removed(paths.values()):
            raise error
    kept = there if shares.resume else []
    compared = [Task(shard, paths[shard]) for shard in kept[:1]]
    tasks = [Task(shard, path) for shard, path in paths.items() if shard not in set(kept)]
    _Run(items, ["--resume", *more]).do(cluster, tasks, device, compared)
    job, missing = put_together(list(paths.values()), output, overwrite, command_line())
    for error in _removed(paths.values()):
        say(str(error))  # what was asked for is whole all the same
    say_missing(missing, len(job.owner), output)


def _removed(parts: Iterable[Path]) -> list[SefaError]:
    """Remove parts, and what was kept of unfinished ones; return an error for each that stays."""
    stayed = []
    for path in (kept for part in parts for kept in (part, partial_path(part))):
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            stayed.append(why_not(path, error, "remove"))
    return stayed


def fill(shares: Shares, items: Items, folder: Path, device: str, overwrite: bool) -> None:
    """Make a folder's pictures on the cluster, some at a time, and say their paths."""
    if not (shares.resume or overwrite) and folder.exists() and any(folder.iterdir()):
        raise SefaError(
            f"the folder {folder} is not empty",
            remedy="Go on with --resume, or start again with --overwrite.",
        )
    count = -(-len(items.names) // _AT_ONCE)
    tasks = [Task(Shard(number, count)) for number in range(1, count + 1)]
    how = "--overwrite" if overwrite else "--resume"
    for path in _Run(items, [how], split=True).do(shares.cluster(), tasks, device):
        wrote(path)


@dataclass
class _Run:
    """All tasks of one command. With `split`, those of a task that fails are tried one by one."""

    items: Items
    more: Sequence[str]
    split: bool = False
    said: dict[int, str] = field(default_factory=dict)  # what was written, by the first item
    failed: dict[str, list[str]] = field(default_factory=dict)  # items by what was said

    def do(
        self, cluster: Cluster, tasks: Sequence[Task], device: str, compared: Sequence[Task] = ()
    ) -> list[str]:
        """Do the tasks, and return the paths that were written. Raises SefaError.

        `compared` has a part already, which a worker first compares with the job.
        """
        total, waiting = len(self.items.names), deque(compared or tasks)
        with working("starting workers") as work:
            advice = "after an interrupt, --resume goes on"
            advance = work.begin("working", total, f"{self.items.kind}s", advice)
            advance.reach(total - sum(len(task.shard.share(total)) for task in tasks))
            try:
                with cluster.workers(len(tasks) or 1, device, say) as workers:
                    for task, outcome in workers.run(waiting, self.words):
                        if outcome.code in _STOPPING or (outcome.code and not task.is_done):
                            waiting += self._fail(task, outcome)
                        elif task in compared:
                            waiting += tasks
                        else:
                            share = task.shard.share(total)
                            self.said[share.start] = outcome.out
                            advance(len(share))
            except (KeyboardInterrupt, SystemExit) as interrupt:
                interrupt.add_note(
                    f"{advance.done} of {total} {self.items.kind}s are done; the same command with "
                    "--resume goes on"
                )
                raise
        if self.failed:
            raise self._complaint()
        return "".join(text for _, text in sorted(self.said.items())).splitlines()

    def words(self, shard: Shard) -> list[str]:
        """Return the command of a shard, without the program's name."""
        own = [word for word in unshared(typed[1:]) if word != "--overwrite"]
        return [typed[0], "-q", "--shard", str(shard), *self.more, *own]

    def _fail(self, task: Task, outcome: Outcome) -> list[Task]:
        """Note what failed, and return the tasks to try instead.

        Raises SefaError for what all other tasks would say as well.
        """
        said = outcome.err.strip().splitlines()[-1:] or ["it ended and said nothing"]
        text = said[0].removeprefix("sefa: ")
        if outcome.code in _STOPPING:
            raise _STOPPING[outcome.code](text)
        total = len(self.items.names)
        share = task.shard.share(total)
        if self.split and len(share) > 1:
            return [Task(Shard(item + 1, total)) for item in share]
        names = self.items.names[share.start : share.stop]
        self.failed.setdefault(text, []).extend(names)
        say(f"{_listed(names)} failed: {text}")
        return []

    def _complaint(self) -> SefaError:
        names = [name for several in self.failed.values() for name in several]
        return SefaError(
            f"{len(names):,} of {len(self.items.names):,} {self.items.kind}s failed: "
            f"{_listed(names)}: {next(iter(self.failed))}",
            remedy="The others are done; the same command with --resume tries these again.",
        )


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def seeds_or_codes(seeds: str, codes: str | None, config: Mapping[str, Any]) -> Items:
    """Return the seeds, or the codes of a file. Raises SefaError."""
    from sefa_cli.ranges import parse_range

    if codes is None:
        return Items("seed", [f"seed {n}" for n in parse_range(seeds, "seed", 2**32)])
    from sefa_cli.interchange.latents import codes_for

    found = codes_for(codes, config["space"], config)
    return Items("code", found.names or [f"code {n}" for n in range(len(found.array))])


def items_of(how: "PictureOptions", bundle: "Bundle") -> Items:
    """Return the seeds or codes that directions of a bundle move. Raises SefaError."""
    given = None if how["codes"] is None else str(how["codes"])
    sizes = {**bundle.model, "space": "z" if bundle.space == "z" else "w"}
    return seeds_or_codes(str(how.get("seeds")), given, sizes)
