"""A file → the generator in it. Its bytes decide what it is, never its name."""

import contextlib
import mmap
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

from sefa_cli.containers.checkpoint import Checkpoint, LazyTensor
from sefa_cli.containers.contents import Contents
from sefa_cli.containers.faults import naming
from sefa_cli.containers.file_regions import mapped
from sefa_cli.containers.safetensors_files import is_safetensors, read_safetensors
from sefa_cli.containers.torch_legacy import read_plain_pickle
from sefa_cli.containers.torch_zip import MAGIC, is_torch_zip, names_in_zip, read_torch_zip
from sefa_cli.errors import SefaError, UsageError
from sefa_cli.families import registry
from sefa_cli.families.family import Model
from sefa_cli.families.native import is_native, read_native
from sefa_cli.families.raw_tensors import raw_leaves
from sefa_cli.families.recognize import recognize
from sefa_cli.file_kinds import LEFT, check_ordinary, kind_of, not_here, why_not

_PICKLE = 0x80  # the first byte of every pickle since protocol 2
_GLANCE = 4096  # bytes looked at to tell what a strange file is
_SHOWN = 6  # names in an error
_WEIGHTS = (".safetensors", ".bin", ".pt", ".pth", ".pkl")
_USUAL = (  # what Hugging Face's libraries call weights, the safe container first
    *("model.safetensors", "diffusion_pytorch_model.safetensors"),
    *("pytorch_model.bin", "diffusion_pytorch_model.bin"),
)
EXPECTED = "a checkpoint (torch, safetensors, NVIDIA pickle or OpenVINO IR)"


def read_checkpoint(path: Path, ref: str | None = None) -> Checkpoint:
    """Recognize the generator at `path`; of its tensors nothing is read until it is asked for.

    `ref` is what the user called it, by default the file's bare name. Nothing in the file is
    executed. Raises SefaError for whatever is missing, damaged, forged or unknown.
    """
    ref = Path(path).name if ref is None else ref
    path = _weights_in(Path(path))
    with _opened(path) as contents:
        if contents is None:
            container, model = _read_path(path)
        else:
            container = contents.container
            model = read_native(contents) if is_native(contents) else recognize(contents)
    return Checkpoint(
        ref=ref,
        path=path,
        container=container,
        dialect=model.dialect,
        family=model.family,
        config=model.config,
        tensors=model.tensors,
        notes=model.notes,
        origin=model.origin,
    )


def read_matching(path: Path, name: str, pattern: str) -> dict[str, LazyTensor]:
    """Return the tensors whose names in the file match a shell pattern (`*` matches dots too).

    Whether the network is known makes no difference; a file that only its family opens has the
    native names.
    Raises SefaError, which calls the model `name`, where nothing matches, with some of the names
    there are.
    """
    path = _weights_in(path)
    with _opened(path) as contents:
        if contents is None:
            tensors = dict(_read_path(path)[1].tensors)
            found = {n: t for n, t in tensors.items() if fnmatchcase(n, pattern)}
            names = list(tensors)
        else:
            leaves = raw_leaves(contents)
            matching = {n: leaf for n, leaf in leaves.items() if fnmatchcase(n, pattern)}
            found = {n: t for n, leaf in matching.items() if (t := contents.tensor(leaf))}
            names = [n for n, leaf in leaves.items() if _is_tensor(contents, leaf)]
    if found:
        return found
    shown = ", ".join(f"{n!r:.80}" for n in names[:_SHOWN])
    raise (UsageError if names else SefaError)(
        f"no tensor of {name} matches {pattern!r:.80}",
        f"a pattern for its {len(names)} names: {shown} …" if names else "a file with tensors",
    )


def _weights_in(path: Path) -> Path:
    """Return the weights in a folder of Hugging Face's layout; any other path as it is."""
    if not (path / "config.json").is_file():
        return path
    files = sorted(p for p in path.iterdir() if p.suffix in _WEIGHTS)
    usual = [p for name in _USUAL for p in files if p.name == name]
    if len(files) > 1 and not usual:
        names = ", ".join(f"{p.name!r:.60}" for p in files[:_SHOWN])
        raise SefaError(
            f"the folder {path} holds several models: {names}", "one", "Name the file in it."
        )
    return next(iter(usual or files), path)


def _is_tensor(contents: Contents, leaf: object) -> bool:
    try:
        return contents.tensor(leaf) is not None
    except SefaError:  # a tensor that nobody asked for may be what it likes
        return False


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[Contents | None]:
    """Open a file for the block: its contents, or None if no container reader knows it."""
    try:
        check_ordinary(path)
        if path.is_dir() or path.stat().st_size == 0:
            yield None
            return
        with naming(path), mapped(path) as data:
            yield None if _is_no_container(data, path) else _open(data, path)
    except FileNotFoundError:
        raise not_here(path, "Check the name; `sefa models` lists those known.") from None
    except OSError as error:
        raise why_not(path, error, "read") from error


def _is_no_container(data: mmap.mmap, path: Path) -> bool:
    """Return whether this is an XML file, or a zip archive that torch did not write."""
    return data[:5] == b"<?xml" or (data[:4] == MAGIC and not is_torch_zip(data, path))


def _read_path(path: Path) -> tuple[str, Model]:
    """(container, model) of what only a family itself can open."""
    for family in registry.built_in().values():
        found = family.read_path(path)
        if found is not None:
            return found[0], found[1]._replace(family=family.name)
    raise _no_model(path)


def _no_model(path: Path) -> SefaError:
    """Return the error for a folder, an empty file, or an archive of something else."""
    if path.is_dir():
        kinds = (".pt", ".pth", ".pkl", ".ckpt", ".bin", ".safetensors")
        names = sorted(file.name for file in path.iterdir() if file.suffix.lower() in kinds)
        shown = ", ".join(names[:8]) + ", …" * (len(names) > 8)
        if names:
            count = f"{len(names)} checkpoint" + "s" * (len(names) > 1)
            return SefaError(f"the folder {path} holds {count}: {shown}", remedy="Name one.")
        return SefaError(f"the folder {path} holds no model", EXPECTED)
    if path.stat().st_size == 0:
        return SefaError(f"{path} is empty", EXPECTED, "Get the file again.")
    with mapped(path) as data:
        if data[:4] != MAGIC:
            return SefaError(f"{path} is an XML file, but not an OpenVINO IR", EXPECTED)
        kind, remedy = kind_of(data[:_GLANCE])
        if kind == LEFT:
            return SefaError(f"{path} is {kind}", EXPECTED, remedy)
    shown = ", ".join(f"{name!r:.60}" for name in names_in_zip(path))
    remedy = "Codes are given with codes=." if ".npy" in shown else ""
    return SefaError(f"{path} is a zip archive without a model; it holds {shown}", EXPECTED, remedy)


def _open(data: mmap.mmap, path: Path) -> Contents:
    """Read the container that the first bytes announce."""
    if data[:4] == MAGIC:
        return read_torch_zip(data, path)
    if is_safetensors(data):  # before pickles: the length may begin as they do
        return read_safetensors(data, path)
    if data[0] == _PICKLE:
        return read_plain_pickle(data, path)
    try:
        return read_plain_pickle(data, path)  # protocols 0 and 1 have no mark
    except SefaError:
        kind, remedy = kind_of(data[:_GLANCE])
        raise SefaError(f"{path} is {kind}", EXPECTED, remedy) from None
