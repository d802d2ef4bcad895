"""Files that would do harm if anything ran, unfolded or believed them, written by hand.

`python -m tests.helpers.hostile FOLDER` writes them all. Here are the calls and the burdens;
hostile_tricks.py has every opcode with every target, hostile_archives.py the containers.
"""

import pickle
import re
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

CODE = "import os,pathlib; pathlib.Path(os.environ['CANARY']).write_text('executed')"


def text(value: str) -> bytes:
    """BINUNICODE."""
    content = value.encode()
    return b"X" + struct.pack("<I", len(content)) + content


def name(module: str, attribute: str) -> bytes:
    """GLOBAL."""
    return f"c{module}\n{attribute}\n".encode()


def reduced(module: str, attribute: str, *args: bytes) -> bytes:
    """`module.attribute(*args)` by REDUCE."""
    return name(module, attribute) + b"(" + b"".join(args) + b"tR"


SHELL = text('touch "$CANARY"')
EXEC = reduced("builtins", "exec", text(CODE))
OS_SYSTEM = reduced("posix", "system", SHELL)

# Each would create $CANARY in a live unpickler, one way or another.
CALLS: dict[str, bytes] = {
    "os.system": reduced("os", "system", SHELL) + b".",
    "posix.system": OS_SYSTEM + b".",
    "by text": b"cos\nsystem\n(S'touch \"$CANARY\"'\ntR.",
    "by text, an old exec": b"c__builtin__\nexec\n(V" + CODE.encode() + b"\ntR.",
    "subprocess": reduced("subprocess", "check_call", b"(" + text("sh") + text("-c") + SHELL + b"l")
    + b".",
    "eval": reduced("builtins", "eval", text(f"exec({CODE!r})")) + b".",
    "exec": EXEC + b".",
    "compile": reduced(
        "builtins", "exec", reduced("builtins", "compile", text(CODE), text("x"), text("exec"))
    )
    + b".",
    "stacked names": b"\x80\x04"
    + text("builtins")
    + text("exec")
    + b"\x93"
    + text(CODE)
    + b"\x85R.",
    "NEWOBJ": b"\x80\x02"
    + name("subprocess", "Popen")
    + b"("
    + text("sh")
    + text("-c")
    + SHELL
    + b"l\x85\x81.",
    "NEWOBJ_EX": b"\x80\x04"
    + name("subprocess", "Popen")
    + SHELL
    + b"\x85}"
    + text("shell")
    + b"\x88s\x92.",
    "INST": b"(" + text(CODE) + b"ibuiltins\nexec\n.",
    "OBJ": b"(" + name("builtins", "exec") + text(CODE) + b"o.",
    "BUILD": reduced("collections", "Counter") + b"}" + text("k") + EXEC + b"sb.",
    "BUILD of slots": name("argparse", "Namespace")
    + b")\x81N}"
    + text("__class__")
    + EXEC
    + b"s\x86b.",
    "__setstate__": name("logging.config", "DictConfigurator") + b")\x81" + EXEC + b"b.",
    "state of a class": name("collections", "OrderedDict")
    + b"}"
    + text("__reduce__")
    + EXEC
    + b"sb.",
    "state of a module": reduced("builtins", "__import__", text("os"))
    + b"}"
    + text("environ")
    + EXEC
    + b"sb.",
    "a chain of getattr": (
        reduced(
            "builtins", "getattr", reduced("builtins", "__import__", text("os")), text("system")
        )
        + b"("
        + SHELL
        + b"tR."
    ),
    "attrgetter": reduced("operator", "attrgetter", text("system"))
    + b"("
    + reduced("builtins", "__import__", text("os"))
    + b"tR("
    + SHELL
    + b"tR.",
    "methodcaller": reduced("operator", "methodcaller", text("system"), SHELL)
    + b"("
    + reduced("builtins", "__import__", text("os"))
    + b"tR.",
    "partial": reduced("functools", "partial", name("os", "system"), SHELL) + b")R.",
    "map": reduced(
        "builtins", "list", reduced("builtins", "map", name("os", "system"), b"(" + SHELL + b"l")
    )
    + b".",
    "a set of a map": reduced(
        "builtins", "set", reduced("builtins", "map", name("os", "system"), b"(" + SHELL + b"l")
    )
    + b".",
    "a dict of a map": reduced(
        "collections",
        "OrderedDict",
        reduced("builtins", "map", name("os", "system"), b"(" + SHELL + b"l"),
    )
    + b".",
    "runpy": reduced("runpy", "_run_code", text(CODE), b"}") + b".",
    "timeit": reduced("timeit", "main", b"(" + text(CODE) + b"l") + b".",
    "code": reduced("code", "interact", text(CODE)) + b".",
    "bdb": reduced("bdb", "Bdb") + EXEC + b"b.",
    "pty": reduced("pty", "spawn", b"(" + text("sh") + text("-c") + SHELL + b"l") + b".",
    "pickle in a pickle": reduced(
        "pickle", "loads", b"B" + struct.pack("<I", len(OS_SYSTEM) + 1) + OS_SYSTEM + b"."
    )
    + b".",
    "numpy": reduced("numpy.testing._private.utils", "runstring", text(CODE), b"}") + b".",
    "numpy load": reduced("numpy", "load", text("x.npy"), b"N", b"\x88") + b".",
    "torch load": reduced("torch", "load", text("x.pt")) + b".",
    "torch hub": reduced("torch.hub", "load", text("a/b"), text("c")) + b".",
    "torch jit": reduced("torch.jit.unsupported_tensor_ops", "execWrapper", text(CODE), b"}", b"}")
    + b".",
    "webbrowser": reduced("webbrowser", "open", text("file:///")) + b".",
    "pip": reduced("pip", "main", b"(" + text("install") + text(".") + b"l") + b".",
    "sys.modules": reduced("builtins", "setattr", name("sys", "modules"), text("os"), b"N")
    + OS_SYSTEM
    + b"0.",
    "an item of a module's dict": name("os", "environ") + text("PATH") + text("/") + b"s.",
    "registry": b"\x80\x02\x82\x01.",
    "copyreg": reduced(
        "copyreg", "_reconstructor", name("os", "system"), name("builtins", "object"), b"N"
    )
    + OS_SYSTEM
    + b"b.",
    "copyreg.__newobj__": reduced("copyreg", "__newobj__", name("subprocess", "Popen"), SHELL)
    + b".",
    "codecs": reduced("_codecs", "encode", EXEC, text("latin1")) + b".",
    "codecs by plugin": reduced("_codecs", "encode", text("x"), text("os.system")) + b".",
    "as a key": b"}" + EXEC + b"Ns.",
    "as a list item": b"](" + EXEC + OS_SYSTEM + b"e.",
    "in a persistent id": OS_SYSTEM + b"Q.",
    "a persistent id by text": b"Pcos\n.",
    "NVIDIA's record": (
        b"\x80\x03"
        + name("torch_utils.persistence", "_reconstruct_persistent_obj")
        + b"}("
        + text("type")
        + text("class")
        + text("module_src")
        + text(CODE)
        + text("class_name")
        + text("X")
        + text("state")
        + b"}u\x85R."
    ),
    "a tensor's storage": (
        reduced(
            "torch._utils", "_rebuild_tensor_v2", OS_SYSTEM, b"K\x00", b"K\x01\x85", b"K\x01\x85"
        )
        + b"."
    ),
    "a parameter of a call": reduced("torch._utils", "_rebuild_parameter", OS_SYSTEM, b"\x89", b"N")
    + b".",
    "a tensor of any type": (
        reduced(
            "torch._tensor",
            "_rebuild_from_type_v2",
            name("os", "system"),
            name("os", "system"),
            SHELL + b"\x85",
            b"}",
        )
        + b"."
    ),
    "a dtype that calls": reduced("numpy", "dtype", OS_SYSTEM) + b"(K\x03" + EXEC + b"tb.",
}

# Each would cost a naive reader its memory or its time.
_U4, _U8 = struct.Struct("<I").pack, struct.Struct("<Q").pack
_DEEP = 200_000
BURDENS: dict[str, bytes] = {
    "bytes of exabytes": b"\x80\x04\x8e" + _U8(1 << 60) + b".",
    "bytes beyond 64 bits": b"\x80\x04\x8e" + _U8((1 << 64) - 1) + b".",
    "bytes of gigabytes": b"\x80\x03B" + _U4(0xFFFFFFF0) + b".",
    "old bytes of gigabytes": b"T" + _U4(0x7FFFFFF0) + b".",
    "text of exabytes": b"\x80\x04\x8d" + _U8(1 << 60) + b".",
    "text of gigabytes": b"X" + _U4(0xFFFFFFF0) + b".",
    "array of exabytes": b"\x80\x05\x96" + _U8(1 << 62) + b".",
    "frame of exabytes": b"\x80\x04\x95" + _U8(1 << 62) + b"N.",
    "integer of gigabytes": b"\x80\x02\x8b" + struct.pack("<i", 0x7FFFFFF0) + b".",
    "integer of negative length": b"\x80\x02\x8b" + struct.pack("<i", -5) + b".",
    "a line without end": b"I" + b"9" * 100_000,
    "a decimal of 5000 digits": b"L" + b"9" * 5000 + b"L\n.",
    "marks upon marks": b"(" * _DEEP + b".",
    "tuples in tuples": b")" + b"\x85" * _DEEP + b".",
    "tuples in tuples as a key": b"})" + b"\x85" * _DEEP + b"Ns.",
    "lists in lists": b"]" * _DEEP + b"a" * (_DEEP - 1) + b".",
    "dicts in dicts": (b"}N" * 50_000) + b"}" + b"s" * 50_000 + b".",
    "records in records": b"N" + b"\x85cos\nsystem\n" + (b"N\x85R" * 3) + b".",
    "calls of calls": name("os", "system") + b")R" * _DEEP + b".",
    "states of states": b"".join(reduced("a", "b") for _ in range(20_000)) + b"b" * 19_999 + b".",
    "a list that holds itself": b"]q\x00h\x00a.",
    "a dict that holds itself": b"}q\x00" + text("g_ema") + b"h\x00s.",
    "a tuple that holds itself": b"(]q\x00h\x00taq\x01h\x01.",
    "laughs": b"](NNNNNNNNNNe"
    + b"".join(
        b"q" + bytes([n]) + b"]((" + (b"h" + bytes([n])) * 10 + b"t(e"[:1] + b"e" for n in range(9)
    )
    + b".",
    "laughs in tuples": b")q\x00"
    + b"".join(b"(" + (b"h" + bytes([n])) * 50 + b"tq" + bytes([n + 1]) for n in range(60))
    + b".",
    "copies of copies": b"("
    + b"N" * 50_000
    + b"lq\x000"
    + (name("builtins", "list") + b"h\x00\x85R") * 3_000
    + b".",
    "sets of copies": b"("
    + b"".join(b"K" + bytes([n]) for n in range(256))
    + b"lq\x000"
    + (name("builtins", "set") + b"h\x00\x85R") * 20_000
    + b".",
    "one text, encoded again and again": text("x" * 100_000)
    + b"q\x000"
    + reduced("_codecs", "encode", b"h\x00", text("latin1")) * 5_000
    + b".",
    "keys that collide": b"}("
    + b"".join(
        b"\x8a\x0a" + ((n << 61) - n).to_bytes(10, "little") + b"N" for n in range(1, 30_000)
    )
    + b"u.",
    "endless instructions": b"N0" * 700_000 + b"N.",
    "endless memos": b"N" + b"".join(b"r" + _U4(n) for n in range(1_100_000)) + b".",
    "a hundred thousand names": b"".join(name("os", f"system{n}") + b"0" for n in range(100_000))
    + b"N.",
    "a name of megabytes": b"c" + b"o" * 4_000_000 + b"\nx\n.",
    "a stacked name of megabytes": text("o" * 4_000_000) + text("x") + b"\x93.",
    "nothing on the stack": b".",
    "a mark on the stack": b"(.",
    "pops of nothing": b"000.",
    "a memo that is not there": b"h\x07.",
    "a list of nothing": b"e.",
    "pairs that are odd": b"}(K\x01u.",
    "a key that is a list": b"}]Ns.",
    "no end": b"N",
    "only a beginning": b"\x80",
}


def modules_that_hold_themselves() -> bytes:
    """A network of NVIDIA's whose synthesis is the network: walking it never ends."""
    state = b"}(" + text("_parameters") + b"}" + text("_buffers") + b"}" + text("_modules")
    state += b"}q\x05u"
    record = b"\x80\x03" + name("torch_utils.persistence", "_reconstruct_persistent_obj")
    record += b"}(" + text("state") + state + b"u\x85Rq\x060h\x05("
    record += text("a") + b"h\x06" + text("b") + b"h\x06u0h\x06."
    return record


BURDENS["modules that hold themselves"] = modules_that_hold_themselves()


_PARTS: tuple[object, ...] = (0x1950A86A20F9469CFC6C, 1001, {})
_LEGACY = b"".join(pickle.dumps(part, 2) for part in _PARTS)


def _with_protocol(case: str, content: bytes) -> bytes:
    """As unpicklers of today expect it; what is written by text keeps its own protocol."""
    marked = content[:1] == b"\x80" or case.startswith("by text")
    return content if marked else b"\x80\x04" + content


def corpus() -> Iterator[tuple[str, bytes]]:
    """Every hostile file: its name and its bytes. All calls in each of the three containers."""
    from tests.helpers import hostile_archives as archives
    from tests.helpers import hostile_tricks as tricks

    for case, content in {**CALLS, **tricks.MATRIX, **tricks.TRICKS}.items():
        whole = _with_protocol(case, content)
        yield f"call {case}.pkl", whole
        yield f"call {case}.pt", _LEGACY + whole + pickle.dumps([], 2)
        members = {"x/data.pkl": whole, "x/data/0": bytes(64)}
        yield f"call {case}.pth", archives.archive(members)
    for case, content in BURDENS.items():
        yield f"burden {case}.pkl", _with_protocol(case, content)
    for case, forged in archives.FORGERIES.items():
        yield f"forged {case}.pth", archives.torch_zip(forged)
        yield f"forged {case}.pt", archives.torch_legacy(forged)
    for suffix, cases in {
        "zip": archives.ARCHIVES,
        "safetensors": archives.SAFETENSORS,
        "xml": archives.XML,
        "bin": archives.STRANGERS,
    }.items():
        yield from ((f"{suffix} {case}.{suffix}", content) for case, content in cases.items())
    for case, call, content in tricks.infected():
        yield f"infected {call} {case}", content


def write_all(folder: Path) -> list[Path]:
    """Write the corpus; the files' names say what each tries."""
    paths = []
    for case, content in corpus():
        name = re.sub(r"[^\w.,' -]", "_", case)
        # A network's XML is read with what lies beside it, so each has a folder of its own.
        path = folder / Path(name).stem / name if name.endswith(".xml") else folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        paths.append(path)
    return paths


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: hostile.py FOLDER")
    print(f"{len(write_all(Path(sys.argv[1])))} hostile files in {sys.argv[1]}")
