"""Do measurements agree with the names in docs/directions/answers.tsv?

    sefa evaluate docs/directions/face_*.dirs -k all --seeds 5000-5029 --steps 1 --fast -o eval/
    python bench/agreement.py eval/evaluation.json

Several files may be given, one for each bundle.

A name counts if it says something that a scorer measures. It agrees if the score moves that way,
with a 95 % interval without 0.
"""

import argparse
import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ANSWERS = Path(__file__).parents[1] / "docs" / "directions" / "answers.tsv"

# What names say, the first that fits: a part of the name, a score, and its sign.
SAID = (
    ("squint", "eyes open", -1),
    ("opens the eyes", "eyes open", +1),
    ("wide eyes", "eyes open", +1),
    ("turns the head", "yaw", +1),  # "to the viewer's right"
    ("tips the head back", "pitch", +1),
    ("tips the head down", "pitch", -1),
    ("less smile", "smile", -1),
    ("bigger smile", "smile", +1),
    ("opens the mouth", "mouth open", +1),
    ("more contrast", "contrast", +1),
    ("faded", "contrast", -1),
    ("younger", "age", -1),
    ("older", "age", +1),
    ("hair", "", 0),  # its colors are not measured
    ("darker and warmer skin", "skin brightness", -1),
    ("paler skin", "skin brightness", +1),
    ("cooler skin", "skin warmth", -1),
    ("warmer skin", "skin warmth", +1),
    ("warmer and smoother skin", "skin warmth", +1),
    ("yellower skin", "skin warmth", +1),
    ("pinker skin", "skin redness", +1),
    ("less pink skin", "skin redness", -1),
    ("cooler", "warmth", -1),
    ("bluish", "warmth", -1),
    ("bluer", "warmth", -1),
    ("darker", "brightness", -1),
    ("warmer", "warmth", +1),
)


def said(name: str) -> tuple[str, int] | None:
    """Return the score and the sign that a name speaks of, None if it is not measured."""
    for words, score, sign in SAID:
        if words in name:
            return (score, sign) if score else None
    return None


def compare(answers: list[dict[str, str]], results: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return a row for each name that speaks of a score."""
    measured = {(row["bundle"].removeprefix("face_"), row["k"]): row for row in results}
    rows = []
    for answer in answers:
        found, row = said(answer["name"]), measured.get((answer["level"], int(answer["k"])))
        if found is None or row is None:
            continue
        score, sign = found
        if score not in row["effects"]:
            continue
        effect = row["effects"][score]
        sure = effect["low"] * effect["high"] > 0
        proposed = row["proposal"]
        rows.append(
            {
                **answer,
                "score": score,
                **{key: effect[key] for key in ("mean", "low", "high", "transfer")},
                "agrees": sure and effect["mean"] * sign > 0,
                "proposed": "" if proposed is None else proposed["label"],
                "same": proposed is not None
                and _color(score) in map(_color, proposed["attributes"]),
            }
        )
    return rows


def _color(score: str) -> str:
    """Return a score, that of the whole picture for one of the skin."""
    return score.removeprefix("skin ")


def lines(data: dict[str, Any]) -> Iterator[str]:
    """Yield the table and the shares, as Markdown."""
    with open(ANSWERS, encoding="utf-8", newline="") as file:
        answers = list(csv.DictReader(file, delimiter="\t"))
    rows = compare(answers, data["directions"])
    yield f"{_share(rows, 'agrees')} move the named score the named way."
    yield f"{_share(rows, 'same')} have a proposed name about the same score."
    halves = [[row for row in rows if int(row["k"]) % 2 == odd] for odd in (0, 1)]
    each = (f"{_share(half, 'agrees')} and {_share(half, 'same')}" for half in halves)
    held = sum(row["transfer"] for row in rows) / max(len(rows), 1)
    yield f"On average the named score moves like this on {held:.0%} of the seeds."
    yield f"Of the directions with even numbers: {next(each)}. With odd numbers: {next(each)}."
    yield ""
    yield "| direction | name | holds, of 10 | score | effect | seeds | agrees | proposed |"
    yield "|---|---|---|---|---|---|---|---|"
    for row in rows:
        effect = f"{row['mean']:+.2f} ({row['low']:+.2f} … {row['high']:+.2f})"
        yes = "yes" if row["agrees"] else "**no**"
        yield (
            f"| {row['level']} {row['k']} | {row['name']} | {row['holds']} | {row['score']} | "
            f"{effect} | {row['transfer']:.0%} | {yes} | {row['proposed']} |"
        )


def _share(rows: list[dict[str, Any]], key: str) -> str:
    count = sum(row[key] for row in rows)
    return f"{count} of {len(rows)} names ({count / max(len(rows), 1):.0%})"


def main() -> None:
    """Print the shares and the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("data", type=Path, nargs="+", help="evaluation.json of the docs' bundles")
    files = [json.loads(path.read_text("utf-8")) for path in parser.parse_args().data]
    directions = [row for file in files for row in file["directions"]]
    print("\n".join(lines({"directions": directions})))


if __name__ == "__main__":
    main()
