"""How well edits stay in their region: localize, SeFa and LowRankGAN on the default model.

python bench/region_precision.py --cache FOLDER [--train 0-9] [--unseen 100-119] [--level 20]
                                 [--rules best,first] [--sheet FILE.png] [--json FILE]

Directions are found for the named regions on the training seeds (256 px, shortcut, psi 0.7). All
methods choose by one rule, that of `-L auto --tau auto`: the leading direction of all training
seeds but one is tried on the one left out, and the setting with the best median is taken. What they
choose among: localize the layers (all, bottom, middle, top) and τ (1e-2 … 1e-6), LowRankGAN the
layers and the share of the background's change in its principal space (90, 99, 99.9 %), SeFa, with
the common gain deflated, the layers. Localize with its defaults (all layers, τ 1e-3) is compared
too. Nothing is chosen on unseen seeds.

Each method shows its leading direction ("first"), or the one of its leading ten with the largest
ratio of inside to outside on the training seeds, to first order and in the median ("best"). On
every unseen seed, forward on even and backward on odd ones, α is solved so that the root mean
square change inside is `--level` gray levels of 255. The result is the mean squared change inside
over that outside: the median over seeds. An edit that cannot reach the level has a ratio of 0.

One set of derivatives serves all regions; their Gram matrices are kept in the folder `--cache`, and
so are all edits of unseen seeds, so that several processes can share the work.
The sheet shows the first two unseen seeds and the best direction of each method.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image
from region_directions import (
    MODEL,
    SIZE,
    Chosen,
    Directions,
    Weights,
    chosen,
    grams_of_seed,
    layers_of,
)

import sefa_cli as sefa
from sefa_cli.discovery.regions.changes import Change, change
from sefa_cli.discovery.regions.region import one_region
from sefa_cli.editing.codes import codes_from_seeds
from sefa_cli.editing.sum import add, shift
from sefa_cli.evaluation.locality import strength
from sefa_cli.generators.base import Generator
from sefa_cli.ranges import parse_range
from sefa_cli.rendering.pictures import Picture, nearest, to_uint8
from sefa_cli.rendering.sheets import contact_sheet

SHOWN = 144  # pixels of a picture in the sheet
REGIONS = ("mouth", "eyes", "hair", "background")
METHODS = ("localize", "localize, auto", "SeFa", "low-rank")
IN_SHEET = METHODS[1:]


class Edit(NamedTuple):
    """One direction on one unseen seed."""

    region: str
    method: str
    rule: str  # "best" or "first"
    seed: int
    alpha: float | None  # None where the level is not reached
    found: Change | None


def picture_of(generator: Generator, code: torch.Tensor, size: int = SIZE) -> np.ndarray:
    """`(C, H, W)` as it would be seen: clamped, in gray levels."""
    with torch.inference_mode():
        image = generator.synthesize(code[None], size=size, preview=True)[0]
    return (image.clamp(-1, 1).numpy() + 1) * 127.5


def measure(
    generator: Generator,
    seed: int,
    method: str,
    weights: Weights,
    directions: Directions,
    level: float,
    rules: list[str],
) -> Iterator[Edit]:
    """All edits of one unseen seed by one method."""
    code = codes_from_seeds(generator, [seed])[0]
    before = picture_of(generator, code)
    sign = 1 if seed % 2 == 0 else -1
    for region in REGIONS:
        own = directions[region, method]
        done: dict[int, Edit] = {}
        for rule in rules:
            if (k := own.best if rule == "best" else 0) not in done:
                first = sign * level / own.inside[k]
                move = partial(moved, generator, code, own, k)
                alpha, found = solve(generator, move, before, weights[region], level, first)
                done[k] = Edit(region, method, rule, seed, alpha, found)
            yield done[k]._replace(rule=rule)


def kept(file: Path, work: Callable[[], Iterator[Edit]]) -> list[Edit]:
    """The edits in a file, or those of `work`, which are put there."""
    if not file.exists():
        made = list(work())
        file.write_text(json.dumps(made))
        print(f"{file.name} measured", file=sys.stderr)
    return [
        Edit._make([*edit[:5], edit[5] and Change(*edit[5])])
        for edit in json.loads(file.read_text())
    ]


def moved(
    generator: Generator, code: torch.Tensor, own: Chosen, k: int, alpha: float
) -> torch.Tensor:
    """`code` `(layers, dim)` moved by α along direction k, on the layers it was found for."""
    layers = layers_of(own.level)
    return add(code[None], shift(own.rows, [(k, alpha)], len(layers)), layers)[0]


def solve(
    generator: Generator,
    move: Callable[[float], torch.Tensor],
    before: np.ndarray,
    fore: np.ndarray,
    level: float,
    first: float,
) -> tuple[float | None, Change | None]:
    """α for which the inside changes by `level`, and what changed."""
    seen: dict[float, Change] = {}

    def change_at(alpha: float) -> float:
        seen[alpha] = change(before, picture_of(generator, move(alpha)), fore, 255 - fore)
        return float(np.sqrt(seen[alpha].inside))

    alpha = strength(change_at, level, first)
    return alpha, None if alpha is None else seen[alpha]


def summary(edits: list[Edit], rules: list[str]) -> list[dict]:
    """A row for each region and rule: medians and quartiles of the ratio for each method."""
    rows = []
    for region in REGIONS:
        for rule in rules:
            row: dict = {"region": region, "rule": rule}
            for method in METHODS:
                chosen = [
                    e for e in edits if (e.region, e.method, e.rule) == (region, method, rule)
                ]
                ratios = [e.found.ratio if e.found else 0.0 for e in chosen]
                quartiles = np.percentile(ratios, (25, 50, 75))
                row[method] = {
                    "median": float(quartiles[1]),
                    "quartiles": [float(quartiles[0]), float(quartiles[2])],
                    "not_reached": sum(e.found is None for e in chosen),
                }
            rows.append(row)
    return rows


def show(rows: list[dict], edits: list[Edit]) -> None:
    """The table in Markdown."""
    print("| region | direction | " + " | ".join(METHODS) + " |")
    print("|---|---|" + "---|" * len(METHODS))
    for row in rows:
        cells = []
        for method in METHODS:
            of = row[method]
            low, high = of["quartiles"]
            missed = f", {of['not_reached']} not reached" if of["not_reached"] else ""
            cells.append(f"{of['median']:.2f} ({low:.2f}–{high:.2f}{missed})")
        print(f"| {row['region']} | {row['rule']} | " + " | ".join(cells) + " |")
    for rule in dict.fromkeys(row["rule"] for row in rows):
        for method in METHODS:
            others = [other for other in METHODS if not other.startswith("localize")]
            wins, count = wins_of(method, others, rule, edits)
            if method not in others:
                print(f"\n{rule}: {method} is above {' and '.join(others)} in {wins} of {count}")


def wins_of(method: str, others: list[str], rule: str, edits: list[Edit]) -> tuple[int, int]:
    """In how many of all regions × seeds this method's ratio is above those of `others`."""
    ratios: dict[tuple, dict[str, float]] = {}
    for e in edits:
        if e.rule == rule:
            own = ratios.setdefault((e.region, e.seed), {})
            own[e.method] = e.found.ratio if e.found else 0.0
    wins = sum(own[method] > max(own[other] for other in others) for own in ratios.values())
    return wins, len(ratios)


def sheet(
    generator: Generator, weights: Weights, directions: Directions, edits: list[Edit],
    seeds: tuple[int, ...],
) -> Picture:  # fmt: skip
    """A row for each region: every seed before, outlined, and the best direction of each method."""
    rows = []
    for region in REGIONS:
        row: list[Picture | None] = []
        for seed in seeds:
            code = codes_from_seeds(generator, [seed])[0]
            row.append(outlined(seen(generator, code), nearest(weights[region], SHOWN, SHOWN)))
            for method in IN_SHEET:
                own = directions[region, method]
                alpha = next(e.alpha for e in edits if e[:4] == (region, method, "best", seed))
                codes = None if alpha is None else moved(generator, code, own, own.best, alpha)
                row.append(None if codes is None else seen(generator, codes))
        rows.append(row)
    columns = [
        f"seed {seed}" if i == 0 else name
        for seed in seeds
        for i, name in enumerate(("", *IN_SHEET))
    ]
    return contact_sheet(rows, REGIONS, columns)


def seen(generator: Generator, code: torch.Tensor) -> Picture:
    """The 8-bit picture, small."""
    return to_uint8(picture_of(generator, code, SHOWN)[None] / 127.5 - 1)[0]


def outlined(picture: Picture, fore: np.ndarray) -> Picture:
    """The picture with a white line around the region."""
    inside = np.pad(fore > 0, 1, mode="edge")
    core = inside[:-2, 1:-1] & inside[2:, 1:-1] & inside[1:-1, :-2] & inside[1:-1, 2:]
    picture = picture.copy()
    picture[(fore > 0) & ~core] = 255
    return picture


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--train", default="0-9")
    parser.add_argument("--unseen", default="100-119")
    parser.add_argument("--level", type=float, default=20.0)
    parser.add_argument("--rules", default="best")
    parser.add_argument("--sheet", type=Path)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    asked.cache.mkdir(exist_ok=True)
    sefa.keep_blocks()
    generator = sefa.load_generator(MODEL, device="cpu")
    weights = {name: one_region(named=name, subject="face").weights(SIZE, SIZE) for name in REGIONS}
    train, unseen = (parse_range(text, "seed", 2**32) for text in (asked.train, asked.unseen))
    each = [grams_of_seed(generator, seed, weights, asked.cache) for seed in train]
    directions = {
        (region, method): chosen(each, region, method) for region in REGIONS for method in METHODS
    }
    rules = asked.rules.split(",")
    setting = f"levels_{asked.train}_{asked.level:g}_{asked.rules}".replace(",", "+")
    edits = []
    for seed in unseen:
        for method in METHODS:
            file = asked.cache / f"edits_{setting}_{METHODS.index(method)}_{seed:04d}.json"
            work = partial(
                measure, generator, seed, method, weights, directions, asked.level, rules
            )
            edits += kept(file, work)
    rows = summary(edits, rules)
    show(rows, edits)
    if asked.json:
        about = {"train": list(train), "unseen": list(unseen), "level": asked.level}
        settled = {f"{r}, {m}": f"{own.level} {own.text}" for (r, m), own in directions.items()}
        asked.json.write_text(
            json.dumps({**about, "chosen": settled, "rows": rows}, indent=1) + "\n"
        )
    if asked.sheet:
        picture = sheet(generator, weights, directions, edits, unseen[:2])
        image = Image.fromarray(picture)
        few = image.quantize(palette=image.quantize(256), dither=Image.Dither.FLOYDSTEINBERG)
        few.save(asked.sheet, optimize=True)  # a third of the bytes
        print(asked.sheet)


if __name__ == "__main__":
    main()
