"""Codes between and of two sources: some layers of the one, the rest of the other; or both in part.

A source is a seed, or a code: the first of a file (`face.npz`), or its code 2 (`face.npz:2`).
"""

import math
import os
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from sefa_cli.arguments import in_short
from sefa_cli.errors import UsageError
from sefa_cli.file_kinds import not_here
from sefa_cli.projections import parse_layers
from sefa_cli.ranges import Indices, check_indices, is_range, is_whole, parse_range

_LEVELS = ("all", "bottom", "middle", "top")

if TYPE_CHECKING:
    import torch

    from sefa_cli.editing.codes import CodeArray
    from sefa_cli.editing.start import Start
    from sefa_cli.generators.base import Generator

    Source = int | str | Path | CodeArray  # 7, "7", "face.npz", "face.npz:2", or an array
    Mix = str | tuple[Source, Indices]  # "7:8-22", "face.npz:top", (7, [8, 9])


def parse_source(source: "int | str | Path") -> tuple[int | Path, int]:
    """Return a seed, or a file of codes; and the number of the code in the file.

    Raises UsageError for a seed that is out of range, SefaError for a file that does not exist.

    Example:
        >>> parse_source("7")
        (7, 0)
    """
    text = str(source)
    if is_range(text):
        if not text.strip().isdecimal():
            raise UsageError(f"{text} names several seeds", "one seed, such as 7")
        return parse_range(text, "seed", 2**32)[0], 0
    path, number = text, "0"
    if not os.path.exists(text) and text.rpartition(":")[2].isdecimal():  # noqa: PTH110
        path, _, number = text.rpartition(":")
    if os.path.exists(path):  # noqa: PTH110 (Path.exists raises for names that are too long)
        return Path(path), parse_range(number, "code")[0]
    if re.fullmatch(r"-\d{1,18}", text):
        check_indices([int(text)], "seed", 2**32)
    raise not_here(path, "Give a seed, or a file of codes such as face.npz.")


def check_source(source: "Source") -> None:
    """Raise UsageError for what cannot be a source, SefaError for a file that does not exist."""
    if is_whole(source, -math.inf) or isinstance(source, str | Path):
        parse_source(source)  # type: ignore[arg-type]
    elif not hasattr(source, "shape"):
        raise UsageError(
            f"a source must be a seed, a file or an array, got {in_short(source)}",
            '7, "face.npz" or codes',
        )


def parse_mix(mix: "Mix") -> "tuple[Source, Indices]":
    """Return the source and the layers of `--mix-from`. Raises UsageError unless it has both."""
    if isinstance(mix, tuple | list) and len(mix) == 2:
        check_source(mix[0])
        return mix[0], mix[1]
    if not isinstance(mix, str):
        raise UsageError(
            f"mix_from must be a source and its layers, got {in_short(mix)}",
            '"7:8-22" or (7, [8, 9])',
        )
    source, _, layers = mix.rpartition(":")
    if not source or not (layers in _LEVELS or is_range(layers)):
        raise UsageError(
            f"mix_from must be a source and its layers, got {mix!r}",
            "something like 7:8-22 or 7:top",
        )
    parse_source(source)
    return source, layers


def code_of(
    generator: "Generator",
    source: "Source",
    psi: float | None = None,
    trunc_layers: "Indices | None" = None,
    label: int | None = None,
) -> "torch.Tensor":
    """Return the code of a source, `(1, layers, dim)` or `(1, dim)`.

    Args:
        generator: The generator.
        source: A seed, or a code: an array of one code, or a file; `face.npz:2` is its code 2.
        psi: Truncation; codes are truncated only if it is given.
        trunc_layers: The code indices to truncate; None for all.
        label: The class of a conditional model; codes in w have theirs already.

    Raises:
        UsageError: A number is out of range.
        SefaError: The file cannot be read, or its codes are not those of this model.
    """
    from sefa_cli.editing.start import start_from

    check_source(source)
    if is_whole(source, -math.inf):
        source = int(source)  # type: ignore[arg-type]
    if not isinstance(source, int | str | Path):
        codes, number = start_from(generator, 0, source, psi, trunc_layers, None).codes, 0
    else:
        found, number = parse_source(source)
        if isinstance(found, int):
            return start_from(generator, found, None, psi, trunc_layers, label).codes
        own = label if generator.conditioned else None
        codes = start_from(generator, 0, found, psi, trunc_layers, own).codes
    check_indices([number], "code", len(codes))
    return codes[number : number + 1]


def mixed(
    start: "Start",
    generator: "Generator",
    mix: "Mix",
    psi: float | None = None,
    trunc_layers: "Indices | None" = None,
    label: int | None = None,
) -> "Start":
    """Return `start` with the codes of another source on some layers: style mixing.

    Args:
        start: The codes that keep the other layers.
        generator: The generator.
        mix: The source and its layers: `"7:8-22"`, `"face.npz:top"`, or a pair of them.
        psi: As for `code_of`.
        trunc_layers: As for `code_of`.
        label: As for `code_of`.

    Raises:
        UsageError: The model has no such layers, or one code for all of them.
        SefaError: The file cannot be read, or its codes are not those of this model.

    Source: Karras et al., CVPR 2019, section 3.1.
    """
    source, wanted = parse_mix(mix)
    if start.codes.ndim != 3:
        raise UsageError(
            f"cannot mix layers of a {generator.family} model: one code is for all of them",
            "a model with a code for each layer",
        )
    layers = list(parse_layers(generator.checkpoint, wanted))
    codes = start.codes.clone()
    codes[:, layers] = code_of(generator, source, psi, trunc_layers, label)[:, layers]
    return replace(start, codes=codes, mixed=mix if isinstance(mix, str) else "")


def between(first: "torch.Tensor", last: "torch.Tensor", part: float, space: str) -> "torch.Tensor":
    """Return the code at `part` of the way from one code to another, of the same shape.

    In w the way is straight. In z it is the arc between the two directions, because the lengths
    of a normal distribution's z are all near √dim; the length changes evenly.

    Args:
        first: The code at part 0, `(…, dim)`.
        last: The code at part 1.
        part: From 0 to 1.
        space: "w" or "z".

    Source: Karras et al., CVPR 2019, section 4.1 (straight in w, slerp in z).

    Example:
        >>> import torch
        >>> between(torch.tensor([2.0, 0]), torch.tensor([0, 2.0]), 0.5, "w")
        tensor([1., 1.])
        >>> between(torch.tensor([2.0, 0]), torch.tensor([0, 2.0]), 0.5, "z")
        tensor([1.4142, 1.4142])
    """
    if part in (0, 1):  # to the last bit
        return last if part else first
    straight = first + (last - first) * part
    if space == "w":
        return straight
    lengths = first.norm(dim=-1, keepdim=True), last.norm(dim=-1, keepdim=True)
    one, other = first / lengths[0], last / lengths[1]
    angle = (one * other).sum(-1, keepdim=True).clamp(-1, 1).arccos()
    bow = ((1 - part) * angle).sin() * one + (part * angle).sin() * other
    arc = bow / angle.sin() * (lengths[0] + (lengths[1] - lengths[0]) * part)
    bent = (angle > 1e-4) & (angle < math.pi - 1e-4)  # not if one code is 0: NaN
    return straight.where(~bent, arc)  # otherwise no arc exists, or none is the shortest
