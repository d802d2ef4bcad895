"""Write an evaluation: JSON and CSV for programs, one page with its sheet for people."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np

from sefa_cli.editing.moves import Move
from sefa_cli.errors import SefaError, UsageError
from sefa_cli.evaluation.calibration import calibrated
from sefa_cli.evaluation.found import Evaluation
from sefa_cli.evaluation.proposals import proposal, with_proposals
from sefa_cli.files import check_folder, check_suffix, check_writable, make_folder, open_atomically
from sefa_cli.ranges import format_range
from sefa_cli.rendering.edits import Edits
from sefa_cli.rendering.lettering import heading
from sefa_cli.rendering.pictures import Picture, save_png
from sefa_cli.rendering.report_page import write_template
from sefa_cli.rendering.sheets import contact_sheet

PAGE, DATA, TABLE, SHEET = "index.html", "evaluation.json", "evaluation.csv", "sheet.png"
CACHE = "cache"
_MEANS = ("steadiness", "agreeing", "consistency", "same_way", "uniformity", "lost")
_CLEAR = 0.3  # standard deviations from which on a direction moves an attribute
_FACES = 3  # seeds in the sheet
_LARGE = 2.0  # standard deviations that have the full color
_WIDTH = 128  # pixels of a picture in the sheet


def check_evaluation_folder(path: Path | str, overwrite: bool = False) -> Path:
    """Return the folder for an evaluation: new, empty, or with the cache of an earlier one.

    Raises UsageError for a file's name, SefaError if it cannot be written to, or if it holds
    results and `overwrite` is off, or files of the same names that are not an evaluation's.
    """
    if str(path) == "-":
        raise UsageError("cannot write an evaluation to stdout", "a folder, such as eval/")
    folder = Path(path)
    if not folder.is_dir():
        check_suffix(folder, (), "a folder, such as eval/")
    check_folder(folder)
    for name in (PAGE, DATA, TABLE, SHEET) if folder.is_dir() else ():
        check_writable(folder / name, overwrite)
        if (folder / name).exists() and not (folder / DATA).exists():
            raise SefaError(
                f"the folder {folder} holds {name}, which no evaluation wrote",
                "an evaluation, because that would be replaced",
                "Choose another folder.",
            )
    return folder


def as_data(found: Evaluation, command: str = "") -> dict[str, Any]:
    """Return everything about an evaluation as plain data, for JSON."""
    trial, scene = found.trials[0], found.trials[0].scene
    return {
        "command": command,
        "model": trial.bundle.model["ref"],
        "kind": scene.start.kind,  # what the pictures are of: seeds, or codes of a file
        "seeds": len(scene.start.numbers),
        "range": format_range(scene.start.numbers),
        "pictures": scene.view.about(scene.generator),
        "alphas": list(trial.alphas),
        "attributes": {
            name: None if found.spread[i] != found.spread[i] else float(found.spread[i])
            for i, name in enumerate(found.attributes)
        },
        "distortion": None
        if found.distortion is None
        else {name: x if isfinite(x) else None for name, x in found.distortion._asdict().items()},
        "directions": [{**row, "proposal": proposal(row)} for row in found.results],
        "bundles": [_summary(found, name) for name in found.names],
        "best": {
            name: {"bundle": row["bundle"], "k": row["k"]}
            for name in found.attributes
            if (row := found.best(name)) is not None
        },
    }


def _summary(found: Evaluation, bundle: str) -> dict[str, Any]:
    """Return what the best direction of a bundle does for each score, and means over them all."""
    rows = [row for row in found.results if row["bundle"] == bundle]
    best = {
        name: {"k": row["k"], **row["effects"][name]}
        for name in found.attributes
        if (row := found.best(name, bundle)) is not None
    }
    means = {key: float(np.mean([row[key] for row in rows])) for key in _MEANS}
    compared = {
        name: _mean(row["compared"][name]["mean"] for row in rows) for name in rows[0]["compared"]
    }
    change = float(np.mean([(row["change"][0] + row["change"][-1]) / 2 for row in rows]))
    return {
        "bundle": bundle,
        "method": rows[0]["method"],
        "directions": len(rows),
        "named": sum(proposal(row) is not None for row in rows),
        "change": change,
        **means,
        "compared": compared,
        "best": best,
    }


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def as_csv(found: Evaluation) -> str:
    """Return a table with a row for each direction and attribute."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    numbers = ("mean", "low", "high", "per_alpha", "transfer", "dependency")
    shared = (
        *("bundle", "method", "k", "label", "alpha", *_MEANS),
        *("unit_below", "unit_above", "inside_over_outside"),
    )
    compared = list(found.results[0]["compared"])
    table.writerow([*shared, *compared, "attribute", *numbers])
    for row in found.results:
        row = {**row, "unit_below": row["unit"][0], "unit_above": row["unit"][1]}
        row["inside_over_outside"] = (row["inside_over_outside"] or [None])[-1]
        row |= {name: row["compared"][name]["mean"] for name in compared}
        for name, effect in row["effects"].items():
            table.writerow(
                [*(row[key] for key in (*shared, *compared)), name, *(effect[n] for n in numbers)]
            )
    return text.getvalue()


def write_evaluation(
    found: Evaluation, path: Path | str, command: str = "", overwrite: bool = False
) -> Path:
    """Write the page, its sheet and the data into a folder; return the page."""
    folder = check_evaluation_folder(path, overwrite)
    make_folder(folder)
    data = as_data(found, command)
    _write(folder / DATA, json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False) + "\n")
    _write(folder / TABLE, as_csv(found))
    save_png(folder / SHEET, best_sheet(found), overwrite=True)
    write_template("evaluation.html", folder / PAGE, {"data": data, "groups": list(_groups(data))})
    return folder / PAGE


def copy_paths(folder: Path, files: Sequence[Path | str], ending: str = "named") -> list[Path]:
    """Return where copies of bundles go: `X_named.dirs`, numbered if X is not unique.

    Example:
        >>> [path.name for path in copy_paths(Path("eval"), ["a.dirs", "b/a.dirs", "c.dirs"])]
        ['a_named.dirs', 'a_2_named.dirs', 'c_named.dirs']
    """
    stems = [Path(file).stem for file in files]
    counts = [stems[:i].count(stem) for i, stem in enumerate(stems)]
    return [
        folder / f"{stem}{f'_{count + 1}' if count else ''}_{ending}.dirs"
        for stem, count in zip(stems, counts, strict=True)
    ]


def copies_of(
    folder: Path, files: Sequence[Path | str], labels: bool, steps: bool, overwrite: bool
) -> list[Path]:
    """Return where the copies with proposed names or measured steps go; none without either.

    Raises SefaError if one is there and `overwrite` is off.
    """
    ending = "_".join(filter(None, ("named" * labels, "calibrated" * steps)))
    paths = copy_paths(folder, files, ending) if ending else []
    for path in paths if folder.is_dir() else ():
        check_writable(path, overwrite)
    return paths


def write_copies(
    found: Evaluation,
    paths: Sequence[Path],
    labels: bool = True,
    steps: bool = False,
    overwrite: bool = False,
) -> None:
    """Write a copy of each bundle: with the proposed names, with measured steps, or with both."""
    for name, trial, path in zip(found.names, found.trials, paths, strict=True):
        rows = {row["k"]: row for row in found.results if row["bundle"] == name}
        bundle = with_proposals(trial.bundle, rows) if labels else trial.bundle
        bundle = calibrated(bundle, rows) if steps else bundle
        bundle.save(path, overwrite=overwrite)


def best_sheet(found: Evaluation) -> Picture:
    """Return a sheet: for each attribute the direction that moves it most, on the first seeds."""
    rows, names = [], []
    trial = found.trials[0]
    scene = trial.scene
    view = replace(scene.view, size=min(_WIDTH, scene.view.size or scene.generator.resolution))
    few = scene.start.only(0, _FACES)
    own = replace(scene, start=few)
    before = list(own.pictures(view))
    for attribute in found.attributes:
        row = found.best(attribute)
        if row is None or abs(row["effects"][attribute]["mean"]) < _CLEAR:
            continue
        trial = found.trials[found.names.index(row["bundle"])]
        edits = Edits(own, trial.bundle)
        ends = [
            list(edits.render(Move(((row["k"], a),)), view))
            for a in (trial.alphas[0], trial.alphas[-1])
        ]
        rows.append([p for three in zip(ends[0], before, ends[1], strict=True) for p in three])
        names.append(heading(f"{attribute}: {row['bundle']} {row['k']}"))
    steps = (trial.alphas[0], 0.0, trial.alphas[-1])
    texts = [f"{name}, {a:+g}" if a else name for name in few.names for a in steps]
    return contact_sheet(rows or [before], names, texts if rows else few.names)


def _groups(data: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield each bundle's rows with what the page shows."""
    bundles = dict.fromkeys(row["bundle"] for row in data["directions"])
    for bundle in bundles:
        rows = [row for row in data["directions"] if row["bundle"] == bundle]
        yield {"name": bundle, "method": rows[0]["method"], "rows": [_shown(r, data) for r in rows]}


def _shown(row: Mapping[str, Any], data: Mapping[str, Any]) -> dict[str, Any]:
    cells = []
    for name in data["attributes"]:
        effect = row["effects"][name]
        clear = abs(effect["mean"] or 0) >= _CLEAR
        best = clear and data["best"].get(name) == {"bundle": row["bundle"], "k": row["k"]}
        cells.append({**effect, "name": name, "best": best, "color": _color(effect["mean"])})
    return {**row, "cells": cells}


def _color(effect: float | None) -> str:
    """Return a background for an effect: orange where the score grows, blue where it falls."""
    if effect is None:
        return "transparent"
    strength = min(abs(effect) / _LARGE, 1)
    return f"rgba({'230,120,20' if effect > 0 else '30,110,220'},{strength * 0.75:.2f})"


def _write(path: Path, text: str) -> None:
    with open_atomically(path, overwrite=True) as file:
        file.write(text.encode())
