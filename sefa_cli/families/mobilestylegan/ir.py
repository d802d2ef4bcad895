"""OpenVINO IR as a graph of operations: found by place, never by the names of constants.

An IR network is an XML with layers and edges, and a .bin beside it that holds the constants.
Only the XML is parsed; a constant is read from its offset when its numbers are asked for.
"""

import contextlib
import math
import xml.etree.ElementTree as ET
import zipfile
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from pathlib import Path, PurePosixPath
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from sefa_cli.containers.checkpoint import LazyTensor
from sefa_cli.containers.file_regions import FileRegion
from sefa_cli.errors import SefaError
from sefa_cli.file_kinds import why_not

_VERSIONS = ("10", "11")  # between them the meaning of layer, data and edge did not change
_DTYPES = {"f64": "<f8", "f32": "<f4", "f16": "<f2", "i64": "<i8", "i32": "<i4"}
_PLUMBING = ("Reshape", "Convert", "Broadcast", "Tile", "Squeeze", "Unsqueeze")  # values pass on
_LARGEST = 1 << 30  # bytes of an unpacked member; the face generator has 32 MB
_LARGEST_XML = 64 << 20  # the face generator's is 0.4 MB
_AGAIN = "Fetch or copy the whole model again."
_DAMAGES = (EOFError, RuntimeError, NotImplementedError, zipfile.BadZipFile, zlib.error)


@dataclass(frozen=True)
class Source:
    """One file of an IR pair: on disk or, with `member`, inside a zip archive."""

    path: Path
    member: str = ""

    def __str__(self) -> str:
        return f"{self.path.name}:{self.member}" if self.member else self.path.name

    def with_suffix(self, suffix: str) -> "Source":
        """Return the file beside it that differs in the suffix alone."""
        if self.member:
            return Source(self.path, str(PurePosixPath(self.member).with_suffix(suffix)))
        return Source(self.path.with_suffix(suffix))

    def head(self, count: int) -> bytes:
        """Return the first `count` bytes. Raises SefaError if the file cannot be read."""
        with self._opened() as file:
            if not self.member:  # reading takes the memory first, whatever there is to read
                count = min(count, self.size)
            return file.read(count)

    @cached_property
    def size(self) -> int:
        """Bytes, unpacked. Raises SefaError where the file is missing."""
        if self.member:
            return len(self._unpacked)
        with self._opened() as file:
            return file.seek(0, 2)

    def bytes_at(self, offset: int, count: int) -> NDArray[np.uint8]:
        """`count` bytes from `offset` on, in memory of their own."""
        if self.member:
            return np.frombuffer(self._unpacked, np.uint8)[offset : offset + count].copy()
        return FileRegion(self.path, offset, count).read()

    @cached_property
    def _unpacked(self) -> bytes:
        # A packed member cannot be entered in the middle: unpacked once, kept for all constants.
        content = self.head(_LARGEST + 1)
        if len(content) > _LARGEST:
            raise SefaError(f"{self} unpacks to more than {_LARGEST >> 20} MB")
        return content

    @contextlib.contextmanager
    def _opened(self) -> Iterator[IO[bytes]]:
        try:
            if not self.member:
                with open(self.path, "rb") as file:
                    yield file
                return
            with zipfile.ZipFile(self.path) as archive, archive.open(self.member) as member:
                yield member
        except (FileNotFoundError, KeyError):
            raise SefaError(f"{self} is missing", "each .xml with its .bin", _AGAIN) from None
        except OSError as error:
            raise why_not(self.path, error, "read") from error
        except _DAMAGES as error:
            raise SefaError(f"{self} is damaged ({error})", remedy=_AGAIN) from None


@dataclass(eq=False)
class Node:
    """One operation, what it needs (by input port) and who needs it."""

    kind: str  # "Convolution", "Const" …
    data: Mapping[str, str]  # attributes of its <data>
    tensor: LazyTensor | None = None  # of a Const
    inputs: tuple["Node", ...] = ()
    consumers: list["Node"] = field(default_factory=list)

    def constant(self) -> LazyTensor | None:
        """Return the constant that this is, or that it only reshapes."""
        node = self
        while node.kind in _PLUMBING and node.inputs:
            node = node.inputs[0]
        return node.tensor

    def split(self) -> tuple[LazyTensor, "Node"] | None:
        """Of an operation on two inputs of which one is a constant: that, and the other one."""
        constants = [node.constant() for node in self.inputs]
        match constants:
            case [None, LazyTensor() as constant]:
                return constant, self.inputs[0]
            case [LazyTensor() as constant, None]:
                return constant, self.inputs[1]
        return None

    def follows(self, other: "Node") -> bool:
        """Return whether the result of `other` reaches this one."""
        todo, seen = [self], {self}
        while todo and other not in seen:
            new = set(todo.pop().inputs) - seen
            seen |= new
            todo.extend(new)
        return other in seen


@dataclass(frozen=True)
class Graph:
    """A network: its operations, each after what it needs."""

    source: Source
    nodes: tuple[Node, ...]

    def of_kind(self, kind: str) -> list[Node]:
        """Return the operations of one kind, in order of execution."""
        return [node for node in self.nodes if node.kind == kind]

    def counts(self) -> str:
        """How many operations of each kind, for people: `16 Convolution, 39 Multiply, …`."""
        counted = Counter(node.kind for node in self.nodes).most_common(8)
        return ", ".join(f"{count} {kind}" for kind, count in counted)


def looks_like_ir(source: Source) -> bool:
    """Return whether the file begins like the XML of an IR network."""
    try:
        head = source.head(4096).lstrip(b"\xef\xbb\xbf \t\r\n")
    except SefaError:
        return False
    return head.startswith(b"<") and b"<net " in head


def read_graph(source: Source) -> Graph:
    """Parse the XML; of the .bin only the size is looked at.

    Raises SefaError for XML that is damaged, declares entities, is of another IR version, has
    a cycle or points outside the .bin, and for a missing .bin.
    """
    root = _parse(source)
    version = root.get("version")
    if root.tag != "net" or version not in _VERSIONS:
        raise SefaError(f"{source} is OpenVINO IR version {version}", "version 10 or 11")
    try:
        nodes = _nodes(root, source.with_suffix(".bin"))
        _connect(root, nodes)
        order = TopologicalSorter({id(node): map(id, node.inputs) for node in nodes.values()})
        by_id = {id(node): node for node in nodes.values()}
        return Graph(source, tuple(by_id[i] for i in order.static_order()))
    except CycleError:
        raise SefaError(f"{source} is damaged: its graph has a cycle", remedy=_AGAIN) from None
    except KeyError as error:
        raise SefaError(f"{source} is damaged: it has no {error}", remedy=_AGAIN) from None
    except ValueError as error:
        raise SefaError(f"{source} is damaged: {error}", remedy=_AGAIN) from None


def _parse(source: Source) -> ET.Element:
    content = source.head(_LARGEST_XML + 1)
    if len(content) > _LARGEST_XML:
        raise SefaError(f"{source} is larger than {_LARGEST_XML >> 20} MB", "the XML of a network")
    try:
        text = content.decode("utf-8-sig")  # no other encoding could hide a declaration
        if "<!DOCTYPE" in text or "<!ENTITY" in text:
            raise SefaError(f"{source} declares entities, which no IR file does")
        return ET.fromstring(text)
    except (UnicodeDecodeError, ET.ParseError) as error:
        raise SefaError(f"{source} is damaged XML ({error})", remedy=_AGAIN) from None


def _nodes(root: ET.Element, binary: Source) -> dict[str, Node]:
    size = binary.size
    nodes = {}
    for layer in root.iterfind("layers/layer"):
        data = layer.find("data")
        attributes = data.attrib if data is not None else {}
        kind = layer.attrib["type"]
        tensor = _constant(attributes, binary, size) if kind == "Const" else None
        nodes[layer.attrib["id"]] = Node(kind, attributes, tensor)
    return nodes


def _constant(attributes: Mapping[str, str], binary: Source, size: int) -> LazyTensor | None:
    if attributes["element_type"] not in _DTYPES:
        return None  # text, booleans: never a weight
    dtype = np.dtype(_DTYPES[attributes["element_type"]])
    shape = tuple(int(side) for side in attributes["shape"].split(",") if side.strip())
    offset, count = int(attributes["offset"]), int(attributes["size"])
    if count != math.prod(shape) * dtype.itemsize or min(offset, *shape, 0) < 0:
        raise ValueError(f"constant of shape {shape} in {count} bytes")
    if offset + count > size:
        raise SefaError(
            f"{binary} has {size:,} bytes", f"at least {offset + count:,}, as its .xml says", _AGAIN
        )

    def read() -> NDArray[Any]:
        numbers = binary.bytes_at(offset, count).view(dtype)
        return numbers.astype(dtype.newbyteorder("="), copy=False).reshape(shape)

    return LazyTensor(shape, dtype.name, read)


def _connect(root: ET.Element, nodes: Mapping[str, Node]) -> None:
    ports: dict[str, dict[int, Node]] = defaultdict(dict)
    for edge in root.iterfind("edges/edge"):
        giver, taker = nodes[edge.attrib["from-layer"]], edge.attrib["to-layer"]
        ports[taker][int(edge.attrib["to-port"])] = giver
        giver.consumers.append(nodes[taker])
    for taker, inputs in ports.items():
        nodes[taker].inputs = tuple(inputs[port] for port in sorted(inputs))
