"""Tables of the evidence page, from the evaluation.json that `sefa evaluate` wrote.

python bench/evidence.py eval/evaluation.json
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

MEASURED = (
    "yaw",
    "pitch",
    "smile",
    "mouth open",
    "eyes open",
    "brightness",
    "saturation",
    "warmth",
)


def best(data: dict[str, Any], names: tuple[str, ...] = MEASURED) -> Iterator[str]:
    """Yield a table: of each bundle the direction that moves each score most."""
    yield "| bundle | " + " | ".join(names) + " |"
    yield "|---" * (len(names) + 1) + "|"
    rows = data["bundles"]
    tops = {name: max(abs(row["best"][name]["mean"]) for row in rows) for name in names}
    for row in rows:
        cells = []
        for name in names:
            cell = row["best"][name]
            size = f"{abs(cell['mean']):.2f}"
            size = f"**{size}**" if abs(cell["mean"]) == tops[name] else size
            ends = sorted((abs(cell["low"]), abs(cell["high"])))
            if cell["low"] * cell["high"] < 0:
                ends[0] = 0.0
            cells.append(f"{size} ({ends[0]:.2f}–{ends[1]:.2f}) k {cell['k']}")
        yield f"| {row['bundle']} | " + " | ".join(cells) + " |"


def means(data: dict[str, Any]) -> Iterator[str]:
    """Yield a table: means over the directions of each bundle."""
    yield "| bundle | change | steadiness | seeds agreeing | transfer of the best | named | lost |"
    yield "|---|---|---|---|---|---|---|"
    for row in data["bundles"]:
        found = [row["best"][name]["transfer"] for name in MEASURED]
        yield (
            f"| {row['bundle']} | {row['change']:.0f} | {row['steadiness']:.2f} | "
            f"{row['agreeing']:.0%} | {sum(found) / len(found):.0%} | "
            f"{row['named']} of {row['directions']} | {row['lost']:.1%} |"
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


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("data", type=Path)
    data = json.loads(parser.parse_args().data.read_text("utf-8"))
    print(f"{data['seeds']} seeds ({data['first_seeds']}), α = {data['alphas'][-1]:g}\n")
    for table in (best, means, directions):
        print("\n".join(table(data)), end="\n\n")


if __name__ == "__main__":
    main()
