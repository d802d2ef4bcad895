"""The direction bundle, format version 1: read, check, write. See formats/directions-v1.md.

A `Bundle` that exists is valid: the same rules hold for one that was read and one just made.
Whatever a later minor version or another tool put into a file is kept when it is rewritten.
"""

from __future__ import annotations

import io
import shlex
import sys
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from sefa_cli.arguments import public
from sefa_cli.bundle.operations import Operations
from sefa_cli.bundle.rules import FORMAT, TENSORS, TOOL, VERSION, array, check, fields
from sefa_cli.bundle.steps import suggested_steps
from sefa_cli.canonical import canonical_json, plain
from sefa_cli.container import Tensor, pack, unpack
from sefa_cli.errors import SefaError
from sefa_cli.file_kinds import not_here, open_file, why_not
from sefa_cli.files import BUNDLES, check_suffix, open_atomically, write_stdout
from sefa_cli.ranges import format_range

# A gain from here on marks a common style gain, unless params say otherwise. Over ranges of layers
# of the default model such directions measure 0.62 to 0.98, all others below 0.2.
GAIN_THRESHOLD = 0.6


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Bundle(Operations):
    """k directions in the latent space of one model, and where they came from.

    `len(bundle)` is k; `bundle[3]` and `bundle["smile"]` are directions to compute with, and
    iterating gives all of them. A bundle never changes: methods return a new one. Its arrays are
    C-contiguous, native, read-only copies of those it was made from.

    Attributes:
        directions: Unit vectors, float32 `(k, dim)`, or `(k, n, dim)` where row j moves
            `layers[j]`. The norm of each is 1 ± 1e-5, over all its layers.
        layers: The code indices that the directions move, int64 `(n,)`, increasing, from 0.
        method: How they were found: "sefa", "resefa", "lowrank", "pick", "mix", …
        params: Everything that changed the numbers, as JSON values by name.
        space: The latent space: "z", "w", or "w+" (a row for each layer).
        model: The model they belong to: `ref`, `family`, `resolution` (pixels), `z_dim`, `w_dim`,
            `num_layers`, `layer_names` and `fingerprint` (64 hexadecimal digits).
        eigenvalues: What the directions are ordered by, float64 `(k,)`, descending for SeFa; None
            if the method has none.
        mask: The region they were found for, uint8 `(height, width)`, or `(seeds, height, width)`
            with one for each of `params["seeds"]`: weight × 255. None for global directions.
        background: What was to stay still, as `mask`; None is 255 − mask.
        info: What is known of each direction, k dictionaries with any of `label`, `scale` (its
            length before it was made a unit vector), `gain` (0 to 1), `change`, `annotation` and
            `from` (its origin).
        version: The version of the format, "1.x".
        tool: The program that wrote the bundle, with its version.
        unknown: Metadata of later versions of the format, kept when the bundle is saved.
        private: Tensors of other tools, named `x.…`, kept when the bundle is saved.

    Raises:
        SefaError: An attribute breaks a rule of the format.

    Example:
        >>> bundle = sefa.factorize(tiny, layers="0-1", num=4).name({1: "smile"})
        >>> bundle
        <Bundle of 4 sefa directions in w of tiny.pth, layers 0-1>
        >>> len(bundle), bundle["smile"].label, bundle[1].vector.shape
        (4, 'smile', (32,))
    """

    directions: NDArray[np.float32]  # (k, dim), or (k, n, dim)
    layers: NDArray[np.int64]  # (n,)
    method: str
    params: dict[str, Any]
    space: str
    model: dict[str, Any]
    eigenvalues: NDArray[np.float64] | None = None  # (k,)
    mask: NDArray[np.uint8] | None = None  # (height, width) or (seeds, height, width)
    background: NDArray[np.uint8] | None = None  # as mask
    info: tuple[dict[str, Any], ...] = ()
    version: str = VERSION
    tool: str = TOOL
    unknown: dict[str, Any] = field(default_factory=dict)
    private: dict[str, Tensor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in TENSORS:
            object.__setattr__(self, name, array(name, getattr(self, name)))
        if not isinstance(self.info, list | tuple):
            raise SefaError("info is not a list", "one object per direction")
        object.__setattr__(self, "info", tuple(self.info) or ({},) * self.k)
        metadata = plain(self._metadata(), "metadata")
        for name in ("method", "params", "space", "model", "version", "tool"):
            object.__setattr__(self, name, metadata.pop(name))
        object.__setattr__(self, "info", tuple(metadata.pop("directions")))
        del metadata["format"], metadata["requires"]
        object.__setattr__(self, "unknown", metadata)
        object.__setattr__(self, "private", dict(self.private))
        check(self)

    def _metadata(self) -> dict[str, Any]:
        known = {
            "format": FORMAT,
            "version": self.version,
            "method": self.method,
            "params": self.params,
            "space": self.space,
            "model": self.model,
            "directions": self.info,
            "tool": self.tool,
            "requires": [],
        }
        if taken := sorted(known.keys() & self.unknown.keys()):
            raise SefaError(f"unknown holds the key {taken[0]!r}", "keys the format does not have")
        return known | self.unknown

    @cached_property
    def steps(self) -> tuple[float, ...]:
        """The suggested step α along each direction, in units of the latent: see `step`."""
        return suggested_steps(self)

    @property
    def style_gains(self) -> tuple[int, ...]:
        """The indices of directions that are a common gain of all styles.

        Their `gain` is at least `params["gain_threshold"]`, or 0.6. They destroy the picture at
        moderate steps.
        """
        threshold = self.params.get("gain_threshold", GAIN_THRESHOLD)
        return tuple(i for i, entry in enumerate(self.info) if entry.get("gain", -1) >= threshold)

    def __repr__(self) -> str:
        return (
            f"<Bundle of {self.k} {self.method} directions in {self.space} of "
            f"{self.model['ref']}, layers {format_range(self.layers.tolist())}>"
        )

    @classmethod
    @public
    def load(cls, path: Path | str | IO[bytes]) -> Bundle:
        """Read a bundle.

        Args:
            path: A file, an open binary file, or "-" for standard input.

        Returns:
            The bundle, checked by all rules of the format.

        Raises:
            SefaError: It cannot be read or is not a valid bundle; the error names the file.

        Example:
            >>> sefa.factorize(tiny, num=4).save("face.dirs")
            >>> sefa.Bundle.load("face.dirs")
            <Bundle of 4 sefa directions in w of tiny.pth, layers 0-7>
        """
        if str(path) == "-":
            return cls._read(sys.stdin.buffer, "standard input")
        if not isinstance(path, str | Path):
            return cls._read(path, str(getattr(path, "name", "the stream")))
        try:
            with open_file(path, pipes=True) as file:
                return cls._read(file, str(path))
        except SefaError as error:
            own = shlex.join([str(path), "-o", f"{Path(path).stem}.dirs"])
            remedy = error.remedy.replace("MODEL -o FILE.dirs", own)
            raise SefaError(error.found, error.expected, remedy) from error
        except FileNotFoundError:
            own = shlex.quote(str(path) if Path(path).suffix == ".dirs" else "FILE.dirs")
            raise not_here(path, f"Make it with: sefa factorize MODEL -o {own}") from None
        except IsADirectoryError:
            raise SefaError(f"{path} is a folder", "a direction bundle") from None
        except OSError as error:
            raise why_not(path, error, "read") from error

    @classmethod
    @public
    def from_bytes(cls, data: bytes, source: str = "the bundle") -> Bundle:
        """Read a bundle from its bytes.

        Args:
            data: The content of a file.
            source: What errors call it.

        Returns:
            The bundle, as `load` returns it.

        Raises:
            SefaError: It is not a valid bundle.

        Example:
            >>> sefa.Bundle.from_bytes(sefa.factorize(tiny, num=4).to_bytes()).k
            4
        """
        return cls._read(io.BytesIO(data), source)

    @classmethod
    def _read(cls, file: IO[bytes], source: str) -> Bundle:
        try:
            return cls(**fields(*unpack(file)))
        except SefaError as error:
            raise error.about(source) from error

    def to_bytes(self) -> bytes:
        """Return the content of the file: the same bytes for the same bundle."""
        tensors = dict(self.private)
        for name, form in TENSORS.items():
            if (values := getattr(self, name)) is not None:
                data = values.astype(form.numpy).tobytes(order="C")
                tensors[name] = Tensor(form.dtype, values.shape, data)
        return pack({"sefa": canonical_json(plain(self._metadata(), "metadata"))}, tensors)

    @public
    def save(self, path: Path | str, overwrite: bool = False) -> None:
        """Write the bundle to a file, completely or not at all.

        Args:
            path: The file, or "-" for standard output.
            overwrite: Replace the file if it exists.

        Raises:
            UsageError: The suffix stands for another kind of file, such as `.png`.
            SefaError: The file exists, or cannot be written.

        Example:
            >>> sefa.factorize(tiny).save("turns.dirs")
        """
        data = self.to_bytes()
        if str(path) == "-":
            write_stdout(data)
            return
        check_suffix(path, BUNDLES)
        with open_atomically(path, overwrite) as file:
            file.write(data)
