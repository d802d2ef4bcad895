"""What was measured is kept, and measured again if a bit of it has flipped."""

from dataclasses import fields
from pathlib import Path

import numpy as np

from sefa_cli.evaluation.measuring import Measured, _read, _write


def test_a_flipped_bit_never_changes_a_measurement(tmp_path: Path) -> None:
    rng, path = np.random.default_rng(0), tmp_path / "seed0000.npz"
    known = Measured(*[rng.random((1, 2)) for _ in fields(Measured)])
    _write(path, known)
    whole = path.read_bytes()
    lost = 0
    for bit in range(0, len(whole) * 8, 3):
        flipped = bytearray(whole)
        flipped[bit // 8] ^= 1 << bit % 8
        path.write_bytes(flipped)
        found = _read(path)
        lost += found is None
        for one in fields(Measured) if found else ():
            np.testing.assert_array_equal(getattr(found, one.name), getattr(known, one.name))
    assert lost > 1000
