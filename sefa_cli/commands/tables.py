"""Tables of bundles, checkpoints and comparisons for a terminal."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from sefa_cli.bundle.annotations import Tally
from sefa_cli.bundle.bundle import Bundle
from sefa_cli.bundle.compare import Comparison
from sefa_cli.ranges import format_range

_EIGHTHS = " ▏▎▍▌▋▊▉█"
_BAR = 24  # characters


def _bar(share: float) -> str:
    """Return a bar of `share` (0 … 1) of the full width, in eighths of a character."""
    eighths = round(share * _BAR * 8)
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()


def _facts(console: Console, title: str, facts: Mapping[str, str]) -> None:
    console.print(f"[bold]{escape(title)}[/bold]")
    grid = Table.grid(padding=(0, 0, 0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")  # long values wrap in their column
    for name, value in facts.items():
        if value:
            grid.add_row(name, escape(value))
    console.print(grid)


def _table(*columns: tuple[str, str]) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    for name, justify in columns:
        table.add_column(name, justify=justify, no_wrap=True)  # type: ignore[arg-type]
    return table


def show_bundle(console: Console, about: Mapping[str, Any], num: int) -> None:
    """Print a bundle: facts, then the leading `num` directions with a bar chart."""
    model, params = about["model"], about["params"]
    shown = {_safe(name): _plain(value) for name, value in params.items() if value is not None}
    switches = ", ".join(f"{name} {value}" for name, value in shown.items())
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
    console.print(_spectrum(about, num))
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


def _spectrum(about: Mapping[str, Any], num: int) -> Table:
    values, directions = about["eigenvalues"], about["directions"]
    local = any("change" in direction for direction in directions)
    changes = [("inside", "right"), ("outside", "right")] if local else []
    bars = [("eigenvalue", "right"), ("", "left")] if values else []
    origins = [_origin(direction.get("from", {})) for direction in directions]
    came = [("from", "left")] if any(origins) else []
    table = _table(("k", "right"), *bars, *changes, ("label", "left"), *came)
    top = max(map(abs, values)) if values else 0
    for k in range(min(num, about["k"])):
        marks = [escape(about["labels"][k] or "")]
        if k in about["style_gains"]:
            gain = directions[k]["gain"]
            marks.append(f"[yellow]common style gain ({gain:.2f})[/yellow]")
        change = directions[k].get("change", {})
        spectrum = [f"{values[k]:.4g}", f"[cyan]{_bar(abs(values[k]) / top)}[/cyan]"] if top else []
        table.add_row(
            str(k),
            *(spectrum or [""] * len(bars)),
            *(f"{change[part]:.4f}" if part in change else "" for part, _ in changes),
            "  ".join(filter(None, marks)),
            *([escape(origins[k])] if came else []),
        )
    return table


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
    table = _table(("model", "left"), *((f"{n} ({t.layers})", "right") for n, t in found.items()))
    cells = [f"{tally.meaningful} / {tally.obvious}" for tally in found.values()]
    table.add_row(escape(_safe(str(bundles[0].model["ref"]))), *cells)
    console.print(table)
    asked = ", ".join(f"{tally.asked} {name}" for name, tally in found.items())
    console.print(f"  meaningful / obvious, of {asked} judged directions\n")
    table = _table(
        *(("level", "left"), ("k", "right"), ("eigenvalue", "right")),
        *(("obvious", "left"), ("meaningful", "left"), ("label", "left")),
    )
    for bundle in bundles:
        for k, about in enumerate(bundle.info):
            annotation = about.get("annotation", {})
            if annotation.get("level") not in found or "obvious" not in annotation:
                continue
            table.add_row(
                annotation["level"],
                str(k),
                "" if bundle.eigenvalues is None else f"{bundle.eigenvalues[k]:.4g}",
                "yes" if annotation["obvious"] is True else "no",
                "yes" if annotation.get("meaningful") is True else "no",
                escape(bundle.labels[k] or ""),
            )
    console.print(table)


def show_checkpoint(console: Console, about: Mapping[str, Any], num: int) -> None:
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
    table = _table(
        ("layer", "right"), ("name", "left"), ("px", "right"), ("kind", "left"), ("shape", "right")
    )
    for layer in about["layers"]:
        rows, columns = layer["shape"]
        table.add_row(
            str(layer["index"]),
            escape(layer["name"]),
            str(layer["resolution"]),
            layer["kind"],
            f"{rows} × {columns}",
        )
    console.print(table)


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
    table = _table(
        *(("k", "right"), ("best match", "right"), ("cos", "right"), ("angle", "right")),
        *(("shared up to k", "right"), ("labels", "left")),
    )
    for match in found.matches:
        names = (bundles[0].labels[match.k], bundles[1].labels[match.other])
        table.add_row(
            str(match.k),
            str(match.other),
            f"{match.cosine:+.3f}",
            f"{match.angle:.1f}°",
            f"{found.shared[match.k]:.0%}" if match.k < len(found.shared) else "",
            escape(" ↔ ".join(name or "–" for name in names)) if any(names) else "",
        )
    console.print(table)
