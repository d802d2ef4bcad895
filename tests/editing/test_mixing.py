"""Codes of two sources: layers of each, and the way between them."""

from pathlib import Path

import numpy as np
import pytest
import torch

from sefa_cli.editing.codes import codes_from_seeds, save_codes
from sefa_cli.editing.mixing import between, code_of, mixed, parse_mix, parse_source
from sefa_cli.editing.start import start_from
from sefa_cli.errors import SefaError
from sefa_cli.generators.base import Generator


def test_layers_of_another_seed_replace_those_of_each_code(tiny: Generator) -> None:
    three, four, seven = codes_from_seeds(tiny, [3, 4, 7])
    start = mixed(start_from(tiny, "3-4"), tiny, "7:1-2")
    assert torch.equal(start.codes[:, 1:3], torch.stack([seven[1:3]] * 2))
    for layer in (0, *range(3, tiny.num_layers)):
        assert torch.equal(start.codes[:, layer], torch.stack([three, four])[:, layer])
    assert start.names == ["seed 3 + 7:1-2", "seed 4 + 7:1-2"]
    same = mixed(start_from(tiny, "3-4"), tiny, (7, [1, 2]))
    assert torch.equal(same.codes, start.codes)


def test_a_source_is_a_seed_or_a_code_of_a_file(
    tiny: Generator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    codes = codes_from_seeds(tiny, [3, 4], psi=1.0)
    save_codes("two.npz", codes)
    assert torch.equal(code_of(tiny, 4, psi=1.0), codes[1:])
    assert torch.equal(code_of(tiny, "two.npz"), codes[:1])
    assert torch.equal(code_of(tiny, "two.npz:1"), codes[1:])
    assert torch.equal(code_of(tiny, codes[1:]), codes[1:])
    assert parse_mix("two.npz:1:8-22") == ("two.npz:1", "8-22")
    with pytest.raises(SefaError, match="code 2 is out of range; expected 0-1"):
        code_of(tiny, "two.npz:2")


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("3-5", "3-5 names several seeds"),
        (2**32, "out of range"),
        (-1, "out of range"),
        ("no.npz", "no.npz does not exist"),
        ("no.npz:1", "no.npz does not exist"),
        ("1" * 5000, "seed 1{20}… is too large"),
        ("-" + "1" * 5000, "does not exist"),
        ("no.npz:" + "1" * 5000, "no.npz does not exist"),
        ("a" * 5000, "does not exist"),
    ],
)
def test_other_sources_are_refused(source: int | str, said: str) -> None:
    with pytest.raises(SefaError, match=said):
        parse_source(source)


@pytest.mark.parametrize("mix", ["7", ":3", "7:", ""])
def test_a_mix_needs_its_source_and_its_layers(mix: str) -> None:
    with pytest.raises(SefaError, match="a source and its layers"):
        parse_mix(mix)


def test_layers_that_the_model_lacks_are_refused(tiny: Generator) -> None:
    start = start_from(tiny, 3)
    with pytest.raises(SefaError, match="layer 99 is out of range"):
        mixed(start, tiny, "7:99")


def test_the_way_from_a_code_of_zeros_is_straight() -> None:
    first, last = torch.zeros(1, 4), torch.ones(1, 4)
    assert torch.equal(between(first, last, 0.25, "z"), last / 4)
    assert torch.equal(between(last, first, 0.25, "z"), last * 0.75)


def test_the_ends_are_exact_and_the_way_in_z_keeps_its_length() -> None:
    rng = np.random.default_rng(0)
    first, last = torch.tensor(rng.normal(size=(2, 1, 4, 512)).astype(np.float32))
    for space in ("w", "z"):
        assert torch.equal(between(first, last, 0, space), first)
        assert torch.equal(between(first, last, 1, space), last)
    half = between(first, last, 0.5, "w")
    torch.testing.assert_close(half, (first + last) / 2)
    arc = between(first, last, 0.5, "z")
    torch.testing.assert_close(arc.norm(dim=-1), (first.norm(dim=-1) + last.norm(dim=-1)) / 2)
    assert (half.norm(dim=-1) < 0.8 * arc.norm(dim=-1)).all()
    torch.testing.assert_close(between(first, first, 0.3, "z"), first)  # no arc at all
    assert between(first, -first, 0.3, "z").isfinite().all()
