"""`sefa models`: the models known by name, and how to download them ahead of time."""

from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from sefa_cli.commands import options
from sefa_cli.commands.command import SefaCommand
from sefa_cli.commands.console import print_json, table_console, wrote

if TYPE_CHECKING:
    from rich.console import Console

    from sefa_cli.sources.zoo import Entry

app = typer.Typer(invoke_without_command=True)

_Name = Annotated[
    str,
    typer.Argument(
        metavar="MODEL", help="A name from the list, or an https:, hf: or pypi: address."
    ),
]


_Family = Annotated[
    str | None, typer.Option("--family", metavar="NAME", help="List only models of this family.")
]


@app.callback()
def models(context: typer.Context, family: _Family = None, json: options.Json = False) -> None:
    """List the models known by name: family, resolution, size, license, cached or not.

    Files in NVIDIA's or Hugging Face's own cache count as cached and are used from there. To add
    models, name a file like sefa's own zoo.toml in SEFA_ZOO. If a file has the same name as a
    model of the list, the model is used; write ./NAME for the file.
    """
    if context.invoked_subcommand is not None:
        return
    from sefa_cli.sources.zoo import load_zoo

    entries = list(load_zoo().values())
    if family is not None:
        entries = [entry for entry in entries if entry.family == family] or _no_family(family)
    if json:
        print_json([_facts(entry) for entry in entries])
    else:
        _print_table(table_console(), entries)


@app.command(cls=SefaCommand)
def pull(model: _Name) -> None:
    """Download a model into the cache, check it, and print its path."""
    from sefa_cli.sources.locate import locate

    wrote(locate(_remote(model)))


@app.command(cls=SefaCommand)
def path(model: _Name) -> None:
    """Print the path of a cached model, without a download. Exit code 4: it is not cached."""
    from sefa_cli.sources.locate import locate

    wrote(locate(_remote(model), offline=True))


def _no_family(family: str) -> NoReturn:
    from sefa_cli.errors import UsageError, either
    from sefa_cli.sources.zoo import load_zoo

    known = sorted({entry.family for entry in load_zoo().values()})
    raise UsageError(f"unknown family {family!r}", either(known))


def _remote(model: str) -> str:
    """Return `model` if it can be downloaded. Raises SefaError for anything else."""
    from sefa_cli.sources import locate, pages, references, zoo

    if pages.is_bare_address(model):
        raise locate.nothing_there(model)
    return model if references.is_remote(model) else zoo.find(model).name


def _facts(entry: "Entry") -> dict[str, Any]:
    """Return an entry as `--json` prints it."""
    from sefa_cli.sources.locate import cached

    stored = cached(entry.wanted, entry.also)
    source, *mirrors = entry.wanted.refs
    return {
        "name": entry.name,
        "family": entry.family,
        "resolution": entry.resolution,
        **vars(entry.wanted.facts),  # size, sha256, sha256_prefix
        "source": source,
        "mirrors": mirrors,
        "also": [
            {"source": other.refs[0], "mirrors": list(other.refs[1:]), **vars(other.facts)}
            for other in entry.also
        ],
        "license": entry.license,
        "note": entry.note,
        "cached": stored is not None,
        "path": None if stored is None else str(stored),
    }


def _print_table(console: "Console", entries: "list[Entry]") -> None:
    from rich.markup import escape

    from sefa_cli.commands.tables import print_table
    from sefa_cli.sources.locate import cached

    columns = [
        *(("name", "left"), ("family", "left"), ("px", "right"), ("size", "right")),
        *(("cached", "left"), ("license", "left")),
    ]
    rows = []
    for entry in entries:
        size = entry.wanted.facts.size
        rows.append(
            [
                entry.name,
                escape(entry.family),
                str(entry.resolution),
                "?" if size is None else f"{size / 1e6:.0f} MB",
                "yes" if cached(entry.wanted, entry.also) else "no",
                escape(entry.license),
            ]
        )
    print_table(console, columns, rows, box=None)
