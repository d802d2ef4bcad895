"""Families are found as folders; what is heavy in one is imported only for its own files."""

import subprocess
import sys
from pathlib import Path

import pytest

from sefa_cli.containers.checkpoint import Config
from sefa_cli.errors import SefaError
from sefa_cli.families import registry
from tests.helpers import CONTAINERS, ROOT

ROOMS = sorted(p.parent.name for p in (ROOT / "sefa_cli" / "families").glob("*/__init__.py"))
SIZES = {"resolution": 4, "img_channels": 3, "z_dim": 2, "w_dim": 2, "c_dim": 0, "num_layers": 1}


def test_every_folder_is_the_family_of_its_name() -> None:
    assert list(registry.built_in()) == ROOMS
    assert all(family.name == name for name, family in registry.built_in().items())


def test_no_two_dialects_have_the_same_marks() -> None:
    marks = [
        set(dialect.marks) for family in registry.built_in().values() for dialect in family.dialects
    ]
    assert not [one for one in marks for other in marks if one is not other and one <= other]


@pytest.mark.parametrize("name", ROOMS)
def test_every_dialect_has_a_reader(name: str) -> None:
    family = registry.built_in()[name]
    for dialect in family.dialects:
        assert family.reader(dialect).rules, dialect.key


def test_factorizing_imports_no_other_family_and_no_torch(tmp_path: Path) -> None:
    code = f"""
import sys
from sefa_cli.discovery.factorize import factorize
factorize({str(CONTAINERS / "ckpt_genforce_stylegan2.pth")!r})
print(*(name for name in sys.modules if name.count('.') > 2 and '.families.' in name), sep='\\n')
print('torch' in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    *modules, torch = done.stdout.split()
    assert torch == "False"
    assert {name.split(".")[2] for name in modules} == {"stylegan2"}


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"z_dim": 0}, "z_dim is 0; expected a whole number from 1 on"),
        ({"resolution": True}, "resolution is True"),
        ({"c_dim": -1}, "c_dim is -1; expected a whole number from 0 on"),
        ({"num_layers": 1 << 21}, "num_layers is 2097152"),
        ({"space": "x"}, "the space is 'x'; expected w or z"),
    ],
)
def test_a_configuration_is_checked_when_it_is_made(facts: dict[str, object], said: str) -> None:
    with pytest.raises(SefaError, match=said):
        Config({**SIZES, "space": "z", **facts})


def test_a_configuration_keeps_what_the_family_adds_and_its_order() -> None:
    given = {"lod": 1.5, **SIZES, "space": "w"}
    config = Config(given)
    assert dict(config) == given and list(config) == list(given)
    assert (config["lod"], config.resolution, config.dim) == (1.5, 4, 2)
