"""Tables of bundles, checkpoints and comparisons for a terminal.

A table that is wider than the terminal is printed row by row instead: nothing is cut.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD, Box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table

from sefa_cli.bundle.annotations import Tally
from sefa_cli.bundle.bundle import Bundle
from sefa_cli.bundle.compare import Comparison
from sefa_cli.commands.streams import escape, label_text
from sefa_cli.ranges import format_range

_EIGHTHS = " ▏▎▍▌▋▊▉█"
_BAR = 24  # characters
_ROOM = 24  # the least room for the value of a fact, in characters


def _bar(share: float) -> str:
    """Return a bar of `share` (0 … 1) of the full width, in eighths of a character."""
    eighths = round(share * _BAR * 8)
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()


def _facts(console: Console, title: str, facts: Mapping[str, str]) -> None:
    console.print(f"[bold]{escape(title)}[/bold]")
    _pairs(console, {name: escape(value) for name, value in facts.items() if value})


def _pairs(console: Console, pairs: Mapping[str, str]) -> None:
    """Print names and values side by side, or values below their names if there is no room."""
    if max(map(len, pairs)) + 2 + _ROOM > console.width:
        for name, value in pairs.items():
            console.print(f"[dim]{name}[/dim]")
            console.print(Padding(value, (0, 0, 0, 2)), overflow="fold")
        return
    grid = Table.grid(padding=(0, 0, 0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")  # long values wrap in their column
    for name, value in pairs.items():
        grid.add_row(name, value)
    console.print(grid)


Columns = Sequence[tuple[str, str]]  # name, "left" or "right"


def print_table(
    console: Console,
    columns: Columns,
    rows: Iterable[Sequence[str]],
    box: Box | None = SIMPLE_HEAD,
) -> None:
    """Print a table, or its rows one below another if the console is too narrow for it.

    The last column may wrap. Cells are rich markup.
    """
    rows = list(rows)
    table = Table(box=box, pad_edge=False, padding=(0, 1), header_style="bold")
    for name, justify in columns[:-1]:
        table.add_column(name, justify=justify, no_wrap=True)  # type: ignore[arg-type]
    table.add_column(columns[-1][0], justify=columns[-1][1], overflow="fold")  # type: ignore[arg-type]
    for row in rows:
        table.add_row(*row)
    whole = console.measure(table, options=console.options.update(max_width=10_000)).maximum
    last = max((console.render_str(row[-1]).cell_len for row in rows), default=0)
    if whole - max(0, last - _ROOM) <= console.width:
        console.print(table)
        return
    names = [name for name, _ in columns]
    for row in rows:
        console.print()
        _pairs(console, {name: cell for name, cell in zip(names, row, strict=True) if cell})
    console.print()


def show_bundle(console: Console, about: Mapping[str, Any], num: int) -> None:
    """Print a bundle: facts, then the leading `num` directions with a bar chart."""
    model, params = about["model"], about["params"]
    shown = {_safe(name): _plain(value) for name, value in params.items() if value is not None}
    switches = ", ".join(f"{name} {value}" for name, value in shown.items())
    switches = switches.replace("region region ", "region ")  # of a region by name
    per_layer = ", a row per layer" if about["per_layer"] else ""
    facts = {
        "format": f"sefa-directions {about['format_version']}, written by {about['tool']}",
        "method": about["method"] + (f" ({switches})" if switches else ""),
        "space": f"{about['space']}, {about['dim']} dimensions{per_layer}",
        "model": f"{model['ref']}, {model['family']}, {model['resolution']} px",
        "fingerprint": str(model["fingerprint"]),
        "layers": f"{format_range(about['layers'])} of {model['num_layers']}",
        "directions": str(about["k"]),
        "mask": _mask(about["mask"]),
    }
    _facts(console, about["file"], facts)
    print_table(console, *_spectrum(about, num))
    if about["k"] > num:
        console.print(f"  and {about['k'] - num} more (--num, --json)\n")


def _mask(shape: Sequence[int] | None) -> str:
    """Return the size of a bundle's region masks, such as `256 × 256 px`."""
    if shape is None:
        return ""
    *seeds, height, width = shape
    return f"{height} × {width} px" + (f", one for each of {seeds[0]} seeds" if seeds else "")


def _plain(value: Any) -> str:
    """Return a parameter in words."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return " ".join(map(_plain, value))
    return _safe(str(value))


def _spectrum(about: Mapping[str, Any], num: int) -> tuple[Columns, list[list[str]]]:
    """Return the columns and rows of the leading directions."""
    values, directions = about["eigenvalues"], about["directions"]
    local = any("change" in direction for direction in directions)
    changes = [("inside", "right"), ("outside", "right")] if local else []
    bars = [("eigenvalue", "right"), ("", "left")] if values else []
    origins = [_origin(direction.get("from", {})) for direction in directions]
    came = [("from", "left")] if any(origins) else []
    steps = ("step", "right")
    columns = [("k", "right"), *bars, *changes, steps, ("label", "left"), *came]
    rows = []
    top = max(map(abs, values)) if values else 0
    for k in range(min(num, about["k"])):
        marks = [escape(label_text(about["labels"][k]))]
        if k in about["style_gains"]:
            gain = directions[k]["gain"]
            marks.append(f"[yellow]common style gain ({gain:.2f})[/yellow]")
        change = directions[k].get("change", {})
        spectrum = [f"{values[k]:.4g}", f"[cyan]{_bar(abs(values[k]) / top)}[/cyan]"] if top else []
        rows.append(
            [
                str(k),
                *(spectrum or [""] * len(bars)),
                *(f"{change[part]:.4f}" if part in change else "" for part, _ in changes),
                f"{about['steps'][k]:g}",
                "  ".join(filter(None, marks)),
                *([escape(origins[k])] if came else []),
            ]
        )
    return columns, rows


def _origin(origin: Mapping[str, Any]) -> str:
    """Return in a few words the origin of a picked, mixed or imported direction."""
    if "mix" in origin:
        words = str(origin["mix"])
    elif "bundle" in origin:
        turned = "−" if origin.get("flipped") else ""
        words = f"{turned}{origin['bundle']} {origin.get('k', '')}"
    else:
        words = f"{origin.get('file', '')} {origin.get('row', '')}"
    taken = origin.get("without")
    others = taken if isinstance(taken, list) else []
    names = [
        f"{other.get('bundle')} {other.get('k')}" for other in others if isinstance(other, dict)
    ]
    return " without ".join(map(_safe, [words.strip(), *names]))


def _safe(text: str) -> str:
    """Escape characters of a file's text that could control a terminal."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def show_annotations(
    console: Console, bundles: Sequence[Bundle], found: Mapping[str, Tally]
) -> None:
    """Print the paper's table 1, and every direction that was judged."""
    columns = [("model", "left"), *((f"{n} ({t.layers})", "right") for n, t in found.items())]
    cells = [f"{tally.meaningful} / {tally.obvious}" for tally in found.values()]
    print_table(console, columns, [[escape(_safe(str(bundles[0].model["ref"]))), *cells]])
    asked = ", ".join(f"{tally.asked} {name}" for name, tally in found.items())
    console.print(f"  meaningful / obvious, of {asked} judged directions\n")
    columns = [
        *(("level", "left"), ("k", "right"), ("eigenvalue", "right")),
        *(("obvious", "left"), ("meaningful", "left"), ("label", "left")),
    ]
    rows = []
    for bundle in bundles:
        for k, about in enumerate(bundle.info):
            annotation = about.get("annotation", {})
            if annotation.get("level") not in found or "obvious" not in annotation:
                continue
            rows.append(
                [
                    annotation["level"],
                    str(k),
                    "" if bundle.eigenvalues is None else f"{bundle.eigenvalues[k]:.4g}",
                    "yes" if annotation["obvious"] is True else "no",
                    "yes" if annotation.get("meaningful") is True else "no",
                    escape(label_text(bundle.labels[k])),
                ]
            )
    print_table(console, columns, rows)


_STARTS = ("seed", "code", "mixed", "truncation", "class")


def show_picture(console: Console, about: Mapping[str, Any], _: int) -> None:
    """Print how a picture was made: its model, what it started from, and every move."""
    if "faces" in about and "seed" in about:
        seeds = range(about["seed"], about["seed"] + about["faces"])
        about = {**about, "seed": format_range(seeds)}
    moves = [
        f"{step.get('label') or step['k']} {step['alpha']:+g} (layers {format_range(m['layers'])})"
        for m in about["moves"]
        for step in m["steps"]
    ]
    facts = {
        "model": about["model"]["ref"],
        "fingerprint": about["model"].get("fingerprint", ""),
        **{kind: str(about[kind]) for kind in _STARTS if kind in about},
        "moves": ", ".join(moves) or "none",
        "latent": " × ".join(map(str, about["latent"])) + "; --codes reads it",
    }
    _facts(console, about["file"], facts)


def show_checkpoint(console: Console, about: Mapping[str, Any], _: int) -> None:
    """Print a checkpoint: facts, levels, and every first projection."""
    config = about["config"]
    conditional = f", {config['c_dim']} classes" if config["c_dim"] else ""
    facts = {
        "container": f"{about['container']}, dialect {about['dialect']}",
        "family": about["family"],
        "picture": f"{config['resolution']} px, {config['img_channels']} channels",
        "latent": f"z {config['z_dim']}, w {config['w_dim']}{conditional}; "
        f"directions live in {config['space']}",
        "fingerprint": about["fingerprint"],
        "levels": "  ".join(
            f"{name} {format_range(indices)}"
            for name, indices in about["levels"].items()
            if indices
        ),
        "regions": ", ".join(about["regions"]),
        "notes": " ".join(about["notes"]),
    }
    _facts(console, about["file"], facts)
    names = ("layer", "name", "px", "kind", "shape")
    columns = list(zip(names, ("right", "left", "right", "left", "right"), strict=True))
    rows = [
        [
            str(layer["index"]),
            escape(layer["name"]),
            str(layer["resolution"]),
            layer["kind"],
            " × ".join(map(str, layer["shape"])),
        ]
        for layer in about["layers"]
    ]
    print_table(console, columns, rows)


def show_comparison(
    console: Console, files: Sequence[str], bundles: Sequence[Bundle], found: Comparison
) -> None:
    """Print whether the models match, the principal angles, and each direction's best match."""
    facts = {
        "model": "the same" if found.same_model else "different: angles mean little",
        "space": "" if found.same_space else "different: angles mean nothing",
        "layers": " and ".join(format_range(map(int, bundle.layers)) for bundle in bundles),
        f"principal angles of the leading {len(found.angles)}": "  ".join(
            f"{angle:.1f}°" for angle in found.angles
        ),
    }
    _facts(console, f"{files[0]}  ↔  {files[1]}", facts)
    columns = [
        *(("k", "right"), ("best match", "right"), ("cos", "right"), ("angle", "right")),
        *(("shared up to k", "right"), ("labels", "left")),
    ]
    rows = []
    for match in found.matches:
        names = (bundles[0].labels[match.k], bundles[1].labels[match.other])
        rows.append(
            [
                str(match.k),
                str(match.other),
                f"{match.cosine:+.3f}",
                f"{match.angle:.1f}°",
                f"{found.shared[match.k]:.0%}" if match.k < len(found.shared) else "",
                escape(" ↔ ".join(label_text(name) or "–" for name in names)) if any(names) else "",
            ]
        )
    print_table(console, columns, rows)
