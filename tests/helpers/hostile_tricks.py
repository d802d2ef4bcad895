"""More hostile pickles: every opcode that can call with everything it could call, and tricks.

Each is a variation on `hostile.CALLS`; `infected` puts calls into files that are good otherwise.
"""

import io
import pickletools
import struct
import zipfile
from collections.abc import Callable, Iterator

from tests.helpers import CONTAINERS
from tests.helpers.hostile import CODE, EXEC, OS_SYSTEM, SHELL, name, reduced, text

GOLDEN = CONTAINERS

# What a call could reach, and its first argument: a shell, code, files, the network, libraries.
TARGETS: dict[str, tuple[str, str, bytes]] = {
    "shell": ("os", "system", SHELL),
    "process": ("subprocess", "Popen", b"(" + text("sh") + text("-c") + SHELL + b"l"),
    "code": ("builtins", "exec", text(CODE)),
    "value": ("builtins", "eval", text(f"exec({CODE!r})")),
    "reading": ("builtins", "open", text("/etc/passwd")),
    "writing": ("os", "mkdir", text("executed")),
    "deleting": ("shutil", "rmtree", text("executed")),
    "connecting": ("socket", "create_connection", text("127.0.0.1") + b"K\x09\x86"),
    "fetching": ("urllib.request", "urlopen", text("http://127.0.0.1:9/")),
    "importing": ("importlib", "import_module", text("antigravity")),
    "library": ("ctypes", "CDLL", text("libc.so.6")),
    "unpickling": ("_pickle", "loads", b"C" + bytes([len(OS_SYSTEM) + 1]) + OS_SYSTEM + b"."),
}


def _stacked(module: str, attribute: str) -> bytes:
    """STACK_GLOBAL."""
    return text(module) + text(attribute) + b"\x93"


# Every opcode by which an unpickler calls something, or a method of something.
OPCODES: dict[str, Callable[[str, str, bytes], bytes]] = {
    "REDUCE": lambda m, a, x: name(m, a) + b"(" + x + b"tR",
    "REDUCE of a stacked name": lambda m, a, x: _stacked(m, a) + x + b"\x85R",
    "REDUCE by way of the memo": lambda m, a, x: (
        name(m, a) + b"q\x07" + x + b"\x85q\x090N0h\x07h\x09R"
    ),
    "REDUCE twice": lambda m, a, x: name(m, a) + x + b"\x85R)R",
    "INST": lambda m, a, x: b"(" + x + f"i{m}\n{a}\n".encode(),
    "OBJ": lambda m, a, x: b"(" + name(m, a) + x + b"o",
    "NEWOBJ": lambda m, a, x: name(m, a) + x + b"\x85\x81",
    "NEWOBJ_EX": lambda m, a, x: name(m, a) + b")}" + text("args") + x + b"s\x92",
    "BUILD": lambda m, a, x: name(m, a) + b")\x81" + x + b"b",
    "BUILD with slots": lambda m, a, x: name(m, a) + b")\x81N}" + text("__dict__") + x + b"s\x86b",
    "APPEND": lambda m, a, x: name(m, a) + b")\x81" + x + b"a",
    "APPENDS": lambda m, a, x: name(m, a) + b")\x81(" + x + b"e",
    "SETITEM": lambda m, a, x: name(m, a) + b")\x81" + x + b"Ns",
    "SETITEMS": lambda m, a, x: name(m, a) + b")\x81(" + x + b"Nu",
    "ADDITEMS": lambda m, a, x: name(m, a) + b")\x81(" + x + b"\x90",
    "BINPERSID": lambda m, a, x: name(m, a) + x + b"\x86Q",
    "EXT1": lambda m, a, x: name(m, a) + b"0\x82\x01" + x + b"\x85R",
    "EXT2": lambda m, a, x: name(m, a) + b"0\x83\x01\x00" + x + b"\x85R",
    "EXT4": lambda m, a, x: name(m, a) + b"0\x84\x01\x00\x00\x00" + x + b"\x85R",
}
MATRIX = {
    f"{opcode}, {target}": write(*what) + b"."
    for opcode, write in OPCODES.items()
    for target, what in TARGETS.items()
}


def _record(state: bytes, source: str = CODE) -> bytes:
    """NVIDIA's record of a persistent object; `state` leaves a dict."""
    parts = (text("type") + text("class"), text("version") + b"K\x06", text("module_src"))
    meta = b"".join(parts) + text(source) + text("class_name") + text("G") + text("state") + state
    return name("torch_utils.persistence", "_reconstruct_persistent_obj") + b"}(" + meta + b"u\x85R"


def _nested_records(depth: int) -> bytes:
    state = b"}" + text("_parameters") + EXEC + b"s"
    for _ in range(depth):
        state = b"}(" + text("_modules") + b"}" + text("x") + _record(state) + b"su"
    return _record(state) + b"."


def _nested_streams(depth: int) -> bytes:
    """Pickles that are loaded from bytes in pickles; the innermost calls."""
    inner = OS_SYSTEM + b"."
    for _ in range(depth):
        source = b"B" + struct.pack("<I", len(inner)) + inner
        inner = reduced("torch.storage", "_load_from_bytes", source) + b"."
    return inner


def _chain(depth: int) -> bytes:
    """`__reduce__` upon `__reduce__`: what is called was itself returned by a call."""
    call = reduced("builtins", "getattr", name("builtins", "__import__"), text("__call__"))
    for _ in range(depth):
        call = reduced("builtins", "getattr", call, text("__call__"))
    return call + text("os") + b"\x85R."


def _tensorflow(variables: bytes) -> bytes:
    """A network of NVIDIA's TensorFlow years, whose loader runs the source text it brings."""
    state = b"}(" + text("version") + b"K\x04" + text("name") + text("Gs")
    state += text("static_kwargs") + b"}" + text("components") + b"}"
    state += text("build_module_src") + text(CODE) + text("build_func_name") + text("G")
    state += text("variables") + variables + b"u"
    return name("dnnlib.tflib.network", "Network") + b")\x81" + state + b"b."


def _array(shape: bytes, dtype: bytes, data: bytes) -> bytes:
    """`numpy.ndarray` by way of `_reconstruct` and its state."""
    start = reduced(
        "numpy.core.multiarray", "_reconstruct", name("numpy", "ndarray"), b"K\x00\x85", b"C\x01b"
    )
    return start + b"(K\x01" + shape + dtype + b"\x89" + data + b"tb"


_F4 = reduced("numpy", "dtype", text("f4"), b"\x89", b"\x88")
_BIG = b"\x8a\x08" + struct.pack("<q", 1 << 60)
_ARRAYS = {
    "exabytes": _array(_BIG + b"\x85", _F4, b"C\x04abcd"),
    "a product that overflows": _array(_BIG + _BIG + b"\x86", _F4, b"C\x04abcd"),
    "a negative length": _array(b"J\xff\xff\xff\xff\x85", _F4, b"C\x04abcd"),
    "objects": _array(b"K\x01\x85", reduced("numpy", "dtype", text("O8")), b"(" + EXEC + b"l"),
    "a type that calls": _array(b"K\x01\x85", OS_SYSTEM, b"C\x04abcd"),
    "data that calls": _array(b"K\x01\x85", _F4, OS_SYSTEM),
    "items of gigabytes": _array(
        b"K\x01\x85", reduced("numpy", "dtype", text("V2147483647")), b"C\x04abcd"
    ),
}
TRICKS: dict[str, bytes] = {
    "the memo renames what is called": name("collections", "OrderedDict")
    + b"q\x000" + name("os", "system") + b"q\x000h\x00" + SHELL + b"\x85R.",
    "the memo by text": b"(lp7\n0" + name("os", "system") + b"p007\n0g7\n" + SHELL + b"\x85R.",
    "a memo at the end of its range": name("os", "system")
    + b"r\xff\xff\xff\xff0j\xff\xff\xff\xff" + SHELL + b"\x85R.",
    "a memo before its beginning": name("os", "system") + b"p-1\n0g-1\n" + SHELL + b"\x85R.",
    "MEMOIZE counts what was put": name("os", "system") + b"q\x01\x940h\x01" + SHELL + b"\x85R.",
    "arguments that change after the call": name("os", "system")
    + b"]q\x00\x85R0h\x00" + SHELL + b"a.",
    "a class built by the pickle": reduced(
        "builtins", "type", text("X"), b")", b"}" + text("__reduce__") + name("os", "system") + b"s"
    )
    + b")\x81.",
    "a state that is a call": name("collections", "OrderedDict") + b")R" + OS_SYSTEM + b"b.",
    "states in states": name("a", "A") + b")\x81" + name("b", "B") + b")\x81"
    + name("logging.config", "DictConfigurator") + b")\x81" + EXEC + b"bbb.",
    "a name with dots": b"\x80\x04" + _stacked("os", "path.os.system") + SHELL + b"\x85R.",
    "a name with dots in the module": _stacked("os.path.os", "system") + SHELL + b"\x85R.",
    "a name from nothing": _stacked("", "exec") + text(CODE) + b"\x85R.",
    "a name that is no text": b"NN\x93" + text(CODE) + b"\x85R.",
    "a name with a line in it": _stacked("os\nsefa: all is well", "system") + SHELL + b"\x85R.",
    "a name that moves the cursor": _stacked("os\x1b[2K\r", "system") + SHELL + b"\x85R.",
    "a frame that ends in an argument": b"\x80\x04\x95\x02" + bytes(7) + OS_SYSTEM + b".",
    "out of band": b"\x80\x05\x97\x98" + OS_SYSTEM + b"0.",
    "after the end": b"N." + OS_SYSTEM + b".",
    "chain of 40": _chain(40),
    "records in records, 3": _nested_records(3),
    "records in records, 300": _nested_records(300),
    "streams in streams, 3": _nested_streams(3),
    "streams in streams, 60": _nested_streams(60),
    "a record's source is a call": _record(b"}").replace(text(CODE), EXEC) + b".",
    "a record's class is a call": _record(b"}").replace(text("G"), EXEC) + b".",
    "a record that is a meta of itself": _record(b"}q\x05h\x05" + text("state") + b"h\x05s") + b".",
    "a tuple of networks": b"(" + _tensorflow(b"]")[:-1] * 3 + b"t.",
    **{f"a variable of {what}": _tensorflow(b"(" + text("x/w") + array + b"\x86l")
       for what, array in _ARRAYS.items()},
    **{f"an array of {what}": b"}" + text("g_ema") + b"}" + text("w") + array + b"ss."
       for what, array in _ARRAYS.items()},
}  # fmt: skip

PAYLOADS = {
    "posix.system": OS_SYSTEM,
    "builtins.exec": EXEC,
    "subprocess.Popen": name("subprocess", "Popen") + SHELL + b"\x85\x81",
    "builtins.open": reduced("builtins", "open", text("/etc/passwd")),
}


def infected() -> Iterator[tuple[str, str, bytes]]:
    """Published checkpoints into whose pickle a call was put, before and after all the rest.

    Each with the name of what would be called. The value is popped, so the tree stays as it was.
    """
    for path in sorted(GOLDEN.glob("*.p*")):
        content = path.read_bytes()
        for call, payload in PAYLOADS.items():
            for place in ("start", "end"):
                if content[:2] == b"PK":
                    changed = _infect_zip(content, payload, place)
                else:
                    changed = _infect(content, payload, place)
                yield f"{place} {path.name}", call, changed


def _infect(pickle: bytes, payload: bytes, place: str) -> bytes:
    if place == "start":
        return pickle[:2] + payload + b"0" + pickle[2:]
    stop = next(at for op, _, at in pickletools.genops(pickle) if op.name == "STOP")
    return pickle[:stop] + payload + b"0" + pickle[stop:]


def _infect_zip(content: bytes, payload: bytes, place: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as before, zipfile.ZipFile(out, "w") as after:
        for entry in before.infolist():
            data = before.read(entry)
            if entry.filename.endswith("/data.pkl"):
                data = _infect(data, payload, place)
            after.writestr(entry.filename, data)
    return out.getvalue()
