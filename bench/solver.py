"""Time and memory of the solver at d = 11,776 (23 × 512), compared with dense solvers.

python bench/solver.py [--dim 11776] [--dense 1472,2944] [--rows 300]

The input is two random Jacobians of `--rows` rows, whose singular values fall as 1 / i. Our solver
takes a basis of the rows, the small matrices, and R in the span. The dense ones take d × d
matrices: Cholesky and a symmetric solver (ours for small latents), or inverse, product and a
general solver, as published. They need d³ operations, so they are timed at the smaller sizes and
extrapolated; the output says so.
"""

import argparse
import resource
import time

import numpy as np

from sefa_cli.discovery.resefa import resefa, resefa_in_span
from sefa_cli.discovery.sketch import widened

TAU = 1e-3


def jacobians(dim: int, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """J_f and J_b `(rows, dim)`, divided by √rows."""
    random = np.random.RandomState(0)
    falling = 1 / np.arange(1, rows + 1)[:, None]
    made = [random.randn(rows, dim) * falling / np.sqrt(dim) for _ in range(2)]
    return made[0], made[1]


def peak() -> float:
    """Largest resident size of this process so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def in_span(J_f: np.ndarray, J_b: np.ndarray) -> np.ndarray:
    """Directions `(10, dim)` without any dim × dim matrix."""
    basis = widened(None, np.concatenate([J_f, J_b]))
    small = [J @ basis for J in (J_f, J_b)]
    trace = float(np.square(J_b).sum())
    M_f, M_b = (A.T @ A for A in small)
    return resefa_in_span(M_f, M_b, basis, trace, TAU, 10).directions


def dense(J_f: np.ndarray, J_b: np.ndarray) -> np.ndarray:
    return resefa(J_f.T @ J_f, J_b.T @ J_b, TAU, 10).directions


def published(J_f: np.ndarray, J_b: np.ndarray) -> np.ndarray:
    """Restated: the inverse, a product, a solver for general matrices, the real part."""
    M_b = J_b.T @ J_b
    M_b += TAU * np.trace(M_b) * np.eye(len(M_b))
    values, vectors = np.linalg.eig(np.linalg.inv(M_b) @ (J_f.T @ J_f))
    rows = vectors.real.T[np.argsort(-values.real)[:10]]
    normed: np.ndarray = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return normed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dim", type=int, default=11776)
    parser.add_argument("--dense", default="1472,2944")
    parser.add_argument("--rows", type=int, default=300)
    asked = parser.parse_args()
    start = time.perf_counter()
    in_span(*jacobians(asked.dim, asked.rows))
    ours = time.perf_counter() - start
    print(f"{asked.dim}: in the span {ours:.1f} s, peak {peak():.0f} MB")
    for dim in map(int, asked.dense.split(",")):
        J_f, J_b = jacobians(dim, asked.rows)
        exact = in_span(J_f, J_b)
        for name, way in (("dense", dense), ("published", published)):
            start = time.perf_counter()
            found = way(J_f, J_b)
            seconds = time.perf_counter() - start
            least = np.abs(np.sum(found * exact, axis=1)).min()
            whole = seconds * (asked.dim / dim) ** 3
            print(
                f"{dim}: {name} {seconds:.1f} s, least |cos| {least:.7f}; "
                f"at {asked.dim} {whole:.0f} s extrapolated, "
                f"and {8 * asked.dim**2 / 1e9:.1f} GB a matrix"
            )


if __name__ == "__main__":
    main()
