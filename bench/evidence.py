"""Make the tables of docs/evidence.md again, from what `sefa evaluate` wrote.

    python bench/evidence.py --choose choose/ --methods methods/ --more more/ --named named/ \
      --box box/ --local local/ --far far/

Each folder holds an evaluation.json; the page says by which commands. Tables without a folder
and the prose are not changed.
"""

import argparse
import json
import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import agreement

PAGE = Path(__file__).parents[1] / "docs" / "evidence.md"
MEASURED = (
    *("yaw", "pitch", "smile", "mouth open", "eyes open"),
    *("age", "male", "brightness", "saturation", "warmth"),
)
CHOSEN = ("yaw", "smile")
SHOWN = ("yaw", "smile", "pitch", "mouth open", "eyes open", "age", "male")


def seeds(data: dict[str, Any]) -> Iterator[str]:
    """Yield a line: which seeds, and how far."""
    *others, last = (f"{alpha:g}" for alpha in data["alphas"])
    yield f"{data['seeds']} seeds ({data['range']}), α = {', '.join(others)} and {last}:"


def best(data: dict[str, Any]) -> Iterator[str]:
    """Yield a table: of each bundle the direction that moves each score most."""
    rows = data["bundles"]
    names = [name for name in MEASURED if name in rows[0]["best"]]
    yield "| bundle | " + " | ".join(names) + " |"
    yield "|---" * (len(names) + 1) + "|"
    tops = {name: max(abs(row["best"][name]["mean"]) for row in rows) for name in names}
    for row in rows:
        cells = []
        for name in names:
            cell = row["best"][name]
            size = _with_interval(cell, abs(cell["mean"]) == tops[name])
            cells.append(f"{size}, k {cell['k']}")
        yield f"| {row['bundle']} | " + " | ".join(cells) + " |"


def chosen(data: dict[str, Any], earlier: dict[str, Any]) -> Iterator[str]:
    """Yield a table: the directions that other seeds chose, with all that they move.

    `earlier` chose, for each bundle, the direction that moves a score of CHOSEN most.
    """
    others = {row["bundle"]: row["best"] for row in earlier["bundles"]}
    ends = ("dependency", "transfer", "change", "per 10 levels")
    yield "| for | bundle | k | " + " | ".join((*SHOWN, *ends)) + " |"
    yield "|---" * (len(SHOWN) + 7) + "|"
    for number, name in enumerate(CHOSEN):
        rows = [row for row in data["directions"] if row["k"] == number]
        top = max(abs(row["effects"][name]["mean"]) for row in rows)
        for row in rows:
            effects, change = row["effects"], max(row["change"])
            best = others.get(row["bundle"])
            cells = [
                _with_interval(effects[one], one == name and abs(effects[one]["mean"]) == top)
                if one == name
                else f"{abs(effects[one]['mean']):.2f}"
                for one in SHOWN
            ]
            yield (
                f"| {name} | {row['bundle']} | {best[name]['k'] if best else ''} | "
                f"{' | '.join(cells)} | {effects[name]['dependency']:.2f} | "
                f"{effects[name]['transfer']:.0%} | {change:.0f} | "
                f"{abs(effects[name]['mean']) / change * 10:.2f} |"
            )


def _with_interval(effect: dict[str, Any], bold: bool) -> str:
    """Return the size of an effect and its interval, without signs."""
    size = f"{abs(effect['mean']):.2f}"
    low, high = sorted((abs(effect["low"]), abs(effect["high"])))
    low = 0.0 if effect["low"] * effect["high"] < 0 else low
    return f"{f'**{size}**' if bold else size} ({low:.2f}–{high:.2f})"


def means(data: dict[str, Any]) -> Iterator[str]:
    """Yield a table: means over the directions of each bundle."""
    yield "| bundle | change | steadiness | seeds agreeing | named | lost |"
    yield "|---|---|---|---|---|---|"
    for row in data["bundles"]:
        yield (
            f"| {row['bundle']} | {row['change']:.0f} | {row['steadiness']:.2f} | "
            f"{row['agreeing']:.0%} | {row['named']} of {row['directions']} | {row['lost']:.0%} |"
        )


def directions(data: dict[str, Any]) -> Iterator[str]:
    """Yield a table: each direction, what it moves most, and how steadily."""
    yield "| bundle | k | label | proposed | note | steadiness | seeds agreeing |"
    yield "|---|---|---|---|---|---|---|"
    for row in data["directions"]:
        made = row["proposal"] or {"label": "", "note": ""}
        yield (
            f"| {row['bundle']} | {row['k']} | {row['label'] or ''} | {made['label']} | "
            f"{made['note']} | {row['steadiness']:.2f} | {row['agreeing']:.0%} |"
        )


def local(data: dict[str, Any]) -> Iterator[str]:
    """Yield a table: how local the leading directions of several methods are."""
    scores = [name for name in ("smile", "mouth open", "eyes open") if name in data["attributes"]]
    compared = list(data["directions"][0]["compared"])
    heads = ("bundle", "inside / outside", "inside", "outside", *compared, *scores, "lost")
    yield f"| {' | '.join(heads)} |"
    yield "|---" * len(heads) + "|"
    for row in data["directions"]:
        ratios = zip(
            *(row[f"inside_over_outside{end}"] for end in ("", "_low", "_high")), strict=True
        )
        each = [f"{middle:.3g} ({low:.3g}–{high:.3g})" for middle, low, high in ratios]
        levels = [" and ".join(f"{x:.1f}" for x in _ends(row[part])) for part in heads[2:4]]
        likeness = [f"{row['compared'][name]['mean']:.2f}" for name in compared]
        moved = [f"{row['effects'][name]['mean']:+.2f}" for name in scores]
        cells = (" and ".join(_ends(each)), *levels, *likeness, *moved, f"{row['lost']:.0%}")
        yield f"| {row['bundle']} | {' | '.join(cells)} |"


def over_steps(data: dict[str, Any]) -> Iterator[str]:
    """Yield a table: how local each direction is at every distance, the mean of both ways."""
    count = len(data["alphas"])
    compared = list(data["directions"][0]["compared"])
    heads = ("bundle", "α", "inside / outside", "inside", "outside", *compared)
    yield f"| {' | '.join(heads)} |"
    yield "|---" * len(heads) + "|"
    for row in data["directions"]:
        for far in range(count // 2, count):
            ends = (count - 1 - far, far)
            inside, outside, quotient = (
                sum(row[part][end] for end in ends) / 2
                for part in ("inside", "outside", "inside_over_outside")
            )
            likeness = (row["compared"][name]["steps"] for name in compared)
            cells = [f"{sum(steps[end] for end in ends) / 2:.3g}" for steps in likeness]
            yield (
                f"| {row['bundle']} | {data['alphas'][far]:g} | {quotient:.3g} | {inside:.1f} | "
                f"{outside:.1f} | {' | '.join(cells)} |"
            )


def _ends(steps: Sequence[Any]) -> tuple[Any, Any]:
    return steps[0], steps[-1]


def filled(page: str, name: str, lines: Iterator[str]) -> str:
    """Return the page with new lines between the comments `<!-- name -->` and `<!-- / -->`."""
    made = "\n".join(lines)
    pattern = rf"(<!-- {re.escape(name)} -->\n).*?(<!-- / -->)"
    found, count = re.subn(pattern, lambda m: f"{m[1]}\n{made}\n\n{m[2]}", page, flags=re.DOTALL)
    if count != 1:
        raise SystemExit(f"docs/evidence.md has {count} places for {name!r}, not one")
    return found


def main() -> None:
    """Fill the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    for part in ("choose", "methods", "more", "named", "box", "local", "far"):
        parser.add_argument(f"--{part}", type=Path)
    parts = {part: folder for part, folder in vars(parser.parse_args()).items() if folder}
    page = PAGE.read_text("utf-8")
    for part, folder in parts.items():
        data = json.loads((folder / "evaluation.json").read_text("utf-8"))
        tables: dict[str, Callable[..., Iterator[str]]] = {
            "seeds": seeds,
            "best": best,
            "means": means,
            "directions": directions,
        }
        tables |= {"local": local, "over_steps": over_steps, "agreement": agreement.lines}
        if "choose" in parts:
            earlier = json.loads((parts["choose"] / "evaluation.json").read_text("utf-8"))
            tables["chosen"] = partial(chosen, earlier=earlier)
        for name, table in tables.items():
            if f"<!-- {part} {name} -->" in page:
                page = filled(page, f"{part} {name}", table(data))
    PAGE.write_text(page, "utf-8")


if __name__ == "__main__":
    main()
