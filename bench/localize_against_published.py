"""`sefa localize` against the published per-pixel procedure: one run, one network, one picture.

python bench/localize_against_published.py [--cases 64:512,256:512] [--rows 24] [--passes 0]
                                           [--equal 64:64] [--json FILE]

A case is PIXELS:WIDTH of a StyleGAN2 with random weights (bench/random_stylegan2.py; 512 is full
width), seed 0, w, a box in the middle. The published procedure computes a sample of rows, spread
over the picture, half before and half after ours, and is extrapolated. Two things favor it: its
solver is left out, and it runs on our layers with our allocator setting. Ours runs in full, with
its solver. With `--passes N`, it computes only N derivatives, in turn with the rows, and is
extrapolated too; the Gram products then run in full on random numbers. Both Jacobians are
compared at the sampled rows. `--equal` names a case whose published Jacobian is computed whole,
to compare the leading ten directions.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from published_resefa import directions, jacobian_rows
from random_stylegan2 import genforce_state

import sefa_cli as sefa
from sefa_cli.discovery.gram_matrices import Grams
from sefa_cli.discovery.jacobian import Parts, grams
from sefa_cli.discovery.regions.region import one_region
from sefa_cli.discovery.resefa import resefa
from sefa_cli.generators.base import Generator

BATCH = 8  # derivatives at a time, as `localize` takes them on a CPU


class Case:
    """A network, the picture of seed 0, and a region."""

    def __init__(self, text: str) -> None:
        self.pixels, self.width = map(int, text.split(":"))
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "random.pth")
            state = genforce_state(self.pixels, self.width)
            torch.save({"generator_smooth": state}, file)
            self.generator: Generator = sefa.load_generator(str(file), device="cpu")
        self.w = self.generator.map(self.generator.sample([0]))  # (1, d)
        box = one_region(box="0.4,0.35,0.2,0.3")
        self.fore = box.weights(self.pixels, self.pixels)
        self.name = f"{self.pixels} px, {self.width} channels"

    def rows(self, chosen: list[int] | None) -> Any:
        """The published procedure's rows."""
        paint = self.generator.synthesize
        return jacobian_rows(paint, self.w, self.generator.num_layers, chosen)

    def linearization(self) -> Any:
        """Our derivative, its stored picture included."""
        return self.generator.linearize(self.w[0], range(self.generator.num_layers))


def ours_in_full(case: Case, chosen: list[int]) -> tuple[float, np.ndarray, np.ndarray]:
    """Seconds from code to directions, the directions, and J at the chosen rows `(rows, d)`."""
    seen = np.empty((len(chosen), case.w.shape[1]), np.float32)

    def watch(at: slice, changes: torch.Tensor) -> None:
        seen[:, at] = changes.flatten(1)[:, chosen].T

    start = time.perf_counter()
    found = grams(case.linearization(), case.fore, 255 - case.fore, watch=watch)
    leading = resefa(*found, num=10).directions
    return time.perf_counter() - start, leading, seen


def compare(case: Case, rows: int, passes: int) -> dict[str, Any]:
    """Both procedures on one case."""
    total = 3 * case.pixels**2
    spread = [int(row) for row in np.linspace(0, total - 1, rows + 2)[1:-1]]
    d = case.w.shape[1]
    if passes:
        theirs, each, ours, seen = in_turns(case, spread, passes)
        places = spread[: len(theirs)]
        said = f"{passes} of {d} passes, extrapolated"
        error = relative_error(theirs[:, : seen.shape[1]], seen)
    else:
        half = len(spread) // 2
        first, second = spread[:half], spread[half:]
        before = case.rows(first)
        ours, _, seen = ours_in_full(case, spread)
        after = case.rows(second)
        each = before.each + after.each
        places = spread
        said = "all passes"
        error = relative_error(np.concatenate([before.values, after.values]), seen)
    theirs_s = float(np.mean(each)) * total
    return {
        "case": case.name,
        "rows": total,
        "rows_sampled": len(places),
        "seconds_per_row": float(np.mean(each)),
        "published_s": theirs_s,
        "ours": said,
        "ours_s": ours,
        "ratio": theirs_s / ours,
        "rows_differ_by": error,
    }


def in_turns(
    case: Case, spread: list[int], passes: int
) -> tuple[np.ndarray, list[float], float, np.ndarray]:
    """Take rows and batches of derivatives in turn; extrapolate our seconds to all of them."""
    d, turns = case.w.shape[1], max(1, passes // BATCH)
    start = time.perf_counter()
    linearization = case.linearization()
    seconds = time.perf_counter() - start
    parts = np.array_split(np.array(spread), turns)
    values, each, seen, pushed = [], [], [], []
    for turn, chosen in enumerate(parts):
        made = case.rows([int(row) for row in chosen])
        values.append(made.values)
        each += made.each
        identity = torch.eye(d)[turn * BATCH : (turn + 1) * BATCH]
        start = time.perf_counter()
        changes = linearization.forward(identity)
        pushed.append((time.perf_counter() - start) / len(identity))
        seen.append(changes.flatten(1)[:, spread].T.numpy())
    measured = Parts(linearization, case.fore, 255 - case.fore, False)
    columns = measured.rows(torch.randn(d, *linearization.picture.shape))
    start = time.perf_counter()
    sums = measured.products(columns, columns) / measured.totals[:, None, None]
    resefa(*Grams(*sums), num=10)
    seconds += time.perf_counter() - start + float(np.mean(pushed)) * d
    return np.concatenate(values), each, seconds, np.concatenate(seen, axis=1)


def relative_error(theirs: np.ndarray, ours: np.ndarray) -> float:
    """The largest difference, in the largest value."""
    return float(np.abs(theirs - ours).max() / np.abs(theirs).max())


def equality(case: Case) -> dict[str, Any]:
    """The whole published procedure, and |cos| of its leading ten directions with ours."""
    start = time.perf_counter()
    whole = case.rows(None)
    theirs = directions(whole.values, case.fore)
    published = time.perf_counter() - start
    ours_s, ours, _ = ours_in_full(case, [0])
    cosines = np.abs(np.sum(theirs[:10] * ours, axis=1))
    return {
        "case": case.name,
        "rows": whole.total,
        "published_s": published,
        "ours_s": ours_s,
        "ratio": published / ours_s,
        "least_cosine_of_ten": float(cosines.min()),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", default="64:512,256:512")
    parser.add_argument("--rows", type=int, default=24)
    parser.add_argument("--passes", type=int, default=0)
    parser.add_argument("--equal", default="64:64")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    sefa.keep_blocks()
    results: dict[str, Any] = {"threads": torch.get_num_threads(), "torch": torch.__version__}
    results["equality"] = equal = equality(Case(asked.equal)) if asked.equal else None
    if equal:
        print(
            f"{equal['case']}: all {equal['rows']} rows of the published procedure "
            f"{equal['published_s']:.0f} s, ours {equal['ours_s']:.1f} s, {equal['ratio']:.0f} ×; "
            f"least |cos| of the leading ten {equal['least_cosine_of_ten']:.6f}",
            flush=True,
        )
    results["cases"] = []
    print("| network | published, extrapolated | ours | ratio | rows differ by |")
    print("|---|---|---|---|---|")
    for text in filter(None, asked.cases.split(",")):
        row = compare(Case(text), asked.rows, asked.passes)
        results["cases"].append(row)
        print(
            f"| {row['case']} | {row['rows']:,} rows × {row['seconds_per_row']:.2f} s "
            f"({row['rows_sampled']} sampled) = {row['published_s'] / 3600:.1f} h "
            f"| {row['ours_s'] / 60:.1f} min, {row['ours']} | {row['ratio']:.0f} × "
            f"| {row['rows_differ_by']:.0e} |",
            flush=True,
        )
    if asked.json:
        asked.json.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
