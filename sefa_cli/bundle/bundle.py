"""The direction bundle, format version 1: read, check, write. See formats/directions-v1.md.

A `Bundle` that exists is valid: the same rules hold for one that was read and one just made.
Whatever a later minor version or another tool put into a file is kept when it is rewritten.
"""

import difflib
import io
import sys
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sefa_cli.bundle.rules import FORMAT, TENSORS, TOOL, VERSION, array, check, fields
from sefa_cli.canonical import canonical_json, plain, shown
from sefa_cli.container import Tensor, pack, unpack
from sefa_cli.errors import SefaError, UsageError
from sefa_cli.files import open_atomically
from sefa_cli.ranges import check_indices, format_range, is_range, parse_range

if TYPE_CHECKING:
    from sefa_cli.bundle.compare import Comparison
    from sefa_cli.bundle.direction import Direction
    from sefa_cli.editing.sum import Codes

# A gain from here on marks a common style gain, unless params say otherwise. Over ranges of layers
# of the default model such directions measure 0.62 to 0.98, all others below 0.2.
GAIN_THRESHOLD = 0.6


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Bundle:
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
        <Bundle of 4 sefa directions in w of ckpt_genforce_stylegan2.pth, layers 0-1>
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
            raise SefaError("info is no list", "one object per direction")
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

    @property
    def k(self) -> int:
        """The number of directions."""
        return len(self.directions)

    @property
    def dim(self) -> int:
        """The dimension of the latent, 512 for most published models."""
        return int(self.directions.shape[-1])

    @property
    def labels(self) -> list[str | None]:
        """The label of each direction; None for a direction without one."""
        return [entry.get("label") for entry in self.info]

    @property
    def style_gains(self) -> tuple[int, ...]:
        """The indices of directions that are a common gain of all styles.

        Their `gain` is at least `params["gain_threshold"]`, or 0.6. They destroy the picture at
        moderate steps.
        """
        threshold = self.params.get("gain_threshold", GAIN_THRESHOLD)
        return tuple(i for i, entry in enumerate(self.info) if entry.get("gain", -1) >= threshold)

    def index(self, name: str | int) -> int:
        """Return the index of a direction, given its index or label.

        Raises:
            UsageError: There is no such direction; the error names similar labels.
        """
        if not isinstance(name, str):
            return check_indices((name,), "direction", self.k)[0]
        found = self.indices(name)
        if len(found) != 1:
            raise UsageError(f"{name!r} means {len(found)} directions", "one index or label")
        return found[0]

    def indices(self, names: str) -> tuple[int, ...]:
        """Return the indices of directions, given indices, ranges and labels with commas.

        Args:
            names: Such as `"0-2,7"` or `"smile,3"`. A label that contains a comma is found whole.

        Raises:
            UsageError: There is no such direction; the error names similar labels.

        Example:
            >>> sefa.factorize(tiny).name({5: "smile"}).indices("0-2,smile")
            (0, 1, 2, 5)
        """
        if is_range(names):
            return parse_range(names, "direction", self.k)
        parts = [part.strip() for part in names.split(",")]
        known = [is_range(part) or _nfc(part) in self.labels for part in parts]
        if len(parts) == 1 or _nfc(names) in self.labels or not any(known):
            return (self._labeled(names),)
        return check_indices([k for part in parts for k in self.indices(part)], "direction")

    def _labeled(self, label: str) -> int:
        wanted = _nfc(label)
        if wanted in self.labels:
            return self.labels.index(wanted)
        known = [name for name in self.labels if name is not None]
        near = difflib.get_close_matches(wanted, known, n=3, cutoff=0.4) or known[:3]
        raise UsageError(
            f"no direction is called {shown(label)}",
            " or ".join([f"an index 0-{self.k - 1}", *(shown(name) for name in near)]),
        )

    def __len__(self) -> int:
        """Return the number of directions."""
        return self.k

    def __getitem__(self, name: int | str) -> "Direction":
        """Return a direction by its index, from 0 (or −1 for the last), or by its label.

        Raises:
            IndexError: The index is out of range.
            UsageError: No direction has that label.
        """
        if isinstance(name, str):
            k = self.index(name)
        else:
            k = range(self.k)[name]
        from sefa_cli.bundle.direction import Direction, Term

        return Direction((Term(1.0, self, k),))

    def __iter__(self) -> "Iterator[Direction]":
        """Iterate over the directions."""
        return (self[k] for k in range(self.k))

    def move(
        self, codes: "Codes", direction: "int | str | Direction", alpha: float = 1.0
    ) -> "Codes":
        """Return codes moved along one direction: code + alpha · n on the bundle's layers.

        Args:
            codes: A numpy array or a tensor `(n, num_layers, dim)`; `(n, dim)` is repeated for
                every layer if the model has more than one.
            direction: An index, a label, or a direction made from others.
            alpha: The step, in units of the latent; ±3 is usual.

        Returns:
            A new array or tensor of the same kind, `(n, num_layers, dim)`.

        Raises:
            UsageError: There is no such direction.
            MismatchError: The codes are not those of this model.

        Example:
            >>> bundle = sefa.factorize(tiny, layers="0-1").name({3: "smile"})
            >>> bundle.move(np.zeros((1, 32), np.float32), "smile", 2).shape
            (1, 8, 32)
        """
        chosen = self[direction] if isinstance(direction, int | str) else direction
        return chosen.move(codes, alpha)

    def name(self, labels: Mapping[int | str, str | None]) -> "Bundle":
        """Return the bundle with other labels; a label is accepted wherever an index is.

        Args:
            labels: The new label by index or old label; None removes a label.

        Raises:
            UsageError: There is no such direction.
            SefaError: A label is used twice, reads as an index, or is not one line of text.

        Example:
            >>> sefa.factorize(tiny, num=2).name({0: "turns left"}).labels
            ['turns left', None]
        """
        from sefa_cli.bundle.annotations import relabeled

        return relabeled(self, {self.index(k): label for k, label in labels.items()})

    def pick(self, *names: str | int, flip: bool = False, label: str | None = None) -> "Bundle":
        """Return a bundle of some of the directions.

        Args:
            *names: Indices, ranges and labels: `bundle.pick("0-2", "smile", 7)`.
            flip: Turn them round: α becomes −α.
            label: The label of the new direction, if there is only one.

        Raises:
            UsageError: There is no such direction.
        """
        from sefa_cli.bundle.picking import pick

        return pick({"bundle": self}, [str(name) for name in names], flip=flip, label=label)

    def mix(self, text: str, label: str | None = None) -> "Bundle":
        """Return a bundle of one direction, a weighted sum such as `"0.7*yaw + 0.3*5"`.

        Args:
            text: The sum; a label with spaces stands in double quotes.
            label: The label of the new direction.

        Raises:
            UsageError: The text is not such a sum.
            SefaError: The sum is zero.
        """
        from sefa_cli.bundle.picking import mix

        return mix({"bundle": self}, text, label=label)

    def without(self, *names: str | int) -> "Bundle":
        """Return the other directions, each made orthogonal to the named ones.

        Moving along them leaves the named ones alone to first order.

        Args:
            *names: Indices, ranges and labels of the directions to take out.

        Raises:
            UsageError: There is no such direction, or no other is left.
            SefaError: One of the others is made of the named ones.
        """
        from sefa_cli.bundle.picking import pick

        taken = [k for name in names for k in self.indices(str(name))]
        rest = check_indices([k for k in range(self.k) if k not in taken], "direction")
        return pick({"bundle": self}, format_range(rest), without=[str(k) for k in taken])

    def compare(self, other: "Bundle", num: int = 10) -> "Comparison":
        """Compare the leading `num` directions with those of another bundle.

        See [sefa_cli.bundle.compare.compare][].
        """
        from sefa_cli.bundle.compare import compare

        return compare(self, other, num)

    def __repr__(self) -> str:
        return (
            f"<Bundle of {self.k} {self.method} directions in {self.space} of "
            f"{self.model['ref']}, layers {format_range(self.layers.tolist())}>"
        )

    def _repr_html_(self) -> str:
        """Return a table of the leading directions with a bar chart, as notebooks show it."""
        from sefa_cli.bundle.html import bundle_html

        return bundle_html(self)

    @classmethod
    def load(cls, path: Path | str | IO[bytes]) -> "Bundle":
        """Read a bundle.

        Args:
            path: A file, an open binary file, or "-" for standard input.

        Raises:
            SefaError: It cannot be read or is not a valid bundle; the error names the file.
        """
        if str(path) == "-":
            return cls._read(sys.stdin.buffer, "standard input")
        if not isinstance(path, str | Path):
            return cls._read(path, str(getattr(path, "name", "the stream")))
        try:
            with open(path, "rb") as file:
                return cls._read(file, str(path))
        except FileNotFoundError:
            remedy = "Make it with: sefa factorize MODEL -o FILE.dirs"
            raise SefaError(f"{path} does not exist", remedy=remedy) from None
        except OSError as error:
            raise SefaError(f"cannot read {path}: {error.strerror or error}") from error

    @classmethod
    def from_bytes(cls, data: bytes, source: str = "the bundle") -> "Bundle":
        """Read a bundle from its bytes.

        Args:
            data: The content of a file.
            source: What errors call it.

        Raises:
            SefaError: It is not a valid bundle.
        """
        return cls._read(io.BytesIO(data), source)

    @classmethod
    def _read(cls, file: IO[bytes], source: str) -> "Bundle":
        try:
            return cls(**fields(*unpack(file)))
        except SefaError as error:
            raise SefaError(f"{source}: {error.found}", error.expected, error.remedy) from error

    def to_bytes(self) -> bytes:
        """Return the content of the file: the same bytes for the same bundle."""
        tensors = dict(self.private)
        for name, form in TENSORS.items():
            if (values := getattr(self, name)) is not None:
                data = values.astype(form.numpy).tobytes(order="C")
                tensors[name] = Tensor(form.dtype, values.shape, data)
        return pack({"sefa": canonical_json(plain(self._metadata(), "metadata"))}, tensors)

    def save(self, path: Path | str, overwrite: bool = False) -> None:
        """Write the bundle to a file, completely or not at all.

        Args:
            path: The file, or "-" for standard output.
            overwrite: Replace the file if it exists.

        Raises:
            SefaError: The file exists, or cannot be written.
        """
        data = self.to_bytes()
        if str(path) == "-":
            if sys.stdout.isatty():
                raise SefaError("a bundle is no text for a terminal", remedy="Pipe it or use -o.")
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
            return
        with open_atomically(path, overwrite) as file:
            file.write(data)


def _nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text)
