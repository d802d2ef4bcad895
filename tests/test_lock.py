"""The locked versions: each has hashes, nothing declared is left out, and no address is named."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.helpers import ROOT

LOCKS = ("requirements.lock", "torch.lock", "cluster.lock")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
# What `make` and `make cluster` install; the extra `eval` is heavy, and the tests do without it.
WANTED = [
    *PROJECT["dependencies"],
    *EXTRAS["studio"],
    *EXTRAS["dev"],
    *EXTRAS["docs"],
    *EXTRAS["cluster"],
]


def pins(*locks: str) -> dict[str, str]:
    """The locked version of each distribution."""
    found: dict[str, str] = {}
    for lock in locks:
        text = (ROOT / lock).read_text("utf-8")
        for name, version in re.findall(r"^([A-Za-z0-9][\w.-]*)==(\S+)", text, re.MULTILINE):
            assert canonicalize_name(name) not in found, f"{name} is locked twice"
            found[canonicalize_name(name)] = version
    return found


@pytest.mark.parametrize("lock", LOCKS)
def test_every_line_is_a_version_with_its_hashes(lock: str) -> None:
    text = re.sub(r"^#.*\n", "", (ROOT / lock).read_text("utf-8"), flags=re.MULTILINE)
    for entry in filter(None, re.split(r"(?<!\\)\n", text)):
        words = entry.replace("\\\n", " ").split()
        assert re.fullmatch(r"[A-Za-z0-9][\w.-]*==[\w.]+", words[0]), words[0]
        assert words[1:], f"{words[0]} has no hash"
        for word in words[1:]:
            assert re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", word), word


@pytest.mark.parametrize("lock", LOCKS)
def test_no_index_is_named(lock: str) -> None:
    assert not re.search(r"https?://|index-url|find-links", (ROOT / lock).read_text("utf-8"))


@pytest.mark.parametrize("wanted", WANTED)
def test_what_is_declared_is_locked_in_its_range(wanted: str) -> None:
    requirement = Requirement(wanted)
    version = pins(*LOCKS)[canonicalize_name(requirement.name)]
    assert requirement.specifier.contains(version), f"{version} is not {requirement}"


def test_only_torch_is_apart() -> None:
    assert set(pins("torch.lock")) == {"torch"} and "torch" not in pins("requirements.lock")


def test_the_makefile_installs_with_hashes_alone() -> None:
    made = Path(ROOT, "Makefile").read_text("utf-8")
    for lock in LOCKS:
        assert re.search(rf"--require-hashes [^\n]*-r {re.escape(lock)}$", made, re.MULTILINE)
