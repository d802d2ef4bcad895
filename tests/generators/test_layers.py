"""Layers that several families share."""

import pytest
import torch
import torch.nn.functional as F

from sefa_cli.generators import layers
from sefa_cli.generators.layers import fast_layout, per_sample, pointwise


@pytest.mark.parametrize("kernels", [1, 2], ids=["one kernel", "a kernel for each sample"])
def test_pointwise_is_a_convolution_in_any_layout(
    kernels: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A product only where it is faster: channels first, it took 9 to 60 times as long."""
    x, weight = torch.randn(2, 8, 5, 6), torch.randn(kernels, 3, 8, 1, 1)
    true = torch.cat([F.conv2d(x[i : i + 1], weight[i % kernels]) for i in range(2)])
    assert torch.allclose(pointwise(x, weight), true, atol=1e-5)
    calls: list[int] = []
    monkeypatch.setattr(layers, "per_sample", lambda *args: calls.append(1) or per_sample(*args))
    assert torch.allclose(pointwise(fast_layout(x), weight), true, atol=1e-5) and not calls
    pointwise(x, weight)
    assert calls


def test_one_sample_keeps_its_layout() -> None:
    x = fast_layout(torch.randn(1, 6, 8, 8))
    kernels = torch.randn(1, 6, 1, 3, 3)
    convolved = per_sample(F.conv2d, x, kernels, groups=6, padding=1)
    assert convolved.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(convolved, F.conv2d(x, kernels[0], groups=6, padding=1))
