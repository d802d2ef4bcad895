"""Numbers come from the right bytes of a file, and views that no program writes are refused."""

from pathlib import Path

import numpy as np
import pytest

from sefa_cli.containers.file_regions import FileRegion, Storage, contiguous_strides, mapped
from sefa_cli.errors import SefaError


def storage(tmp_path: Path, numbers: np.ndarray, dtype: str = "", big: bool = False) -> Storage:
    path = tmp_path / "numbers"
    path.write_bytes(b"head" + numbers.tobytes() + b"tail")
    window = FileRegion(path, 4, numbers.nbytes)
    return Storage(window, dtype or numbers.dtype.name, numbers.size, big)


def view(
    found: Storage, offset: int, shape: tuple[int, ...], strides: tuple[int, ...]
) -> np.ndarray:
    return found.view(offset, shape, strides).numpy()


def test_strides_and_offsets_are_honored(tmp_path):
    numbers = np.arange(24, dtype=np.float32)
    found = storage(tmp_path, numbers)
    whole = numbers.reshape(2, 3, 4)
    assert np.array_equal(view(found, 0, (2, 3, 4), (12, 4, 1)), whole)
    assert np.array_equal(view(found, 0, (4, 3, 2), (1, 4, 12)), whole.transpose(2, 1, 0))
    assert np.array_equal(view(found, 5, (2, 2), (12, 1)), whole[:, 1, 1:3])
    assert np.array_equal(view(found, 7, (), ()), 7.0)
    assert view(found, 24, (0, 3), (3, 1)).shape == (0, 3)
    assert np.array_equal(view(found, 2, (3, 2), (0, 1)), [[2, 3]] * 3)  # as torch's expand


def test_axes_of_size_one_may_have_any_stride(tmp_path):
    found = storage(tmp_path, np.arange(6, dtype=np.float32))
    assert np.array_equal(view(found, 0, (1, 6), (999_999, 1)), [np.arange(6)])


def test_the_numbers_are_ours_to_change(tmp_path):
    found = storage(tmp_path, np.arange(6, dtype=np.float32))
    first = view(found, 0, (6,), (1,))
    first[:] = 0
    assert np.array_equal(view(found, 0, (6,), (1,)), np.arange(6))


def test_bfloat16_and_big_endian(tmp_path):
    values = np.array([1.0, -2.5, 3e38, 0.0], np.float32)
    halves = (values.view(np.uint32) >> 16).astype(np.uint16)
    expected = (halves.astype(np.uint32) << 16).view(np.float32)
    assert np.array_equal(view(storage(tmp_path, halves, "bfloat16"), 0, (4,), (1,)), expected)
    swapped = storage(tmp_path, values.astype(">f4"), "float32", big=True)
    read = view(swapped, 0, (4,), (1,))
    assert np.array_equal(read, values) and read.dtype.isnative


@pytest.mark.parametrize(
    ("offset", "shape", "strides"),
    [
        (-1, (2,), (1,)),
        (0, (-2,), (1,)),
        (0, (2,), (-1,)),
        (0, (25,), (1,)),
        (1, (24,), (1,)),
        (0, (2, 3), (23, 1)),
        (0, (2,), (1 << 62,)),
        (0, (1 << 62,), (0,)),
        (0, (1 << 21, 1 << 21), (0, 0)),
        (0, (1 << 62, 0), (1, 1)),
        (1 << 62, (1,), (1,)),
        (0, (2, 2), (1,)),
        (0, (1,) * 40, (1,) * 40),
    ],
)
def test_forged_views_are_refused_before_anything_is_read(tmp_path, offset, shape, strides):
    found = storage(tmp_path, np.arange(24, dtype=np.float32))
    with pytest.raises(SefaError, match=r"^is damaged: a tensor") as refused:
        found.view(offset, shape, strides)
    assert "\n" not in str(refused.value)


def test_a_file_that_ends_early_is_refused_when_it_is_read(tmp_path):
    path = tmp_path / "short"
    path.write_bytes(b"12345678")
    with pytest.raises(SefaError, match="ends early"):
        FileRegion(path, 4, 100).read()
    path.unlink()
    with pytest.raises(SefaError, match="short does not exist"):
        FileRegion(path, 0, 4).read()


def test_parts_stay_inside():
    window = FileRegion(Path("x"), 10, 20)
    assert window.part(5, 15) == FileRegion(Path("x"), 15, 15)
    for offset, length in ((6, 15), (-1, 2), (0, -1)):
        with pytest.raises(SefaError):
            window.part(offset, length)


def test_mapping_reads_without_loading(tmp_path):
    path = tmp_path / "sparse"
    with open(path, "wb") as file:
        file.truncate(1 << 33)  # 8 GiB of nothing
    with mapped(path) as data:
        assert len(data) == 1 << 33 and data[1 << 32] == 0


def test_contiguous_strides():
    assert contiguous_strides((2, 3, 4)) == (12, 4, 1)
    assert contiguous_strides(()) == ()
