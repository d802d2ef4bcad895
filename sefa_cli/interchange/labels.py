"""Labels in file names, where published tools keep the meaning of a direction."""

import re
import unicodedata
from collections.abc import Sequence
from pathlib import PurePath

from sefa_cli.ranges import is_range

_UNNAMED = re.compile(r"_k\d+$")  # `file_stem` of a direction without a label
_BOUNDARY = re.compile(r"(_w)?_boundary$")  # InterFaceGAN; _w_ for w
_GANSPACE = re.compile(r"_c\d+_n\d+(_w)?$")  # model-class_layer_estimator_c80_n1000000_w
_OF_PLACE = re.compile(r"[^\w.+-]+")  # characters to keep out of file names


def label_in_name(name: str) -> str | None:
    """Return the label in a file name, such as `smile` in `smile_w_boundary.npy`, or None."""
    label = unicodedata.normalize("NFC", _BOUNDARY.sub("", PurePath(name).stem)).strip()
    label = label.encode("utf-8", "ignore").decode()
    return label if _is_label(label) and not _UNNAMED.search(label) else None


def says_z(name: str) -> bool:
    """Return whether a name by InterFaceGAN's or GANSpace's rule means z: it lacks `_w`."""
    match = _BOUNDARY.search(PurePath(name).stem) or _GANSPACE.search(PurePath(name).stem)
    return match is not None and match[1] is None


def _is_label(label: str) -> bool:
    return bool(label) and label.isprintable() and not is_range(label)


def usable_labels(labels: Sequence[str | None], count: int) -> list[str | None]:
    """Return one label per direction, None instead of invalid and repeated ones."""
    kept: list[str | None] = []
    seen: set[str] = set()
    for label in [*labels, *[None] * (count - len(labels))]:
        text = unicodedata.normalize("NFC", label).strip() if label else ""
        kept.append(text if _is_label(text) and text not in seen else None)
        seen.add(text)
    return kept


def file_stem(bundle: str, k: int, label: str | None) -> str:
    """Return the file name for one direction: its label, else the bundle's name and index."""
    return in_file_name(label or "") or f"{bundle}_k{k}"


def in_file_name(text: str) -> str:
    """Return a text without the characters that do not belong in file names."""
    return _OF_PLACE.sub("_", text).strip("._")
