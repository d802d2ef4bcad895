"""Archives of our own whose arrays were changed by hand are refused, or made again."""

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from sefa_cli.discovery.partial import Partial
from sefa_cli.errors import SefaError
from sefa_cli.evaluation.kept_scores import Kept
from sefa_cli.evaluation.measuring import Measured, _read, keep
from sefa_cli.parts import Part, Shard

Arrays = dict[str, NDArray[Any]]
ARRAY = np.arange(6, dtype=np.float64).reshape(2, 3)

DAMAGES: dict[str, Callable[[NDArray[Any]], Any]] = {
    "another shape": lambda array: array.reshape(-1),
    "fewer columns": lambda array: array[..., :-1],
    "more columns": lambda array: np.repeat(array, 2, axis=-1),
    "another type": lambda array: array.astype(np.float32),
    "texts": lambda array: array.astype(str),
    "whole numbers": lambda array: array.astype(np.int64),
    "NaN": lambda array: array * np.nan,
    "a single number": lambda array: np.float64(3),
    "none": lambda array: None,
}


def _kept_partial(path: Path) -> None:
    Partial(path, {}).keep("grams", 0, [ARRAY, ARRAY])


def _read_partial(path: Path) -> None:
    Partial(path, {}).read()


def _kept_part(path: Path) -> None:
    Part("x", Shard(1, 1), {"items": [0]}, {}, {"M/0": ARRAY}).save(path)


def _read_part(path: Path) -> None:
    Part.load(path).array("M/0")


def _kept_scores(path: Path) -> None:
    Kept("key", "about", ("a", "b", "c"), {0: ARRAY[0], 1: ARRAY[1]}).write(path)


KINDS = {
    "partial": (_kept_partial, _read_partial, "whole/grams/0/1"),
    "part": (_kept_part, _read_part, "M/0"),
    "scores": (_kept_scores, Kept.read, "scores"),
}


def _damage(path: Path, name: str, damage: str) -> None:
    with np.load(path) as archive:
        arrays = dict(archive)
    changed = DAMAGES[damage](arrays.pop(name))
    if changed is not None:
        arrays[name] = changed
    with open(path, "wb") as file:
        np.savez(file, **arrays)


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_changed_arrays_are_refused_in_one_line(tmp_path: Path, kind: str, damage: str) -> None:
    """They went on to a traceback, or to wrong numbers."""
    save, read, name = KINDS[kind]
    path = tmp_path / "x"
    save(path)
    read(path)
    _damage(path, name, damage)
    with pytest.raises(SefaError, match=r"x is (damaged|broken)") as error:
        read(path)
    assert error.value.remedy and "\n" not in str(error.value)


@pytest.mark.parametrize("damage", DAMAGES)
def test_changed_measurements_are_made_again(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "0.npz"
    arrays: Arrays = {one.name: ARRAY for one in fields(Measured)}
    keep(path, Measured(**arrays))
    assert _read(path) is not None
    _damage(path, "scores", damage)
    assert _read(path) is None
