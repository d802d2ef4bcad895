"""The bundle as bytes and as an object: pipes and names."""

import dataclasses
import os
import subprocess
import sys
import unicodedata
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy

from sefa_cli.bundle.bundle import Bundle
from sefa_cli.errors import SefaError, UsageError

ROWS = np.array([[1, 0, 0, 0], [0.5, 0.5, -0.5, 0.5]], np.float32)
MODEL = {"ref": "tiny.pkl", "family": "stylegan2", "resolution": 8, "z_dim": 4, "w_dim": 4}
MODEL |= {"num_layers": 4, "layer_names": ["a", "b", "c", "d"], "fingerprint": "0" * 64}
LITERAL = (
    b"\x68\x02\0\0\0\0\0\0"
    rb'{"__metadata__":{"sefa":"{\"directions\":[{\"gain\":0.25,\"label\":\"smile\"},{}],'
    rb"\"format\":\"sefa-directions\",\"method\":\"sefa\",\"model\":{\"family\":\"stylegan2\","
    rb"\"fingerprint\":\"0000000000000000000000000000000000000000000000000000000000000000\","
    rb"\"layer_names\":[\"a\",\"b\",\"c\",\"d\"],\"num_layers\":4,\"ref\":\"tiny.pkl\","
    rb"\"resolution\":8,\"w_dim\":4,\"z_dim\":4},\"params\":{\"center\":false,\"num\":2},"
    rb'\"requires\":[],\"space\":\"w\",\"tool\":\"test 1\",\"version\":\"1.0\"}"},'
    rb'"directions":{"data_offsets":[16,48],"dtype":"F32","shape":[2,4]},'
    rb'"layers":{"data_offsets":[0,16],"dtype":"I64","shape":[2]}}'
)


def parts(**changes: Any) -> dict[str, Any]:
    """Arguments of a small valid bundle, changed."""
    known = {"directions": ROWS, "layers": np.array([0, 2]), "method": "sefa", "params": {}}
    return known | {"space": "w", "model": MODEL} | changes


@pytest.fixture
def bundle() -> Bundle:
    return Bundle(**parts(info=({"label": "smile"}, {"label": "head turn"})))


def python(code: str, *words: str | Path, data: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-c", f"import sys\nfrom sefa_cli.bundle import Bundle\n{code}"]
    return subprocess.run([*command, *words], input=data, capture_output=True, timeout=60)


# --- bytes ----------------------------------------------------------------------------------


def test_literal_bytes() -> None:
    made = Bundle(
        **parts(
            params={"num": 2, "center": False},
            info=({"label": "smile", "gain": 0.25}, {}),
            tool="test 1",
        )
    )
    padding = b" " * (8 + 0x268 - len(LITERAL))
    numbers = ROWS.astype("<f4").tobytes()
    assert made.to_bytes() == LITERAL + padding + b"\0" * 8 + b"\2" + b"\0" * 7 + numbers
    assert len(padding) < 8


def test_bytes_do_not_depend_on_the_order_of_making(bundle: Bundle) -> None:
    def turned(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: turned(value[key]) for key in reversed(value)}
        return value

    known = parts(info=({"label": "smile"}, {"label": "head turn"}))
    other = Bundle(**{key: turned(known[key]) for key in reversed(known)})
    assert other.to_bytes() == bundle.to_bytes()


def test_bytes_do_not_depend_on_the_process(bundle: Bundle, tmp_path: Path) -> None:
    bundle.save(tmp_path / "a.dirs")
    for seed in ("0", "1"):  # of the hashes that order sets
        done = subprocess.run(
            [sys.executable, "-c", "from sefa_cli.bundle import Bundle; "
             "Bundle.load('a.dirs').save('-')"],
            cwd=tmp_path, env=os.environ | {"PYTHONHASHSEED": seed}, capture_output=True,
        )  # fmt: skip
        assert done.stdout == bundle.to_bytes(), done.stderr


def test_saving_what_was_loaded_keeps_every_byte(bundle: Bundle, tmp_path: Path) -> None:
    bundle.save(tmp_path / "a.dirs")
    loaded = Bundle.load(tmp_path / "a.dirs")
    loaded.save(tmp_path / "b.dirs")
    assert (tmp_path / "a.dirs").read_bytes() == (tmp_path / "b.dirs").read_bytes()
    assert loaded.to_bytes() == bundle.to_bytes()


@pytest.mark.parametrize(
    "shuffled",
    [
        lambda rows: np.asfortranarray(rows),
        lambda rows: rows.T.copy().T,
        lambda rows: np.repeat(rows, 2, axis=1)[:, ::2],
        lambda rows: rows.astype(">f4"),
        lambda rows: rows.astype("f8"),
        lambda rows: rows[::-1][::-1],
    ],
)
def test_any_memory_order_is_written_in_c_order(bundle: Bundle, shuffled: Any) -> None:
    """The library's own `save` writes some of these in memory order without complaint."""
    other = dataclasses.replace(bundle, directions=shuffled(ROWS))
    assert other.directions.flags.c_contiguous and other.directions.dtype == np.float32
    assert other.to_bytes() == bundle.to_bytes()
    np.testing.assert_array_equal(safetensors.numpy.load(other.to_bytes())["directions"], ROWS)


# --- the object -----------------------------------------------------------------------------


def test_a_bundle_is_a_read_only_copy(bundle: Bundle) -> None:
    info: tuple[dict[str, Any], ...] = ({"label": "a"}, {})
    rows = ROWS.copy()
    made = Bundle(**parts(directions=rows, info=info))
    rows[:] = 7
    info[0]["label"] = "3"
    assert made.directions.max() == 1 and made.labels == ["a", None]
    with pytest.raises(ValueError, match="read-only"):
        made.directions[0] = 0
    with pytest.raises(dataclasses.FrozenInstanceError):
        made.method = "other"  # type: ignore[misc]


def test_a_dict_changed_inside_cannot_reach_a_file(bundle: Bundle) -> None:
    bundle.params["tau"] = float("nan")
    with pytest.raises(SefaError, match=r"metadata\.params\.tau is nan"):
        bundle.to_bytes()


def test_texts_are_kept_in_nfc() -> None:
    label = unicodedata.normalize("NFD", "Lächeln")
    made = Bundle(**parts(info=({"label": label}, {}), unknown={"e\u0301": 1}))
    assert made.labels == ["Lächeln", None] and made.unknown == {"é": 1}
    assert made.index(label) == 0


def test_sizes_labels_and_repr(bundle: Bundle) -> None:
    assert (bundle.k, bundle.dim, bundle.labels) == (2, 4, ["smile", "head turn"])
    assert repr(bundle) == "<Bundle of 2 sefa directions in w of tiny.pkl, layers 0,2>"
    assert Bundle(**parts()).info == ({}, {})


def test_style_gains_follow_the_threshold() -> None:
    info = ({"gain": 0.6}, {"gain": 0.3})
    assert Bundle(**parts(info=info)).style_gains == (0,)
    assert Bundle(**parts(info=info, params={"gain_threshold": 0.3})).style_gains == (0, 1)
    assert Bundle(**parts(params={"gain_threshold": 0})).style_gains == ()


def test_the_tool_is_this_version() -> None:
    assert f"sefa-cli {version('sefa-cli')}" == Bundle.tool


@pytest.mark.parametrize(("name", "index"), [("1", 1), (1, 1), (" 0 ", 0), ("head turn", 1)])
def test_index(bundle: Bundle, name: str | int, index: int) -> None:
    assert bundle.index(name) == index


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("2", "direction 2 is out of range; expected 0-1"),
        (-3, "direction -3 is out of range; expected 0-1"),
        ("0-1", "'0-1' means 2 directions; expected one index or label"),
        ("smiel", "no direction is called 'smiel'; expected an index 0-1 or 'smile'"),
        ("x", "no direction is called 'x'; expected an index 0-1, 'smile' or 'head turn'"),
        ("", "no direction is called ''; expected an index 0-1, 'smile' or 'head turn'"),
    ],
)
def test_index_says_what_there_is(bundle: Bundle, name: str | int, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        bundle.index(name)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("names", "indices"),
    [
        ("0-1", (0, 1)), ("1,0", (1, 0)), ("head turn", (1,)), ("head turn, 0", (1, 0)),
        ("smile,head turn", (0, 1)),
    ],
)  # fmt: skip
def test_indices(bundle: Bundle, names: str, indices: tuple[int, ...]) -> None:
    assert bundle.indices(names) == indices


def test_a_label_with_a_comma_is_found_as_a_whole() -> None:
    made = Bundle(**parts(info=({"label": "turns, smiles"}, {"label": "smiles"})))
    assert made.indices("turns, smiles") == (0,)
    assert made.indices("smiles") == (1,)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ("smile,0", "direction 0 is given twice; expected each direction once"),
        ("smile,", "no direction is called ''; expected an index 0-1, 'smile' or 'head turn'"),
        (
            "smile,haed turn",
            "no direction is called 'haed turn'; expected an index 0-1 or 'head turn'",
        ),
        ("smile,0-2", "direction 2 is out of range; expected 0-1"),
        ("a,b", "no direction is called 'a,b'; expected an index 0-1, 'smile' or 'head turn'"),
    ],
)
def test_indices_say_what_there_is(bundle: Bundle, names: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        bundle.indices(names)
    assert str(caught.value) == message


def test_index_without_labels() -> None:
    with pytest.raises(UsageError, match=r"'smile'; expected an index 0-1$"):
        Bundle(**parts()).index("smile")


# --- pipes ----------------------------------------------------------------------------------


def test_pipes(bundle: Bundle) -> None:
    data = bundle.to_bytes()
    done = python("Bundle.load('-').save('-')", data=data)
    assert (done.returncode, done.stdout, done.stderr) == (0, data, b"")


def test_a_broken_pipe_in_is_named() -> None:
    done = python("Bundle.load('-')", data=b"")
    assert b"SefaError: standard input is empty; expected a direction bundle" in done.stderr
