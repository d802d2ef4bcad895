"""What torch and numpy pickle reads as the same numbers, and their forgeries are refused."""

import io
import pickle
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from sefa_cli.containers.file_regions import Storage, mapped
from sefa_cli.containers.inert import Global, Record
from sefa_cli.containers.pickle.reader import read_pickle
from sefa_cli.containers.tensor_records import as_number, as_tensor, typed_storage
from sefa_cli.errors import SefaError
from sefa_cli.families.reading import _open

HERE = Path("x.pkl")
DTYPES = [
    *(torch.float64, torch.float32, torch.float16, torch.bfloat16),
    *(torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool),
]


def no_storage(reference: object) -> Storage:
    raise AssertionError(f"nothing should point to {reference}")


def read_back(path: Path, content: object, **options: Any) -> list[np.ndarray]:
    """The tensors of a saved list, by our reader."""
    torch.save(content, path, **options)
    with mapped(path) as data:
        contents = _open(data, path)
        tensors = [contents.tensor(leaf) for leaf in contents.tree]
    return [tensor.numpy() for tensor in tensors]


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_torch_tensors_of_every_kind(tmp_path, dtype, zipped):
    numbers = (torch.arange(24) - 3).to(dtype).reshape(2, 3, 4)
    views = [numbers, numbers[1:, ::2], numbers.permute(2, 0, 1), numbers[0, 0, 0], numbers[:0]]
    found = read_back(tmp_path / "t.pt", views, _use_new_zipfile_serialization=zipped)
    for view, array in zip(views, found, strict=True):
        expected = view.float() if dtype is torch.bfloat16 else view
        assert array.dtype == expected.numpy().dtype
        assert np.array_equal(array, expected.numpy())
        assert array.flags.c_contiguous and array.shape == tuple(view.shape)


@pytest.mark.parametrize("zipped", [True, False])
def test_parameters_expanded_and_shared_tensors(tmp_path, zipped):
    base = torch.randn(5, 7)
    parameter = torch.nn.Parameter(base.clone())
    tagged = torch.nn.Parameter(base[:2].clone())
    tagged.__dict__["tag"] = "kept in the state"  # makes torch write _rebuild_parameter_with_state
    tensors = [base, base, base.t(), parameter, tagged, base[0].expand(3, 7)]
    found = read_back(tmp_path / "t.pt", tensors, _use_new_zipfile_serialization=zipped)
    for tensor, array in zip(tensors, found, strict=True):
        assert np.array_equal(array, tensor.detach().numpy())


def test_newer_dtypes_come_as_untyped_storages(tmp_path):
    """torch writes `_rebuild_tensor_v3` for dtypes without a storage class."""
    tensor = torch.tensor([[1, 2, 60_000]], dtype=torch.uint16)
    try:
        torch.save(tensor, io.BytesIO())
    except KeyError:
        pytest.skip("torch 2.5 cannot write such dtypes")
    assert np.array_equal(read_back(tmp_path / "t.pt", [tensor])[0], tensor.numpy())


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("kind", ["<f4", ">f4", "<f8", "<f2", "<i8", "|u1", "|b1"])
def test_numpy_arrays(tmp_path, protocol, order, kind):
    array = np.array(np.arange(24).reshape(2, 3, 4), dtype=kind, order=order)
    path = tmp_path / "a.pkl"
    path.write_bytes(pickle.dumps(array, protocol))
    with mapped(path) as data:
        tensor = as_tensor(read_pickle(data, path).value, no_storage)
    assert tensor is not None and tensor.shape == (2, 3, 4)
    assert np.array_equal(tensor.numpy(), array) and tensor.numpy().dtype.isnative


@pytest.mark.parametrize("protocol", range(6))
def test_numpy_scalars(protocol):
    for value in (np.float64(0.25), np.float32(1.5), np.int64(-7), np.bool_(True)):
        found = as_number(read_pickle(pickle.dumps(value, protocol), HERE).value)
        assert found == value.item() and type(found) is type(value.item())
    assert as_number(0.01) == 0.01 and as_number(None) is None
    assert as_number(Record(Global("m", "f"))) is None


def test_scalar_arrays_and_empty_ones():
    for array in (np.float32(3), np.array(3.5), np.zeros((0, 4), np.float32)):
        found = as_tensor(read_pickle(pickle.dumps(array), HERE).value, no_storage)
        assert found is not None and np.array_equal(found.numpy(), array)


def test_other_leaves_are_no_tensors():
    leaves = [None, 3, "text", [], {}, Record(Global("argparse", "Namespace")), Record(5)]
    for leaf in leaves:
        assert as_tensor(leaf, no_storage) is None


@pytest.mark.parametrize("array", [np.array(["a"]), np.array([None]), np.zeros(2, "c16")])
def test_arrays_of_other_kinds_are_refused(array):
    with pytest.raises(SefaError, match="numpy array of the kind"):
        as_tensor(read_pickle(pickle.dumps(array), HERE).value, no_storage)


def test_complex_tensors_are_refused(tmp_path):
    with pytest.raises(SefaError, match="ComplexFloatStorage"):
        read_back(tmp_path / "t.pt", [torch.zeros(3, dtype=torch.complex64)])


def forged(*args: object, name: str = "_rebuild_tensor_v2") -> Record:
    return Record(Global("torch._utils", name), args)


FORGERIES = {
    "no arguments": forged(),
    "few arguments": forged("s", 0, (2,)),
    "offset is text": forged("s", "0", (2,), (1,)),
    "offset below zero": forged("s", -1, (2,), (1,)),
    "shape is a number": forged("s", 0, 2, (1,)),
    "shape of texts": forged("s", 0, ("2",), (1,)),
    "shape of truths": forged("s", 0, (True,), (1,)),
    "shape beyond": forged("s", 0, (5,), (1,)),
    "shape absurd": forged("s", 0, (1 << 62,), (0,)),
    "shape of 2^70": forged("s", 0, (1 << 70,), (0,)),
    "a million axes": forged("s", 0, (1,) * 1_000_000, (1,) * 1_000_000),
    "stride below zero": forged("s", 3, (2,), (-1,)),
    "wrapped in itself": (lambda r: (setattr(r, "args", (r,)), r)[1])(
        forged(name="_rebuild_parameter")
    ),
    "unknown dtype": forged(
        "s", 0, (2,), (1,), 0, 0, Global("os", "system"), name="_rebuild_tensor_v3"
    ),
    "a kind of two lines": forged(
        "s", 0, (2,), (1,), 0, 0, Global("a\nb", "c\x1b"), name="_rebuild_tensor_v3"
    ),
    "array of odd text": Record(
        Global("numpy.core.multiarray", "_reconstruct"),
        state=(1, (9,), Record(Global("numpy", "dtype"), ("f4",)), False, "Ω" * 8),
    ),
    "array without state": Record(Global("numpy.core.multiarray", "_reconstruct")),
    "array of no dtype": Record(
        Global("numpy.core.multiarray", "_reconstruct"), state=(1, (2,), "f4", False, b"12345678")
    ),
}


@pytest.mark.parametrize("leaf", FORGERIES.values(), ids=FORGERIES)
def test_forged_tensors_are_refused(leaf):
    four = typed_storage(Global("torch", "FloatStorage"), bytes(16), 4)
    with pytest.raises(SefaError) as refused:
        as_tensor(leaf, lambda reference: four)
    assert str(refused.value).startswith(("is damaged", "cannot be read")) and "\n" not in str(
        refused.value
    )
    assert len(str(refused.value)) < 300


@pytest.mark.parametrize("count", [5, 1 << 62, -1, "4", None, 4.0, True])
def test_storages_that_claim_more_than_their_bytes_are_refused(count):
    with pytest.raises(SefaError, match="claims"):
        typed_storage(Global("torch", "FloatStorage"), bytes(16), count)


@pytest.mark.parametrize("kind", [Global("os", "sys\ntem"), None, "FloatStorage", Record(1)])
def test_unknown_storage_classes_are_refused(kind):
    with pytest.raises(SefaError, match="numbers of the kind") as refused:
        typed_storage(kind, bytes(16), 4)
    assert "\n" not in str(refused.value)


def test_streams_inside_old_protocols_are_read():
    """Protocol 2 writes the bytes of nested streams as text; still the same numbers."""
    from sefa_cli.containers.file_regions import FileRegion
    from sefa_cli.containers.torch_legacy import LegacyStream

    stream = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.save(torch.arange(5.0).storage(), stream, _use_new_zipfile_serialization=False)
    content = stream.getvalue()
    found = LegacyStream(content, FileRegion(HERE, 0, len(content)))
    assert np.array_equal(found.find(found.pickle.value).numbers(0, 5), np.arange(5.0))
