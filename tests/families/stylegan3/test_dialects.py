"""StyleGAN3 in every form: one network, its geometry told by names and filters alone."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from sefa_cli.containers.checkpoint import Checkpoint
from sefa_cli.errors import SefaError
from sefa_cli.families.reading import read_checkpoint
from sefa_cli.families.stylegan3.geometry import sampling_rates, steps
from sefa_cli.projections import fingerprint, first_projections, layer_names, levels, parse_layers
from tests.helpers import GOLDEN, remap
from tests.helpers import stylegan3_files as files
from tests.helpers.golden import load


def saved(path: Path, state: files.Native) -> Checkpoint:
    save_file({name: np.array(array, order="C") for name, array in state.items()}, path)
    return read_checkpoint(path)


def same(checkpoint: Checkpoint, state: files.Native) -> bool:
    tensors = checkpoint.tensors
    return tensors.keys() == state.keys() and all(
        np.array_equal(tensors[name].numpy(), array) for name, array in state.items()
    )


@pytest.mark.parametrize("name", ["stylegan3_t_nvidia", "stylegan3_r_nvidia"])
def test_published_state_dicts(tmp_path: Path, name: str) -> None:
    run = load(name)
    state, meta = run.state, run.meta
    found = saved(tmp_path / "x", state)
    assert (found.family, found.dialect, found.notes) == ("stylegan3", "nvidia", ())
    assert same(found, state)
    config, kwargs = found.config, meta["kwargs"]
    assert config["resolution"] == kwargs["img_resolution"] and config["img_channels"] == 3
    assert (config["z_dim"], config["w_dim"], config["c_dim"]) == (32, 32, 0)
    assert config["num_layers"] == meta["num_ws"] == kwargs["num_layers"] + 2
    assert config["variant"] == ("R" if kwargs.get("use_radial_filters") else "T")
    assert (config["conv_clamp"], config["output_scale"], config["first_cutoff"]) == (256, 0.25, 2)


def test_the_published_pickle_is_read_and_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CANARY", str(tmp_path / "canary"))
    found = read_checkpoint(GOLDEN / "containers" / "nv_stylegan3_t.pkl")
    state = load("containers/nv_stylegan3_t").state
    assert found.container == "NVIDIA pickle" and found.notes == ()
    assert same(found, state)
    assert not (tmp_path / "canary").exists()


def test_the_formulas_are_the_published_ones() -> None:
    """Names and filters that these tests make from the paper are those of the published code."""
    run = load("stylegan3_t_nvidia")
    state, meta = run.state, run.meta
    kwargs = meta["kwargs"]
    made = files.native_state(
        resolution=32, num_layers=6, num_critical=2,
        channel_base=kwargs["channel_base"], channel_max=kwargs["channel_max"],
    )  # fmt: skip
    assert made.keys() == state.keys()
    for name, array in made.items():
        if name.endswith("filter"):
            assert np.allclose(array, state[name], atol=1e-7), name


OFFICIAL = {  # the names of the official models, by their published options
    "T-1024": ((1024, 32768, 512), ["L0_36_512", "L7_276_323", "L10_1044_81", "L14_1024_3"]),
    "R-1024": ((1024, 65536, 1024), ["L0_36_1024", "L7_276_645", "L13_1024_64"]),
    "T-256": ((256, 16384, 512), ["L7_148_362"]),
    "R-512": ((512, 65536, 1024), ["L7_148_967"]),
}


@pytest.mark.parametrize("name", OFFICIAL)
def test_geometry_of_the_official_models(name: str) -> None:
    (resolution, base, most), expected = OFFICIAL[name]
    made = files.specs(resolution, 14, 2, base, most)
    names = [f"L{i}_{made.sizes[i]}_{made.channels[i]}" for i in range(15)]
    assert set(expected) <= set(names)


GEOMETRIES: dict[str, dict[str, Any]] = {
    "as published": {},
    "one size": {"resolution": 16},
    "larger": {"resolution": 128, "num_layers": 9},
    "no power of two": {"resolution": 48},
    "short filters": {"filter_size": 4},
    "wide margins": {"margin": 14},
    "radial": {"kernel": 1, "radial": True},
    "all critical but two": {"num_layers": 7, "num_critical": 5},
}


@pytest.mark.parametrize("name", GEOMETRIES)
def test_geometry_is_told_by_names_and_filters(tmp_path: Path, name: str) -> None:
    options = GEOMETRIES[name]
    state = files.native_state(**options)
    found = saved(tmp_path / "x", state)
    shape = {k: v for k, v in options.items() if k not in ("filter_size", "kernel", "radial")}
    made = files.specs(**shape)
    before = [made.rates[0], *made.rates]
    assert sampling_rates(found.tensors) == before
    for i, step in enumerate(steps(found.tensors)):
        twice = 1 if i == len(made.rates) - 1 else 2
        rate = max(before[i], before[i + 1]) * twice
        assert (step.up, step.down) == (rate // before[i], rate // before[i + 1])
        assert step.outputs == made.sizes[i]


def test_the_nonlinearity_s_rate_is_in_the_arguments(tmp_path: Path) -> None:
    state = files.native_state(lrelu_upsampling=4)
    network = files.module(state, {"lrelu_upsampling": 4, "conv_clamp": None}, output_scale=0.5)
    remap.dump_nvidia(tmp_path / "x", {"G_ema": network})
    found = read_checkpoint(tmp_path / "x")
    assert found.config["lrelu_upsampling"] == 4 and found.config["conv_clamp"] is None
    assert found.config["output_scale"] == 0.5 and found.notes == ()
    assert {(s.up, s.down) for s in steps(found.tensors, 4)} == {(4, 4), (8, 4), (1, 1)}


def test_arguments_of_forks_are_noted(tmp_path: Path) -> None:
    network = files.module(files.native_state(), {"conv_clamp": 64, "swirl": 3})
    remap.dump_nvidia(tmp_path / "x", {"G_ema": network})
    found = read_checkpoint(tmp_path / "x")
    assert found.config["conv_clamp"] == 64
    note = "Built with arguments that are not known here: 'swirl'. Pictures may differ."
    assert found.notes == (note,)


@pytest.mark.parametrize("grid", [True, False])
@pytest.mark.parametrize("options", [{}, {"c_dim": 4}, {"radial": True, "kernel": 1}])
def test_hammer_s_names_become_nvidia_s(tmp_path: Path, grid: bool, options: Any) -> None:
    state = files.native_state(resolution=64, num_layers=7, **options)
    content = {"models": {"generator_smooth": remap.tensors(files.to_hammer(state, grid))}}
    torch.save(content, tmp_path / "x.pth")
    found, nvidia = read_checkpoint(tmp_path / "x.pth"), saved(tmp_path / "y", state)
    assert (found.dialect, found.notes) == ("hammer", ())
    assert same(found, state) and found.config == nvidia.config
    assert fingerprint(found) == fingerprint(nvidia)
    assert list(found.tensors) == list(nvidia.tensors)


def test_hammer_s_grid_tells_other_margins(tmp_path: Path) -> None:
    state = files.native_state(resolution=64, margin=5)
    assert same(saved(tmp_path / "x", files.to_hammer(state)), state)


def test_labels_are_embedded(tmp_path: Path) -> None:
    config = saved(tmp_path / "x", files.native_state(c_dim=4)).config
    assert (config["z_dim"], config["c_dim"], config["label_mode"]) == (7, 4, "embed")


def test_stylegan_xl_is_read(tmp_path: Path) -> None:
    state = files.to_xl(files.native_state())
    found = saved(tmp_path / "x", state)
    config = found.config
    assert (config["z_dim"], config["c_dim"], config["label_mode"]) == (7, 5, "table")
    assert same(found, state) and config["num_layers"] == 7
    assert found.notes[0].startswith("This is a StyleGAN-XL generator")
    assert [layer.index for layer in first_projections(found)] == list(range(7))
    assert layer_names(found)[-1] == "synthesis.L7_32_3"


def test_the_input_layer_is_a_kind_of_its_own(tmp_path: Path) -> None:
    found = saved(tmp_path / "x", files.native_state(resolution=64))
    layers = first_projections(found)
    assert [layer.kind for layer in layers] == ["input", *["conv"] * 5, "torgb"]
    assert layers[0].name == "synthesis.input" and layers[0].matrix.shape == (4, 9)
    assert [layer.resolution for layer in layers] == [16, 16, 32, 64, 64, 64, 64]
    assert levels(found) == {
        "all": (1, 2, 3, 4, 5, 6), "bottom": (), "middle": (1, 2), "top": (3, 4, 5, 6)
    }  # fmt: skip
    assert parse_layers(found, "0") == (0,) and parse_layers(found, "0-6") == tuple(range(7))
    with pytest.raises(SefaError, match="0-6"):
        parse_layers(found, "7")


@pytest.mark.parametrize(
    ("name", "shape", "words"),
    [
        ("synthesis.L1_36_8.weight", (8, 7, 3, 3), r"\(8, 7, 3, 3\) and not \(8, 8, 3, 3\)"),
        ("synthesis.L1_36_8.magnitude_ema", (2,), r"\(2,\) and not \(\)"),
        ("synthesis.L2_52_8.down_filter", (12, 11), r"\(12, 11\) and not \(12, 12\)"),
        ("synthesis.L2_52_8.up_filter", (12, 12), r"has the shape \(12, 12\)"),
        ("synthesis.input.affine.weight", (5, 9), r"\(5, 9\) and not \(4, 9\)"),
        ("synthesis.input.transform", (2, 3), r"\(2, 3\) and not \(3, 3\)"),
        ("mapping.fc1.weight", (9, 8), r"\(9, 8\) and not \(9, 9\)"),
        ("mapping.w_avg", (3, 9), r"\(3, 9\) and not \(9,\)"),
        ("synthesis.L2_52_8.bias", None, "synthesis.L2_52_8.bias is missing"),
    ],
)
def test_the_first_tensor_that_does_not_fit_is_named(
    tmp_path: Path, name: str, shape: tuple[int, ...] | None, words: str
) -> None:
    state = files.native_state(channel_max=8)
    assert name in state
    del state[name]
    if shape:
        state[name] = np.zeros(shape, np.float32)
    with pytest.raises(SefaError, match=words) as refused:
        saved(tmp_path / "x", state)
    assert str(refused.value).startswith(f"{tmp_path}/x looks like a StyleGAN3 ge")


def test_a_name_cannot_claim_a_huge_picture(tmp_path: Path) -> None:
    state = files.native_state()
    forged = {name.replace("L5_32_3", "L5_99999_3"): array for name, array in state.items()}
    with pytest.raises(SefaError, match="makes 99999 px of 32"):
        saved(tmp_path / "x", forged)


def test_a_generator_without_layers_is_refused(tmp_path: Path) -> None:
    state = {name: a for name, a in files.native_state().items() if ".L" not in name}
    with pytest.raises(SefaError, match=r"synthesis\.L0\.weight is missing"):
        saved(tmp_path / "x", state)
