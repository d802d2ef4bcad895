"""`sefa export`: directions for other tools, in the files those read."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sefa_cli.commands import options
from sefa_cli.commands.console import say, wrote
from sefa_cli.errors import SefaError, UsageError

if TYPE_CHECKING:
    from sefa_cli.bundle.bundle import Bundle
    from sefa_cli.interchange.formats import Format


def export(
    file: Annotated[str, typer.Argument(metavar="X.dirs", help="The bundle; - for stdin.")],
    to: Annotated[
        str,
        typer.Option(
            "--to",
            metavar="FORMAT",
            help="npy, w+, interfacegan, lowrankgan, resefa, ganspace, e4e-pca, e4e, rosinality, "
            "anycost, gguf.",
        ),
    ],
    output: Annotated[
        str,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE|DIR",
            help="The file, - for stdout; a folder where the format holds one direction a file.",
        ),
    ],
    k: Annotated[
        str | None, typer.Option("--k", metavar="K", help="Only these: 0-4 or labels.")
    ] = None,
    overwrite: options.Overwrite = False,
) -> None:
    """Write directions in another tool's format.

    What the format cannot hold is said on stderr; docs/formats.md has the whole table.
    """
    from sefa_cli.bundle.bundle import Bundle
    from sefa_cli.files import check_writable, open_atomically
    from sefa_cli.interchange.formats import content, find_format, not_held

    form = find_format(to)
    bundle = Bundle.load(file)
    ks = tuple(range(bundle.k)) if k is None else bundle.indices(k)
    stem = "directions" if file == "-" else Path(file).stem
    targets = _targets(output, form, bundle, ks, stem)
    for path in targets:
        if path != "-":
            check_writable(path, overwrite)
    for path, part in targets.items():
        data = content(form, bundle, part)
        if path == "-":
            _to_stdout(data)
            continue
        with open_atomically(path, overwrite) as target:
            target.write(data)
        wrote(path)
    say(f"{form.name} cannot hold: {', '.join(not_held(form, bundle, ks))}")


def _targets(
    output: str, form: "Format", bundle: "Bundle", ks: tuple[int, ...], stem: str
) -> dict[str, tuple[int, ...]]:
    """Which directions go into which file; a folder is made."""
    from sefa_cli.files import make_folder
    from sefa_cli.interchange.labels import file_stem

    folder = Path(output)
    if output == "-" or not (folder.is_dir() or not folder.suffix or output.endswith("/")):
        if form.single and len(ks) > 1:
            raise UsageError(
                f"{form.name} holds one direction per file, and {len(ks)} are to be written",
                "a folder",
                "Or choose one with --k.",
            )
        return {output: ks}
    if not form.single:
        raise UsageError(f"{output} is a folder", f"a file name for {form.name}")
    make_folder(folder)
    ending = form.ending(bundle.space)
    names = [f"{file_stem(stem, k, bundle.labels[k])}{ending}" for k in ks]
    names = [
        name if names.count(name) == 1 else f"{stem}_k{k}{ending}"
        for name, k in zip(names, ks, strict=True)
    ]
    return {str(folder / name): (k,) for name, k in zip(names, ks, strict=True)}


def _to_stdout(data: bytes) -> None:
    if sys.stdout.isatty():
        raise SefaError("refusing to write binary data to a terminal", remedy="Pipe it or use -o.")
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()
