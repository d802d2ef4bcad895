"""Torch and our own reader read the files written without torch."""

import io
from pathlib import Path

import numpy as np
import torch

from sefa_cli.interchange.torch_writer import torch_archive


def test_torch_reads_a_dict() -> None:
    matrix = np.arange(12.0).reshape(3, 4)
    data = torch_archive({"name": "grün", "a": matrix, "b": matrix.T, "empty": matrix[:0]})
    read = torch.load(io.BytesIO(data), weights_only=True)
    assert read["name"] == "grün" and read["a"].dtype == torch.float32
    np.testing.assert_array_equal(read["a"], matrix)
    np.testing.assert_array_equal(read["b"], matrix.T)
    assert read["b"].is_contiguous() and read["empty"].shape == (0, 4)


def test_torch_reads_a_tensor_and_maps_it(tmp_path: Path) -> None:
    (tmp_path / "x.pt").write_bytes(torch_archive(np.ones((1, 8))))
    read = torch.load(tmp_path / "x.pt", weights_only=True, mmap=True)
    assert torch.equal(read, torch.ones(1, 8)) and not read.requires_grad


def test_torch_saves_the_same_again() -> None:
    """Torch writes the same pickle again, except for its own spelling."""
    read = torch.load(io.BytesIO(torch_archive({"a": np.eye(3)})), weights_only=True)
    file = io.BytesIO()
    torch.save(read, file)
    assert torch.equal(torch.load(io.BytesIO(file.getvalue()))["a"], torch.eye(3))


def test_equal_content_equal_bytes() -> None:
    assert torch_archive({"a": np.eye(3)}) == torch_archive({"a": np.eye(3)})
