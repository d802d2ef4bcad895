"""Masks and label maps: what a file's pixels weigh, nearest resampling, files that are refused."""

import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from sefa_cli.discovery.regions import files
from sefa_cli.discovery.regions.files import read_labels, read_mask
from sefa_cli.errors import SefaError, UsageError
from sefa_cli.rendering.pictures import nearest


@pytest.fixture
def save(tmp_path):
    """Saves an array or an image and returns its path."""

    def save(pixels, name="mask.png", **options):
        image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
        image.save(tmp_path / name, **options)
        return tmp_path / name

    return save


def bare_png(side, bits, color, data):
    """A square PNG of nothing but a header and these scan lines."""

    def chunk(kind, data):
        checksum = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, bits, color, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")


LEVELS = np.array([[0, 1, 127], [128, 254, 255]], np.uint8)


def test_gray_levels_are_the_weights(save):
    np.testing.assert_array_equal(read_mask(save(LEVELS)), LEVELS)
    np.testing.assert_array_equal(read_mask(save(np.dstack([LEVELS] * 3))), LEVELS)


def test_sixteen_bits_are_rounded_to_eight(save):
    deep = np.array([[0, 128, 129, 32768, 65535]], np.uint16)
    np.testing.assert_array_equal(read_mask(save(deep)), [[0, 0, 1, 128, 255]])


def test_one_bit_and_palettes(save):
    expected = [[255, 0], [0, 255]]
    np.testing.assert_array_equal(read_mask(save(np.array(expected) > 0)), expected)
    palette = Image.fromarray(np.array([[1, 0], [0, 1]], np.uint8), "P")
    palette.putpalette([0, 0, 0, 255, 255, 255])
    np.testing.assert_array_equal(read_mask(save(palette)), expected)


@pytest.mark.parametrize("color", [0, 255, 90])
def test_a_drawing_on_a_transparent_ground_weighs_by_its_opacity(save, color):
    """Black paint too; what color the transparent pixels hide is of no matter."""
    opacity = np.array([[0, 100, 255]], np.uint8)
    hidden = np.where(opacity == 0, 13, color).astype(np.uint8)
    np.testing.assert_array_equal(read_mask(save(np.dstack([hidden] * 3 + [opacity]))), opacity)
    np.testing.assert_array_equal(read_mask(save(np.dstack([hidden, opacity]))), opacity)


def test_otherwise_opacity_takes_from_the_luminance(save):
    pixels = np.zeros((1, 4, 4), np.uint8)
    pixels[0, :, :3] = np.array([255, 255, 100, 0])[:, None]
    pixels[0, :, 3] = [0, 100, 255, 255]
    np.testing.assert_array_equal(read_mask(save(pixels)), [[0, 100, 100, 0]])


def test_an_opaque_alpha_channel_says_nothing(save):
    pixels = np.dstack([LEVELS] * 3 + [np.full_like(LEVELS, 255)])
    np.testing.assert_array_equal(read_mask(save(pixels)), LEVELS)


def test_nearest_takes_the_pixel_that_the_middle_falls_in():
    row = np.arange(5, dtype=np.uint8)[None]
    assert nearest(row, 1, 5).tolist() == row.tolist()
    assert nearest(row, 1, 10).tolist() == [[0, 0, 1, 1, 2, 2, 3, 3, 4, 4]]
    assert nearest(row, 1, 3).tolist() == [[0, 2, 4]]  # middles at 0.83, 2.5, 4.17
    assert nearest(row, 1, 7).tolist() == [[0, 1, 1, 2, 3, 3, 4]]
    assert nearest(row.T, 2, 2).tolist() == [[1, 1], [3, 3]]  # middles at 1.25 and 3.75


@pytest.mark.parametrize("size", [(7, 13), (64, 48), (31, 100)])
def test_nearest_is_pillows(size):
    source = np.random.default_rng(0).integers(0, 256, (37, 29)).astype(np.uint8)
    theirs = Image.fromarray(source).resize(size[::-1], Image.Resampling.NEAREST)
    np.testing.assert_array_equal(nearest(source, *size), np.asarray(theirs))


def test_gray_weights_are_resampled_not_mixed(save):
    mask = files.mask(save(np.array([[0, 10], [200, 255]], np.uint8)))
    assert mask(4, 4).tolist() == [[0, 0, 10, 10]] * 2 + [[200, 200, 255, 255]] * 2


def test_another_aspect_is_refused(save):
    mask = files.mask(save(np.zeros((30, 40), np.uint8)))
    assert mask(192, 256).shape == (192, 256)
    with pytest.raises(UsageError, match=r"30 rows × 40 columns; .* 256 rows × 256 columns"):
        mask(256, 256)
    with pytest.raises(UsageError, match="40 columns"):
        mask(256, 192)


def test_an_aspect_rounded_to_whole_pixels_is_the_same(save):
    mask = files.mask(save(np.zeros((75, 101), np.uint8)))  # 75.75 would be exact
    assert mask(192, 256).shape == (192, 256)
    with pytest.raises(UsageError, match="aspect"):
        files.mask(save(np.zeros((75, 102), np.uint8)))(192, 256)


@pytest.mark.parametrize("kind", ["L", "P", "16"])
def test_segments_of_a_label_map(save, kind):
    numbers = np.array([[0, 3], [4, 5]], np.uint8)
    image = Image.fromarray(numbers)
    if kind == "P":
        image.putpalette(bytes(range(18)))
    if kind == "16":
        image = Image.fromarray(numbers.astype(np.uint16) * 100)
    path = save(image)
    ids = "300,400" if kind == "16" else "3-4"
    np.testing.assert_array_equal(files.segments(path, ids)(2, 2), [[0, 255], [255, 0]])


def test_labels_of_one_bit_are_zero_and_one(save):
    assert read_labels(save(np.array([[True, False]]))).tolist() == [[1, 0]]


def test_a_segment_that_is_absent(save):
    numbers = np.zeros((50, 50), np.uint8)
    numbers[:10], numbers[49, 49] = 3, 200
    path = save(numbers)
    there = r"0 \(80.0 %\), 3 \(20.0 %\) or 200 \(< 0.1 %\)$"
    with pytest.raises(UsageError, match=f"segment 7 is not in .*; expected {there}"):
        files.segments(path, "3,7")
    with pytest.raises(UsageError, match=f"no segment of .* is chosen; expected {there}"):
        files.segments(path, None)
    with pytest.raises(UsageError, match="segments must be a range, got 'hair'"):
        files.segments(path, "hair")


def test_many_segments_are_not_all_listed(save):
    path = save(np.arange(200, dtype=np.uint8).reshape(10, 20))
    with pytest.raises(UsageError, match=r"15 \(0.5 %\) or 184 smaller ones$"):
        files.segments(path, "201")


def test_labels_need_exact_numbers(save):
    with pytest.raises(SefaError, match="a picture in colors; expected a label map"):
        read_labels(save(np.zeros((4, 4, 3), np.uint8)))
    with pytest.raises(SefaError, match=r"lossy.jpg is a JPEG picture; expected PNG$"):
        read_labels(save(LEVELS, "lossy.jpg"))


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(SefaError, match=r"none.png does not exist. Check the name"):
        read_mask(tmp_path / "none.png")
    with pytest.raises(SefaError, match="is a folder; expected a file"):
        read_mask(tmp_path)
    for name, text in {
        "empty": b"",
        "text": b"mask",
        "script": b"%!PS-Adobe-3.0 EPSF-3.0\n",
    }.items():
        (tmp_path / name).write_bytes(text)
        found = "not a picture: it is a text file; expected PNG, JPEG, WEBP or BMP"
        with pytest.raises(SefaError, match=found if text else "empty is empty; expected"):
            read_mask(tmp_path / name)


def test_a_picture_that_stops_early_is_refused(save):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64)).astype(np.uint8)
    path = save(noise)
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(SefaError, match="cannot be read as a picture"):
        read_mask(path)


def test_a_palette_picture_without_its_palette(tmp_path):
    path = tmp_path / "mask.png"
    path.write_bytes(bare_png(2, 8, 3, b"\0\1\2" * 2))
    with pytest.raises(SefaError, match="cannot be read as a picture: it has no palette"):
        read_mask(path)
    assert read_labels(path).tolist() == [[1, 2]] * 2


def test_broken_pictures_are_read_or_refused_but_never_crash(save):
    noise = np.random.default_rng(0).integers(0, 2, (32, 32)).astype(np.uint8)
    path = save(noise)
    whole = path.read_bytes()
    rng = np.random.default_rng(1)
    for _ in range(300):
        data = bytearray(whole[: rng.integers(8, len(whole))] if rng.random() < 0.3 else whole)
        for place in rng.integers(8, len(data), rng.integers(1, 4)):
            data[place] = rng.integers(256)
        path.write_bytes(data)
        for read in (read_mask, read_labels):
            try:
                assert read(path).ndim == 2
            except SefaError as error:
                assert "\n" not in str(error)


@pytest.mark.parametrize("side", [10_000, 20_000])  # Pillow warns of one and raises at the other
def test_a_bomb_is_not_decoded(tmp_path, side):
    """A PNG of many pixels in a few hundred bytes."""
    (tmp_path / "bomb.png").write_bytes(bare_png(side, 1, 0, bytes(64)))
    with pytest.raises(
        SefaError, match=r"bomb\.png is too large; expected at most 89,478,485 pixels"
    ):
        read_mask(tmp_path / "bomb.png")
