"""How well edits stay in their region: localize, SeFa and LowRankGAN on the default model.

python bench/region_precision.py --cache FOLDER [--train 0-4] [--unseen 100-119] [--level 20]
                                 [--rules best,first] [--sheet FILE.png] [--json FILE]

Directions are found for the named regions on the training seeds (all layers, 256 px, shortcut,
psi 0.7): localize's with its own τ of 1e-3, and with `--tau auto`; LowRankGAN's with 99 % of the
background's change in its principal space, which by the rule of `--tau auto` on ten seeds is the
best of 90, 99, 99.9 and 99.99 % for every region; SeFa's of all layers with the common gain
deflated. Nothing is chosen on unseen seeds.

Of each method the direction of its leading ten with the largest first-order ratio of inside to
outside on the training seeds is taken ("best"), or the leading one ("first"). On every unseen seed,
forwards on even and backwards on odd ones, α is solved so that the root mean square change inside
is `--level` grey levels of 255; what is compared is the mean squared change inside over that
outside, the median over seeds. An edit that cannot reach the level has a ratio of 0.

One set of derivatives serves all regions; their Gram matrices are kept in the folder `--cache`, and
so are the edits of every unseen seed by every method, so that several processes can share the work.
The sheet shows the first two unseen seeds and the best direction of each method.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image

import sefa_cli as sefa
from sefa_cli.discovery.jacobian import Grams, Parts, jacobian
from sefa_cli.discovery.region_files import nearest
from sefa_cli.discovery.regions import one_region
from sefa_cli.discovery.resefa import chosen_tau, lowrank, resefa
from sefa_cli.editing.codes import codes_from_seeds
from sefa_cli.evaluation.locality import Change, change, strength
from sefa_cli.generators.base import Generator
from sefa_cli.ranges import parse_range
from sefa_cli.rendering.pictures import Picture, to_uint8
from sefa_cli.rendering.sheets import contact_sheet

MODEL, SIZE, LEADING = "mobilestylegan_ffhq", 256, 10
SHOWN, IN_SHEET = (
    144,
    ("localize, tau auto", "SeFa", "low-rank"),
)  # pixels of a picture, and columns
REGIONS = ("mouth", "eyes", "hair", "background")
METHODS = ("localize", "localize, tau auto", "SeFa", "low-rank")
Weights = dict[str, np.ndarray]
Directions = dict[tuple[str, str], np.ndarray]  # (region, method) → (LEADING, dim)


class Edit(NamedTuple):
    """One direction on one unseen seed."""

    region: str
    method: str
    rule: str  # "best" or "first"
    seed: int
    alpha: float | None  # None where the level is not reached
    found: Change | None


def picture_of(generator: Generator, code: torch.Tensor, size: int = SIZE) -> np.ndarray:
    """`(C, H, W)` as it would be seen: clamped, in grey levels."""
    with torch.inference_mode():
        image = generator.synthesize(code[None], size=size, preview=True)[0]
    return (image.clamp(-1, 1).numpy() + 1) * 127.5


def grams_of_seed(generator: Generator, seed: int, weights: Weights, folder: Path) -> dict:
    """Gram matrices of every region at one seed: from the folder, or from one set of passes."""
    file = folder / f"grams_{seed:04d}.npz"
    if file.exists():
        arrays = np.load(file)
        return {name: Grams(arrays[f"{name}/fore"], arrays[f"{name}/back"]) for name in weights}
    start = time.perf_counter()
    everywhere = range(generator.num_layers)
    linearization = generator.linearize(
        codes_from_seeds(generator, [seed])[0], everywhere, size=SIZE
    )
    whole = jacobian(linearization)  # (C · H · W, dim)
    passed = time.perf_counter()
    changes = torch.from_numpy(np.ascontiguousarray(whole.T))
    changes = changes.reshape(len(changes), *linearization.picture.shape)  # (dim, C, H, W)
    found = {}
    for name, fore in weights.items():
        parts = Parts(linearization, fore, 255 - fore, sum_channels=False)
        rows = parts.rows(changes)
        found[name] = Grams(*(parts.products(rows, rows) / parts.totals[:, None, None]))
    np.savez(
        file,
        **{f"{name}/{part}": getattr(g, part) for name, g in found.items() for part in g._fields},
    )
    seconds = time.perf_counter() - passed
    print(f"seed {seed}: {passed - start:.0f} s + {seconds:.0f} s of products", file=sys.stderr)
    return found


def leading_of_all(each: list[dict[str, Grams]], grams: dict[str, Grams]) -> Directions:
    """The leading ten directions of every region and method, from all training seeds' means."""
    global_ones = sefa.factorize(MODEL, deflate_gain=True, num=LEADING).directions
    found: Directions = {}
    for name, mean in grams.items():
        tau, _ = chosen_tau([of[name] for of in each])
        print(f"{name}: tau {tau:g}", file=sys.stderr)
        found[name, "localize"] = resefa(*mean, num=LEADING).directions
        found[name, "localize, tau auto"] = resefa(*mean, tau=tau, num=LEADING).directions
        found[name, "SeFa"] = global_ones
        found[name, "low-rank"] = lowrank(*mean, num=LEADING).directions
    return found


def slopes(rows: np.ndarray, M: np.ndarray) -> np.ndarray:
    """√(nᵀ M n) of every row: the root mean square change for α = 1, in grey levels."""
    rows = rows.astype(np.float64)
    return 127.5 * np.sqrt(np.einsum("kd,de,ke->k", rows, M, rows, optimize=True))


def measure(
    generator: Generator,
    seed: int,
    method: str,
    weights: Weights,
    grams: dict[str, Grams],
    directions: Directions,
    level: float,
    rules: list[str],
) -> Iterator[Edit]:
    """All edits of one unseen seed by one method."""
    code = codes_from_seeds(generator, [seed])[0]
    before = picture_of(generator, code)
    sign = 1 if seed % 2 == 0 else -1
    for region in REGIONS:
        rows = directions[region, method]
        inside, outside = (slopes(rows, M) for M in grams[region])
        choices = {"best": int(np.argmax(inside / outside)), "first": 0}
        done: dict[int, Edit] = {}
        for rule in rules:
            if (k := choices[rule]) not in done:
                first = sign * level / inside[k]
                alpha, found = solve(
                    generator, code, before, rows[k], weights[region], level, first
                )
                done[k] = Edit(region, method, rule, seed, alpha, found)
            yield done[k]._replace(rule=rule)


def kept(file: Path, work: Callable[[], Iterator[Edit]]) -> list[Edit]:
    """The edits in a file, or those of `work`, which are put there."""
    if not file.exists():
        made = list(work())
        file.write_text(json.dumps(made))
        print(f"{file.name} measured", file=sys.stderr)
    return [
        Edit(*edit[:5], None if edit[5] is None else Change(*edit[5]))
        for edit in json.loads(file.read_text())
    ]


def solve(
    generator: Generator,
    code: torch.Tensor,
    before: np.ndarray,
    row: np.ndarray,
    fore: np.ndarray,
    level: float,
    first: float,
) -> tuple[float | None, Change | None]:
    """α for which the inside changes by `level`, and what changed."""
    seen: dict[float, Change] = {}

    def change_at(alpha: float) -> float:
        after = picture_of(generator, code + torch.from_numpy(np.float32(alpha) * row))
        seen[alpha] = change(before, after, fore, 255 - fore)
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
    generator: Generator, weights: Weights, grams: dict[str, Grams], directions: Directions,
    edits: list[Edit], seeds: tuple[int, ...],
) -> Picture:  # fmt: skip
    """A row for each region: every seed before, outlined, and the best direction of each method."""
    rows = []
    for region in REGIONS:
        row: list[Picture | None] = []
        for seed in seeds:
            code = codes_from_seeds(generator, [seed])[0]
            row.append(outlined(seen(generator, code), nearest(weights[region], SHOWN, SHOWN)))
            for method in IN_SHEET:
                choice = directions[region, method]
                inside, outside = (slopes(choice, M) for M in grams[region])
                n = choice[int(np.argmax(inside / outside))]
                wanted = (region, method, "best", seed)
                alpha = next(e.alpha for e in edits if e[:4] == wanted)
                moved = None if alpha is None else code + torch.from_numpy(np.float32(alpha) * n)
                row.append(None if moved is None else seen(generator, moved))
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
    parser.add_argument("--train", default="0-4")
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
    grams = {
        name: Grams(*(np.mean([found[name][part] for found in each], axis=0) for part in (0, 1)))
        for name in REGIONS
    }
    directions = leading_of_all(each, grams)
    rules = asked.rules.split(",")
    setting = f"auto_{asked.train}_{asked.level:g}_{asked.rules}".replace(",", "+")
    edits = []
    for seed in unseen:
        for method in METHODS:
            file = asked.cache / f"edits_{setting}_{METHODS.index(method)}_{seed:04d}.json"
            work = partial(
                measure, generator, seed, method, weights, grams, directions, asked.level, rules
            )
            edits += kept(file, work)
    rows = summary(edits, rules)
    show(rows, edits)
    if asked.json:
        about = {"train": list(train), "unseen": list(unseen), "level": asked.level}
        asked.json.write_text(json.dumps({**about, "rows": rows}, indent=1) + "\n")
    if asked.sheet:
        picture = sheet(generator, weights, grams, directions, edits, unseen[:2])
        image = Image.fromarray(picture)
        few = image.quantize(palette=image.quantize(256), dither=Image.Dither.FLOYDSTEINBERG)
        few.save(asked.sheet, optimize=True)  # a third of the bytes
        print(asked.sheet)


if __name__ == "__main__":
    main()
