"""The direction bundle, format version 1: read, check, write. See formats/directions-v1.md.

A `Bundle` that exists is valid: the same rules hold for one that was read and one just made.
Whatever a later minor version or another tool put into a file is kept when it is rewritten.
"""

import difflib
import io
import sys
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from sefa_cli import __version__
from sefa_cli.bundle.rules import FORMAT, TENSORS, array, check, fields
from sefa_cli.canonical import canonical_json, plain, shown
from sefa_cli.container import Tensor, pack, unpack
from sefa_cli.errors import SefaError, UsageError
from sefa_cli.files import open_atomically
from sefa_cli.ranges import check_indices, format_range, is_range, parse_range

VERSION = "1.0"
TOOL = f"sefa-cli {__version__}"

# A gain from here on marks a common style gain, unless params say otherwise. Over ranges of layers
# of the default model such directions measure 0.62 to 0.98, all others below 0.2.
GAIN_THRESHOLD = 0.6


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Bundle:
    """k directions in the latent space of one model, and where they came from.

    The arrays are C-contiguous, native, read-only copies. Change one with `dataclasses.replace`.
    """

    directions: NDArray[np.float32]  # (k, d), or (k, n, d): row j moves layers[j]
    layers: NDArray[np.int64]  # (n,), increasing code indices
    method: str  # "sefa", "resefa", …
    params: dict[str, Any]  # everything that changed the numbers
    space: str  # z, w, w+
    model: dict[str, Any]  # ref, family, resolution, z_dim, w_dim, num_layers, layer_names, …
    eigenvalues: NDArray[np.float64] | None = None  # (k,)
    mask: NDArray[np.uint8] | None = None  # (H, W) or (s, H, W), weight × 255
    background: NDArray[np.uint8] | None = None  # as mask; without it 255 − mask
    info: tuple[dict[str, Any], ...] = ()  # k: label, scale, gain, change, annotation, from
    version: str = VERSION
    tool: str = TOOL
    unknown: dict[str, Any] = field(default_factory=dict)  # metadata keys of later versions
    private: dict[str, Tensor] = field(default_factory=dict)  # tensors called x.*

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
        """How many directions there are."""
        return len(self.directions)

    @property
    def dim(self) -> int:
        """The dimension of the latent code they move."""
        return int(self.directions.shape[-1])

    @property
    def labels(self) -> list[str | None]:
        """The label of each direction, None where it has none."""
        return [entry.get("label") for entry in self.info]

    @property
    def style_gains(self) -> tuple[int, ...]:
        """The directions marked as a common style gain."""
        threshold = self.params.get("gain_threshold", GAIN_THRESHOLD)
        return tuple(i for i, entry in enumerate(self.info) if entry.get("gain", -1) >= threshold)

    def index(self, name: str | int) -> int:
        """The direction that `name`, an index or a label, means; UsageError if there is none."""
        if not isinstance(name, str):
            return check_indices((name,), "direction", self.k)[0]
        found = self.indices(name)
        if len(found) != 1:
            raise UsageError(f"{name!r} means {len(found)} directions", "one index or label")
        return found[0]

    def indices(self, names: str) -> tuple[int, ...]:
        """The directions that `names` means: indices, ranges and labels, separated by commas.

        `"0-2,7"` → (0, 1, 2, 7), `"smile,3"`; a label with a comma is found as a whole.
        Raises UsageError, with the nearest labels, for what there is not.
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

    def __repr__(self) -> str:
        return (
            f"<Bundle of {self.k} {self.method} directions in {self.space} of "
            f"{self.model['ref']}, layers {format_range(self.layers.tolist())}>"
        )

    @classmethod
    def load(cls, path: Path | str | IO[bytes]) -> "Bundle":
        """Read a bundle from a file, from an open binary file, or from stdin when `path` is "-".

        Raises SefaError, in one line that names the file, for whatever is no valid bundle.
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
        """Read a bundle from its bytes; `source` names it in errors."""
        return cls._read(io.BytesIO(data), source)

    @classmethod
    def _read(cls, file: IO[bytes], source: str) -> "Bundle":
        try:
            return cls(**fields(*unpack(file)))
        except SefaError as error:
            raise SefaError(f"{source}: {error.found}", error.expected, error.remedy) from error

    def to_bytes(self) -> bytes:
        """The file: the same bytes for the same content, whatever order it was made in."""
        tensors = dict(self.private)
        for name, form in TENSORS.items():
            if (values := getattr(self, name)) is not None:
                data = values.astype(form.numpy).tobytes(order="C")
                tensors[name] = Tensor(form.dtype, values.shape, data)
        return pack({"sefa": canonical_json(plain(self._metadata(), "metadata"))}, tensors)

    def save(self, path: Path | str, overwrite: bool = False) -> None:
        """Write the bundle whole or not at all; "-" writes to stdout.

        Raises SefaError where `path` exists and `overwrite` is not given, or cannot be written.
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
