"""Read a direction bundle of format version 1 with nothing but Python's standard library.

    python formats/reader.py FILE.dirs…          a summary of each as JSON
    python formats/reader.py --all FILE.dirs…    everything that is in it

Written from directions-v1.md alone, to show that it is enough. One function per section of the
spec; whatever the spec forbids ends in `Refused`.
"""

import array
import itertools
import json
import math
import re
import struct
import sys
import unicodedata

TYPES = {"F32": "f", "F64": "d", "I64": "q", "U8": "B"}  # of the tensors this version names
BITS = {"BOOL": 8, "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6, "U8": 8, "I8": 8, "F8_E5M2": 8}
BITS |= {"F8_E4M3": 8, "F8_E8M0": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8, "I16": 16, "U16": 16}
BITS |= {"F16": 16, "BF16": 16, "I32": 32, "U32": 32, "F32": 32, "C64": 64, "F64": 64}
BITS |= {"I64": 64, "U64": 64}
TABLE = {
    "directions": ("F32", (2, 3)),
    "layers": ("I64", (1,)),
    "eigenvalues": ("F64", (1,)),
    "mask": ("U8", (2, 3)),
    "background": ("U8", (2, 3)),
}


class Refused(Exception):  # noqa: N818
    """The file is not a valid bundle."""


def need(holds, complaint):
    """Refuse unless the rule holds."""
    if not holds:
        raise Refused(ascii(complaint)[1:-1][:200])


# --- Text -----------------------------------------------------------------------------------


def parse(raw, what):
    """The JSON value in these bytes, with its strings in NFC."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise Refused(f"{what}: not UTF-8") from None
    need(depth(text) <= 32, f"{what}: nested too deeply")

    def unique(pairs):
        keys = [unicodedata.normalize("NFC", key) for key, _ in pairs]
        need(len(set(keys)) == len(keys), f"{what}: a key is there twice")
        return dict(zip(keys, (value for _, value in pairs), strict=True))

    def whole(digits):
        need(what != "header" or digits != "-0", f"{what}: holds -0")
        need(len(digits) < 18 and abs(int(digits)) < 2**53, f"{what}: an integer from 2^53 on")
        return int(digits)

    def fraction(digits):
        need(math.isfinite(float(digits)), f"{what}: {digits} is infinite")
        return float(digits)

    def constant(name):
        raise Refused(f"{what}: holds {name}")

    hooks = {"parse_int": whole, "parse_float": fraction, "parse_constant": constant}
    try:
        return composed(json.loads(text, object_pairs_hook=unique, **hooks), what)
    except json.JSONDecodeError as error:
        raise Refused(f"{what}: not JSON: {error}") from None


def depth(text):
    """How deep the arrays and objects of a JSON text are nested at most."""
    unquoted = re.sub(r'"(?:[^"\\]|\\.)*+"?', "", text, flags=re.DOTALL)
    steps = ((character in "[{") - (character in "]}") for character in unquoted)
    return max(itertools.accumulate(steps), default=0)


def composed(value, what):
    """The value with every string in NFC."""
    if isinstance(value, str):
        surrogate = any(0xD800 <= ord(character) < 0xE000 for character in value)
        need(not surrogate, f"{what}: a lone surrogate")
        return unicodedata.normalize("NFC", value)
    if isinstance(value, list):
        return [composed(item, what) for item in value]
    if isinstance(value, dict):
        return {composed(key, what): composed(item, what) for key, item in value.items()}
    return value


# --- Container ------------------------------------------------------------------------------


def container(data):
    """The metadata text and the tensors {name: (dtype, shape, bytes)} of a safetensors file."""
    need(len(data) > 0, "the file is empty")
    need(len(data) >= 8, f"only {len(data)} bytes")
    (length,) = struct.unpack_from("<Q", data)
    need(2 <= length <= 2**23, f"no bundle: a header of {length} bytes")
    need(8 + length <= len(data), "the file ends inside its header")
    need(data[8:9] == b"{", "the header does not begin with {")
    header = parse(data[8 : 8 + length], "header")
    metadata = header.pop("__metadata__", {})
    need(isinstance(metadata, dict), "__metadata__ is not an object")
    need(all(isinstance(v, str) for v in metadata.values()), "metadata that are not text")
    need("sefa" in metadata, "no metadata key 'sefa'")
    need(len(metadata) == 1, f"metadata keys beside 'sefa': {sorted(metadata)}")
    data = data[8 + length :]
    tensors, position = {}, 0
    entries = [(*slot(name, entry), name) for name, entry in header.items()]
    for begin, end, dtype, shape, name in sorted(entries, key=lambda entry: entry[:2]):
        need(begin == position, f"{name} does not begin where the tensor before it ends")
        need(end <= len(data), f"the file ends inside {name}")
        tensors[name] = dtype, shape, data[begin:end]
        position = end
    need(position == len(data), "bytes follow the last tensor")
    return metadata["sefa"], tensors


def slot(name, entry):
    """Begin, end, type and shape of one header entry."""
    keys = {"dtype", "shape", "data_offsets"}
    need(isinstance(entry, dict) and set(entry) == keys, f"{name}: not dtype, shape, data_offsets")
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    need(isinstance(dtype, str) and dtype in BITS, f"{name}: unknown type {dtype}")
    need(counts(shape) and len(shape) <= 32, f"{name}: bad shape {shape}")
    need(counts(offsets) and len(offsets) == 2, f"{name}: bad offsets {offsets}")
    need(offsets[0] <= offsets[1], f"{name}: offsets run backwards")
    size = math.prod(shape) * BITS[dtype]
    need(size == 8 * (offsets[1] - offsets[0]), f"{name}: its bytes do not fit its shape")
    return *offsets, dtype, shape


def counts(value):
    """Whether this is a list of integers from 0 on."""
    return isinstance(value, list) and all(type(item) is int and item >= 0 for item in value)


# --- Tensors --------------------------------------------------------------------------------


def values(tensors, name):
    """The numbers of a named tensor in C order, and its shape; (None, None) where it is absent."""
    if name not in tensors:
        return None, None
    dtype, shape, raw = tensors[name]
    expected, axes = TABLE[name]
    need(dtype == expected, f"{name} is {dtype}, not {expected}")
    need(len(shape) in axes and 0 not in shape, f"{name} has the shape {shape}")
    numbers = array.array(TYPES[dtype], raw)
    if sys.byteorder == "big":
        numbers.byteswap()
    need(all(map(math.isfinite, numbers)), f"{name} holds NaN or infinity")
    return list(numbers), shape


def check_tensors(tensors, facts):
    """Every rule of the table, and those that tie tensors to metadata."""
    for name in tensors:
        need(name in TABLE or name.startswith("x."), f"unknown tensor {name}")
    rows, shape = values(tensors, "directions")
    layers, _ = values(tensors, "layers")
    need(rows is not None, "no tensor directions")
    need(layers is not None, "no tensor layers")
    need(all(a < b for a, b in itertools.pairwise(layers)), "layers do not increase")
    inside = layers[0] >= 0 and layers[-1] < facts["model"]["num_layers"]
    need(inside, f"layers {layers} are not all below num_layers")
    k, dim = shape[0], facts["model"]["z_dim" if facts["space"] == "z" else "w_dim"]
    need(shape[-1] == dim, f"directions of dimension {shape[-1]}, not {dim}")
    need(len(shape) == 2 or shape[1] == len(layers), "directions: not a row per layer")
    size = len(rows) // k
    for i in range(k):
        norm = math.sqrt(math.fsum(x * x for x in rows[i * size : (i + 1) * size]))
        need(abs(norm - 1) <= 1e-5, f"direction {i} has the norm {norm}")
    spectrum, _ = values(tensors, "eigenvalues")
    need(spectrum is None or len(spectrum) == k, "eigenvalues: not one per direction")
    _, mask = values(tensors, "mask")
    _, background = values(tensors, "background")
    need(background is None or mask == background, "background: not of the mask's shape")
    seeds = facts["params"].get("seeds")
    several = mask is not None and len(mask) == 3
    need(not several or (isinstance(seeds, list) and len(seeds) == mask[0]), "masks: not per seed")
    need(len(facts["directions"]) == k, "directions in the metadata: not one per row")


# --- Metadata -------------------------------------------------------------------------------


def check_metadata(facts):
    """Every rule for the metadata by themselves."""
    need(isinstance(facts, dict), "the metadata are not an object")
    need(facts.get("format") == "sefa-directions", f"format is {facts.get('format')}")
    version = facts.get("version")
    known = isinstance(version, str) and re.fullmatch(r"1\.(0|[1-9][0-9]*)", version)
    need(known, f"version is {version}, not 1.x")
    requires = facts.setdefault("requires", [])
    need(requires == [], f"requires {requires}")
    need("params" in facts and isinstance(facts["params"], dict), "params is not an object")
    threshold = facts["params"].get("gain_threshold", 0)
    need(number(threshold) and threshold <= 1, f"gain_threshold is {threshold}")
    line(facts.get("method"), "method")
    line(facts.setdefault("tool", "unknown"), "tool")
    need(facts.get("space") in ("z", "w", "w+"), f"space is {facts.get('space')}")
    need(isinstance(facts.get("directions"), list), "directions is not a list")
    check_model(facts.get("model"))
    labels = set()
    for i, entry in enumerate(facts["directions"]):
        check_direction(entry, f"direction {i}", labels)


def check_model(model):
    """The model: all its keys, and a ref that leads to no other folder."""
    need(isinstance(model, dict), "model is not an object")
    for key in ("ref", "family"):
        line(model.get(key), f"model.{key}")
    for key in ("resolution", "z_dim", "w_dim", "num_layers"):
        size = model.get(key)
        need(type(size) is int and size > 0, f"model.{key} is {size}")
    ref = model["ref"]
    address = re.match(r"[a-z][a-z0-9+.-]+:", ref)
    plain = "/" not in ref and "\\" not in ref and ref not in (".", "..")
    need(address or plain, f"model.ref is the path {ref}")
    names = model.get("layer_names")
    complete = isinstance(names, list) and len(names) == model["num_layers"]
    need(complete, "model.layer_names: not one per code index")
    for name in names:
        line(name, "model.layer_names")
    digits = model.get("fingerprint")
    need(isinstance(digits, str) and re.fullmatch("[0-9a-f]{64}", digits), "model.fingerprint")


def check_direction(entry, what, labels):
    """Check one direction; `labels` are those seen before."""
    need(isinstance(entry, dict), f"{what} is not an object")
    if "label" in entry:
        label = entry["label"]
        line(label, f"{what}: label")
        need(label == label.strip(), f"{what}: label begins or ends with white space")
        need(not index_like(label), f"{what}: label {label} reads as an index")
        need(label not in labels, f"{what}: label {label} is there twice")
        labels.add(label)
    scale, gain = entry.get("scale", 1), entry.get("gain", 0)
    need(number(scale) and scale > 0, f"{what}: scale is {scale}")
    need(number(gain) and gain <= 1, f"{what}: gain is {gain}")
    for key in ("annotation", "from", "change"):
        need(isinstance(entry.get(key, {}), dict), f"{what}: {key} is not an object")
    if "change" in entry:
        sides = (entry["change"].get(side) for side in ("inside", "outside"))
        need(all(map(number, sides)), f"{what}: change needs inside and outside")


def line(text, what):
    """Text for people: not empty, one line, no control characters."""
    need(isinstance(text, str) and text, f"{what} is not text")
    control = any(unicodedata.category(character) in ("Cc", "Zl", "Zp") for character in text)
    need(not control, f"{what} holds control characters")


def index_like(label):
    """Whether a label could be taken for an index or a range."""
    return all(re.fullmatch(r"\d+(-\d+)?", part.strip()) for part in label.split(","))


def number(value):
    """Whether this is a number from 0 on."""
    return type(value) in (int, float) and value >= 0


# --- The whole ------------------------------------------------------------------------------


def read(data):
    """The metadata and the checked tensors of a bundle's bytes. Raises Refused."""
    text, tensors = container(data)
    facts = parse(text.encode("utf-8"), "metadata")
    check_metadata(facts)
    check_tensors(tensors, facts)
    return facts, tensors


def everything(facts, tensors):
    """All there is, as golden/expected.json lists it."""
    listed = {}
    for name, (dtype, shape, raw) in tensors.items():
        content = {"values": values(tensors, name)[0]} if name in TABLE else {"hex": raw.hex()}
        listed[name] = {"dtype": dtype, "shape": shape} | content
    return {"metadata": facts, "tensors": listed}


def summary(facts, tensors):
    """What one wants to know first."""
    shape = tensors["directions"][1]
    return {
        "format_version": facts["version"],
        **{key: facts[key] for key in ("method", "params", "space", "model")},
        "layers": values(tensors, "layers")[0],
        "k": shape[0],
        "dim": shape[-1],
        "eigenvalues": values(tensors, "eigenvalues")[0],
        "labels": [entry.get("label") for entry in facts["directions"]],
    }


def main(words):
    """Print what each file holds; 1, and a line on stderr for each that is refused."""
    show = everything if "--all" in words else summary
    names = [word for word in words if word != "--all"]
    if not names:
        print("usage: python reader.py [--all] FILE.dirs…", file=sys.stderr)
        return 2
    status = 0
    for name in names:
        try:
            with open(name, "rb") as file:
                print(json.dumps(show(*read(file.read())), indent=1))
        except (OSError, Refused) as error:
            print(f"{name}: {error}", file=sys.stderr)
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
