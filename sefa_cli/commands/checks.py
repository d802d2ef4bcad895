"""What can be refused before torch or a model is loaded: a typing error should cost no time.

These checks know the words of the command. The library checks again what it is given.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from sefa_cli.errors import OfflineError, UsageError, either
from sefa_cli.ranges import check_indices, parse_range

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sefa_cli.commands.picture_options import Look
    from sefa_cli.containers.checkpoint import Checkpoint
    from sefa_cli.discovery.regions.region import Region

LEVELS = ("all", "bottom", "middle", "top")
_SOON = 1 << 26  # bytes; a larger file of codes is read once


def check_seeds(text: str) -> int:
    """Return how many seeds `text` names. Raises UsageError unless it is a range of seeds."""
    return len(parse_range(text, "seed", 2**32))


def check_device(name: str, precision: str = "auto") -> None:
    """Raise UsageError for a device or a precision that this machine or this torch lacks."""
    from sefa_cli.generators.devices import check_device
    from sefa_cli.generators.precision import check_precision

    check_device(name)
    check_precision(precision, name)


def check_model(
    ref: str,
    offline: bool | None = None,
    check: "Callable[[Checkpoint], object] | None" = None,
) -> None:
    """Raise SefaError for a model that is unknown or missing, without fetching anything.

    A model that is here is also given to `check`.
    """
    from sefa_cli.sources.locate import locate

    try:
        locate(ref, offline=True)
    except OfflineError:
        if offline:
            raise
        return
    if check is not None:
        from sefa_cli.checkpoints import open_checkpoint

        check(open_checkpoint(ref, offline=True))


def check_codes(
    codes: str | None,
    seeds: str | None,
    look: "Look",
    space: str,
    sizes: "Mapping[str, Any] | None",
) -> None:
    """Refuse what holds no codes for a model, and options that codes leave without effect.

    Without `sizes` the file is read later.
    """
    if codes is None:
        return
    if seeds is not None:
        raise UsageError("--seeds and --codes cannot be used together")
    if look.class_label is not None and space == "w":
        raise UsageError("--class has no effect with --codes: codes in w already have their class")
    if look.trunc_layers is not None and look.trunc is None:
        raise UsageError("--trunc-layers has no effect without --trunc on --codes")
    if sizes is not None:
        check_file_of_codes(codes, {**sizes, "space": space})


def check_file_of_codes(path: str, sizes: "Mapping[str, Any]", number: int = 0) -> None:
    """Read the codes in a file before torch is loaded, unless it is large.

    Raises SefaError for a file without codes of these sizes, UsageError if it has no such number.
    """
    if not Path(path).is_file() or Path(path).stat().st_size < _SOON:
        from sefa_cli.interchange.latents import codes_for

        check_indices([number], "code", len(codes_for(path, sizes["space"], sizes).array))


def check_once(once: bool, output: str) -> None:
    """Refuse `--once` for a film that cannot know whether it repeats."""
    if once and Path(output).suffix.lower() not in (".gif", ".webp", ".apng", ".png"):
        raise UsageError(
            f"--once has no effect with {output}: its player decides whether it repeats",
            "a .gif, .webp or .apng",
        )


def check_region(region: "Region", still: "Region | None", shape: tuple[int, int] | None) -> None:
    """Draw a region and the background on a picture of this shape. Raises SefaError.

    Named regions may have to be found in the pictures. Without `shape` the network alone knows.
    """
    if shape is None:
        return
    import numpy as np

    from sefa_cli.discovery.regions.region import background

    named = region.kind == "region"
    fore = np.zeros(shape, np.uint8) if named else region.weights(*shape)
    background(fore, still)


def check_class(label: int | None, classes: int, needed: bool) -> None:
    """Refuse a class that a model does not have, and none where one is `needed`."""
    if label is None:
        if classes and needed:
            raise UsageError(
                f"no label for a network of {classes} classes", f"--class, one of 0-{classes - 1}"
            )
        return
    if not classes:
        raise UsageError("--class has no effect: the model has no classes")
    from sefa_cli.editing.class_names import check_class

    check_class(label, classes)


def check_mix(mix: str | None, sizes: "Mapping[str, Any]") -> None:
    """Refuse a `--mix-from` that lacks its source or its layers, or that the model cannot have."""
    if mix is not None:
        from sefa_cli.editing.mixing import parse_mix

        source, layers = parse_mix(mix)
        _check_layers(str(layers), int(sizes["num_layers"]))
        check_source(str(source), sizes)


def check_source(source: str, sizes: "Mapping[str, Any]") -> None:
    """Refuse a seed or a code out of range, and a file without codes for this model."""
    from sefa_cli.editing.mixing import parse_source

    found, number = parse_source(source)
    if isinstance(found, Path):
        check_file_of_codes(str(found), sizes, number)


def _check_layers(layers: str | None, count: int) -> None:
    if layers is not None and layers not in LEVELS:
        try:
            parse_range(layers, "layer", count)
        except UsageError as error:
            raise UsageError(error.found, error.expected, f"Levels: {either(LEVELS)}.") from None


def check_for_model(card: dict[str, Any], layers: str | None, look: "Look") -> None:
    """Refuse layers, sizes and placements that a bundle's model does not have."""
    from sefa_cli.families.registry import find

    count, largest = int(card["num_layers"]), int(card["resolution"])
    _check_layers(layers, count)
    if look.trunc_layers is not None:
        parse_range(look.trunc_layers, "truncation layer", count)
    if look.places and (family := find(card["family"])) and not family.places:
        raise UsageError(
            f"{' and '.join(look.places)} cannot be used with a {family.name} model",
            "a stylegan3 model",
        )
    if look.size is not None and look.size > largest:
        raise UsageError(f"--size must be between 1 and {largest}, got {look.size}")
