"""BigGAN and BigGAN-deep of MMGeneration and mmagic: published numbers, and one model with others.

The golden files hold random weights and pictures of mmagic 1.2.0, run once. The same weights are
written under Hugging Face's and the author's names here, apart from the reader's tables.
"""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from sefa_cli.containers.checkpoint import Checkpoint
from sefa_cli.errors import SefaError
from sefa_cli.families.build import build
from sefa_cli.families.reading import read_checkpoint
from sefa_cli.projections import fingerprint
from tests.helpers.golden import load
from tests.helpers.remap import tensors

State = dict[str, np.ndarray]

BGR = "MMGeneration trains on BGR pictures: red and blue may be exchanged."


def written(path: Path, state: State, prefix: str = "generator_ema.") -> Checkpoint:
    """Read back as MMGeneration writes it: with another generator and the discriminator."""
    other = {f"generator.{name}": array * 0 for name, array in state.items()}
    ours = {f"{prefix}{name}": array for name, array in state.items()}
    discriminator = {"discriminator.decision.bias": np.zeros(1, np.float32)}
    every = tensors({**other, **discriminator, **ours})
    torch.save({"meta": {"mmgen_version": "0.7.3"}, "state_dict": every}, path)
    return read_checkpoint(path)


def saved(path: Path, state: State) -> Checkpoint:
    torch.save(tensors(state), path)
    return read_checkpoint(path)


LAYERS = {"biggan_deep_mmagic": 17, "biggan_mmagic": 5, "biggan_onehot_mmagic": 1}


@pytest.mark.parametrize("name", LAYERS)
def test_pictures_are_the_published_ones(tmp_path: Path, name: str) -> None:
    run = load(name)
    meta, state, every = run.meta, run.state, run.tensors
    found = written(tmp_path / "x.pth", state)
    assert (found.family, found.dialect, found.notes) == ("biggan", "mmgen", (BGR,))
    asked = meta["kwargs"]
    assert (found.config["z_dim"], found.config["c_dim"]) == (asked["noise_size"], 5)
    assert (found.config["resolution"], found.config["num_layers"]) == (16, LAYERS[name])
    picture = build(found, "cpu").synthesize(every["in/z"], every["in/label"])
    worst = np.abs(picture.numpy() - every["out/image"]).max()
    assert worst < 10 * meta["noise_floor_maxabs"]["image"]


# The deep one and Hugging Face's


def to_hugging_face(state: State) -> State:
    """Eight colors of which three count, and statistics of 51 truncations of which 1 is here."""
    attention = next(int(n.split(".")[1]) for n in state if n.endswith(".gamma"))
    out: State = {}
    for name, array in state.items():
        name = re.sub(r"^noise2feat", "generator.gen_z", name)
        name = re.sub(r"^conv_blocks", "generator.layers", name)
        name = re.sub(r"\.(bn|conv)(\d)", lambda m: f".{m[1]}_{int(m[2]) - 1}", name)
        name = re.sub(r"\.gain\.", ".scale.", re.sub(r"(bn_\d)\.bias\.", r"\1.offset.", name))
        name = re.sub(rf"layers\.{attention}\.(theta|phi|g|o)\.", r"layers.*.snconv1x1_\1.", name)
        name = name.replace("*", str(attention)).replace("snconv1x1_o.", "snconv1x1_o_conv.")
        name = name.replace("output_layer.conv", "generator.conv_to_rgb")
        name = name.replace("output_layer.bn", "generator.bn").replace("bn.bn.", "bn.")
        name = name.replace(".conv.", ".").replace(".bn.running", ".running")
        name = name.replace("generator.running", "generator.bn.running")
        if name == "shared_embedding.weight":
            name, array = "embeddings.weight", array.T
        elif name.endswith(("running_mean", "running_var")):
            name, array = f"{name}s", np.concatenate([np.ones((50, len(array))), array[None]])
        elif name.startswith("generator.conv_to_rgb") and not name.endswith("_v"):
            array = np.concatenate([array, np.zeros((5, *array.shape[1:]))])
        elif name.endswith("num_batches_tracked"):
            continue
        out[name] = array.astype(np.float32)
    return out


def test_deep_is_one_model_with_hugging_face_s(tmp_path: Path) -> None:
    run = load("biggan_deep_mmagic")
    state, every = run.state, run.tensors
    ours = written(tmp_path / "x.pth", state)
    layers = [[False, 2, 2], [True, 2, 1], [False, 1, 1], [True, 1, 1]]
    config = {"layers": layers, "attention_layer_position": 2, "eps": 1e-5}
    (tmp_path / "config.json").write_text(json.dumps(config))
    theirs = saved(tmp_path / "pytorch_model.bin", to_hugging_face(state))
    assert (theirs.dialect, theirs.notes) == ("huggingface", ())
    assert fingerprint(ours) == fingerprint(theirs) and ours.config == theirs.config
    one, two = (build(each, "cpu") for each in (ours, theirs))
    there = dict(two.named_parameters())
    for name, weight in one.named_parameters():
        truncation = name.endswith(("mean", "var"))  # the one here is the last there
        rows = slice(-1, None) if truncation else slice(3) if "to_rgb" in name else ...
        assert torch.equal(weight, there[name][rows]), name
    # The last convolution has 8 outputs there, of which 3 are shown: for another number of outputs
    # torch may take another kernel, by the processor, which sums 72 products in another order.
    pictures = [g.synthesize(every["in/z"], every["in/label"], 1.0) for g in (one, two)]
    torch.testing.assert_close(*pictures, rtol=0, atol=1e-6)


# The other one and the author's


def to_author(state: State) -> State:
    """Attention lies beside the block before it, and is not counted."""
    attention = next(int(n.split(".")[1]) for n in state if n.endswith(".gamma"))
    out: State = {}
    for name, array in state.items():
        if match := re.fullmatch(r"conv_blocks\.(\d+)\.(.*)", name):
            number, rest = int(match[1]), match[2]
            block = number - (number >= attention)
            rest = rest.replace("shortcut.conv", "conv_sc").replace(".bn.", ".stored_")
            rest = rest.replace("stored_running", "stored").replace(".conv.", ".")
            name = f"blocks.{block}.{int(number == attention)}.{rest}"
        name = name.replace("noise2feat", "linear").replace("shared_embedding", "shared")
        name = name.replace("output_layer.conv", "output_layer.2")
        name = re.sub(r"output_layer\.bn\.(?:running)?", "output_layer.0.", name)
        name = name.replace("output_layer.0.weight", "output_layer.0.gain")
        out[re.sub(r"output_layer\.0\._(mean|var)", r"output_layer.0.stored_\1", name)] = array
    return out


def torch_normalized(state: State) -> State:
    """Its spectral norm as torch has it: both vectors, those of one step from the stored one."""
    out: State = {}
    for name, array in state.items():
        stem, part = name.rpartition(".")[::2]
        if part == "u0":
            matrix = torch.from_numpy(state[f"{stem}.weight"]).flatten(1)
            v = F.normalize(torch.from_numpy(array)[0] @ matrix, dim=0)
            out[f"{stem}.weight_v"] = v.numpy()
            out[f"{stem}.weight_u"] = F.normalize(matrix @ v, dim=0).numpy()
        elif part == "weight" and f"{stem}.u0" in state:
            out[f"{stem}.weight_orig"] = array
        elif part != "sv0":
            out[name] = array
    return out


def test_one_model_with_the_author_s(tmp_path: Path) -> None:
    run = load("biggan_mmagic")
    state, every = run.state, run.tensors
    found = [
        written(tmp_path / "x.pth", state),
        saved(tmp_path / "G_ema.pth", to_author(state)),
        written(tmp_path / "y.pth", torch_normalized(state)),
    ]
    assert [each.dialect for each in found] == ["mmgen", "ajbrock", "mmgen"]
    assert len({fingerprint(each) for each in found}) == 1
    assert found[0].config == found[1].config == found[2].config
    one, two, three = (
        build(each, "cpu").synthesize(every["in/z"], every["in/label"]) for each in found
    )
    assert torch.equal(one, two)
    assert (one - three).abs().max() < 1e-6


def test_every_averager_and_name(tmp_path: Path) -> None:
    """mmagic's averager wraps the generator and counts; files of others' weights are called rgb."""
    state = load("biggan_deep_mmagic").state
    plain = written(tmp_path / "biggan-deep_imagenet1k_128x128_cvt_hugging-face_rgb_1.pth", state)
    assert plain.notes == ()
    state["steps"] = np.zeros((), np.int64)  # gets the prefix as well
    wrapped = {name if name == "steps" else f"module.{name}": a for name, a in state.items()}
    averaged = written(tmp_path / "x.pth", wrapped)
    assert averaged.notes == (BGR,)
    assert fingerprint(plain) == fingerprint(averaged) == fingerprint(
        saved(tmp_path / "y.pth", {n: a for n, a in state.items() if n != "steps"})
    )  # fmt: skip


def test_what_is_none_of_these_is_told_by_its_first_misfit(tmp_path: Path) -> None:
    state = load("biggan_onehot_mmagic").state
    many = {
        n: a.repeat(400, 0) if re.search(r"n\d\.(gain|bias)", n) else a for n, a in state.items()
    }
    with pytest.raises(SefaError, match=r"\(mmgen\), but embedding\.weight is missing"):
        written(tmp_path / "x.pth", many)  # of 2,000 classes: that matrix would come from nowhere
    state = load("biggan_deep_mmagic").state
    without = {name: a for name, a in state.items() if not name.startswith("shared_embedding")}
    with pytest.raises(
        SefaError, match=r"biggan as mmgen writes it, but 'shared_embedding\.weight' is missing"
    ):
        written(tmp_path / "x.pth", without)
    blind = {n: a[:, 8:] if ".gain.w" in n and a.ndim == 2 else a for n, a in state.items()}
    with pytest.raises(SefaError, match=r"\(mmgen\), but blocks\.0\.bn0 does not see z"):
        written(tmp_path / "x.pth", blind)
    state["conv_blocks.3.conv2.conv.bias"] = np.zeros(7, np.float32)
    with pytest.raises(SefaError, match=r"conv_blocks\.3\.conv2\.conv\.bias' in the file"):
        written(tmp_path / "x.pth", state)
