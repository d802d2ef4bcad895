"""One network in four layouts is one network; what is not one is refused by name."""

from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from sefa_cli.containers.checkpoint import Checkpoint
from sefa_cli.errors import SefaError, either
from sefa_cli.families.reading import read_checkpoint
from sefa_cli.families.registry import built_in
from tests.helpers import GOLDEN, remap
from tests.helpers.golden import load

BACK = {
    "nvidia": lambda native: native,
    "rosinality": lambda native: remap.to_rosinality(native)[0],
    "genforce": remap.to_genforce,
    "hammer": remap.to_hammer,
}


def arrays(checkpoint: Checkpoint) -> dict[str, np.ndarray]:
    return {name: tensor.numpy() for name, tensor in checkpoint.tensors.items()}


def same_state(checkpoint: Checkpoint, state: dict[str, np.ndarray]) -> None:
    """Whether the checkpoint's native tensors, put back into its dialect, are `state`."""
    back = BACK[checkpoint.dialect](arrays(checkpoint))
    constants = ("kernel", "filter", "latent_avg")
    assert {n for n in state if not n.endswith(constants)} <= set(back)
    for name, array in back.items():
        if name in state:
            assert array.shape == state[name].shape, name
            assert np.allclose(array, state[name], rtol=0, atol=2e-7), name  # (b + 1) − 1
    if "latent_avg" in state:
        assert np.array_equal(checkpoint.tensors["mapping.w_avg"].numpy(), state["latent_avg"])


def check_config(config: Any, kwargs: dict[str, Any], dialect: str) -> None:
    assert config["resolution"] == kwargs.get(
        "img_resolution", kwargs.get("resolution", kwargs.get("size"))
    )
    z_dim = kwargs.get("z_dim", kwargs.get("z_space_dim", kwargs.get("style_dim")))
    w_dim = kwargs.get("w_dim", kwargs.get("w_space_dim", kwargs.get("style_dim")))
    layers = kwargs.get("mapping_kwargs", {}).get("num_layers")
    layers = layers or kwargs.get("mapping_layers", kwargs.get("n_mlp"))
    assert (config["z_dim"], config["w_dim"]) == (z_dim, w_dim)
    assert config["mapping_layers"] == layers and config["c_dim"] == kwargs.get("c_dim", 0)
    assert (config["img_channels"], config["num_layers"], config["space"]) == (3, 8, "w")
    assert config["architecture"] == "skip" and config["lr_multiplier"] == 0.01
    assert config["demod_scaled"] is (dialect in ("genforce", "rosinality"))


CONTAINERS = {
    "nv_stylegan2_ada.pkl": ("NVIDIA pickle", "nvidia", 256.0),
    "ckpt_rosinality.pt": ("torch zip", "rosinality", None),
    "ckpt_genforce_stylegan2.pth": ("torch zip", "genforce", None),
    "ckpt_hammer_stylegan2.pth": ("torch zip", "hammer", None),
}


@pytest.mark.parametrize("name", CONTAINERS)
def test_published_containers(name):
    container, dialect, clamp = CONTAINERS[name]
    path = GOLDEN / "containers" / name
    found = read_checkpoint(path)
    run = load(f"containers/{path.stem}")
    state, meta = run.state, run.meta
    assert (found.ref, found.path) == (name, path)
    assert (found.container, found.dialect, found.family) == (container, dialect, "stylegan2")
    same_state(found, state)
    check_config(found.config, meta["kwargs"], dialect)
    assert found.config["conv_clamp"] == clamp and found.notes == ()


@pytest.mark.parametrize("suffix", ["pt", "safetensors"])
@pytest.mark.parametrize(
    ("name", "dialect"),
    [
        ("stylegan2_ada_nvidia", "nvidia"),
        ("stylegan2_ada_nvidia_cond", "nvidia"),
        ("stylegan2_rosinality", "rosinality"),
        ("stylegan2_genforce", "genforce"),
        ("stylegan2_hammer", "hammer"),
    ],
)
def test_published_state_dicts_saved_bare(tmp_path, name, dialect, suffix):
    run = load(name)
    state, meta = run.state, run.meta
    path = tmp_path / f"x.{suffix}"
    if suffix == "pt":
        torch.save(remap.tensors(state), path)
    else:
        save_file({key: np.array(array, order="C") for key, array in state.items()}, path)
    found = read_checkpoint(path)
    assert found.dialect == dialect
    same_state(found, state)
    check_config(found.config, meta["kwargs"], dialect)
    conditional = meta["kwargs"].get("c_dim", 0) > 0
    assert found.config["label_mode"] == ("embed" if conditional else None)


@pytest.fixture(scope="module")
def native() -> remap.Native:
    return remap.native_state()


@pytest.mark.parametrize("dialect", remap.WRITERS)
def test_the_same_weights_in_four_layouts(tmp_path, native, dialect):
    found = read_checkpoint(remap.WRITERS[dialect](tmp_path / "x", native))
    assert found.dialect == dialect and found.notes == ()
    tensors = arrays(found)
    assert tensors.keys() == native.keys()
    for name, array in native.items():
        assert np.array_equal(tensors[name], array), name
        assert tensors[name].dtype == np.float32 and tensors[name].flags.c_contiguous
    assert list(tensors) == list(
        read_checkpoint(remap.write_nvidia(tmp_path / "n", native)).tensors
    )


def test_basicsr_is_rosinality_s_under_other_names(tmp_path, native):
    state = remap.tensors(remap.to_basicsr(native))
    torch.save({"params_ema": state, "latent_avg": torch.ones(1, 24)}, tmp_path / "x.pth")
    found = read_checkpoint(tmp_path / "x.pth")
    theirs = read_checkpoint(remap.write_rosinality(tmp_path / "y.pt", native))
    assert (found.dialect, found.notes, found.config) == ("basicsr", (), theirs.config)
    tensors, expected = arrays(found), arrays(theirs)
    expected["mapping.w_avg"] = np.ones(24, np.float32)
    assert list(tensors) == list(expected)
    assert all(np.array_equal(tensors[name], expected[name]) for name in expected)


def test_mmgen_keeps_all_networks_in_one_list(tmp_path, native):
    """MMGeneration: `state_dict` with `generator_ema.` before the names; no mean w is stored."""
    found = read_checkpoint(remap.write_mmgen(tmp_path / "x.pth", native))
    assert (found.dialect, found.family) == ("mmgen", "stylegan2")
    tensors = arrays(found)
    assert tensors.keys() == native.keys() - {"mapping.w_avg"}
    assert all(np.array_equal(array, native[name]) for name, array in tensors.items())
    assert found.config["demod_scaled"] is True and found.config["lr_multiplier"] == 0.01
    assert found.notes == (
        "The file stores no mean w; truncation computes it from 10,000 samples.",
        "MMGeneration trains on BGR pictures: red and blue may be exchanged.",
    )


@pytest.mark.parametrize(
    ("prefix", "inside", "note"),
    [
        ("generator_ema.module.", True, ""),  # mmagic's averager, which counts steps beside it
        ("generator_ema.", False, ""),
        ("generator.", True, "no averaged generator; 'state_dict.generator' is used"),
        ("", False, ""),
    ],
)
def test_mmgen_under_other_names(tmp_path, native, prefix, inside, note):
    state = {f"{prefix}{n}": t for n, t in remap.tensors(remap.to_mmgen(native)).items()}
    if "module" in prefix:
        state["generator_ema.steps"] = torch.tensor(3)
    torch.save({"state_dict": state} if inside else state, tmp_path / "x.pth")
    found = read_checkpoint(tmp_path / "x.pth")
    assert found.dialect == "mmgen" and len(found.tensors) == len(native) - 1
    assert not note or note in found.notes[-1]


@pytest.mark.parametrize("dialect", ["rosinality", "genforce", "hammer"])
def test_legacy_torch_files(tmp_path, native, dialect):
    path = remap.WRITERS[dialect](tmp_path / "x", native, _use_new_zipfile_serialization=False)
    found = read_checkpoint(path)
    assert (found.container, found.dialect) == ("torch legacy", dialect)
    assert all(np.array_equal(array, native[name]) for name, array in arrays(found).items())


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("bare", [True, False])
def test_nvidia_pickles_of_every_protocol(tmp_path, native, protocol, bare):
    found = read_checkpoint(
        remap.write_nvidia(tmp_path / "x", native, protocol=protocol, bare=bare)
    )
    assert found.container == "NVIDIA pickle"
    assert all(np.array_equal(array, native[name]) for name, array in arrays(found).items())


@pytest.mark.parametrize("architecture", ["skip", "orig", "resnet"])
@pytest.mark.parametrize("dialect", ["nvidia", "hammer"])
def test_architectures(tmp_path, architecture, dialect):
    weights = remap.native_state(architecture=architecture)
    found = read_checkpoint(remap.WRITERS[dialect](tmp_path / "x", weights))
    assert found.config["architecture"] == architecture
    assert found.tensors.keys() == weights.keys()
    assert all(np.array_equal(array, weights[name]) for name, array in arrays(found).items())


@pytest.mark.parametrize("dialect", ["nvidia", "hammer"])
def test_labels_that_are_embedded(tmp_path, dialect):
    found = read_checkpoint(remap.WRITERS[dialect](tmp_path / "x", remap.native_state(c_dim=5)))
    config = found.config
    assert (config["z_dim"], config["c_dim"], config["label_mode"]) == (16, 5, "embed")


def test_labels_that_are_concatenated(tmp_path):
    """genforce: the label's row of `label_weight` beside z, then both normalized as one."""
    weights = remap.native_state(z_dim=32)
    state = {**remap.to_genforce(weights), "mapping.label_weight": np.ones((5, 16), np.float32)}
    torch.save(remap.tensors(state), tmp_path / "x.pth")
    found = read_checkpoint(tmp_path / "x.pth")
    config = found.config
    assert (config["z_dim"], config["c_dim"], config["label_mode"]) == (16, 5, "concat")
    assert found.tensors["mapping.label_weight"].shape == (5, 16)


def test_any_width_depth_and_resolution(tmp_path):
    for resolution, base, most, layers in ((4, 64, 7, 1), (8, 100, 90, 2), (128, 512, 64, 8)):
        weights = remap.native_state(resolution, 9, 11, 0, layers, base, most)
        found = read_checkpoint(remap.write_rosinality(tmp_path / "x", weights))
        blocks = len(remap.resolutions(weights))
        assert found.config["resolution"] == resolution
        assert found.config["num_layers"] == 2 * blocks
        assert found.config["mapping_layers"] == layers


def test_pictures_that_are_not_square(tmp_path):
    weights = remap.native_state(start=(4, 6))
    found = read_checkpoint(remap.write_nvidia(tmp_path / "x", weights))
    assert found.config["resolution"] == 48
    assert (found.config["const_height"], found.config["const_width"]) == (4, 6)


@pytest.mark.parametrize("prefix", ["module.", "_orig_mod."])
def test_prefixes_of_wrappers(tmp_path, native, prefix):
    state = {f"{prefix}{n}": t for n, t in remap.tensors(remap.to_rosinality(native)[0]).items()}
    torch.save({"g_ema": state, "latent_avg": torch.ones(24)}, tmp_path / "x.pt")
    found = read_checkpoint(tmp_path / "x.pt")
    assert found.dialect == "rosinality" and found.tensors["mapping.w_avg"].numpy()[0] == 1


def test_averaged_weights_are_chosen_and_others_noted(tmp_path, native):
    state = remap.tensors(remap.to_genforce(native))
    torch.save({"generator": state, "discriminator": {}}, tmp_path / "x.pth")
    found = read_checkpoint(tmp_path / "x.pth")
    assert found.notes == ("The file holds no averaged generator; 'generator' is used.",)


def test_a_file_without_mean_or_noise_says_so(tmp_path, native):
    state = remap.to_rosinality(native)[0]
    kept = {name: array for name, array in state.items() if not name.startswith("noises")}
    torch.save({"g_ema": remap.tensors(kept)}, tmp_path / "x.pt")
    found = read_checkpoint(tmp_path / "x.pt")
    assert "mapping.w_avg" not in found.tensors
    assert [note.split(";")[0] for note in found.notes] == [
        "The file stores no mean w",
        "The file stores no noise maps",
    ]


@pytest.mark.parametrize("shape", [(24,), (1, 24), (8, 24)])
def test_means_of_several_shapes(tmp_path, native, shape):
    mean = np.broadcast_to(np.arange(24, dtype=np.float32), shape)
    state = remap.tensors(remap.to_rosinality(native)[0])
    torch.save({"g_ema": state, "latent_avg": torch.from_numpy(mean.copy())}, tmp_path / "x.pt")
    found = read_checkpoint(tmp_path / "x.pt").tensors["mapping.w_avg"]
    assert found.shape == (24,) and np.array_equal(found.numpy(), np.arange(24))


def test_another_resampling_kernel_is_kept(tmp_path, native):
    state = remap.to_rosinality(native)[0]
    kernel = np.outer([1, 2, 2, 1], [1, 2, 2, 1]).astype(np.float32)
    for name in state:
        if name.endswith("kernel"):
            state[name] = kernel
    torch.save({"g_ema": remap.tensors(state)}, tmp_path / "x.pt")
    found = read_checkpoint(tmp_path / "x.pt").tensors["synthesis.resample_filter"]
    assert np.allclose(found.numpy(), kernel / 36)


NVIDIA_SETTINGS: dict[str, tuple[dict[str, Any], dict[str, Any], float | None]] = {
    "ADA, default": ({"synthesis_kwargs": {}}, {}, None),
    "ADA, clamped": ({"synthesis_kwargs": {"conv_clamp": 256}}, {}, 256.0),
    "stylegan3, default": ({"z_dim": 16}, {}, 256.0),
    "stylegan3, unclamped": ({"conv_clamp": None}, {}, None),
    "attributes win": ({"synthesis_kwargs": {}}, {"conv_clamp": 128}, 128.0),
}


@pytest.mark.parametrize("case", NVIDIA_SETTINGS)
def test_settings_of_nvidia_pickles(tmp_path, native, case):
    kwargs, attributes, clamp = NVIDIA_SETTINGS[case]
    network = remap.nvidia_module(native, kwargs, **attributes)
    remap.dump_nvidia(tmp_path / "x", {"G_ema": network})
    config = read_checkpoint(tmp_path / "x").config
    assert config["conv_clamp"] == clamp and config["lr_multiplier"] == 0.01


def test_odd_arguments_and_activations_are_noted(tmp_path, native):
    kwargs = {"synthesis_kwargs": {"init_res": [4, 6]}, "magic": 1}
    found = read_checkpoint(remap.write_nvidia(tmp_path / "x", native, kwargs, activation="sine"))
    assert found.notes == (
        "Built with arguments that are not known here: 'magic', 'init_res'. Pictures may differ.",
        "synthesis.b4.conv1 has the activation 'sine'; lrelu is used.",
    )


def test_names_of_no_use_are_noted(tmp_path, native):
    extra = {**native, "encoder.weight": np.ones(3, np.float32)}
    remap.write_state_dict(tmp_path / "x", extra)
    found = read_checkpoint(tmp_path / "x")
    assert found.tensors.keys() == native.keys()
    assert found.notes == ("Not part of a known generator, left out: 'encoder.weight'.",)


def test_scalars_that_were_saved_as_vectors(tmp_path, native):
    """`np.ascontiguousarray` makes a vector of every scalar; converters use it."""
    save_file({name: np.ascontiguousarray(array) for name, array in native.items()}, tmp_path / "x")
    strength = read_checkpoint(tmp_path / "x").tensors["synthesis.b4.conv1.noise_strength"]
    assert strength.shape == strength.numpy().shape == strength.float32().shape == ()


def test_half_precision(tmp_path, native):
    half = {name: tensor.half() for name, tensor in remap.tensors(native).items()}
    torch.save(half, tmp_path / "x.pt")
    found = read_checkpoint(tmp_path / "x.pt").tensors["synthesis.b8.conv0.affine.weight"]
    assert found.dtype == "float16" and found.float32().dtype == np.float32


def test_live_modules_of_other_code_bases(tmp_path, native):
    """`torch.save(generator)` of a whole module: its class is not needed."""
    module = remap.live_module(remap.to_rosinality(native)[0])
    with remap.importable(type(module)):
        torch.save({"g_ema": module, "latent_avg": torch.ones(24)}, tmp_path / "x.pt")
    found = read_checkpoint(tmp_path / "x.pt")
    assert found.dialect == "rosinality"
    assert np.array_equal(found.tensors["synthesis.b4.const"].numpy(), native["synthesis.b4.const"])
    assert np.array_equal(found.tensors["mapping.w_avg"].numpy(), np.ones(24))
    assert found.notes == ("Nothing in the file was run; it would have called 'model.Generator'.",)


# What is no StyleGAN2, or no whole one


def broken(native: remap.Native, name: str, array: np.ndarray | None) -> remap.Native:
    state = {key: value for key, value in native.items() if key != name}
    return state if array is None else {**state, name: array}


@pytest.mark.parametrize(
    ("name", "shape", "words"),
    [
        ("synthesis.b8.conv0.weight", None, "synthesis.b8.conv0.weight is missing"),
        ("synthesis.b8.conv0.weight", (20, 20, 3, 4), r"\(20, 20, 3, 4\) and not"),
        ("synthesis.b8.conv0.weight", (20, 19, 3, 3), r"\(20, 19, 3, 3\) and not \(20, 20, 3, 3\)"),
        ("synthesis.b8.conv1.affine.weight", (20, 23), r"\(20, 23\) and not \(20, 24\)"),
        ("synthesis.b16.torgb.bias", (4,), r"\(4,\) and not \(3,\)"),
        ("synthesis.b32.conv1.noise_const", (16, 16), r"\(16, 16\) and not \(32, 32\)"),
        ("synthesis.b4.const", (20, 16), r"has the shape \(20, 16\)"),
        ("synthesis.b4.conv1.weight", (0, 20, 3, 3), "has the shape"),
        ("synthesis.b128.conv1.bias", (3,), "block synthesis.b64 is missing"),
        ("synthesis.b7.conv1.bias", (3,), "block synthesis.b64 is missing"),
        ("mapping.fc1.weight", (24, 25), r"\(24, 25\) and not \(24, 24\)"),
        ("mapping.fc2.weight", (25, 24), "mapping.fc2.bias has the shape"),
        ("mapping.w_avg", (8, 24), r"\(8, 24\) and not \(24,\)"),
        ("mapping.embed.weight", (16, 5), "mapping.embed.bias is missing"),
    ],
)
def test_the_first_tensor_that_does_not_fit_is_named(tmp_path, native, name, shape, words):
    array = None if shape is None else np.zeros(shape, np.float32)
    remap.write_state_dict(tmp_path / "x", broken(native, name, array))
    with pytest.raises(SefaError, match=words) as refused:
        read_checkpoint(tmp_path / "x")
    assert str(refused.value).startswith(f"{tmp_path}/x looks like a StyleGAN2 ge")


def test_the_file_s_own_name_is_told(tmp_path, native):
    state = remap.to_rosinality(native)[0]
    state["convs.0.conv.weight"] = np.zeros((1, 2, 2, 3, 3), np.float32)
    torch.save({"g_ema": remap.tensors(state)}, tmp_path / "x.pt")
    with pytest.raises(SefaError, match=r"\('convs\.0\.conv\.weight' in the file\)"):
        read_checkpoint(tmp_path / "x.pt")


def test_two_names_for_one_tensor_are_refused(tmp_path, native):
    state = remap.to_rosinality(native)[0]
    state["convs.00.conv.weight"] = state["convs.0.conv.weight"]
    torch.save({"g_ema": remap.tensors(state)}, tmp_path / "x.pt")
    with pytest.raises(SefaError, match="are the same"):
        read_checkpoint(tmp_path / "x.pt")


def test_a_name_that_holds_no_tensor_is_refused(tmp_path, native):
    torch.save({**remap.tensors(native), "mapping.fc1.bias": "text"}, tmp_path / "x.pt")
    with pytest.raises(SefaError, match=r"'mapping\.fc1\.bias' should be a tensor"):
        read_checkpoint(tmp_path / "x.pt")


def test_strangers_are_described(tmp_path):
    names = ("layer.weight", "layer.bias", "head\n\x1b[31m.weight", "z", "last")
    torch.save({name: torch.zeros(2) for name in names}, tmp_path / "x.pt")
    with pytest.raises(SefaError) as refused:
        read_checkpoint(tmp_path / "x.pt")
    assert str(refused.value) == (
        f"{tmp_path}/x.pt (torch zip) holds no known generator; its first names: "
        "'layer.weight', 'layer.bias', 'head\\n\\x1b[31m.weight', 'z'; "
        f"expected a generator: {either(built_in())}. "
        "`sefa.factorize_tensors(FILE, PATTERN)` takes matrices of any file by their names."
    )


def test_half_known_files_tell_what_they_resemble(tmp_path, native):
    state = remap.to_rosinality(native)[0]
    torch.save({"g_ema": remap.tensors(broken(state, "input.input", None))}, tmp_path / "x.pt")
    words = "most resembles stylegan2 as rosinality writes it, but 'input.input' is missing"
    with pytest.raises(SefaError, match=words):
        read_checkpoint(tmp_path / "x.pt")


def test_names_are_told_of_the_network_inside(tmp_path):
    """GFPGAN's network is in `params_ema` as well, and is more than a generator."""
    names = ("conv_body_first.weight", "style_mlp.1.weight", "to_rgb1.bias")
    torch.save({"params_ema": {name: torch.zeros(2) for name in names}}, tmp_path / "x.pth")
    with pytest.raises(SefaError, match=r"first names: 'conv_body_first\.weight'.*as basicsr w"):
        read_checkpoint(tmp_path / "x.pth")


def test_files_without_tensors(tmp_path):
    contents: list[Any] = [{}, [], 5, None, {"a": {}}, {1: 2}]
    for content in contents:
        torch.save(content, tmp_path / "x.pt")
        with pytest.raises(SefaError, match="torch zip"):
            read_checkpoint(tmp_path / "x.pt")
