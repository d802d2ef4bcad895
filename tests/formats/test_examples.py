"""The examples beside the spec: made by their script, known to both readers, none accepted."""

import json
import math
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sefa_cli.bundle.bundle import Bundle
from sefa_cli.errors import SefaError


def everything(bundle: Bundle) -> dict[str, Any]:
    """What a bundle holds, as golden/expected.json lists it."""
    known = {key: getattr(bundle, key) for key in ("version", "method", "params", "space", "model")}
    known |= {"directions": list(bundle.info), "tool": bundle.tool, **bundle.unknown}
    tensors: dict[str, Any] = {}
    for name, dtype in (
        ("directions", "F32"),
        ("layers", "I64"),
        ("eigenvalues", "F64"),
        ("mask", "U8"),
        ("background", "U8"),
    ):
        if (values := getattr(bundle, name)) is not None:
            shape, numbers = list(values.shape), values.ravel().tolist()
            tensors[name] = {"dtype": dtype, "shape": shape, "values": numbers}
    for name, tensor in bundle.private.items():
        shape = list(tensor.shape)
        tensors[name] = {"dtype": tensor.dtype, "shape": shape, "hex": tensor.data.hex()}
    return {"metadata": {"format": "sefa-directions", "requires": []} | known, "tensors": tensors}


def test_the_script_makes_the_committed_files(formats: Path, tmp_path: Path) -> None:
    subprocess.run([sys.executable, formats / "make", tmp_path], check=True)
    made = {path.relative_to(tmp_path): path.read_bytes() for path in tmp_path.rglob("*.*")}
    kept = {
        path.relative_to(formats): path.read_bytes()
        for folder in ("golden", "hostile")
        for path in (formats / folder).iterdir()
    }
    assert made == kept
    assert len(made) > 150


def test_golden_is_read_whole(golden: str, formats: Path) -> None:
    expected = json.loads((formats / "golden/expected.json").read_text("utf-8"))[golden]
    del expected["about"]
    bundle = Bundle.load(formats / "golden" / golden)
    assert everything(bundle) == expected
    assert bundle.directions.dtype == np.float32
    assert not bundle.directions.flags.writeable


def test_a_rewrite_of_golden_keeps_every_byte(golden: str, formats: Path) -> None:
    data = (formats / "golden" / golden).read_bytes()
    rewritten = (formats / "golden" / golden.replace("-raw", "")).read_bytes()
    assert Bundle.from_bytes(data).to_bytes() == rewritten
    assert (data == rewritten) == ("-raw" not in golden)


def test_minus_zero_and_kinds_of_numbers_survive(formats: Path) -> None:
    floats = Bundle.load(formats / "golden/spellings.dirs").params["floats"]
    assert math.copysign(1, floats[1]) == -1
    assert all(type(value) is float for value in floats)


def test_hostile_is_refused_in_one_line(hostile: str, formats: Path) -> None:
    why = json.loads((formats / "hostile/index.json").read_text("utf-8"))[hostile]
    path = formats / "hostile" / hostile
    with pytest.raises(SefaError) as caught:
        Bundle.load(path)
    message = str(caught.value)
    said = message.removeprefix(str(path))
    assert said.startswith((": ", " "))  # what is wrong inside it, or what it is
    assert why["mentions"].lower() in said.lower(), why["reason"]
    assert message.isprintable() and len(said) < 250


def test_refusing_costs_no_time_and_no_memory(formats: Path) -> None:
    """All hostile files together: a header of 2^31 bytes or a tensor of 4 TiB is never reserved."""
    paths = sorted((formats / "hostile").glob("*.dirs"))
    tracemalloc.start()
    started = time.process_time()
    for path in paths:
        with pytest.raises(SefaError):
            Bundle.load(path)
    seconds = time.process_time() - started
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 8 * 2**20
    assert seconds < 10
