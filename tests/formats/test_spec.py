"""The page itself: what it quotes is what the files and the schema say."""

import hashlib
import json
import re
import struct
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from sefa_cli import canonical, container
from sefa_cli.bundle import rules
from sefa_cli.bundle.bundle import GAIN_THRESHOLD
from sefa_cli.bundle.rules import VERSION
from sefa_cli.errors import SefaError


@pytest.fixture
def page(formats: Path) -> str:
    return (formats / "directions-v1.md").read_text("utf-8")


@pytest.fixture
def validator(formats: Path) -> Any:
    schema = json.loads((formats / "directions-v1.schema.json").read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def metadata(path: Path) -> Any:
    data = path.read_bytes()
    header = json.loads(data[8 : 8 + struct.unpack("<Q", data[:8])[0]])
    return json.loads(header["__metadata__"]["sefa"])


def indented(section: str) -> str:
    return "".join(line[4:] for line in section.splitlines() if line.startswith("    "))


def test_the_worked_example_is_the_golden_file(page: str, formats: Path) -> None:
    data = (formats / "golden/w.dirs").read_bytes()
    example = page.split("## 10. An example")[1].split("## 11.")[0]
    size = struct.unpack("<Q", data[:8])[0]
    assert f"{len(data)} bytes" in example and f"{size} or {size:#x}" in example
    before, quoted, after = re.split(r"```(?:json)?\n", example)
    length, header = indented(before)[:23], indented(before)[23:]
    assert bytes.fromhex(length) + header.encode() + bytes.fromhex(indented(after)) == data
    assert json.loads(quoted) == metadata(formats / "golden/w.dirs")


def test_the_fingerprint_example_follows_the_algorithm(page: str) -> None:
    section = page.split("## 8. Fingerprint")[1]
    quoted = re.search(r"`([0-9a-f]{64})`", section)
    hashed = b"sefa-fp1\n"
    hashed += b"0 conv 2 3\n" + struct.pack("<6f", 1, 2, 3, 4, 5, 6)
    hashed += b"1 torgb 1 3\n" + struct.pack("<3f", 0.5, -0.5, 0)
    assert quoted and quoted[1] == hashlib.sha256(hashed).hexdigest()


def test_the_limits_are_those_of_the_code(page: str) -> None:
    assert f"N MUST be 2 to {container.MOST_HEADER:,}." in page
    assert f"at most {container.MOST_AXES}\n" in page
    assert f"nested more than {canonical.MOST_NESTING} levels" in page
    assert canonical.MOST_INTEGER + 1 == 2**53 and "2^53 or more" in page
    assert rules.UNIT == 1e-5 and "MUST be 1 ± 1e-5" in page
    assert f"| Version | {VERSION} |" in page and f"| {VERSION} | First version |" in page
    assert f"0–1; {GAIN_THRESHOLD} where it is absent" in page
    types = page.split("safetensors' names: ")[1].split("The product")[0]
    assert set(re.findall(r"\b[A-Z][A-Z0-9_]+\b", types)) == set(container.BITS)
    for name, form in rules.TENSORS.items():
        assert f"| `{name}` | {form.dtype} |" in page


def test_every_key_of_the_schema_is_on_the_page(page: str, validator: Any) -> None:
    def keys(schema: Any) -> set[str]:
        own = set(schema.get("properties", {}))
        parts = [*schema.get("$defs", {}).values(), *schema.get("properties", {}).values()]
        return own.union(*map(keys, parts))

    assert keys(validator.schema) <= set(re.findall(r"`(?:params\.)?(\w+)`", page))


def test_golden_metadata_fit_the_schema(golden: str, formats: Path, validator: Any) -> None:
    validator.validate(metadata(formats / "golden" / golden))


# What no schema can say; the rest of hostile/ with readable metadata must fail the schema too.
BEYOND = {
    "directions", "eigenvalues", "norm", "layers", "mask", "masks", "background", "tensor",
    "info-few", "names-few", "label-twice", "label-index", "label-range", "label-arabic",
    "label-space", "label-nfc",
}  # fmt: skip


def test_hostile_metadata_fail_the_schema(hostile: str, formats: Path, validator: Any) -> None:
    name = hostile.removesuffix(".dirs")
    try:
        with open(formats / "hostile" / hostile, "rb") as file:
            texts, _ = container.unpack(file)
        (text,) = texts.values()
        facts = canonical.read_json(text.encode(), "the metadata")
    except (SefaError, ValueError):
        return  # the container or the text is at fault, which is found before any schema
    assert (name in BEYOND or name.split("-")[0] in BEYOND) == validator.is_valid(facts)
