"""Presets: moves along directions of one or several bundles, with a name, in a small TOML file.

`docs/films.md` shows one. `layers` stands there only to move other layers than the bundle's.
"""

from __future__ import annotations

import contextlib
import json
import os
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sefa_cli.arguments import check_fields, public
from sefa_cli.bundle.bundle import Bundle
from sefa_cli.bundle.compare import check_same_model
from sefa_cli.editing.moves import Move, alpha_of
from sefa_cli.errors import SefaError, UsageError, either
from sefa_cli.file_kinds import kind_at, open_file, why_not
from sefa_cli.files import open_atomically
from sefa_cli.ranges import format_range, parse_range

if TYPE_CHECKING:
    from sefa_cli.editing.start import Start


@dataclass(frozen=True)
class Part:
    """Moves along directions of one bundle.

    Attributes:
        file: The name of the bundle's file.
        bundle: The bundle.
        move: The steps.
        layers: Code indices to move instead of the bundle's; None for those.
    """

    file: str
    bundle: Bundle
    move: Move
    layers: tuple[int, ...] | None = None

    def moved(self, start: Start) -> Start:
        """Return the codes of `start` after these moves."""
        from sefa_cli.editing.start import moved

        return replace(start, codes=moved(start, self.bundle, self.move, self.layers))


@dataclass(frozen=True)
class Preset:
    """Moves with a name, kept in a small TOML file.

    Attributes:
        name: What it is called in pictures and menus.
        parts: The moves along the directions of each bundle; all of one model.

    Example:
        >>> sefa.factorize(tiny, num=4).name({1: "smile"}).save("face.dirs")
        >>> text = 'moves = [{ bundle = "face.dirs", steps = { smile = 2, 3 = -1 } }]'
        >>> Path("happy.toml").write_text(text)
        65
        >>> sefa.Preset.load("happy.toml").parts[0].move.name
        'k1_+2.00_k3_-1.00'
    """

    name: str
    parts: Sequence[Part]

    def __post_init__(self) -> None:
        check_fields(self)
        if not self.parts:
            raise SefaError(f"the preset {self.name!r} has no moves", "one or more")
        check_same_model((part.file, part.bundle) for part in self.parts)

    @classmethod
    @public
    def load(cls, path: Path | str, bundle: Path | str | None = None) -> Preset:
        """Read a preset.

        Args:
            path: The file.
            bundle: A bundle to use instead of the one that the file names.

        Returns:
            The preset, with the bundles that it names.

        Raises:
            SefaError: The file or a bundle cannot be read, a direction or a layer does not exist,
                or the bundles are of several models.

        Example:
            >>> sefa.factorize(tiny, num=4).save("turn.dirs")
            >>> text = 'moves = [{ bundle = "turn.dirs", steps = { 0 = 1.5 } }]'
            >>> _ = Path("turn.toml").write_text(text)
            >>> sefa.Preset.load("turn.toml").name
            'turn'
        """
        return cls.parse(read_text(path), path, {}, bundle)

    @classmethod
    def parse(
        cls,
        text: str,
        path: Path | str,
        read: dict[Path, Bundle],
        bundle: Path | str | None = None,
    ) -> Preset:
        """Return the preset in a text, as `load` reads it; `read` has the bundles read so far."""
        table = parse_table(text, path, ("name", "moves"))
        name = table.get("name", Path(path).stem)
        if not isinstance(name, str) or not name.strip() or not name.isprintable():
            raise SefaError(f"{path}: name is {name!r}", "a name of one line")
        with inside(path):
            return cls(name, read_parts(path, table.get("moves"), read, bundle))

    @public
    def save(self, path: Path | str, overwrite: bool = False) -> None:
        """Write the preset. Its bundles are named as they lie from its folder.

        Args:
            path: The file.
            overwrite: Replace the file if it exists.

        Raises:
            SefaError: The file exists, or cannot be written.

        Example:
            >>> bundle = sefa.factorize(tiny, num=4)
            >>> bundle.save("own.dirs")
            >>> edits = sefa.edit(bundle, {0: 2}, model=tiny, device="cpu")
            >>> edits.preset("happy", "own.dirs").save("happy2.toml")
        """
        with open_atomically(path, overwrite) as file:
            file.write(self.to_text(Path(path).parent).encode())

    def to_text(self, folder: Path | str | None = None) -> str:
        """Return the text of its file, which will be in `folder`; None leaves the files' names."""
        lines = [f"name = {quoted(self.name)}"]
        for part in self.parts:
            file = part.file if folder is None else os.path.relpath(part.file, folder)
            lines += ["", "[[moves]]", *_lines(Path(file).as_posix(), part)]
        return "\n".join(lines) + "\n"


def read_text(path: Path | str) -> str:
    """Return the content of a text file. Raises SefaError if it cannot be read."""
    try:
        with open_file(path, pipes=True) as file:
            return file.read().decode("utf-8")
    except OSError as error:
        raise why_not(path, error, "read") from None
    except UnicodeDecodeError:
        raise SefaError(f"{path} is {kind_at(path)[0]}", "a .toml file") from None


def parse_table(text: str, path: Path | str, known: Sequence[str]) -> dict[str, Any]:
    """Return the table in a TOML text. Raises SefaError if it is not one, or for other keys."""
    try:
        table = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # also an integer of thousands of digits
        raise SefaError(f"{path} is not TOML: {error}") from None
    for key, kind, wanted in (
        ("moves", "a preset", "a storyboard, with key frames"),
        ("keys", "a storyboard", "a preset, with moves"),
    ):
        if key in table and key not in known:
            raise SefaError(f"{path} is {kind}", wanted)
    check_keys(path, table, known)
    return table


@contextlib.contextmanager
def inside(path: Path | str) -> Iterator[None]:
    """Name the file in errors about a value that it holds."""
    try:
        yield
    except UsageError as error:
        found = error.found.removeprefix(f"{path}: ")
        raise SefaError(f"{path}: {found}", error.expected, error.remedy) from None


def check_keys(path: Path | str, table: Any, known: Sequence[str]) -> None:
    """Raise SefaError unless this is a table with no other keys than those known."""
    if not isinstance(table, dict):
        raise SefaError(f"{path}: {table!r:.60} is not a table", "keys: " + ", ".join(known))
    if unknown := sorted(table.keys() - set(known)):
        raise SefaError(f"{path}: unknown key {unknown[0]!r}", either(known))


def read_parts(
    path: Path | str, tables: Any, read: dict[Path, Bundle], bundle: Path | str | None = None
) -> tuple[Part, ...]:
    """Return the moves that a file's `moves` lists.

    Args:
        path: The file.
        tables: What it says.
        read: The bundles read so far; those that are read now are added.
        bundle: A bundle to use instead of the one that the file names; needed if it names none.

    Raises:
        SefaError: A table or a bundle cannot be read.
        UsageError: A direction or a layer does not exist.
    """
    if not isinstance(tables, list) or not tables:
        raise SefaError(f"{path} has no moves", "[[moves]] with a bundle and steps")
    if bundle is not None and len({str(t.get("bundle")) for t in tables if type(t) is dict}) > 1:
        raise SefaError(f"{path} needs several bundles, and one is given", "no bundle")
    return tuple(_part(path, table, read, bundle) for table in tables)


def _part(
    path: Path | str, table: Any, read: dict[Path, Bundle], bundle: Path | str | None
) -> Part:
    check_keys(path, table, ("bundle", "steps", "layers"))
    named = table.get("bundle")
    if bundle is None and not isinstance(named, str):
        raise SefaError(f"{path}: moves without a bundle", 'bundle = "face.dirs"')
    file = Path(bundle) if bundle is not None else Path(path).parent / named
    if file not in read:
        read[file] = Bundle.load(file)
    own, steps, layers = read[file], table.get("steps"), table.get("layers")
    kinds = {type(step) for step in steps.values()} if isinstance(steps, dict) else set()
    if not kinds or not kinds <= {int, float, str}:
        raise SefaError(f"{path}: steps is {steps!r:.60}", "steps = { smile = 2.0 }")
    pairs = [(own.index(name), step) for name, step in steps.items()]
    move = Move(tuple((k, alpha_of(own, k, step)) for k, step in pairs))
    if layers is not None:
        layers = parse_range(str(layers), "layer", int(own.model["num_layers"]))
    return Part(str(file), own, move, layers)


def moves_text(parts: Sequence[Part]) -> str:
    """Return the moves as one TOML value."""
    return "[" + ", ".join("{ " + ", ".join(_lines(part.file, part)) + " }" for part in parts) + "]"


def _lines(file: str, part: Part) -> list[str]:
    """Return the lines of one table of moves; labels stand for indices."""
    names = [part.bundle.labels[k] or str(k) for k, _ in part.move.steps]
    steps = zip(names, part.move.steps, strict=True)
    pairs = ", ".join(f"{quoted(name)} = {alpha!r}" for name, (_, alpha) in steps)
    lines = [f"bundle = {quoted(file)}", f"steps = {{ {pairs} }}"]
    return lines if part.layers is None else [*lines, f'layers = "{format_range(part.layers)}"']


def quoted(text: str) -> str:
    """Return a TOML string. Raises SefaError for a file's name that is not UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise SefaError(f"TOML cannot hold the name {text!r}", "a name in UTF-8") from None
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
