"""A checkpoint becomes a generator on a device, or an error says why not."""

import dataclasses
import re

import pytest
import torch

from sefa_cli.errors import SefaError
from sefa_cli.families.build import build
from sefa_cli.families.registry import built_in
from sefa_cli.generators.devices import pick_device
from tests.helpers import networks


@pytest.mark.parametrize("family", built_in())
def test_every_family_has_its_class(family: str) -> None:
    generator = build(getattr(networks, family)(), "cpu")
    assert type(generator).__module__ == f"sefa_cli.families.{family}.network"
    assert generator.family == family
    assert not generator.training


def test_an_unknown_family_is_named_beside_those_known() -> None:
    odd = dataclasses.replace(networks.stylegan2(), family="vqgan")
    with pytest.raises(SefaError, match=r"'vqgan'.*mobilestylegan.*, stylegan2"):
        build(odd)


def test_weights_move_with_the_generator() -> None:
    generator = build(networks.mobilestylegan(), "cpu").to("meta")
    assert generator.device == torch.device("meta")
    assert {tensor.device.type for tensor in generator.state_dict().values()} == {"meta"}
    assert {buffer.device.type for buffer in generator.buffers()} == {"meta"}


def test_kernels_lie_as_the_device_takes_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """On CPUs torch would copy them for every picture; others choose by them how to compute."""

    def kernels(where: str) -> list[torch.Tensor]:
        monkeypatch.setattr("sefa_cli.families.build.pick_device", lambda _: torch.device(where))
        named = build(networks.stylegan2()).named_parameters()
        convs = {name: weight for name, weight in named if re.search(r"conv[01]\.weight", name)}
        return [w.transpose(0, 1) if "conv0" in name else w for name, w in convs.items()]

    here = kernels("cpu")
    assert len(here) == 5
    assert all(kernel.is_contiguous(memory_format=torch.channels_last) for kernel in here)
    for kernel in kernels("meta"):
        assert kernel.is_contiguous() or kernel.transpose(0, 1).is_contiguous()


@pytest.mark.parametrize(
    ("cuda", "mps", "expected"),
    [(True, True, "cuda"), (False, True, "mps"), (False, False, "cpu")],
)
def test_auto_takes_the_best_there_is(
    monkeypatch: pytest.MonkeyPatch, cuda: bool, mps: bool, expected: str
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert pick_device("auto").type == expected


@pytest.mark.parametrize("name", ["cuda", "mps", "cuda:7", "tpu", "", "meta"])
def test_a_device_that_is_not_there(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(SefaError, match=r"auto(, cpu| or cpu)"):
        pick_device(name)


def test_a_second_gpu_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    assert pick_device("cuda:0") == torch.device("cuda:0")
    with pytest.raises(SefaError, match="cuda:1"):
        pick_device("cuda:1")
    for index in (128, 200, 256, 9999):  # torch keeps 8 bits: 256 would be the first
        with pytest.raises(SefaError, match=f"cuda:{index} cannot be used here: there are 1 GPUs"):
            pick_device(f"cuda:{index}")
    for odd in ("cudax", "cuda:01", "cuda:", "cuda:-1", "cuda:99999", "cuda:٣"):
        with pytest.raises(SefaError, match="unknown device"):
            pick_device(odd)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("family", built_in())
def test_a_gpu_paints_the_same(family: str) -> None:
    made = getattr(networks, family)()
    here, there = build(made, "cpu"), build(made, "cuda")
    codes = here.map(here.sample(range(10)))
    pictures = there.synthesize(codes)
    assert pictures.device.type == "cuda"
    expected = here.synthesize(codes)
    assert (pictures.cpu() - expected).abs().max() < 1e-2 * expected.abs().max()  # TF32
