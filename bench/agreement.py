"""Do measurements agree with the names in docs/directions/answers.tsv?

    sefa evaluate docs/directions/face_*.dirs -k all --seeds 5000-5029 --steps 1 --fast -o eval/
    python bench/agreement.py eval/evaluation.json

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
    ("less squint", "eyes open", +1),
    ("squint", "eyes open", -1),
    ("opens the eyes", "eyes open", +1),
    ("wide eyes", "eyes open", +1),
    ("turns the head", "yaw", +1),  # "to the viewer's right"
    ("tips the head back", "pitch", +1),
    ("less smile", "smile", -1),
    ("smaller head and smile", "smile", -1),
    ("bigger smile", "smile", +1),
    ("opens the mouth", "mouth open", +1),
    ("muted colors", "saturation", -1),
    ("more contrast", "contrast", +1),
    ("faded", "contrast", -1),
    ("darker hair", "", 0),  # the colors of hair and lips are not measured
    ("paler lips", "", 0),
    ("cooler", "warmth", -1),
    ("bluish", "warmth", -1),
    ("bluer", "warmth", -1),
    ("darker", "brightness", -1),
    ("paler", "brightness", +1),
    ("warmer", "warmth", +1),
    ("yellower", "warmth", +1),
    ("redder", "warmth", +1),
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
                "same": proposed is not None and proposed["attribute"] == score,
            }
        )
    return rows


def lines(data: dict[str, Any]) -> Iterator[str]:
    """Yield the table and the shares, as Markdown."""
    with open(ANSWERS, encoding="utf-8", newline="") as file:
        answers = list(csv.DictReader(file, delimiter="\t"))
    rows = compare(answers, data["directions"])
    count = max(len(rows), 1)
    agreeing, same = (sum(row[key] for row in rows) for key in ("agrees", "same"))
    yield f"{agreeing} of {len(rows)} names ({agreeing / count:.0%}) move the named score the named"
    yield f"way. For {same} ({same / count:.0%}) the proposed name is about the same score."
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


def main() -> None:
    """Print the shares and the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("data", type=Path, help="evaluation.json of the docs' bundles")
    data = json.loads(parser.parse_args().data.read_text("utf-8"))
    print("\n".join(lines(data)))


if __name__ == "__main__":
    main()
