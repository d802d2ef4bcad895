"""The directions that `region_precision.py` compares, chosen by one rule for every method."""

import sys
import time
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

import sefa_cli as sefa
from sefa_cli.checkpoints import open_checkpoint
from sefa_cli.discovery.gram_matrices import Grams, mean, mean_grams
from sefa_cli.discovery.jacobian import Parts, jacobian
from sefa_cli.discovery.null_space import null_space, principal
from sefa_cli.discovery.resefa import TAUS, left_out, resefa
from sefa_cli.discovery.sefa import Factors
from sefa_cli.editing.codes import codes_from_seeds
from sefa_cli.generators.base import Generator
from sefa_cli.projections import parse_layers

MODEL, SIZE, LEADING = "mobilestylegan_ffhq", 256, 10
LEVELS = ("all", "bottom", "middle", "top")
ENERGIES = (0.9, 0.99, 0.999)
Weights = dict[str, np.ndarray]
Matrices = dict[tuple[str, str], Grams]  # of one seed: (level, region) → …
Find = Callable[..., Factors]


class Chosen(NamedTuple):
    """A method's directions for one region."""

    rows: np.ndarray  # (LEADING, dim)
    level: str  # the layers that they move
    text: str
    best: int  # which of them keeps to the region best
    inside: np.ndarray  # (LEADING,) root mean square change for α = 1, in gray levels


Directions = dict[tuple[str, str], Chosen]  # (region, method) → …


def grams_of_seed(generator: Generator, seed: int, weights: Weights, folder: Path) -> Matrices:
    """Gram matrices of every level and region at one seed: from the folder, or from passes."""
    file = folder / f"levels_{seed:04d}.npz"
    if file.exists():
        arrays = np.load(file)
        return {
            (level, name): Grams(*(arrays[f"{level}/{name}/{part}"] for part in Grams._fields))
            for level in LEVELS
            for name in weights
        }
    start = time.perf_counter()
    code = codes_from_seeds(generator, [seed])[0]
    changes: dict[str, torch.Tensor] = {}
    for level in LEVELS[1:]:
        linearization = generator.linearize(code, layers_of(level), size=SIZE)
        whole = torch.from_numpy(np.ascontiguousarray(jacobian(linearization).T))
        changes[level] = whole.reshape(-1, *linearization.picture.shape)  # (dim, C, H, W)
    changes[LEVELS[0]] = sum(changes.values(), torch.tensor(0.0))  # one row that moves all layers
    found: Matrices = {}
    for name, fore in weights.items():
        parts = Parts(linearization, fore, 255 - fore, sum_channels=False)
        for level in LEVELS:
            rows = parts.rows(changes[level])
            found[level, name] = Grams(*(parts.products(rows, rows) / parts.totals[:, None, None]))
    named = {f"{level}/{name}": own for (level, name), own in found.items()}
    np.savez(
        file,
        **{f"{at}/{part}": M for at, own in named.items() for part, M in own._asdict().items()},
    )
    print(f"seed {seed}: {time.perf_counter() - start:.0f} s", file=sys.stderr)
    return found


@cache
def layers_of(level: str) -> tuple[int, ...]:
    """The layers of a level of the model."""
    return parse_layers(open_checkpoint(MODEL), level)


def settings(method: str) -> list[tuple[str, str, Find]]:
    """What a method may choose among: a level, a word for the rest, and how to find directions."""
    if method == "localize":
        return [("all", "tau 0.001", partial(resefa, num=LEADING))]
    if method == "SeFa":
        made = {
            level: sefa.factorize(MODEL, level, deflate_gain=True, num=LEADING) for level in LEVELS
        }
        return [
            (level, "", lambda *_, own=own: Factors(own.directions, own.eigenvalues))
            for level, own in made.items()
        ]
    kind, name, values = (
        (resefa, "tau", TAUS) if method != "low-rank" else (by_energy, "energy", ENERGIES)
    )
    return [
        (level, f"{name} {value:g}", partial(kind, num=LEADING, **{name: value}))  # type: ignore[arg-type]
        for level in LEVELS
        for value in values
    ]


def by_energy(M_f: np.ndarray, M_b: np.ndarray, energy: float, num: int) -> Factors:
    """The null space of a rank that holds a share of the background's change."""
    shares = principal(M_b).values.clip(min=0)
    rank = int(np.searchsorted(np.cumsum(shares) / shares.sum(), energy)) + 1
    return null_space(M_f, M_b, rank, num)


def chosen(each: list[Matrices], region: str, method: str) -> Chosen:
    """The leading ten of the setting whose leading direction is best on a seed left out."""
    known = settings(method)
    medians = [left_out([of[level, region] for of in each], find) for level, _, find in known]
    level, text, find = known[int(np.argmax(medians))]
    grams = [of[level, region] for of in each]
    average = mean(grams)
    assert isinstance(average, Grams)
    rows = find(average.fore, average.back).directions
    ratios = [np.square(slopes(rows, M.fore) / slopes(rows, M.back)) for M in grams]
    best = int(np.argmax(np.median(ratios, axis=0)))
    print(
        f"{region}, {method}: {level} {text}, {max(medians):.3g} left out, k {best}",
        file=sys.stderr,
    )
    return Chosen(rows, level, text, best, slopes(rows, mean_grams(grams).fore))


def slopes(rows: np.ndarray, M: np.ndarray) -> np.ndarray:
    """√(nᵀ M n) of every row: the root mean square change for α = 1, in gray levels."""
    rows = rows.astype(np.float64)
    return 127.5 * np.sqrt(np.einsum("kd,de,ke->k", rows, M, rows, optimize=True))
