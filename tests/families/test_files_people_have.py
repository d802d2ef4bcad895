"""Files from public threads: generators below prefixes, with gaps, of relatives, or damaged.

What can be drawn right is read; everything else is refused by name, never drawn wrong.
"""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

import sefa_cli
from sefa_cli.containers.checkpoint import Checkpoint
from sefa_cli.errors import SefaError
from sefa_cli.families.build import build
from sefa_cli.families.reading import read_checkpoint, read_matching
from sefa_cli.projections import fingerprint
from tests.families.lucidrains.test_network import state_of as lucidrains_state
from tests.helpers import networks, remap
from tests.helpers.r3gan_reference import r3gan
from tests.helpers.stylegan3_files import native_state as stylegan3_state

State = remap.Native


@pytest.fixture(scope="module")
def native() -> State:
    return remap.native_state(z_dim=24, w_dim=24, mapping_layers=4)


@pytest.fixture(scope="module")
def rosinality(native: State) -> State:
    return remap.to_rosinality(native)[0]


def below(prefix: str, state: State) -> State:
    return {f"{prefix}{name}": array for name, array in state.items()}


def saved(path: Path, content: object) -> Checkpoint:
    torch.save(content, path)
    return read_checkpoint(path)


def refused(path: Path, state: State) -> str:
    with pytest.raises(SefaError) as refusal:
        saved(path, remap.tensors(state))
    assert "factorize_tensors" in str(refusal.value)
    return str(refusal.value)


# Below a prefix


@pytest.mark.parametrize("prefix", ["module.", "decoder.", "g_ema.", "net.g_ema.", "a.b.module."])
@pytest.mark.parametrize("dialect", ["nvidia", "rosinality", "genforce"])
def test_a_generator_is_found_below_any_prefix(tmp_path, native, prefix, dialect) -> None:
    state = {
        "nvidia": native,
        "rosinality": remap.to_rosinality(native)[0],
        "genforce": remap.to_genforce(native),
    }[dialect]
    plain = saved(tmp_path / "plain.pt", remap.tensors(state))
    found = saved(tmp_path / "x.pt", remap.tensors(below(prefix, state)))
    assert (found.dialect, found.config, found.notes) == (dialect, plain.config, plain.notes)
    assert fingerprint(found) == fingerprint(plain)


def test_a_generator_two_levels_down_in_dicts(tmp_path, rosinality) -> None:
    inner = {"nets": {"encoder": {"a": torch.zeros(2)}, "synthesis_net": remap.tensors(rosinality)}}
    found = saved(tmp_path / "x.pt", {"epoch": 3, **inner, "opt": {"lr": torch.ones(1)}})
    assert found.notes[-1] == (
        "The generator is below 'nets.synthesis_net.'; the file also holds 'nets.encoder', 'opt'."
    )


def test_an_encoder_s_checkpoint(tmp_path, rosinality) -> None:
    """pSp, e4e and ReStyle: `decoder.` besides `encoder.`, the mean w outside, a row per layer."""
    state = {**below("decoder.", rosinality), "encoder.input.weight": np.ones((2, 2), np.float32)}
    mean = torch.full((8, 24), 2.0)
    found = saved(tmp_path / "x.pt", {"state_dict": remap.tensors(state), "latent_avg": mean})
    assert found.tensors["mapping.w_avg"].numpy().tolist() == [2.0] * 24
    assert found.notes == ("The generator is below 'decoder.'; the file also holds 'encoder'.",)


def test_averaged_weights_come_first(tmp_path, rosinality) -> None:
    other = below("net.g.", {name: array * 0 for name, array in rosinality.items()})
    save_file({**other, **below("net.g_ema.", rosinality)}, tmp_path / "x")
    found = read_checkpoint(tmp_path / "x")
    assert found.tensors["mapping.fc0.weight"].numpy().any()
    assert found.notes[-1] == ("The generator is below 'net.g_ema.'; the file also holds 'net.g'.")


def test_a_whole_module_in_data_parallel(tmp_path, rosinality) -> None:
    module = remap.live_module(below("module.", rosinality))
    with remap.importable(type(module)):
        torch.save({"g_ema": module}, tmp_path / "x.pt")
    assert read_checkpoint(tmp_path / "x.pt").dialect == "rosinality"


def test_a_name_below_a_prefix_is_not_called_missing(tmp_path, rosinality) -> None:
    partial = {name: array for name, array in rosinality.items() if name != "style.1.weight"}
    text = refused(tmp_path / "x.pt", below("decoder.", partial))
    assert "'style.1.weight' is missing" in text and "'input.input'" not in text


# Incomplete


def without(state: State, *names: str) -> State:
    assert all(any(n.startswith(name) for n in state) for name in names)
    return {n: array for n, array in state.items() if not n.startswith(names)}


@pytest.mark.parametrize(
    ("dialect", "gap", "names"),
    [
        ("nvidia", "mapping.fc1.", ("mapping.fc1.weight", "mapping.fc1.bias")),
        ("rosinality", "style.2.", ("style.2.weight", "style.2.bias")),
        ("basicsr", "style_mlp.2.", ("style_mlp.2.weight", "style_mlp.2.bias")),
        ("mmgen", "style_mapping.2.", ("style_mapping.2.linear.weight_orig",)),
        ("genforce", "mapping.dense1.", ("mapping.dense1.weight", "mapping.dense1.bias")),
        ("hammer", "mapping.dense1.", ("mapping.dense1.weight", "mapping.dense1.bias")),
    ],
)
def test_a_gap_in_the_mapping_network_is_refused(tmp_path, native, dialect, gap, names) -> None:
    state = {
        "nvidia": lambda: native,
        "rosinality": lambda: remap.to_rosinality(native)[0],
        "basicsr": lambda: remap.to_basicsr(native),
        "mmgen": lambda: remap.to_mmgen(native),
        "genforce": lambda: remap.to_genforce(native),
        "hammer": lambda: remap.to_hammer(native),
    }[dialect]()
    text = refused(tmp_path / "x.pt", without(state, gap))
    assert all(f"{name!r}" in text for name in names) and "missing" in text


def test_gaps_of_other_families_are_refused(tmp_path) -> None:
    lucidrains = lucidrains_state(32)
    assert "'SE.net.2.weight'" in refused(tmp_path / "a", without(lucidrains, "SE.net.2."))
    text = refused(tmp_path / "b", without(lucidrains, "GE.blocks.1."))
    assert "'GE.blocks.1.to_style1.weight'" in text and "missing" in text
    three = stylegan3_state()
    layer = next(name for name in three if name.startswith("synthesis.L1_")).split(".")[1]
    assert "L1" in refused(tmp_path / "c", without(three, f"synthesis.{layer}."))
    stages = {name: tensor.numpy() for name, tensor in r3gan().tensors.items()}
    assert "MainLayers.1" in refused(tmp_path / "d", without(stages, "MainLayers.1."))
    dcgan = {name: tensor.numpy() for name, tensor in networks.dcgan().tensors.items()}
    assert "main.3.weight is missing" in refused(
        tmp_path / "e", without(dcgan, "main.3.", "main.4.")
    )


def test_a_gap_in_a_file_of_our_own_is_refused(tmp_path, native) -> None:
    checkpoint = networks.stylegan2()
    tensors = {**checkpoint.tensors, "mapping.fc3.weight": checkpoint.tensors["mapping.fc1.weight"]}
    made = Checkpoint(**{**vars(checkpoint), "tensors": tensors})
    with pytest.raises(SefaError, match=r"no tensor mapping\.fc2\.weight"):
        build(made, "cpu")


@pytest.mark.parametrize("name", ["style.9x.weight", "convs.0.extra", "to_rgbs.0.attention.weight"])
def test_what_is_left_over_in_a_part_in_use_is_refused(tmp_path, rosinality, name) -> None:
    text = refused(tmp_path / "x.pt", {**rosinality, name: np.ones(3, np.float32)})
    assert f"but {name!r} is not part of it" in text


def test_counters_of_batch_norms_are_no_misfit(tmp_path) -> None:
    state = {name: tensor.numpy() for name, tensor in networks.dcgan().tensors.items()}
    state["main.1.num_batches_tracked"] = np.array(5)
    assert saved(tmp_path / "x.pt", remap.tensors(state)).notes == ()


# Relatives


def test_swagan_is_refused_by_name(tmp_path, rosinality) -> None:
    state = {**rosinality, "to_rgbs.0.iwt.ll": np.ones((2, 2), np.float32)}
    assert "holds a SWAGAN generator" in refused(tmp_path / "x.pt", state)


@pytest.mark.parametrize("prefix", ["", "stylegan_decoder."])
def test_gfpgan_s_clean_stylegan2_is_refused_by_name(tmp_path, native, prefix) -> None:
    """Activations stand between its mapping layers, and its biases have four axes."""
    clean: State = {}
    for name, array in remap.to_basicsr(native).items():
        part, number, *rest = name.split(".")
        if part == "style_mlp":
            name = ".".join((part, str(2 * int(number) - 1), *rest))
        if "activate" in name:
            name, array = name.replace("activate.", ""), array.reshape(1, -1, 1, 1)
        clean[name] = array
    text = refused(tmp_path / "x.pth", below(prefix, clean))
    assert "GFPGAN's “clean” StyleGAN2" in text


# A conditional network without its label


def test_without_its_label_embedding_only_codes_work(tmp_path) -> None:
    native = remap.native_state(z_dim=24, w_dim=24, c_dim=5)
    state = remap.to_rosinality(native)[0]  # mapping.fc0 takes z and the embedded label
    found = saved(tmp_path / "x.pt", remap.tensors(state))
    assert "The label embedding was not exported" in found.notes[-1]
    generator = build(found, "cpu")
    for use in (lambda: generator.sample([0]), lambda: generator.map(np.zeros((1, 48)))):
        with pytest.raises(SefaError, match="without its label embedding"):
            use()
    assert generator.synthesize(np.zeros((1, 24), np.float32)).isfinite().all()
    assert sefa_cli.factorize(tmp_path / "x.pt").directions.shape[1] == 24


# NaN


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_damaged_weights_are_refused_before_work(tmp_path, rosinality, value) -> None:
    bad = np.array(rosinality["convs.0.conv.modulation.weight"])
    bad[1, :3] = value
    found = saved(
        tmp_path / "x.pt", remap.tensors({**rosinality, "convs.0.conv.modulation.weight": bad})
    )
    where = r"in 'convs\.0\.conv\.modulation\.weight' of \S*x\.pt"
    words = rf"synthesis\.b8\.conv0.* holds NaN or infinite numbers: 3 of {bad.size}, {where}"
    with pytest.raises(SefaError, match=words):
        build(found, "cpu")
    with pytest.raises(SefaError, match=words):
        sefa_cli.factorize(tmp_path / "x.pt")


def test_a_damaged_mean_is_refused(tmp_path, rosinality) -> None:
    mean = torch.full((24,), torch.nan)
    found = saved(tmp_path / "x.pt", {"g_ema": remap.tensors(rosinality), "latent_avg": mean})
    with pytest.raises(SefaError, match=r"mapping\.w_avg holds NaN or infinite numbers: 24 of 24"):
        build(found, "cpu")


# Folders


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.safetensors", "other.safetensors"])
def test_a_folder_in_hugging_face_s_layout(tmp_path, rosinality, name) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"size": 32}))
    if name.endswith("bin"):
        torch.save(remap.tensors(rosinality), folder / name)
    else:
        save_file(rosinality, folder / name)
    found = read_checkpoint(folder)
    assert (found.ref, found.path.name, found.dialect) == ("model", name, "rosinality")
    assert len(read_matching(folder, "model", "style.*.weight")) == 4


def test_a_folder_with_several_models(tmp_path) -> None:
    for name in ("config.json", "a.bin", "b.bin"):
        (tmp_path / name).write_text("{}")
    with pytest.raises(SefaError, match=r"holds several models: 'a\.bin', 'b\.bin'"):
        read_checkpoint(tmp_path)
