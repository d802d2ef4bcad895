"""What can be refused before torch or a model is loaded: a typing error should cost no time.

These checks know the words of the command. The library checks again what it is given.
"""

import contextlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sefa_cli.errors import OfflineError, SefaError, UsageError
from sefa_cli.ranges import parse_range

if TYPE_CHECKING:
    from sefa_cli.bundle.bundle import Bundle
    from sefa_cli.commands.picture_options import Look

LEVELS = ("all", "bottom", "middle", "top")
_SOON = 1 << 26  # bytes; a larger file of codes is read once


def check_seeds(text: str) -> int:
    """Return how many seeds `text` names. Raises UsageError unless it is a range of seeds."""
    return len(parse_range(text, "seed", 2**32))


def check_device(name: str) -> None:
    """Raise for a device that does not exist, or that this build of torch cannot have."""
    if not re.fullmatch(r"auto|cpu|mps|cuda(:\d+)?", name):
        raise UsageError(f"unknown device {name!r}", "one of auto, cpu, cuda, mps")
    if not name.startswith("cuda"):
        return
    from importlib import metadata  # slow to import

    version = ""
    with contextlib.suppress(metadata.PackageNotFoundError):  # without torch another text helps
        version = metadata.version("torch")
    if "+cpu" in version:
        raise SefaError(
            f"cannot use --device {name}: this torch ({version}) is a CPU build",
            remedy="Install the CUDA build that pytorch.org names, or use --device cpu.",
        )


def check_model(ref: str, offline: bool | None = None) -> None:
    """Raise SefaError for a model that is unknown or missing, without fetching anything."""
    from sefa_cli.sources.locate import locate

    try:
        locate(ref, offline=True)
    except OfflineError:
        if offline:
            raise


def check_codes(
    codes: str | None, seeds: str | None, look: "Look", bundle: "Bundle | None" = None
) -> None:
    """Refuse what holds no codes, and options that codes leave without effect.

    With `bundle` the file is read now, before torch is loaded, unless it is large.
    """
    space = bundle and bundle.space
    if codes is None:
        return
    if seeds is not None:
        raise UsageError("--seeds and --codes cannot be used together")
    if look.class_label is not None and space == "w":
        raise UsageError("cannot use --class with --codes: codes in w already have their class")
    if look.trunc_layers is not None and look.trunc is None:
        raise UsageError("cannot use --trunc-layers with --codes: without --trunc it does nothing")
    if not Path(codes).exists():
        raise SefaError(f"{codes} does not exist", remedy="Check the name.")
    if bundle and Path(codes).is_file() and Path(codes).stat().st_size < _SOON:
        from sefa_cli.interchange.latents import read_codes

        read_codes(codes, "z" if space == "z" else "w", int(bundle.model["num_layers"]))


def check_once(once: bool, output: str) -> None:
    """Refuse `--once` for a film that cannot know whether it repeats."""
    if once and Path(output).suffix.lower() not in (".gif", ".webp", ".apng", ".png"):
        raise UsageError(
            f"cannot use --once with {output}: its player decides whether it repeats",
            "a .gif, .webp or .apng",
        )


def check_class(label: int | None, classes: int, needed: bool) -> None:
    """Refuse a class that a model does not have, and none where one is `needed`."""
    if label is None:
        if classes and needed:
            raise SefaError(
                f"no label for a network of {classes} classes", f"--class, one of 0-{classes - 1}"
            )
        return
    if not classes:
        raise UsageError("the model has no classes", remedy="Leave out the class.")
    from sefa_cli.editing.class_names import check_class

    check_class(label, classes)
    if label >= classes:
        raise UsageError(f"class {label} is out of range", f"0-{classes - 1}")


def check_mix(mix: str | None, card: dict[str, Any]) -> None:
    """Refuse a `--mix-from` that lacks its source or its layers, or that the model cannot have."""
    if mix is not None:
        from sefa_cli.editing.mixing import parse_mix

        _check_layers(str(parse_mix(mix)[1]), int(card["num_layers"]))


def _check_layers(layers: str | None, count: int) -> None:
    if layers is not None and layers not in LEVELS:
        try:
            parse_range(layers, "layer", count)
        except UsageError as error:
            raise UsageError(error.found, error.expected, f"Levels: {', '.join(LEVELS)}.") from None


def check_for_model(
    card: dict[str, Any],
    layers: str | None,
    trunc_layers: str | None,
    size: int | None,
    places: bool = False,
) -> None:
    """Refuse layers, sizes and placements that a bundle's model does not have."""
    from sefa_cli.families.registry import find

    count, largest = int(card["num_layers"]), int(card["resolution"])
    _check_layers(layers, count)
    if trunc_layers is not None:
        parse_range(trunc_layers, "truncation layer", count)
    if places and (family := find(card["family"])) and not family.places:
        raise UsageError(
            f"cannot use --translate or --rotate with a {family.name} model", "a stylegan3 model"
        )
    if size is not None and size > largest:
        raise UsageError(f"--size must be between 1 and {largest}, got {size}")
