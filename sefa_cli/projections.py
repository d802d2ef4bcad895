"""The first projections of a generator: every matrix that takes the latent into the network.

numpy alone reads them, and only those matrices, so factorizing needs no torch. Their fingerprint,
the named levels, and the mean style that reveals a common gain are here too.
"""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sefa_cli.bundle.bundle import Bundle
from sefa_cli.containers.checkpoint import Checkpoint
from sefa_cli.errors import MismatchError, SefaError, UsageError, either
from sefa_cli.families.family import Layer
from sefa_cli.families.registry import blamed, built_in, family_of, find
from sefa_cli.held import holdable
from sefa_cli.ranges import Indices, as_indices, format_range

TO_RGB = ("first", "last", "all", "none")


def first_projections(checkpoint: Checkpoint) -> tuple[Layer, ...]:
    """Return all of them: by code index, then in order of execution, to-RGB last.

    Raises SefaError for a family whose projections are not known.
    """
    family = family_of(checkpoint)
    try:
        with blamed(family):
            layers = list(family.projections(checkpoint.tensors))
    except (KeyError, ValueError) as error:  # of a forged file of our own: others were checked
        raise SefaError(
            f"{checkpoint.ref} has tensors that do not make a {checkpoint.family} ({error})",
            "a complete generator",
        ) from None
    _check(checkpoint, layers)
    return tuple(sorted(layers, key=lambda layer: (layer.index, layer.kind == "torgb")))


def _check(checkpoint: Checkpoint, layers: list[Layer]) -> None:
    """Check that there are projections, and that all are matrices over the latent or part of z."""
    if not layers:
        raise SefaError(f"{checkpoint.ref} has no first projection", "a complete generator")
    space, dim = checkpoint.config.space, checkpoint.config.dim
    for layer in layers:
        shape = layer.matrix.shape
        if len(shape) != 2 or 0 in shape or (shape[1] != dim if space == "w" else shape[1] > dim):
            raise SefaError(f"{layer.name} has the shape {shape}", f"(outputs, {dim})")


def demodulates(checkpoint: Checkpoint) -> bool:
    """Return whether the network undoes a common scale of the styles at run time.

    If it does not, a direction that is such a scale (a common style gain) changes the picture, and
    mostly destroys it.
    """
    family = find(checkpoint.family)
    return family is None or family.demodulates


def fingerprint(checkpoint: Checkpoint) -> str:
    """Return the SHA-256 of all first projections as stored (formats/directions-v1.md)."""
    return fingerprint_of(first_projections(checkpoint))


def fingerprint_of(layers: Iterable[Layer]) -> str:
    """Return the SHA-256 of these matrices, in this order."""
    digest = hashlib.sha256(b"sefa-fp1\n")
    for layer in layers:
        rows, columns = layer.matrix.shape
        digest.update(f"{layer.index} {layer.kind} {rows} {columns}\n".encode("ascii"))
        digest.update(np.ascontiguousarray(layer.matrix.float32(), "<f4").data)
    return digest.hexdigest()


def check_same(bundle: Bundle, checkpoint: Checkpoint) -> None:
    """Raise MismatchError for a bundle of another model."""
    check_same_print(bundle, checkpoint.ref, fingerprint(checkpoint))


def check_same_print(bundle: Bundle, ref: str, found: str) -> None:
    """Raise MismatchError unless `found`, the fingerprint of `ref`, is that of the bundle."""
    wanted = str(bundle.model["fingerprint"])
    if found != wanted:
        raise MismatchError(
            f"the bundle belongs to {bundle.model['ref']} with fingerprint {wanted}, but {ref} "
            f"has {found}",
            remedy="Name the right model with model=, or accept this one with any_model=True.",
        )


def layer_names(checkpoint: Checkpoint) -> list[str]:
    """Return one name per code index: that of the first projection it drives."""
    names: dict[int, str] = {}
    for layer in first_projections(checkpoint):
        names.setdefault(layer.index, layer.name)
    return [names[index] for index in sorted(names)]


def levels(checkpoint: Checkpoint) -> dict[str, tuple[int, ...]]:
    """Return the code indices of `all`, `bottom`, `middle` and `top`; a level may be empty.

    The family decides which code indices are in which level (`Family.levels`). StyleGAN3's input
    layer is in none: its four outputs only move the picture, and after row scaling would weigh as
    much as any channel.
    """
    layers = [layer for layer in first_projections(checkpoint) if layer.kind != "input"]
    first = {layer.index: layer.resolution for layer in reversed(layers)}
    indices = sorted(first)
    low, mid = family_of(checkpoint).levels({index: first[index] for index in indices})
    top = [i for i in indices if i not in low and i not in mid]
    return {"all": tuple(indices), "bottom": tuple(low), "middle": tuple(mid), "top": tuple(top)}


def parse_layers(checkpoint: Checkpoint, layers: Indices) -> tuple[int, ...]:
    """Return code indices, increasing, given as a level, a range such as `2-5,7`, or numbers.

    Raises UsageError for anything else, an empty level, or an index the model does not have.
    """
    named = levels(checkpoint)
    count = len(layer_names(checkpoint))
    if isinstance(layers, str) and layers in named:
        if not named[layers]:
            raise UsageError(f"{checkpoint.ref} has no {layers} layers", f"0-{count - 1}")
        return named[layers]
    try:
        return tuple(sorted(as_indices(layers, "layer", count)))
    except UsageError as error:
        raise UsageError(error.found, error.expected, f"Levels: {either(named)}.") from None


def select(
    checkpoint: Checkpoint,
    layers: Indices = "all",
    to_rgb: str = "last",
    everything: Sequence[Layer] | None = None,
) -> list[Layer]:
    """Return the projections of the code indices `layers`; `to_rgb` filters the to-RGBs.

    `last` is the published choice for StyleGAN2. The result is a part of `everything`, by default
    of new `first_projections`. Raises UsageError if nothing is left.
    """
    if to_rgb not in TO_RGB:
        raise UsageError(f"unknown to-RGB choice {to_rgb!r}", either(TO_RGB))
    indices = set(parse_layers(checkpoint, layers))
    everything = everything or first_projections(checkpoint)
    rgbs = [layer for layer in everything if layer.kind == "torgb"]
    kept = {"first": rgbs[:1], "last": rgbs[-1:], "all": rgbs, "none": []}[to_rgb]
    chosen = [
        layer
        for layer in everything
        if layer.index in indices and (layer.kind != "torgb" or layer in kept)
    ]
    if not chosen:
        raise UsageError(
            f"layers {format_range(sorted(indices))} with to-RGB {to_rgb!r} leave nothing",
            "at least one layer",
            "Choose other layers or another to_rgb=.",
        )
    return chosen


def picture_shape(checkpoint: Checkpoint, size: int) -> tuple[int, int] | None:
    """Return height and width of a picture whose longer side has `size` pixels, without torch.

    The learned constant of a StyleGAN has the shape of its pictures; our other families paint
    squares. None for a plug-in, whose network alone knows.
    """
    if checkpoint.family not in built_in():
        return None
    const = checkpoint.tensors.get("synthesis.b4.const")
    height, width = (1, 1) if const is None else const.shape[-2:]
    longer = max(height, width)
    return max(1, round(size * height / longer)), max(1, round(size * width / longer))


def mean_w(checkpoint: Checkpoint, count: int = 1000) -> NDArray[np.float32]:
    """Return the mean w of a StyleGAN-like mapping network, in numpy: `(w_dim,)`.

    It is the file's, if the file has one, else the mean over `count` rows of
    RandomState(0).randn(10000, z_dim): enough for a check. Pictures are truncated toward the
    generator's own mean of all rows.
    """
    if "mapping.w_avg" in checkpoint.tensors:
        return checkpoint.tensors["mapping.w_avg"].float32()
    z = np.random.RandomState(0).randn(count, checkpoint.config.z_dim).astype(np.float32)
    x = z / np.sqrt(np.mean(z * z, axis=1, keepdims=True) + 1e-8)  # (count, z_dim)
    lr = checkpoint.config.get("lr_multiplier")  # None: folded into the weights already
    depth = 0
    while f"mapping.fc{depth}.weight" in checkpoint.tensors:
        weight = checkpoint.tensors[f"mapping.fc{depth}.weight"].float32()  # (out, in)
        bias = checkpoint.tensors[f"mapping.fc{depth}.bias"].float32()  # (out,)
        gain = 1.0 if lr is None else lr / np.sqrt(weight.shape[1])
        x = x @ (weight.T * np.float32(gain)) + bias * np.float32(1.0 if lr is None else lr)
        x = np.maximum(x, np.float32(0.2) * x) * np.float32(np.sqrt(2))
        depth += 1
    mean: NDArray[np.float32] = x.mean(axis=0)
    return mean


@holdable
def weights_digest(checkpoint: Checkpoint) -> str:
    """Return the SHA-256 of all tensors, and of the changes to a tuned model.

    What is kept of a model's pictures is kept by this digest: any fine-tuning changes it, while
    the fingerprint is that of the first projections alone.
    """
    digest = hashlib.sha256(b"" if checkpoint.tuned is None else checkpoint.tuned.read_bytes())
    for name in sorted(checkpoint.tensors):
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(checkpoint.tensors[name].float32(), "<f4").data)
    return digest.hexdigest()


def model_card(checkpoint: Checkpoint, everything: Sequence[Layer] | None = None) -> dict[str, Any]:
    """Return the facts that a bundle keeps about its model, with the fingerprint.

    `everything` are its `first_projections` if some are read already: matrices read once are kept.
    """
    config = checkpoint.config
    return {
        "ref": checkpoint.ref,
        "family": checkpoint.family,
        "resolution": config.resolution,
        "z_dim": config.z_dim,
        "w_dim": config.w_dim,
        "num_layers": config.num_layers,
        "layer_names": layer_names(checkpoint),
        "fingerprint": fingerprint_of(everything or first_projections(checkpoint)),
    }
