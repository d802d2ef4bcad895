"""Hostile files that are well-formed but say what no bundle may say."""

from collections.abc import Iterator
from functools import partial

from hostile_files import Case
from packing import base, edited, file, tensor, tensors, with_masks


def facts() -> Iterator[Case]:
    """Faults of what the metadata say, the model and the directions apart."""
    for key in base()["metadata"]:
        if key not in ("tool", "requires"):
            yield f"no-{key}", f"the key {key!r} is missing", key, edited(key)
    yield "format", "another format", "format", edited("format", "gan-directions")
    for name, version in (
        ("2.0", "2.0"),
        ("0.9", "0.9"),
        ("1", "1"),
        ("number", 1.0),
        ("01", "01.0"),
    ):
        yield f"version-{name}", f"version {version!r}", "version", edited("version", version)
    yield "requires", "needs a feature no one knows", "curved", edited("requires", ["curved"])
    yield "requires-text", "requires is not a list", "requires", edited("requires", "curved")
    yield "method-empty", "an empty method", "method", edited("method", "")
    yield "method-control", "an escape in the method", "method", edited("method", "\x1b[2Jsefa")
    yield "params-list", "the parameters are a list", "params", edited("params", [1])
    yield "threshold", "a threshold of 2", "threshold", edited("params.gain_threshold", 2)
    yield "space", "an unknown space", "space", edited("space", "s")
    yield "space-list", "a space that is a list", "space", edited("space", ["w"])
    yield "tool-number", "a tool that is a number", "tool", edited("tool", 1)


def models() -> Iterator[Case]:
    """Faults of the model."""
    yield "model-text", "the model is a text", "model", edited("model", "tiny.pkl")
    for key in base()["metadata"]["model"]:
        yield f"model-no-{key}", f"the model has no {key}", key, edited(f"model.{key}")
    for name, ref in (
        ("up", "../secret.pkl"),
        ("absolute", "/etc/passwd"),
        ("backslash", "..\\secret.pkl"),
        ("folder", ".."),
        ("drive", "C:\\secret.pkl"),
        ("empty", ""),
        ("newline", "tiny.pkl\nfine"),
    ):
        yield f"ref-{name}", f"a ref of {ref!r}", "ref", edited("model.ref", ref)
    for name, size in (("zero", 0), ("bool", True), ("text", "8"), ("fraction", 8.5)):
        reason = f"a resolution of {size!r}"
        yield f"resolution-{name}", reason, "resolution", edited("model.resolution", size)
    names = base()["metadata"]["model"]["layer_names"]
    yield "names-few", "a layer has no name", "layer_names", edited("model.layer_names", names[1:])
    names = [*names[1:], "\x1b[2J"]
    yield "names-control", "an escape in a name", "layer_names", edited("model.layer_names", names)
    for name, digits in (("short", "3f1c"), ("upper", "3F" * 32), ("number", 3)):
        reason = f"a fingerprint of {digits!r}"
        yield f"fingerprint-{name}", reason, "fingerprint", edited("model.fingerprint", digits)


def directions() -> Iterator[Case]:
    """Faults in the descriptions of single directions."""
    yield "info-few", "one direction is not described", "directions", edited("directions", [{}])
    yield "info-none", "no direction is described", "directions", edited("directions", [])
    yield "info-object", "the descriptions are an object", "directions", edited("directions", {})
    yield "info-text", "a direction described by a text", "direction", edited("directions.1", "a")
    for name, label in (
        ("twice", "smile"),
        ("index", "3"),
        ("range", "0-4, 7"),
        ("arabic", "٣"),
        ("empty", ""),
        ("space", " age"),
        ("newline", "age\n"),
        ("escape", "\x1b[31mage"),
        ("separator", "a\u2028b"),
        ("number", 3),
    ):
        yield f"label-{name}", f"the label {label!r}", "label", edited("directions.1.label", label)
    content = base()
    content["metadata"]["directions"][0]["label"] = "é"
    decomposed = edited("directions.1.label", "e\u0301", content)
    yield "label-nfc", "two labels that are one in NFC", "label", decomposed
    for name, key, value in (
        ("scale-zero", "scale", 0),
        ("scale-text", "scale", "1"),
        ("gain-large", "gain", 1.5),
        ("gain-bool", "gain", True),
        ("annotation-text", "annotation", "older"),
        ("from-text", "from", "age.npy"),
        ("change-number", "change", 0.5),
        ("change-half", "change", {"inside": 0.5}),
        ("change-negative", "change", {"inside": 0.5, "outside": -0.5}),
    ):
        yield name, f"{key}: {value!r}", key, edited(f"directions.1.{key}", value)


def numbers() -> Iterator[Case]:
    """Faults of the tensors."""
    rows, layers, values = base()["tensors"].values()
    f32 = partial(tensor, "F32")
    i64 = partial(tensor, "I64", [3])
    yield "tensor-unknown", "an unknown tensor", "bias", tensors(bias=f32([1], [1.0]))
    for name in ("directions", "layers"):
        yield f"tensor-no-{name}", f"no tensor {name!r}", name, tensors(**{name: None})
    wide = rows | {"dtype": "F64"}
    half = rows | {"dtype": "F16"}
    yield "directions-f64", "directions in F64", "F64", tensors(directions=wide)
    yield "directions-f16", "directions in F16", "F16", tensors(directions=half)
    yield "layers-i32", "layers in I32", "I32", tensors(layers=layers | {"dtype": "I32"})
    narrow = values | {"dtype": "F32"}
    yield "eigenvalues-f32", "eigenvalues in F32", "eigenvalues", tensors(eigenvalues=narrow)
    for name, shape, reason in (
        ("1d", [8], "directions with one axis"),
        ("4d", [2, 1, 1, 4], "directions with four axes"),
        ("wide", [1, 8], "directions wider than the latent"),
    ):
        yield (
            f"directions-{name}",
            reason,
            "directions",
            tensors(directions=rows | {"shape": shape}),
        )
    apart = f32([2, 2, 4], [*[0.5, 0.5, 0.5, 0.5], *[0.0] * 4] * 2)
    yield "directions-rows", "two rows each for three layers", "layer", tensors(directions=apart)
    yield "directions-none", "no direction", "directions", tensors(directions=f32([0, 4], []))
    yield "layers-2d", "layers with two axes", "layers", tensors(layers=layers | {"shape": [3, 1]})
    one = tensor("F64", [1], [7.25])
    yield "eigenvalues-few", "one eigenvalue for two", "eigenvalues", tensors(eigenvalues=one)
    for name, bad in (("nan", float("nan")), ("inf", float("inf"))):
        broken = f32([2, 4], [*rows["values"][:7], bad])
        yield (
            f"directions-{name}",
            f"{name} in a direction",
            "directions",
            tensors(directions=broken),
        )
        broken = tensor("F64", [2], [bad, 0.5])
        yield (
            f"eigenvalues-{name}",
            f"{name} as eigenvalue",
            "eigenvalues",
            tensors(eigenvalues=broken),
        )
    for name, factor in (("double", 2.0), ("zero", 0.0), ("nearly", 1.0001)):
        scaled = f32([2, 4], [*rows["values"][:4], *(factor * v for v in rows["values"][4:])])
        yield f"norm-{name}", f"a norm of {factor:g}", "norm", tensors(directions=scaled)
    for name, indices, reason in (
        ("unsorted", [1, 0, 2], "layers that fall"),
        ("repeated", [0, 1, 1], "a layer twice"),
        ("beyond", [0, 1, 4], "layer 4 of 0-3"),
        ("negative", [-1, 0, 1], "layer -1"),
        ("wrapping", [2**63 - 1, -(2**63), 0], "layers whose differences overflow"),
    ):
        yield f"layers-{name}", reason, "layers", tensors(layers=i64(indices))


def masks() -> Iterator[Case]:
    """Faults of mask and background."""
    u8 = partial(tensor, "U8")
    yield "mask-1d", "a mask with one axis", "mask", tensors(mask=u8([6], [0] * 6))
    yield "mask-empty", "a mask without rows", "mask", tensors(mask=u8([0, 3], []))
    as_float = tensor("F32", [1, 2], [0.0, 1.0])
    yield "mask-f32", "a mask in F32", "mask", tensors(mask=as_float)
    alone = tensors(background=u8([2, 3], [0] * 6))
    yield "background-alone", "a background without a mask", "background", alone
    content = with_masks([2, 3])
    content["tensors"]["background"] = u8([3, 2], [0] * 6)
    yield "background-shape", "a background of another shape", "background", file(content)
    content = with_masks([3, 1, 2])
    yield "masks-seeds", "three masks for two seeds", "mask", file(content)
