"""The page of a report: the values for its template, written as a stream.

A bundle may come from a stranger. The template escapes every value, and the page's policy allows
only its own script, by hash, and only files in its folder.
"""

import base64
import hashlib
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from sefa_cli.bundle.bundle import Bundle
from sefa_cli.files import open_atomically
from sefa_cli.ranges import format_range

if TYPE_CHECKING:
    from sefa_cli.rendering.report import Report

_HEIGHT, _ROOM = 180, 14  # pixels of the plot, and between its edge and the outermost values
_LEAST_PLOTTED = 40


def write_page(report: "Report", path: Path) -> None:
    """Write the page whole, or keep the old one; memory does not grow with its rows."""
    write_template("report.html", path, _content(report, path.parent), script="report.js")


def write_template(name: str, path: Path, values: Mapping[str, Any], script: str = "") -> None:
    """Write a page whole: its template with the values, our style, and at most one script."""
    code = _source(script) if script else ""
    digest = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
    stream = (
        _pages()
        .get_template(name)
        .stream(
            style=Markup(_source("report.css")),
            script=Markup(code),
            script_hash=f"sha256-{digest}",
            **values,
        )
    )
    stream.enable_buffering(100)
    with open_atomically(path, overwrite=True) as file:
        stream.dump(file, encoding="utf-8")


@cache
def _pages() -> Environment:
    return Environment(
        loader=PackageLoader("sefa_cli.rendering"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _source(name: str) -> str:
    """Return a file from the templates' folder, unrendered."""
    loader = _pages().loader
    assert loader is not None
    return loader.get_source(_pages(), name)[0]


def _content(report: "Report", folder: Path) -> dict[str, Any]:
    edits, bundle, first = report.edits, report.edits.bundle, report.sweeps[report.ks[0]]
    steps = _steps(report)
    name = "Directions" if report.dirs == "-" else Path(report.dirs).name
    return {
        "title": f"Photographs and {name}" if report.photos else name,
        "photos": report.photos,
        "facts": list(_facts(report)),
        "command": report.command,
        "plot": _Plot.of(bundle, report.ks),
        "steps": steps,
        "heads": _heads(steps),
        "middle": min(range(len(first)), key=lambda n: abs(first[n])),
        "samples": edits.scene.start.names,
        "has_region": any(report.region_file(sample) for sample in report.samples),
        "size": next(_sizes(report, folder), None),
        "total": report.total,
        "missing": report.missing(folder),
        "directions": (_direction(report, k, folder) for k in report.ks),
    }


def _steps(report: "Report") -> list[str]:
    """Return the steps of all rows: α, or suggested steps if each direction has its own α."""
    if report.alphas is not None:
        return [f"α {_signed(alpha)}" for alpha in report.alphas]
    k = report.ks[0]
    numbers = (alpha / report.edits.bundle.step(k) for alpha in report.sweeps[k])
    return [f"{_signed(round(number, 2))} steps" for number in numbers]


def _heads(steps: list[str]) -> list[str]:
    """Return headings for steps: the first as it is, the others as numbers alone."""
    return [steps[0], *(step.replace("α ", "").replace(" steps", "") for step in steps[1:])]


def _facts(report: "Report") -> Iterator[tuple[str, str]]:
    """Yield the facts about bundle, model and pictures: name and text."""
    bundle, edits = report.edits.bundle, report.edits
    model, look = bundle.model, report.look
    layers = bundle.layers.tolist() if edits.scene.layers is None else edits.scene.layers
    yield "model", f"{model['ref']}, {model['family']}, {model['resolution']} px"
    region = bundle.params.get("region")
    yield "method", bundle.method + (f" for {region}" if isinstance(region, str) else "")
    yield "moves", f"{bundle.space}, layers {format_range(layers)} of {model['num_layers']}"
    yield "directions", f"{format_range(report.ks)} of {bundle.k}"
    yield "samples", f"{edits.scene.start.kind}s {format_range(edits.scene.start.numbers)}"
    if edits.scene.start.kind == "seed":
        psi = look.get("--trunc")
        yield "truncation", f"{edits.scene.generator.default_truncation if psi is None else psi:g}"
    yield "pictures", report.view.about(edits.scene.generator)


def _sizes(report: "Report", folder: Path) -> Iterator[tuple[int, int]]:
    """Yield width and height of each picture that is there."""
    from PIL import Image

    for name in report.files():
        if (folder / name).exists():
            with Image.open(folder / name) as picture:
                yield picture.size


def _direction(report: "Report", k: int, folder: Path) -> dict[str, Any]:
    """Return the values of a direction; its rows are made on demand."""
    bundle = report.edits.bundle
    about = bundle.info[k]
    steps = [f"α {_signed(alpha)}" for alpha in report.sweeps[k]]
    return {
        "k": k,
        "name": bundle.labels[k] or f"direction {k}",
        "marks": list(_marks(bundle, k)),
        "is_gain": k in bundle.style_gains,
        "steps": steps,
        "heads": _heads(steps),
        "note": _note(about.get("annotation")),
        "rows": (_row(report, k, sample, folder) for sample in report.samples),
    }


def _marks(bundle: Bundle, k: int) -> Iterator[str]:
    """Yield the measurements of a direction, in words."""
    about = bundle.info[k]
    if bundle.labels[k]:
        yield f"direction {k}"
    if bundle.eigenvalues is not None:
        yield f"eigenvalue {bundle.eigenvalues[k]:.4g}"
    if k in bundle.style_gains:
        yield f"common style gain {about['gain']:.2f}"
    change = about.get("change", {})
    if {"inside", "outside"} <= change.keys():
        yield f"change {change['inside']:.3g} inside, {change['outside']:.3g} outside"


def _note(annotation: object) -> str:
    note = annotation.get("note") if isinstance(annotation, dict) else None
    return note if isinstance(note, str) else ""


def _row(report: "Report", k: int, sample: int, folder: Path) -> dict[str, Any]:
    cells = []
    for alpha in report.sweeps[k]:
        file = report.file(k, sample, alpha)
        command = report.cell_command(k, sample, alpha)
        there = (folder / file).exists()
        cells.append({"file": file, "there": there, "command": command, "step": _signed(alpha)})
    name = report.edits.scene.start.names[sample]
    return {"sample": sample, "name": name, "region": report.region_file(sample), "cells": cells}


def _signed(alpha: float) -> str:
    """Return α as the page shows it: `+2`, `−0.5`, `0`."""
    return "0" if alpha == 0 else f"{alpha:+.12g}".replace("-", "−")


@dataclass(frozen=True)
class _Point:
    k: int
    x: str  # percent of the width
    y: float  # pixels from the top
    title: str
    is_shown: bool
    is_gain: bool


@dataclass(frozen=True)
class _Plot:
    """The leading eigenvalues over k, on a logarithmic scale: a gain may dwarf the others."""

    points: list[_Point]
    ticks: list[tuple[float, str]]  # pixels from the top, value
    height: int = _HEIGHT

    @classmethod
    def of(cls, bundle: Bundle, ks: tuple[int, ...]) -> "_Plot | None":
        """Return the plot, or None if fewer than two different eigenvalues are positive."""
        if bundle.eigenvalues is None:
            return None
        values = bundle.eigenvalues[: max(_LEAST_PLOTTED, max(ks) + 1)].tolist()
        positive = [value for value in values if value > 0]
        if len(positive) < 2 or min(positive) == max(positive):
            return None
        low, high = math.log10(min(positive)), math.log10(max(positive))

        def y(value: float) -> float:
            share = (high - math.log10(max(value, 10**low))) / (high - low)
            return round(_ROOM + share * (_HEIGHT - 2 * _ROOM), 1)

        points = [
            _Point(
                k,
                f"{100 * (k + 0.5) / len(values):.2f}%",
                y(value),
                ", ".join([bundle.labels[k] or f"direction {k}", *_marks(bundle, k)]),
                k in ks,
                k in bundle.style_gains,
            )
            for k, value in enumerate(values)
        ]
        return cls(
            points, [(y(tick), f"{tick:g}") for tick in _ticks(min(positive), max(positive))]
        )


def _ticks(low: float, high: float) -> list[float]:
    """Return round values from `low` to `high`: powers of ten, and more if these are few."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for factors in ((1,), (1, 3), (1, 2, 5)):
        ticks = [f * 10.0**d for d in decades for f in factors if low <= f * 10.0**d <= high]
        if len(ticks) >= 3:
            return ticks
    return [low, *ticks, high] if len(ticks) < 2 else ticks
