"""`sefa export`: directions in the file formats of other tools."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sefa_cli.commands import options
from sefa_cli.commands.console import warn, wrote
from sefa_cli.errors import UsageError

if TYPE_CHECKING:
    from sefa_cli.bundle.bundle import Bundle
    from sefa_cli.interchange.formats import Format


def export(
    file: Annotated[
        str, typer.Argument(metavar="X.dirs", help="The bundle of directions; - for stdin.")
    ],
    to: Annotated[
        str,
        typer.Option(
            "--to",
            metavar="FORMAT",
            help="The format: npy, w+, interfacegan, lowrankgan, resefa, ganspace, e4e-pca, e4e, "
            "rosinality, anycost, gguf.",
        ),
    ],
    output: Annotated[
        str,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE|DIR",
            help="The file to write, - for stdout, or a folder if the format holds one direction "
            "per file.",
        ),
    ],
    k: Annotated[
        str | None,
        typer.Option("--k", "-k", metavar="K", help="Directions, such as 0-2,smile. Default: all."),
    ] = None,
    overwrite: options.Overwrite = False,
) -> None:
    """Write directions in another tool's format.

    A message lists what the format cannot hold; docs/formats.md has the whole table.
    """
    from sefa_cli.bundle.bundle import Bundle
    from sefa_cli.files import check_writable, open_atomically, write_stdout
    from sefa_cli.interchange.formats import content, find_format, not_held

    form = find_format(to)
    bundle = Bundle.load(file)
    ks = tuple(range(bundle.k)) if k is None else bundle.indices(k)
    stem = "directions" if file == "-" else Path(file).stem
    targets = _targets(output, form, bundle, ks, stem)
    for path in targets:
        if path != "-":
            check_writable(path, overwrite, form.suffixes)
    for path, part in targets.items():
        data = content(form, bundle, part)
        if path == "-":
            write_stdout(data)
            continue
        with open_atomically(path, overwrite) as target:
            target.write(data)
        wrote(path)
    warn(f"{form.name} cannot hold: {', '.join(not_held(form, bundle, ks))}")


def _targets(
    output: str, form: "Format", bundle: "Bundle", ks: tuple[int, ...], stem: str
) -> dict[str, tuple[int, ...]]:
    """Return which directions go into which file; make the folder."""
    from sefa_cli.files import make_folder
    from sefa_cli.interchange.labels import file_stem

    folder = Path(output)
    if output == "-" or not (folder.is_dir() or not folder.suffix or output.endswith("/")):
        if form.single and len(ks) > 1:
            raise UsageError(
                f"{form.name} holds one direction per file, and there are {len(ks)}",
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
