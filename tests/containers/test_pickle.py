"""The pickle machine agrees with Python's on plain data and makes inert records of all else."""

import argparse
import collections
import datetime
import pickle
import struct
from pathlib import Path

import pytest

from sefa_cli.containers.file_regions import FileRegion, mapped
from sefa_cli.containers.inert import Global, PersistentId, Record
from sefa_cli.containers.pickle import machine
from sefa_cli.containers.pickle.reader import read_pickle
from sefa_cli.errors import SefaError

HERE = Path("x.pkl")
PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)

PLAIN = {
    "numbers": [0, 1, -1, 255, 256, 65535, 65536, -(2**31), 2**31, 2**63, -(2**70), 10**30],
    "floats": [0.0, -1.5, 1e300, float("inf")],
    "flags": (True, False, None),
    "texts": ["", "a", "ä€😀", "line\nbreak \\ 'quotes' \"both\"", "x" * 300],
    "bytes": [b"", b"\x00\xff", b"0123456789" * 5],
    "tuples": [(), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4), ((), ((),))],
    "nested": {"a": {"b": [{"c": (1, [2, {3}])}]}, 7: "seven", (1, "x"): None, b"k": 1.5, 2.5: 0},
    "sets": [set(), {1, 2, "three"}],
    "long": list(range(3000)),
}


def read(content: bytes) -> object:
    return read_pickle(content, HERE).value


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("key", PLAIN)
def test_plain_data_reads_as_python_reads_it(protocol, key):
    assert read(pickle.dumps(PLAIN[key], protocol)) == PLAIN[key]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_ordered_dicts_become_plain(protocol):
    ordered = collections.OrderedDict([("b", 1), ("a", collections.OrderedDict(c=2))])
    ordered.__dict__["_metadata"] = {"version": 1}  # as torch does; it goes into a BUILD
    assert read(pickle.dumps(ordered, protocol)) == {"b": 1, "a": {"c": 2}}


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_shared_objects_stay_shared_and_circles_close(protocol):
    shared = ["shared"]
    circle: list = [shared, shared]
    circle.append(circle)
    found = read(pickle.dumps(circle, protocol))
    assert isinstance(found, list) and found[0] is found[1] and found[2] is found


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_objects_become_records(protocol):
    found = read(pickle.dumps([argparse.Namespace(size=32), datetime.date(2021, 6, 1)], protocol))
    assert isinstance(found, list)
    namespace, date = found
    assert isinstance(namespace, Record) and namespace.target == Global("argparse", "Namespace")
    assert namespace.state == {"size": 32}
    assert isinstance(date, Record) and date.is_call("datetime.date") and date.state is None


def test_dict_subclasses_keep_their_items():
    content = (
        b"\x80\x02cdnnlib.util\nEasyDict\n)\x81(X\x01\x00\x00\x00aK\x01X\x01\x00\x00\x00bK\x02u."
    )
    found = read(content)
    assert isinstance(found, Record) and found.pairs == {"a": 1, "b": 2}


def test_list_subclasses_keep_their_items():
    found = read(b"\x80\x02cm\nL\n)\x81(K\x01K\x02eK\x03a.")
    assert isinstance(found, Record) and found.items == [1, 2, 3]


@pytest.mark.parametrize(
    "content",
    [
        b"cm\nf\n(K\x01tR.",  # REDUCE
        b"\x80\x02cm\nf\nK\x01\x85\x81.",  # NEWOBJ
        b"\x80\x04\x8c\x01m\x8c\x01f\x93K\x01\x85}\x92.",  # STACK_GLOBAL, NEWOBJ_EX
        b"(K\x01im\nf\n.",  # INST
        b"(cm\nf\nK\x01o.",  # OBJ
    ],
)
def test_every_calling_instruction_makes_a_record(content):
    found = read_pickle(content, HERE)
    assert isinstance(found.value, Record)
    assert found.value.target == Global("m", "f") and found.value.args == (1,)
    assert found.called == ("m.f",)


def test_a_record_as_the_thing_called_stays_inert():
    """`getattr(__import__("os"), "system")("…")`"""
    inner = b"cbuiltins\ngetattr\n(cbuiltins\n__import__\n(S'os'\ntRS'system'\ntR"
    found = read_pickle(inner + b"(S'touch'\ntR.", HERE)
    assert isinstance(found.value, Record) and isinstance(found.value.target, Record)
    assert found.value.args == ("touch",)
    assert found.called == ("builtins.__import__", "builtins.getattr")


def test_persistent_ids():
    found = read_pickle(b"\x80\x02(X\x07\x00\x00\x00storageK\x05tQP17\n\x86.", HERE)
    first, second = found.value
    assert isinstance(first, PersistentId) and first.value == ("storage", 5)
    assert second.value == "17" and found.outside == (first, second)


def test_long_bytes_stay_in_the_file(tmp_path):
    path = tmp_path / "long.pkl"
    content = b"".join(bytes([n]) * 1000 for n in range(256))
    for protocol in (3, 4, 5):
        path.write_bytes(b"junk" + pickle.dumps({"a": content, "b": bytearray(content)}, protocol))
        with mapped(path) as data:
            found = read_pickle(data, path, start=4)
        assert found.end == path.stat().st_size
        for window in found.value.values():
            assert isinstance(window, FileRegion) and bytes(window.read()) == content


def test_a_pickle_of_many_gigabytes_costs_nothing(tmp_path):
    """A hole of 20 GiB: had anything read it, this test would never end."""
    path, length = tmp_path / "huge.pkl", 20 << 30
    with open(path, "wb") as file:
        file.write(b"\x80\x04\x8e" + struct.pack("<Q", length))
        file.seek(length, 1)
        file.write(b"K\x07\x86.")
    with mapped(path) as data:
        window, seven = read_pickle(data, path).value
    assert window == FileRegion(path, 11, length) and seven == 7


def test_several_pickles_in_a_row():
    content = pickle.dumps(1, 2) + pickle.dumps("two", 2)
    first = read_pickle(content, HERE)
    assert (first.value, read_pickle(content, HERE, first.end).value) == (1, "two")


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_every_truncation_is_refused(protocol):
    content = pickle.dumps(PLAIN["nested"], protocol)
    for length in range(len(content)):
        with pytest.raises(SefaError, match=r"^holds a pickle that cannot be read"):
            read(content[:length])


@pytest.mark.parametrize(
    ("limit", "value", "content"),
    [
        ("MAX_TEXT", 1000, pickle.dumps("x" * 1001, 4)),
        ("MAX_COPIED", 100, pickle.dumps(set(range(101)), 2)),
        ("MAX_MARKS", 50, b"(" * 51 + b"."),
        ("MAX_INTEGER", 16, pickle.dumps(1 << 200, 2)),
        ("MAX_LINE", 20, b"I" + b"1" * 21 + b"\n."),
    ],
)
def test_limits(monkeypatch, limit, value, content):
    read_pickle(content, HERE) if content[0] == 0x80 else None  # within the real limits
    for module in ("machine", "instructions"):
        monkeypatch.setattr(f"sefa_cli.containers.pickle.{module}.{limit}", value, raising=False)
    monkeypatch.setattr(machine.Machine.line, "__defaults__", (value,))
    with pytest.raises(SefaError, match="cannot be read"):
        read(content)


def test_the_number_of_instructions_is_limited(monkeypatch):
    monkeypatch.setattr("sefa_cli.containers.pickle.reader.MAX_INSTRUCTIONS", 100)
    assert read(b"N0" * 49 + b"N.") is None
    with pytest.raises(SefaError, match="more than 100 instructions"):
        read(b"N0" * 50 + b"N.")


def test_the_extension_registry_and_outside_buffers_are_refused():
    for content in (b"\x80\x02\x82\x01.", b"\x80\x05\x97.", b"\x80\x05N\x98.", b"\x80\x06N."):
        with pytest.raises(SefaError, match="unknown"):
            read(content)


@pytest.mark.parametrize("form", [b"I%d\n.", b"L%dL\n.", "long"])
def test_no_integer_is_too_large_for_a_float(form):
    def written(number: int) -> bytes:
        return pickle.dumps(number, 2) if form == "long" else form % number

    largest = 2**1023 - 1
    for number in (largest, -largest):
        found = read(written(number))
        assert found == number and float(number)
    for number in (10**400, -(10**400), 2**1024):
        with pytest.raises(SefaError, match="an integer of"):
            read(written(number))
