"""Everything that should be fast, side by side in one run, on this machine's CPU: `make bench`.

    python bench/suite.py [OUT] [--only start-up,factorize] [--turns 7]
    python bench/suite.py --compare        the last run of the history against the one before it

Each row is a median with its spread (the middle half of the turns), the ratio to a named peer, and
the ratio to a floor that it cannot go below. Peers are published procedures, restated, whose
numbers are compared with ours in the same run, and OpenVINO if it is installed. OUT (default:
bench-results/) gets suite.json, suite.txt, and a line of history.jsonl; --compare names the ratios
that changed by a tenth.
"""

import argparse
import datetime
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from processes import Runs, side_by_side

HERE = Path(__file__).parent
SEFA = [sys.executable, "-m", "sefa_cli"]
MODEL = "mobilestylegan_ffhq"
EIGH = "numpy.linalg.eigh(512)"  # the floor of factorize: Python, numpy, one decomposition
# One thread: those of OpenBLAS would wait for each other where others use the cores.
DECOMPOSE = "import os; os.environ['OPENBLAS_NUM_THREADS'] = '1'; import numpy; "
DECOMPOSE += "a = numpy.eye(512) + 1; numpy.linalg.eigh(a)"
BOX = ["--box", "165,100,35,60", "--seeds", "0"]
WORSE = 1.1

Work = Sequence[str] | Callable[[], object]


@dataclass
class Row:
    """One thing that was measured; ratios are those of the medians."""

    name: str
    seconds: float
    spread: tuple[float, float]
    mb: float = 0.0
    peer: str = ""
    to_peer: float | None = None
    floor: str = ""
    to_floor: float | None = None


def rows(
    works: Mapping[str, Work],
    turns: int,
    peers: Mapping[str, str] | None = None,
    floors: Mapping[str, str] | None = None,
    each: int = 1,
) -> Iterator[Row]:
    """Measure `works` in turn; `peers` and `floors` name the works that others are compared with.

    `each`: the number of pictures that one work makes; seconds are those of one.
    """
    seen = side_by_side(works, turns)
    medians = {
        name: statistics.median(seconds for seconds, _ in runs) for name, runs in seen.items()
    }
    for name, runs in seen.items():
        peer, floor = (peers or {}).get(name, ""), (floors or {}).get(name, "")
        yield Row(
            name, medians[name] / each, _middle(runs, each), max(mb for _, mb in runs),
            peer, medians[name] / medians[peer] if peer else None,
            floor, medians[name] / medians[floor] if floor else None,
        )  # fmt: skip


def _middle(runs: Runs, each: int) -> tuple[float, float]:
    low, _, high = statistics.quantiles([seconds / each for seconds, _ in runs], n=4)
    return low, high


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def start_up(folder: Path, turns: int) -> Iterator[Row]:
    bundle = str(folder / "face.dirs")
    factorize = [*SEFA, "factorize", MODEL, "-o", bundle, "--overwrite"]
    subprocess.run(factorize, check=True, capture_output=True)
    works = {
        "import typer, rich": python("import typer, rich"),
        "sefa --help": [*SEFA, "--help"],
        "sefa inspect": [*SEFA, "inspect", bundle],
        EIGH: python(DECOMPOSE),
        "sefa factorize, default model": factorize,
    }
    floors = dict.fromkeys(list(works)[1:3], "import typer, rich")
    yield from rows(works, turns, floors=floors | {list(works)[4]: EIGH})


def factorizing(folder: Path, turns: int) -> Iterator[Row]:
    """A 512-px StyleGAN2 of full width against the published procedure."""
    file, bundle, arrays = (str(folder / name) for name in ("s.pth", "s.dirs", "s.npz"))
    subprocess.run(
        [sys.executable, HERE / "random_stylegan2.py", "512", file],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    published = [sys.executable, str(HERE / "published_sefa.py"), file, arrays]
    works = {
        EIGH: python(DECOMPOSE),
        "published procedure": published,
        "published, no generator": [*published, "--no-generator"],
        "sefa factorize, 512 px": [*SEFA, "factorize", file, "-o", bundle, "--overwrite"],
    }
    last = list(works)[-1]
    yield from rows(works, turns, {last: "published procedure"}, {last: EIGH})
    if (least := least_cosine(bundle, arrays)) < 0.9999:
        sys.exit(f"the published directions are others: least |cos| {least:.6f}")


def pickles(folder: Path, turns: int) -> Iterator[Row]:
    """A pickle of NVIDIA's of 380 MB against `pickle.load` of it."""
    file, bundle, arrays = (str(folder / name) for name in ("s.pkl", "s.dirs", "s.npz"))
    make = [sys.executable, str(HERE / "nvidia_pickle.py"), "1024", file]
    subprocess.run(make, check=True, stdout=subprocess.DEVNULL)
    naive = [sys.executable, str(HERE / "naive_pickle.py"), file]
    works = {
        "pickle.load": naive,
        "pickle.load, published": [*naive, arrays],
        "sefa factorize, 380-MB pickle": [*SEFA, "factorize", file, "-o", bundle, "--overwrite"],
        "sefa inspect, 380-MB pickle": [*SEFA, "inspect", file],
    }
    yield from rows(works, max(3, turns // 2), dict.fromkeys(list(works)[2:], "pickle.load"))
    if (least := least_cosine(bundle, arrays)) < 0.9999:
        sys.exit(f"the published directions are others: least |cos| {least:.6f}")


def least_cosine(bundle: str, arrays: str) -> float:
    """How parallel the two sets of directions are, at worst, once both are sorted."""
    import sefa_cli as sefa

    published = np.load(arrays)
    order = np.argsort(-published["values"].real)
    theirs = published["directions"].real[order]
    return float(np.abs(np.sum(sefa.Bundle.load(bundle).directions * theirs, axis=1)).min())


def synthesis(folder: Path, turns: int) -> Iterator[Row]:
    """StyleGAN2 of full width against NVIDIA's operation sequence, in this process."""
    import published_stylegan2
    import torch
    from random_stylegan2 import genforce_state

    import sefa_cli as sefa

    sefa.keep_blocks()
    for side in (256, 512):
        torch.save({"generator_smooth": genforce_state(side)}, folder / "g.pth")
        own = sefa.load_generator(folder / "g.pth", device="cpu")
        for batch in (1, 8) if side == 256 else (1,):
            codes = own.truncate(own.map(own.sample(range(batch))), 0.7)
            if (difference := published_stylegan2.same(own, codes[:1])) > 1e-4:
                sys.exit(f"the published sequence paints another picture: {difference:g}")
            peer = f"published, {side} px, batch {batch}"
            works = {
                peer: lambda own=own, c=codes: published_stylegan2.paint(own, c),
                f"StyleGAN2, {side} px, batch {batch}": lambda own=own, c=codes: own.synthesize(c),
            }
            with torch.inference_mode():
                yield from rows(works, max(2, turns // 2), {list(works)[1]: peer}, each=batch)


def default_model(folder: Path, turns: int) -> Iterator[Row]:
    """Pictures of the default model, against OpenVINO on the same threads if it is installed."""
    import torch

    import sefa_cli as sefa
    from sefa_cli.sources.locate import locate

    sefa.keep_blocks()
    own = sefa.load_generator(MODEL, device="cpu")
    w = own.map(own.sample([0]))
    works: dict[str, Work] = {"default model, 1024 px": lambda: own.synthesize(w)}
    peers = {}
    try:
        import openvino  # type: ignore[import-not-found]
    except ImportError:
        pass
    else:
        network = next(Path(locate(MODEL)).rglob("SynthesisNetwork.xml"))
        settings = {
            "INFERENCE_NUM_THREADS": torch.get_num_threads(),
            "INFERENCE_PRECISION_HINT": "f32",
        }
        compiled = openvino.Core().compile_model(network, "CPU", settings)
        theirs = next(iter(compiled(w.numpy()).values()))
        if (difference := np.abs(theirs - own.synthesize(w).numpy()).max()) > 1e-3:
            sys.exit(f"OpenVINO paints another picture: {difference:g}")
        works["OpenVINO, 1024 px"] = lambda: compiled(w.numpy())
        peers = {"default model, 1024 px": "OpenVINO, 1024 px"}
    works["default model, 512 px, exact"] = lambda: own.synthesize(w, size=512)
    works["default model, 256 px, shortcut"] = lambda: own.synthesize(w, preview=True)
    with torch.inference_mode():
        yield from rows(works, turns, peers)


def commands(folder: Path, turns: int) -> Iterator[Row]:
    """Whole commands that make pictures and regions."""
    bundle, region, picture = (
        str(folder / name) for name in ("face.dirs", "mouth.dirs", "face.png")
    )
    subprocess.run([*SEFA, "factorize", MODEL, "-o", bundle], check=True, capture_output=True)
    edit = [*SEFA, "edit", bundle, "--k", "3", "--alpha", "2", "--seeds", "0", "--size", "128"]
    works = {
        "import torch": python("import torch"),
        "sefa edit, one seed, 128 px": [*edit, "-o", picture, "--overwrite"],
    }
    yield from rows(works, turns, floors={list(works)[1]: "import torch"})
    localize = [*SEFA, "localize", MODEL, *BOX, "-o", region, "--overwrite"]
    works = {
        "sefa localize, 256 px": localize,
        "sefa localize, one picture alone": [*localize, "--alone"],
    }
    yield from rows(works, 2)


GROUPS = {  # processes first: what this one has imported would count in their memory
    "start-up": start_up, "factorize": factorizing, "pickles": pickles, "commands": commands,
    "synthesis": synthesis, "default model": default_model,
}  # fmt: skip


def table(results: Sequence[Row]) -> str:
    """Return the rows as text."""
    width = max(len(row.name) for row in results)
    lines = [f"{'':{width}}  {'median':>9} {'middle half':>19} {'MB':>6}  ratio"]
    for row in results:
        low, high = row.spread
        ratio = f"{row.to_peer:.2f} × {row.peer}" if row.to_peer else ""
        ratio += ", " if row.to_peer and row.to_floor else ""
        ratio += f"{row.to_floor:.2f} × {row.floor}" if row.to_floor else ""
        lines.append(
            f"{row.name:{width}}  {row.seconds:7.3f} s {low:8.3f}-{high:8.3f} s "
            f"{row.mb or 0:6.0f}  {ratio}"
        )
    return "\n".join(lines)


def compare(history: Path) -> int:
    """Print the ratios that differ between the last two runs; return 1 if one is worse."""
    lines = history.read_text().splitlines() if history.exists() else []
    if len(lines) < 2:
        print(f"{history} holds {len(lines)} runs: two are compared")
        return 0
    before, after = ({row["name"]: row for row in json.loads(line)["rows"]} for line in lines[-2:])
    worse = 0
    for name in before.keys() & after.keys():
        for ratio in ("to_peer", "to_floor"):
            old, new = before[name][ratio], after[name][ratio]
            if old and new and not 1 / WORSE < new / old < WORSE:
                worse += new > old
                print(f"{name}: {new / old:.2f} × what it was, against {after[name][ratio[3:]]}")
    return int(worse > 0)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path, nargs="?", default=Path("bench-results"))
    parser.add_argument("--only", default=",".join(GROUPS))
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("--compare", action="store_true")
    asked = parser.parse_args()
    if asked.compare:
        return compare(asked.out / "history.jsonl")
    results: list[Row] = []
    for name in asked.only.split(","):
        with tempfile.TemporaryDirectory() as folder:
            new = list(GROUPS[name](Path(folder), asked.turns))
        results += new
        print(f"{name}\n{table(new)}\n", flush=True)
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=HERE, capture_output=True)
    run: dict[str, Any] = {
        "time": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "commit": commit.stdout.decode().strip(), "cores": os.cpu_count(),
        "load": os.getloadavg()[0], "rows": [asdict(row) for row in results],
    }  # fmt: skip
    asked.out.mkdir(exist_ok=True)
    (asked.out / "suite.json").write_text(json.dumps(run, indent=1) + "\n")
    (asked.out / "suite.txt").write_text(table(results) + "\n")
    with (asked.out / "history.jsonl").open("a") as history:
        history.write(json.dumps(run) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
