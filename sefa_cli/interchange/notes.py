"""How a PNG picture was made: its model, seed, code and moves, in one tEXt chunk named `sefa`.

The chunk is JSON. The code comes last, as float32 (little-endian, zlib, base64), so the picture can
be made again, and moved on, without the bundles it was made with.
"""

import base64
import binascii
import json
import struct
import zlib
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from sefa_cli.errors import SefaError
from sefa_cli.file_kinds import open_file

KEY = "sefa"
_START = b"\x89PNG\r\n\x1a\n"
_LARGEST = 1 << 24  # bytes of the note, and of its code


def is_png(path: Path | str) -> bool:
    """Return whether this is a file that begins as a PNG picture."""
    if not Path(path).is_file():
        return False
    with open_file(path) as file:
        return file.read(len(_START)) == _START


def to_text(about: Mapping[str, Any], code: NDArray[np.float32]) -> str:
    """Return the text of the chunk, in ASCII; `code` is `(layers, dim)` or `(dim,)`.

    If `about` has the number of faces, the codes are those of all of them.
    """
    packed = zlib.compress(np.ascontiguousarray(code, "<f4").tobytes(), 9)
    plain = {"shape": list(code.shape), "float32": base64.b64encode(packed).decode()}
    return json.dumps({**about, "latent": plain}, ensure_ascii=True)


def read_note(path: Path | str) -> tuple[dict[str, Any], NDArray[np.float32]]:
    """Return how a picture was made, and the code of each face: `(n, layers, dim)` or `(n, dim)`.

    Raises SefaError if the picture has no such chunk, or one that cannot be read.
    """
    with open_file(path) as file:
        return note_in(file, str(path))


def has_note(data: bytes) -> bool:
    """Return whether these bytes are a PNG picture with a note."""
    return data.startswith(_START) and _chunk(BytesIO(data)) is not None


def note_in(file: IO[bytes], path: str) -> tuple[dict[str, Any], NDArray[np.float32]]:
    """Return what `read_note` does, from an open file; `path` is its name in errors."""
    text = _chunk(file)
    if text is None:
        raise SefaError(
            f"{path} does not say how it was made",
            "a single PNG picture that sefa made, unchanged",
            "Sheets do not say: pictures in a folder do.",
        )
    try:
        about = _checked(json.loads(text))
        plain = about.pop("latent")
        shape = tuple(int(n) for n in plain["shape"])
        size = 4 * int(np.prod(shape, dtype=np.float64))
        faces = about.get("faces")
        if faces is not None and faces != shape[0]:
            raise ValueError
        if not 0 < len(shape) < (3 if faces is None else 4) or min(shape) < 1 or size > _LARGEST:
            raise ValueError
        unpack = zlib.decompressobj()
        data = unpack.decompress(base64.b64decode(plain["float32"], validate=True), size + 1)
        code = np.frombuffer(data, "<f4").reshape(shape)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError,
            binascii.Error, zlib.error):  # fmt: skip
        raise SefaError(f"{path} has a note on its making that cannot be read") from None
    return about, (code[None] if faces is None else code).astype(np.float32)


def text_in(path: Path | str, key: str) -> str | None:
    """Return the text that a PNG picture has under a key, if it is whole."""
    with open_file(path) as file:
        data = file.read()
    if not data.startswith(_START) or data[-8:-4] != b"IEND":
        return None
    text = _chunk(BytesIO(data), key)
    return None if text is None else text.decode("latin-1")


def _checked(about: dict[str, Any]) -> dict[str, Any]:
    """Return the content of a note. Raises ValueError if it is not what `to_text` writes."""
    ref, moves = about["model"]["ref"], about["moves"]
    steps = [step for move in moves for step in move["steps"]]
    names = [str(ref), str(about.get("mixed", ""))]
    names += [str(step.get("label", "")) for step in steps]
    numbers = [*(step["alpha"] for step in steps), *(n for move in moves for n in move["layers"])]
    numbers += [step["k"] for step in steps]
    numbers += [about.get(name, 0) for name in ("seed", "code", "faces", "truncation", "class")]
    if not all(map(str.isprintable, names)) or not all(type(n) in (int, float) for n in numbers):
        raise ValueError
    return about


def _chunk(file: IO[bytes], wanted: str = KEY) -> bytes | None:
    """Return the text of the first chunk of that key in a PNG file."""
    end = file.seek(0, 2)
    file.seek(len(_START))
    while len(head := file.read(8)) == 8:
        length, kind = struct.unpack(">I4s", head)
        if kind == b"tEXt" and length <= min(_LARGEST, end):
            key, _, text = file.read(length).partition(b"\0")
            if key == wanted.encode():
                return text
            length = 0
        elif kind == b"IEND":
            return None
        file.seek(length + 4, 1)
    return None
