"""Compare golden files with our numbers: error, noise floor of the published code, their ratio.

    python bench/goldens.py FOLDER [--json]

Whole checkpoints in FOLDER/containers are read as they are; the state dicts of other files are
first written to a file. Errors and floors are relative to the output's own spread. If the published
code has no noise (codes), 1e-6 of the spread counts as its floor. The script exits with 1 if
anything is beyond 10 floors, or if a canary was executed.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from safetensors import safe_open
from safetensors.numpy import save_file

from sefa_cli.families.build import build
from sefa_cli.families.reading import read_checkpoint
from sefa_cli.generators.base import Generator

_ROUNDING = 1e-6  # of the spread, where the published code repeats itself to the bit
_SUFFIXES = (".pkl", ".pth", ".pt")
Arrays = dict[str, np.ndarray]


class Row(NamedTuple):
    """One output of one file."""

    file: str
    output: str
    error: float  # largest, relative to the spread
    floor: float  # the same of the published code against itself

    @property
    def ratio(self) -> float:
        """At most 10 is asked for."""
        return self.error / self.floor


def rows_of(path: Path) -> Iterator[Row]:
    """All outputs of a golden file that has any."""
    with safe_open(path, "np") as file:
        facts = json.loads((file.metadata() or {}).get("meta", "{}"))
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    expected = {name[4:]: array for name, array in tensors.items() if name.startswith("out/")}
    if not expected:
        return
    whole = next((p for s in _SUFFIXES if (p := path.with_suffix(s)).exists()), None)
    for name, array in expected.items():
        with tempfile.TemporaryDirectory() as folder:
            generator = build(
                read_checkpoint(whole or _written(Path(folder), name, tensors, facts))
            )
        ours = _output(generator, name, tensors, facts)
        spread = float(array.std())
        error = float(np.abs(ours.reshape(array.shape) - array).max()) / spread
        floor = facts["noise_floor_maxabs"].get(name, 0) / spread
        yield Row((whole or path).name, name, error, floor or _ROUNDING)


def _written(folder: Path, output: str, tensors: Arrays, facts: dict[str, Any]) -> Path:
    """The published state dict as a file, with what lies beside it in whole checkpoints."""
    state = {name[6:]: array for name, array in tensors.items() if name.startswith("state/")}
    if "extra/latent_avg" in tensors:
        state["latent_avg"] = tensors["extra/latent_avg"]
    for name in [name for name in state if name.endswith("lod")]:
        lod = output.partition("lod")[2]
        state[name] = np.full((), float(lod or 0), np.float32)
    if "config" in facts:
        (folder / "config.json").write_text(json.dumps(facts["config"]))
    save_file({name: np.array(a, order="C") for name, a in state.items()}, folder / "state")
    return folder / "state"


def _output(generator: Generator, name: str, tensors: Arrays, facts: dict[str, Any]) -> np.ndarray:
    label = tensors.get("in/label")
    codes = generator.map(tensors["in/z"], label)
    if name in ("embed", "cond_vector"):
        embedded = torch.from_numpy(label) @ generator.get_parameter("embedding")
        return (embedded if name == "embed" else torch.cat([codes, embedded], dim=1)).numpy()
    if name.startswith("w_trunc_"):
        return generator.truncate(codes, 0.7, 4).numpy()
    if name == "w_trunc":
        codes = generator.truncate(codes, 0.7)
        return (codes if tensors["out/w_trunc"].ndim == 3 else codes[:, 0]).numpy()
    if name in ("w", "z_norm"):
        return codes.numpy()
    if name in ("ws", "wp", "latent"):
        return generator.truncate(codes, 1).numpy()
    truncation = 1.0
    if generator.conditioned:
        truncation = float(name.partition("truncation_")[2] or 0.43)
    if name == "image_trunc":
        codes = torch.from_numpy(tensors["out/w_trunc"])
    mode = "none" if name == "image_none" else "const"
    label = label if generator.conditioned else None
    return generator.synthesize(codes, label, truncation, noise_mode=mode).numpy()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["CANARY"] = str(canary := Path(folder, "canary"))
        places = [*sorted(arguments.folder.glob("*.safetensors"))]
        places += sorted((arguments.folder / "containers").glob("*.safetensors"))
        rows = [row for path in places for row in rows_of(path)]
        executed = canary.exists() or Path("/tmp/canary-executed").exists()
    if arguments.json:
        print(json.dumps([{**row._asdict(), "ratio": row.ratio} for row in rows]))
    else:
        print(f"{'file':38} {'output':22} {'error':>8} {'floor':>8} {'ratio':>6}")
        for row in rows:
            print(
                f"{row.file:38} {row.output:22} {row.error:8.1e} {row.floor:8.1e} {row.ratio:6.2f}"
            )
    worst = max(row.ratio for row in rows)
    print(
        f"{len(rows)} outputs of {len({row.file for row in rows})} files; "
        f"the largest ratio is {worst:.2f}; canary executed: {'yes' if executed else 'no'}",
        file=sys.stderr,
    )
    sys.exit(worst > 10 or executed)


if __name__ == "__main__":
    main()
