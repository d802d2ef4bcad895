"""Storyboards: key frames over seeds, codes and directions, in a small TOML file.

`docs/films.md` shows one.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sefa_cli.arguments import check_fields, public
from sefa_cli.bundle.bundle import Bundle
from sefa_cli.bundle.compare import check_same_model
from sefa_cli.editing.mixing import code_of, mixed, parse_mix, parse_source
from sefa_cli.editing.moves import check_ease, check_seconds
from sefa_cli.editing.presets import (
    Part,
    Preset,
    check_keys,
    inside,
    moves_text,
    parse_table,
    quoted,
    read_parts,
    read_text,
)
from sefa_cli.editing.sum import check_truncation
from sefa_cli.errors import SefaError, UsageError

if TYPE_CHECKING:
    import torch

    from sefa_cli.editing.mixing import Mix, Source
    from sefa_cli.generators.base import Generator
    from sefa_cli.ranges import Indices

MOST_KEYS = 1000
_SOURCES = ("seed", "codes", "class", "mix_from", "truncation")
_KEYS = ("at", *_SOURCES, "preset", "moves", "caption")


@dataclass(frozen=True)
class Key:
    """One key frame: what the film shows at a time.

    Attributes:
        at: Seconds from the start of the film, from 0 to 3600.
        source: A seed, or a code: an array, or a file such as `"face.npz"` or `"face.npz:2"`.
        mix_from: A source and layers that replace those of `source`, such as `"7:8-22"`.
        truncation: ψ. Default: that of the film.
        parts: The moves, by bundle.
        caption: What a caption says. Default: the source and the moves.
        label: The class of a seed's face, for a conditional model. Default: that of the film.

    Raises:
        UsageError: A time or a truncation is out of range, or a value is of a wrong kind.

    Example:
        >>> sefa.Key(2.5, 7, mix_from="3:0-1", truncation=0.5).name
        'seed 7 + 3:0-1'
    """

    at: float
    source: Source = 0
    mix_from: Mix | None = None
    truncation: float | None = None
    parts: Sequence[Part] = ()
    caption: str = ""
    label: int | None = None

    def __post_init__(self) -> None:
        check_fields(self)
        check_seconds("at", self.at)
        check_truncation(self.truncation)

    @property
    def name(self) -> str:
        """Its caption, or its source and its moves: `seed 7, smile +2`."""
        named = isinstance(self.source, int | str | Path)
        source = parse_source(self.source)[0] if named else ""  # type: ignore[arg-type]
        words = [f"seed {source}" if isinstance(source, int) else Path(source or "code").stem]
        if isinstance(self.mix_from, str):
            words[0] += f" + {self.mix_from}"
        for part in self.parts:
            labels = part.bundle.labels
            words += [f"{labels[k] or f'k {k}'} {a:+g}" for k, a in part.move.steps]
        return self.caption or ", ".join(words)

    def code(
        self,
        generator: Generator,
        truncation: float | None = None,
        label: int | None = None,
        trunc_layers: Indices | None = None,
    ) -> torch.Tensor:
        """Return its code after all moves, `(1, layers, dim)` or `(1, dim)`.

        Args:
            generator: The generator.
            truncation: ψ if it has none of its own.
            label: The class of a conditional model, if it has none of its own.
            trunc_layers: The code indices to truncate; None for all.

        Returns:
            The truncated and moved code.

        Raises:
            UsageError: It has a class, but the film of this model has one for all key frames.
            SefaError: A file of codes cannot be read.

        Example:
            >>> tuple(sefa.Key(0, 7).code(sefa.load_generator(tiny, "cpu")).shape)
            (1, 8, 32)
        """
        from sefa_cli.editing.start import Start

        if self.label is not None and generator.conditioned:
            raise UsageError(
                f"the class of a key frame with a {generator.family} model",
                "a class for the whole film",
            )
        psi = truncation if self.truncation is None else self.truncation
        label = label if self.label is None else self.label
        code = code_of(generator, self.source, psi, trunc_layers, label)
        start = Start(code, (0,), "code", generator.space)
        if self.mix_from is not None:
            start = mixed(start, generator, self.mix_from, psi, trunc_layers, label)
        for part in self.parts:
            start = part.moved(start)
        return start.codes


@dataclass(frozen=True)
class Storyboard:
    """Key frames in the order of time; between them the codes change evenly.

    Attributes:
        keys: Two key frames or more; the first is at 0 seconds.
        model: The model; None if the bundles know it.
        ease: "linear", or "smooth" to slow down at each key frame, unless the film says otherwise.

    Example:
        >>> _ = Path("story.toml").write_text('''
        ... model = "tiny.pth"
        ... [[keys]]
        ... seed = 3
        ... [[keys]]
        ... at = 2
        ... seed = 7
        ... ''')
        >>> story = sefa.Storyboard.load("story.toml")
        >>> story.seconds, [key.name for key in story.keys]
        (2.0, ['seed 3', 'seed 7'])
    """

    keys: Sequence[Key]
    model: str | None = None
    ease: str = "linear"

    def __post_init__(self) -> None:
        check_fields(self)
        times = [key.at for key in self.keys]
        if not 2 <= len(times) <= MOST_KEYS:
            several = "s" * (len(times) != 1)
            raise UsageError(f"{len(times):,} key frame{several}", f"2 to {MOST_KEYS:,}")
        if times[0] != 0:
            raise UsageError(f"the first key frame is at {times[0]:g} seconds", "0")
        for before, after in itertools.pairwise(times):
            if not before < after:
                raise UsageError(
                    f"a key frame at {after:g} seconds follows one at {before:g}",
                    "times that grow",
                )
        check_ease(self.ease)
        if self.parts:
            check_same_model((part.file, part.bundle) for part in self.parts)

    @property
    def seconds(self) -> float:
        """The time of the last key frame."""
        return self.keys[-1].at

    @property
    def parts(self) -> list[Part]:
        """The moves of all key frames."""
        return [part for key in self.keys for part in key.parts]

    @classmethod
    @public
    def load(cls, path: Path | str, bundle: Path | str | None = None) -> Storyboard:
        """Read a storyboard.

        Args:
            path: The file.
            bundle: The bundle of moves that name none.

        Returns:
            The storyboard, with the bundles of its moves.

        Raises:
            SefaError: The file, a preset or a bundle cannot be read, or a value is not valid.

        Example:
            >>> story = sefa.Storyboard((sefa.Key(0, 3), sefa.Key(2, 7)), "tiny.pth")
            >>> _ = Path("short.toml").write_text(story.to_text())
            >>> sefa.Storyboard.load("short.toml").model
            'tiny.pth'
        """
        return cls.parse(read_text(path), path, {}, bundle)

    @classmethod
    def parse(
        cls,
        text: str,
        path: Path | str,
        read: dict[Path, Bundle],
        bundle: Path | str | None = None,
        codes: Container[str] = (),
    ) -> Storyboard:
        """Return the storyboard in a text, as `load` reads it; `codes` are files not yet there."""
        table = parse_table(text, path, ("model", "ease", "keys"))
        model, keys, ease = table.get("model"), table.get("keys"), table.get("ease", "linear")
        if model is not None and not isinstance(model, str):
            raise SefaError(f"{path}: model is {model!r}", "the name of a model")
        if not isinstance(keys, list) or not keys:
            raise SefaError(f"{path} has no key frames", "[[keys]] with a seed")
        with inside(path):
            return cls(tuple(_key(path, key, read, bundle, codes) for key in keys), model, ease)

    def to_text(self) -> str:
        """Return the text of its file; key frames of seeds and of files of codes have one."""
        lines = [] if self.model is None else [f"model = {quoted(self.model)}"]
        lines += [] if self.ease == "linear" else [f"ease = {quoted(self.ease)}"]
        for key in self.keys:
            seed = isinstance(key.source, int)
            lines += ["", "[[keys]]", f"at = {float(key.at)!r}"]
            lines.append(f"seed = {key.source}" if seed else f"codes = {quoted(str(key.source))}")
            lines += [] if key.label is None else [f"class = {key.label}"]
            if isinstance(key.mix_from, str):
                lines.append(f"mix_from = {quoted(key.mix_from)}")
            if key.truncation is not None:
                lines.append(f"truncation = {float(key.truncation)!r}")
            if key.parts:
                lines.append(f"moves = {moves_text(key.parts)}")
            if key.caption:
                lines.append(f"caption = {quoted(key.caption)}")
        return "\n".join(lines).lstrip() + "\n"


def _key(
    path: Path | str,
    table: Any,
    read: dict[Path, Bundle],
    bundle: Path | str | None,
    codes: Container[str],
) -> Key:
    check_keys(path, table, _KEYS)
    at, psi, caption = table.get("at", 0), table.get("truncation"), table.get("caption", "")
    label = table.get("class")
    if type(at) not in (int, float) or not math.isfinite(at):
        raise SefaError(f"{path}: at is {at!r}", "seconds, such as 2.5")
    if not isinstance(caption, str) or not caption.isprintable():
        raise SefaError(f"{path}: caption is {caption!r}", "a text of one line")
    if label is not None and (type(label) is not int or label < 0):
        raise SefaError(f"{path}: class is {label!r}", "an index from 0")
    check_truncation(psi, f"{path}: truncation")
    if ("seed" in table) == ("codes" in table):
        raise SefaError(f"{path}: a key frame needs a seed or codes", "seed = 7, for example")
    if "seed" in table:
        source: int | str = table["seed"]
        if type(source) is not int:
            raise SefaError(f"{path}: seed is {source!r}", "a whole number")
    else:
        source = str(Path(path).parent / str(table["codes"]))
        if label is not None:
            raise SefaError(f"{path}: a key frame has codes and a class", "one of them")
    if source not in codes:
        parse_source(source)
    mix = table.get("mix_from")
    if mix is not None:
        parse_mix(str(mix))
    return Key(float(at), source, mix, psi, _parts(path, table, read, bundle), caption, label)


def _parts(
    path: Path | str, table: Mapping[str, Any], read: dict[Path, Bundle], bundle: Path | str | None
) -> tuple[Part, ...]:
    parts: tuple[Part, ...] = ()
    if "preset" in table:
        parts = tuple(Preset.load(Path(path).parent / str(table["preset"])).parts)
    if "moves" in table:
        parts += read_parts(path, table["moves"], read, bundle)
    return parts
