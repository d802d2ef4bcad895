"""What makes a direction bundle valid: the rules of formats/directions-v1.md, one function each.

`fields` turns a file's parts into the arguments of a `Bundle`; `array` and `check` hold for
every bundle, read or just made.
"""

import re
import unicodedata
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sefa_cli import __version__
from sefa_cli.canonical import read_json, shown
from sefa_cli.container import Tensor, fits
from sefa_cli.errors import SefaError, either
from sefa_cli.ranges import is_range

if TYPE_CHECKING:
    from sefa_cli.bundle.bundle import Bundle

FORMAT = "sefa-directions"
VERSION = "1.0"
TOOL = f"sefa-cli {__version__}"
SPACES = ("z", "w", "w+")
LEVELS = ("bottom", "middle", "top")
UNIT = 1e-5  # how far the norm of a direction may be from 1


class _Form(NamedTuple):
    """How a tensor is held."""

    dtype: str  # in the file
    numpy: np.dtype[Any]  # the same for numpy
    given: str  # numpy's kinds that a caller may hand in for it
    axes: tuple[int, ...]  # how many it may have


TENSORS = {
    "directions": _Form("F32", np.dtype("<f4"), "f", (2, 3)),
    "layers": _Form("I64", np.dtype("<i8"), "iu", (1,)),
    "eigenvalues": _Form("F64", np.dtype("<f8"), "fiu", (1,)),
    "mask": _Form("U8", np.dtype("u1"), "u", (2, 3)),
    "background": _Form("U8", np.dtype("u1"), "u", (2, 3)),
}
_REQUIRED = ("version", "method", "params", "space", "model", "directions")
_OPTIONAL = {"tool": "unknown", "requires": []}
_SIZES = ("resolution", "z_dim", "w_dim", "num_layers")
_VERSION = re.compile(r"(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)")
_FINGERPRINT = re.compile(r"[0-9a-f]{64}")
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]+:")  # https:, hf:, pypi:; a letter alone is a drive


def fields(metadata: Mapping[str, str], tensors: Mapping[str, Tensor]) -> dict[str, Any]:
    """Return the arguments of `Bundle` that the parts of a file spell.

    The marks of the format come first, so the error for a later version says so.
    """
    if "sefa" not in metadata:
        make = "If it is a model, make a bundle with: sefa factorize MODEL -o FILE.dirs"
        raise SefaError("there is no metadata key 'sefa'", "a direction bundle", make)
    if len(metadata) > 1:
        raise SefaError(f"the metadata keys are {shown(sorted(metadata))}", "only 'sefa'")
    facts = read_json(metadata["sefa"].encode("utf-8"), "the metadata")
    if not isinstance(facts, dict):
        raise SefaError("the metadata is not an object", "a direction bundle")
    if facts.get("format") != FORMAT:
        raise SefaError(f"the format is {shown(facts.get('format'))}", repr(FORMAT))
    facts = _OPTIONAL | facts
    _check_version(facts.get("version"))
    _check_requires(facts.pop("requires"))
    if missing := [key for key in _REQUIRED if key not in facts]:
        raise SefaError(f"the metadata has no {missing[0]!r}")
    facts["info"] = facts.pop("directions")
    if not isinstance(facts["info"], list) or not facts["info"]:
        raise SefaError(f"directions is {shown(facts['info'])}", "a list of an object for each")
    known = {key: facts.pop(key) for key in (*_REQUIRED[:-1], "info", "tool")}
    del facts["format"]
    private = {name: tensor for name, tensor in tensors.items() if name.startswith("x.")}
    return known | _arrays(tensors) | {"unknown": facts, "private": private}


def _check_version(version: Any) -> None:
    match = _VERSION.fullmatch(version) if isinstance(version, str) else None
    if not match or match[1] != "1":
        remedy = "A newer sefa may read it." if match else ""
        raise SefaError(f"the format version is {shown(version)}", "'1.0' or another 1.x", remedy)


def _check_requires(requires: Any) -> None:
    """Version 1.0 knows no features by name, so that any name is one too many."""
    if not isinstance(requires, list) or not all(isinstance(name, str) for name in requires):
        raise SefaError(f"requires is {shown(requires)}", "a list of names")
    if requires:
        names = ", ".join(shown(name) for name in requires[:3])
        raise SefaError(f"it requires {names}, which is unknown here", remedy="Update sefa.")


def _arrays(tensors: Mapping[str, Tensor]) -> dict[str, NDArray[Any]]:
    for name in tensors:
        if name not in TENSORS and not name.startswith("x."):
            raise SefaError(f"the tensor {shown(name)} is unknown", either([*TENSORS, "x.*"]))
    if missing := [name for name in ("directions", "layers") if name not in tensors]:
        raise SefaError(f"there is no tensor {missing[0]!r}")
    arrays = {}
    for name, form in TENSORS.items():
        if name in tensors:
            dtype, shape, data = tensors[name]
            if dtype != form.dtype:
                raise SefaError(f"the tensor {name!r} is {dtype}", form.dtype)
            arrays[name] = np.frombuffer(data, form.numpy).reshape(shape)
    return arrays


def array(name: str, value: Any) -> NDArray[Any] | None:
    """Return a read-only, native, C-contiguous copy of `value` as the tensor `name` holds it."""
    form = TENSORS[name]
    if value is None and name not in ("directions", "layers"):
        return None
    try:
        given = np.asarray(value)
    except ValueError:
        raise SefaError(f"{name} is ragged", "a whole array") from None
    if given.dtype.kind not in form.given or (form.dtype == "U8" and given.dtype != np.uint8):
        raise SefaError(f"{name} is of type {given.dtype}", form.numpy.name)
    if given.ndim not in form.axes or 0 in given.shape:
        axes = either(form.axes)
        raise SefaError(f"{name} has the shape {given.shape}", f"{axes} axes, none empty")
    with np.errstate(over="ignore"):  # what is too large for float32 is refused as infinite
        copy: NDArray[Any] = np.array(given, dtype=form.numpy.newbyteorder("="), order="C")
    copy.setflags(write=False)
    return copy


def check(bundle: "Bundle") -> None:
    """Raise SefaError, which says what is wrong, unless the bundle is valid."""
    _check_version(bundle.version)
    _line(bundle.method, "method")
    _line(bundle.tool, "tool")
    _check_params(bundle.params)
    if bundle.space not in SPACES:
        raise SefaError(f"the space is {shown(bundle.space)}", "z, w or w+")
    _check_model(bundle.model)
    _check_layers(bundle.layers, bundle.model["num_layers"])
    _check_directions(bundle)
    _check_masks(bundle)
    _check_info(bundle)
    _check_private(bundle.private)


def _line(text: Any, what: str) -> None:
    """Text that people see: control characters could repaint their terminal."""
    if not isinstance(text, str) or not text:
        raise SefaError(f"{what} is {shown(text)}", "text")
    if any(unicodedata.category(character) in ("Cc", "Zl", "Zp") for character in text):
        raise SefaError(f"{what} is {shown(text)}", "one line without control characters")


def _check_params(params: Any) -> None:
    if not isinstance(params, dict):
        raise SefaError(f"params is {shown(params)}", "an object")
    threshold = params.get("gain_threshold", 0)
    if not (_is_number(threshold) and 0 <= threshold <= 1):
        raise SefaError(f"params.gain_threshold is {shown(threshold)}", "a number in 0-1")


def _check_model(model: Any) -> None:
    if not isinstance(model, dict):
        raise SefaError(f"model is {shown(model)}", "an object")
    for key in ("ref", "family", *_SIZES, "layer_names", "fingerprint"):
        if key not in model:
            raise SefaError(f"model has no {key!r}")
    _line(model["family"], "model.family")
    _line(model["ref"], "model.ref")
    if not _ADDRESS.match(model["ref"]) and re.search(r"[/\\]|^\.\.?$", model["ref"]):
        raise SefaError(f"model.ref is {shown(model['ref'])}", "a name or an address, not a path")
    for key in _SIZES:
        if type(model[key]) is not int or model[key] < 1:
            raise SefaError(f"model.{key} is {shown(model[key])}", "a whole number from 1 on")
    names = model["layer_names"]
    if not isinstance(names, list) or len(names) != model["num_layers"]:
        raise SefaError("model.layer_names is incomplete", f"{model['num_layers']} names")
    for name in names:
        _line(name, "a name in model.layer_names")
    fingerprint = model["fingerprint"]
    if not isinstance(fingerprint, str) or not _FINGERPRINT.fullmatch(fingerprint):
        raise SefaError(f"model.fingerprint is {shown(fingerprint)}", "64 hexadecimal digits")


def _check_layers(layers: NDArray[np.int64], num_layers: int) -> None:
    if (layers[1:] <= layers[:-1]).any():  # np.diff could overflow
        raise SefaError(f"layers are {shown(layers.tolist())}", "strictly increasing indices")
    if layers[0] < 0 or layers[-1] >= num_layers:
        wrong = layers[0] if layers[0] < 0 else layers[-1]
        raise SefaError(f"layers holds {wrong}", f"0-{num_layers - 1}, as model.num_layers says")


def _check_directions(bundle: "Bundle") -> None:
    directions, layers = bundle.directions, bundle.layers
    if directions.ndim == 3 and directions.shape[1] != len(layers):
        raise SefaError(f"directions has {directions.shape[1]} rows each", f"{len(layers)} layers")
    dim = bundle.model["z_dim" if bundle.space == "z" else "w_dim"]
    if bundle.dim != dim:
        raise SefaError(f"directions are of dimension {bundle.dim}", f"{dim}, as the model says")
    flat = directions.reshape(bundle.k, -1).astype(np.float64)  # (k, d) or (k, n d)
    if not np.isfinite(flat).all():
        raise SefaError("directions holds NaN or infinity", "finite numbers")
    norms = np.linalg.norm(flat, axis=1)  # (k,)
    worst = int(np.abs(norms - 1).argmax())
    if abs(norms[worst] - 1) > UNIT:
        raise SefaError(
            f"directions holds a row of norm {norms[worst]:.6g} (direction {worst})", "1 ± 1e-5"
        )
    if bundle.eigenvalues is not None:
        if len(bundle.eigenvalues) != bundle.k:
            raise SefaError(f"there are {len(bundle.eigenvalues)} eigenvalues", f"{bundle.k}")
        if not np.isfinite(bundle.eigenvalues).all():
            raise SefaError("eigenvalues holds NaN or infinity", "finite numbers")


def _check_masks(bundle: "Bundle") -> None:
    mask, background = bundle.mask, bundle.background
    if mask is None:
        if background is not None:
            raise SefaError("there is a background without a mask")
        return
    if background is not None and background.shape != mask.shape:
        raise SefaError(f"background has the shape {background.shape}", f"the mask's, {mask.shape}")
    seeds = bundle.params.get("seeds")
    if mask.ndim == 3 and (not isinstance(seeds, list) or len(seeds) != len(mask)):
        raise SefaError(f"mask holds {len(mask)} masks", "one per entry of params.seeds")


def _check_info(bundle: "Bundle") -> None:
    if len(bundle.info) != bundle.k:
        raise SefaError(f"the metadata describes {len(bundle.info)} directions", f"{bundle.k}")
    seen: dict[str, int] = {}
    for number, entry in enumerate(bundle.info):
        what = f"direction {number}"
        if not isinstance(entry, dict):
            raise SefaError(f"{what} is described by {shown(entry)}", "an object")
        if "label" in entry:
            _check_label(entry["label"], what)
            if entry["label"] in seen:
                both = f"directions {seen[entry['label']]} and {number}"
                raise SefaError(f"{both} have the same label, {shown(entry['label'])}")
            seen[entry["label"]] = number
        _check_numbers(entry, what)


def _check_label(label: Any, what: str) -> None:
    _line(label, f"the label of {what}")
    if label != label.strip():
        raise SefaError(f"the label {shown(label)} begins or ends with a space")
    if is_range(label):
        raise SefaError(f"the label {shown(label)} reads as an index or a range", "a word")


def _check_numbers(entry: dict[str, Any], what: str) -> None:
    if "scale" in entry and not (_is_number(entry["scale"]) and entry["scale"] > 0):
        raise SefaError(f"the scale of {what} is {shown(entry['scale'])}", "a number above 0")
    if "gain" in entry and not (_is_number(entry["gain"]) and 0 <= entry["gain"] <= 1):
        raise SefaError(f"the gain of {what} is {shown(entry['gain'])}", "a number in 0-1")
    for key in ("annotation", "from", "change"):
        if not isinstance(entry.get(key, {}), dict):
            raise SefaError(f"the {key} of {what} is {shown(entry[key])}", "an object")
    change = entry.get("change", {"inside": 0, "outside": 0})
    for side in ("inside", "outside"):
        if not (_is_number(change.get(side)) and change[side] >= 0):
            raise SefaError(f"the change of {what} has no valid {side!r}", "a number from 0 on")


def check_answers(annotation: Mapping[str, Any]) -> None:
    """Check what writers should keep to in an annotation; a reader takes any object.

    Raises SefaError for a `level`, `obvious`, `meaningful` or `note` of another kind.
    """
    level = annotation.get("level", LEVELS[0])
    if level not in LEVELS:
        raise SefaError(f"the level is {shown(level)}", "bottom, middle or top")
    for question in ("obvious", "meaningful"):
        if not isinstance(annotation.get(question, True), bool):
            raise SefaError(f"{question} is {shown(annotation[question])}", "true or false")
    _line(annotation.get("note", "none"), "the note")


def _check_private(private: Mapping[str, Tensor]) -> None:
    for name, tensor in private.items():
        if not name.startswith("x."):
            raise SefaError(f"the private tensor {shown(name)} is misnamed", "x. and a name")
        if not fits(tensor.dtype, tensor.shape, len(tensor.data)):
            raise SefaError(f"the private tensor {shown(name)} has {len(tensor.data):,} bytes")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
