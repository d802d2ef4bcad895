"""Codes of families whose z enters in one layer, in many, or not at all; and codes in files."""

from pathlib import Path

import numpy as np
import pytest
import torch

from sefa_cli.editing.codes import codes_from_seeds, load_codes, save_codes
from sefa_cli.editing.source import load_generator
from sefa_cli.editing.start import start_from
from sefa_cli.errors import SefaError, UsageError
from sefa_cli.families.build import build
from tests.helpers import networks


def test_w_is_truncated_by_default() -> None:
    generator = build(networks.stylegan2(), "cpu")
    w = [generator.map(generator.sample([seed])) for seed in (3, 4)]
    for given, psi, layers in (((), 0.7, None), ((0.5, 2), 0.5, 2)):
        wanted = torch.cat([generator.truncate(row, psi, layers) for row in w])
        assert torch.equal(codes_from_seeds(generator, [3, 4], *given), wanted)


def test_a_seed_has_the_same_code_whichever_others_are_asked_for(default_model: Path) -> None:
    """A batch changes the last bits of mapping and truncation: a pixel of some pictures moved."""
    generator = load_generator(str(default_model), "cpu")
    together = codes_from_seeds(generator, [0, 1, 2])
    alone = [codes_from_seeds(generator, [seed]) for seed in (0, 1, 2)]
    assert torch.equal(together, torch.cat(alone))


def test_z_of_one_layer_is_the_code() -> None:
    generator = build(networks.dcgan(), "cpu")
    assert torch.equal(codes_from_seeds(generator, [3, 4]), generator.sample([3, 4]))
    with pytest.raises(UsageError, match=r"truncation 0\.5"):
        codes_from_seeds(generator, [3], 0.5)


def test_z_of_many_layers_is_repeated() -> None:
    generator = build(networks.biggan(), "cpu")
    codes = codes_from_seeds(generator, [3, 4], label=1)
    assert codes.shape == (2, 9, 8)
    assert torch.equal(codes[:, 5], generator.sample([3, 4], truncation=0.4))
    assert torch.equal(codes_from_seeds(generator, [3], 1.0)[:, 0], generator.sample([3]))
    with pytest.raises(UsageError, match="truncation of layers for a biggan"):
        codes_from_seeds(generator, [3], 0.5, [0, 1])


def test_codes_of_many_layers_are_kept_as_z(tmp_path: Path) -> None:
    generator = build(networks.biggan(), "cpu")
    codes = torch.randn(2, 9, 8)
    save_codes(tmp_path / "all.npz", codes, space="z")
    assert torch.equal(load_codes(tmp_path / "all.npz", generator)[0], codes)
    save_codes(tmp_path / "one.npz", codes[:, 0])
    one = load_codes(tmp_path / "one.npz", generator)[0]
    assert torch.equal(one, codes[:, :1].repeat(1, 9, 1))
    np.savez(tmp_path / "odd.npz", z=np.zeros((2, 8, 8), np.float32))
    with pytest.raises(SefaError, match=r"\(n, 9, 8\) for this model"):
        load_codes(tmp_path / "odd.npz", generator)


def test_codes_of_one_layer_have_no_layers(tmp_path: Path) -> None:
    generator = build(networks.dcgan(), "cpu")
    save_codes(tmp_path / "z.npz", generator.sample([0, 1]))
    assert torch.equal(load_codes(tmp_path / "z.npz", generator)[0], generator.sample([0, 1]))
    np.savez(tmp_path / "odd.npz", z=np.zeros((2, 1, 8), np.float32))
    with pytest.raises(SefaError, match=r"\(n, 8\) for this model"):
        load_codes(tmp_path / "odd.npz", generator)


def test_codes_keep_the_names_of_their_pictures(tmp_path: Path) -> None:
    generator = build(networks.stylegan2(), "cpu")
    codes = torch.randn(2, generator.num_layers, generator.w_dim)
    torch.save(dict(zip(["ann b.jpg", "…"], codes, strict=True)), tmp_path / "faces.pt")
    start = start_from(generator, 0, tmp_path / "faces.pt")
    assert torch.equal(start.codes, codes) and start.names == ["ann b.jpg", "…"]
    assert [start.stem(i) for i in range(2)] == ["code0000_ann_b", "code0001"]
