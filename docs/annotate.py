"""Write the answers of docs/directions/answers.tsv into bundles, and the page that shows them.

    python docs/annotate.py

Two observers looked at every direction, swept over ten faces, and wrote down what was seen. This
makes docs/directions/face_LEVEL.dirs and docs/annotations.md of it; both are committed.
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
    """Return the rows of one level, by k."""
    with open(DOCS / "directions" / "answers.tsv", newline="") as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t") if row["level"] == level]
    assert [int(row["k"]) for row in rows] == list(range(NUM)), f"answers are missing: {level}"
    return rows


def bundle_of(level: str) -> Bundle:
    """Return the leading directions of a level, with their answers and names."""
    bundle = factorize(MODEL, level, num=NUM, deflate_gain=True)
    for k, row in enumerate(answers(level)):
        said = {
            "level": level,
            "obvious": row["obvious"] == "yes",
            "meaningful": row["meaningful"] == "yes",
            "holds": int(row["holds"]) if row["holds"] else None,
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
            "| k | eigenvalue | obvious | meaningful | name | holds | note |",
        ]
        lines.append("|---|---|---|---|---|---|---|")
        assert bundle.eigenvalues is not None
        for k, about in enumerate(bundle.info):
            said = about["annotation"]
            yes = ["yes" if said[question] else "no" for question in ("obvious", "meaningful")]
            value = f"{bundle.eigenvalues[k]:.1f}"
            holds = str(said.get("holds", ""))
            words = [str(k), value, *yes, about.get("label", ""), holds, said.get("note", "")]
            lines.append("| " + " | ".join(words) + " |")
        lines.append("")
    return "\n".join(lines)


_HEAD = f"""# What the default model's directions do

The leading {NUM} directions of every level of `{MODEL}`, found with `--deflate-gain` and looked at
one by one. Each was swept over ten faces: seeds 100 to 109, psi 0.7, 160 px from the 256-px
shortcut, in five steps from −α to α, with α = 4 at the bottom, 3 in the middle and 2.5 at the top.
The names were first made on seeds 0, 3 and 7; several claimed too much. All 60 directions were
judged again on these ten seeds, and a name was changed or dropped where the ten faces did not
agree. A name that was new or barely held was then tried on five more faces, seeds 200 to 204; it
was dropped where it failed on two of them or more. At last a second observer, who had seen neither
the names nor this page, said what grows in each of the 60 sheets of ten faces, and on how many
faces that is clear. Nine names were dropped: seen on less than eight, such as "bigger smile"
(bottom 11), or what another direction does as well. Three became what both had seen.

Both observers are language models, and they answered the two questions of SeFa's user study (table
1 of the paper). It is not a study with people: do not compare its numbers with the paper's.

- **Obvious:** the ends of the sweep differ at first sight on at least eight of the ten faces.
- **Meaningful:** a short phrase that names no other direction of the level says what changes on at
  least eight of the ten faces, for both observers. Only these directions have names.
- **Name:** what grows with α. Other things may change with it: see the note.
- **Holds:** on how many of the ten faces the name is right: the lower count of the two observers.
- **Note:** the seeds on which the name is not clear for that observer, side effects, and the α at
  which the picture breaks. Where the note names no such α, no face broke within the sweep.

Three of the sheets, each with seeds 100 to 104 on the left and 105 to 109 on the right:
[bottom 5](pictures/judged_bottom_5.jpg), once "chin up";
[bottom 10](pictures/judged_bottom_10.jpg), once "without glasses", though only four of the ten
faces get any; [middle 7](pictures/judged_middle_7.jpg), once "from fair to black hair".

These bundles hold the names and answers: [face_bottom.dirs](directions/face_bottom.dirs),
[face_middle.dirs](directions/face_middle.dirs) and [face_top.dirs](directions/face_top.dirs):

```console
sefa edit --dirs docs/directions/face_bottom.dirs --k "longer hair" --alpha 4
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
