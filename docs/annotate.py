"""Write the answers of docs/directions/answers.tsv into bundles, and the page that shows them.

    python docs/annotate.py

A person looked at every direction swept over three faces, as the studio's annotating mode shows
them, and wrote down what was seen. This makes docs/directions/face_LEVEL.dirs and
docs/annotations.md of it; both are committed.
"""

import csv
from collections.abc import Iterable
from pathlib import Path

from sefa_cli.bundle.annotations import annotate, relabeled, tallies
from sefa_cli.bundle.bundle import Bundle
from sefa_cli.bundle.rules import LEVELS
from sefa_cli.discovery.factorize import factorize

DOCS = Path(__file__).parent
MODEL, NUM = "mobilestylegan_ffhq", 20


def answers(level: str) -> list[dict[str, str]]:
    """The rows of one level, by k."""
    with open(DOCS / "directions" / "answers.tsv", newline="") as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t") if row["level"] == level]
    assert [int(row["k"]) for row in rows] == list(range(NUM)), f"answers are missing: {level}"
    return rows


def bundle_of(level: str) -> Bundle:
    """The leading directions of a level with their answers and names."""
    bundle = factorize(MODEL, level, num=NUM, deflate_gain=True)
    for k, row in enumerate(answers(level)):
        said = {
            "level": level,
            "obvious": row["obvious"] == "yes",
            "meaningful": row["meaningful"] == "yes",
            "note": row["note"] or None,
        }
        bundle = annotate(bundle, k, said)
        bundle = relabeled(bundle, {k: row["name"] or None})
    return bundle


def page(bundles: Iterable[Bundle]) -> str:
    """docs/annotations.md."""
    bundles = list(bundles)
    table = tallies(bundles)
    lines = [_HEAD, "| | " + " | ".join(f"{n} ({t.layers})" for n, t in table.items()) + " |"]
    lines.append("|---|" + "---|" * len(table))
    cells = [f"{tally.meaningful} / {tally.obvious}" for tally in table.values()]
    lines += [f"| {MODEL} | " + " | ".join(cells) + " |", ""]
    for bundle in bundles:
        level = bundle.info[0]["annotation"]["level"]
        lines += [
            f"## {level.capitalize()}",
            "",
            "| k | eigenvalue | obvious | meaningful | name | note |",
        ]
        lines.append("|---|---|---|---|---|---|")
        assert bundle.eigenvalues is not None
        for k, about in enumerate(bundle.info):
            said = about["annotation"]
            yes = ["yes" if said[question] else "no" for question in ("obvious", "meaningful")]
            value = f"{bundle.eigenvalues[k]:.1f}"
            words = [str(k), value, *yes, about.get("label", ""), said.get("note", "")]
            lines.append("| " + " | ".join(words) + " |")
        lines.append("")
    return "\n".join(lines)


_HEAD = f"""# What the default model's directions do

The leading {NUM} directions of every level of `{MODEL}`, found with `--deflate-gain` and looked at
one by one. Each was swept over three faces (seeds 0, 3 and 7, psi 0.7, the 256-px shortcut at 144
or 160 px): the bottom layers at α −5, −2.5, 2.5 and 5, the middle at ±4, the top at ±2.5. One
observer, the model that wrote this page, answered the two questions of SeFa's user study (table 1
of the paper). This was not a study with people, so do not compare its numbers with the paper's.
All 60 answers were then given again by keyboard in the studio's annotating mode, with the same
seeds and steps. The bundles it saves hold the same answers and names.

- **Obvious:** the ends of the sweep differ at first sight, in all three faces.
- **Meaningful:** one phrase says what changes, and it is right for all three faces. Weaker side
  effects are allowed and noted. Names say what grows with α.

These bundles hold the names and answers: [face_bottom.dirs](directions/face_bottom.dirs),
[face_middle.dirs](directions/face_middle.dirs) and [face_top.dirs](directions/face_top.dirs):

```console
sefa edit --dirs docs/directions/face_bottom.dirs --k "chin up" --alpha 4
sefa inspect --annotations docs/directions/face_*.dirs
```

`python docs/annotate.py` makes the bundles and this page from
[answers.tsv](directions/answers.tsv).

Meaningful / obvious, of {NUM} directions per level:
"""


def main() -> None:
    """Write all of it."""
    bundles = {level: bundle_of(level) for level in LEVELS}
    for level, bundle in bundles.items():
        bundle.save(DOCS / "directions" / f"face_{level}.dirs", overwrite=True)
    (DOCS / "annotations.md").write_text(page(bundles.values()))


if __name__ == "__main__":
    main()
