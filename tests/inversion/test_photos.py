"""Photographs of every kind: read upright, in the model's shape, or refused in words."""

import contextlib
import io
import random
import struct
import subprocess
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import EpsImagePlugin, Image, ImageOps, features

from sefa_cli.errors import SefaError
from sefa_cli.inversion.photos import find_photos, read_photo

SIZE = (32, 32)
OTHERS = ("letter.pdf", "clip.mpg", "weights.h5", "page.eps")  # Pillow knows them all


def ramp(width: int = 64, height: int = 64) -> Image.Image:
    """Red grows to the right, green downwards."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[..., 0] = np.linspace(0, 255, width)
    pixels[..., 1] = np.linspace(0, 255, height)[:, None]
    return Image.fromarray(pixels)


def test_each_pixel_is_the_mean_of_its_area(tmp_path: Path) -> None:
    ramp().save(tmp_path / "me.png")
    photo = read_photo(tmp_path / "me.png", SIZE)
    wanted = np.asarray(ramp()).reshape(32, 2, 32, 2, 3).mean(axis=(1, 3))
    assert photo.name == "me" and not photo.notes
    assert np.abs(photo.pixels - wanted).max() <= 0.5


def test_a_photo_is_turned_as_the_camera_says(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # its top is at the right: turn it clockwise
    ramp().save(tmp_path / "turned.jpg", exif=exif, quality=100, subsampling=0)
    photo = read_photo(tmp_path / "turned.jpg", SIZE)
    assert photo.notes == ("turned as the camera says",)
    pixels = photo.pixels.astype(int)
    assert pixels[-1, 0, 0] > 200 > pixels[0, 0, 0] + 100  # red grows downwards now
    assert pixels[0, 0, 1] > 200 > pixels[0, -1, 1] + 100  # green to the left


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_that_of_pillow(tmp_path: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    ramp(64, 48).save(tmp_path / "me.png", exif=exif)
    turned = ImageOps.exif_transpose(Image.open(tmp_path / "me.png"))
    photo = read_photo(tmp_path / "me.png", (turned.height, turned.width))
    np.testing.assert_array_equal(photo.pixels, turned)
    assert bool(photo.notes) == (orientation > 1)


def test_a_photo_with_damaged_exif_is_read(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010F] = "maker"
    ramp().save(tmp_path / "me.jpg", exif=exif)
    data = (tmp_path / "me.jpg").read_bytes()
    at = data.index(b"Exif") + 6
    for offset in (4, 8, 10, 12, 18):
        (tmp_path / "me.jpg").write_bytes(
            data[: at + offset] + b"\xff\xff" + data[at + offset + 2 :]
        )
        assert read_photo(tmp_path / "me.jpg", SIZE).pixels.shape == (32, 32, 3)


def test_the_middle_of_a_wide_photo(tmp_path: Path) -> None:
    ramp(96, 64).save(tmp_path / "wide.png")
    photo = read_photo(tmp_path / "wide.png", SIZE)
    assert photo.notes == ("cropped to its middle square",)
    assert photo.pixels[0, 0, 0] == pytest.approx(255 * 16.5 / 95, abs=2)


def test_the_shape_of_a_model_that_is_not_square() -> None:
    photo = read_photo(ramp(96, 64), (16, 32))
    assert photo.pixels.shape == (16, 32, 3) and "part of the model's shape" in photo.notes[0]


def test_gray_photos_and_gray_models() -> None:
    gray = ramp().convert("L")
    photo = read_photo(gray, SIZE)
    assert photo.pixels.shape == (32, 32, 3) and photo.notes == ("from gray",)
    assert (photo.pixels == photo.pixels[..., :1]).all()
    photo = read_photo(ramp(), SIZE, channels=1)
    assert photo.pixels.shape == (32, 32, 1) and photo.notes == ("made gray",)
    assert not read_photo(gray, SIZE, channels=1).notes


def test_transparent_pixels_are_white() -> None:
    clear = Image.new("RGBA", (64, 64), (255, 0, 0, 0))
    photo = read_photo(clear, SIZE)
    assert (photo.pixels == 255).all() and photo.notes == ("on white where it is transparent",)
    assert read_photo(clear, SIZE, channels=4).pixels[0, 0, 3] == 0
    palette = Image.new("P", (64, 64), 0)
    palette.info["transparency"] = 0
    assert (read_photo(palette, SIZE).pixels == 255).all()


def test_sixteen_bits(tmp_path: Path) -> None:
    levels = np.full((64, 64), 128 * 257, np.uint16)
    Image.fromarray(levels).save(tmp_path / "deep.png")
    photo = read_photo(tmp_path / "deep.png", SIZE)
    assert (photo.pixels == 128).all() and photo.notes == ("from 16 bits",)


@pytest.mark.parametrize(
    ("kind", "pixel"),
    [(2, b"\x80\x80" * 3), (4, b"\x80\x80\xff\xff"), (6, b"\x80\x80" * 3 + b"\xff\xff")],
)
def test_sixteen_bits_of_color(kind: int, pixel: bytes) -> None:
    """PNG: RGB, gray with opacity, RGB with opacity."""
    photo = read_photo(png_of_16_bits(kind, pixel), SIZE)
    assert (photo.pixels == 128).all() and photo.notes[0] == "from 16 bits"


def png_of_16_bits(kind: int, pixel: bytes) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    rows = zlib.compress((b"\0" + pixel * 64) * 64)
    head = struct.pack(">IIBBBBB", 64, 64, 16, kind, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def test_other_depths_are_refused(tmp_path: Path) -> None:
    """What 32 bits mean differs from file to file."""
    levels = np.full((64, 64), 40_000)
    for kind, words in ((np.int32, "32 bits"), (np.float32, "real numbers")):
        Image.fromarray(levels.astype(kind)).save(tmp_path / "deep.tif")
        with pytest.raises(SefaError, match=f"deep.tif cannot be read as a picture.*{words}"):
            read_photo(tmp_path / "deep.tif", SIZE)
    with pytest.raises(SefaError, match="32 bits"):
        read_photo(Image.fromarray(levels.astype(np.int32)), SIZE)
    (tmp_path / "deep.pgm").write_bytes(b"P5 64 64 65535 " + b"\x80\x80" * 64 * 64)
    photo = read_photo(tmp_path / "deep.pgm", SIZE)
    assert (photo.pixels == 128).all() and photo.notes == ("from 16 bits",)


def test_cmyk(tmp_path: Path) -> None:
    Image.new("CMYK", (64, 64), (0, 255, 255, 0)).save(tmp_path / "print.jpg", quality=100)
    photo = read_photo(tmp_path / "print.jpg", SIZE)
    assert photo.notes == ("from CMYK",)
    red = photo.pixels[0, 0]
    assert red[0] > 200 > 60 > max(red[1:])


def test_the_first_picture_of_an_animation(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (64, 64), color) for color in ("white", "black", "red")]
    frames[0].save(tmp_path / "film.gif", save_all=True, append_images=frames[1:])
    photo = read_photo(tmp_path / "film.gif", SIZE)
    assert (photo.pixels == 255).all() and photo.notes == ("the first of its 3 pictures",)


def test_a_photo_smaller_than_the_working_size() -> None:
    photo = read_photo(ramp(20, 20), SIZE)
    assert photo.pixels.shape == (32, 32, 3) and photo.notes == ("enlarged: it has only 20 pixels",)
    with pytest.raises(SefaError, match="has 8 x 64 pixels; expected at least 16 each way"):
        read_photo(ramp(8, 64), SIZE)


def test_twenty_megapixels(tmp_path: Path) -> None:
    Image.new("RGB", (5000, 4000), "teal").save(tmp_path / "large.jpg")
    photo = read_photo(tmp_path / "large.jpg", SIZE)
    assert photo.pixels.shape == (32, 32, 3) and np.abs(photo.pixels - [0, 128, 128]).max() <= 4


def test_a_forged_size_is_refused(tmp_path: Path) -> None:
    large = bytearray((Path(ramp_png(tmp_path))).read_bytes())
    large[16:24] = (60_000).to_bytes(4, "big") * 2  # the width and height that IHDR claims
    (tmp_path / "forged.png").write_bytes(large)
    with pytest.raises(SefaError, match=r"forged.png"):
        read_photo(tmp_path / "forged.png", SIZE)


def ramp_png(folder: Path) -> str:
    ramp().save(folder / "ramp.png")
    return str(folder / "ramp.png")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"hello, I am no picture", "is not a picture"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "is a HEIC photo, which cannot be read here"),
    ],
)
def test_what_is_not_a_picture(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "me.jpg").write_bytes(content)
    with pytest.raises(SefaError, match=f"me.jpg {words}"):
        read_photo(tmp_path / "me.jpg", SIZE)


@pytest.mark.parametrize("name", ["me.jpg", "me.eps"])
def test_a_photo_starts_no_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Pillow would give PostScript to Ghostscript, whatever the file is called."""
    started: list[object] = []
    for start in ("Popen", "run", "call", "check_call", "check_output"):
        monkeypatch.setattr(subprocess, start, lambda *words, **_: started.append(words))
    monkeypatch.setattr(EpsImagePlugin, "has_ghostscript", lambda: True)
    monkeypatch.setattr(EpsImagePlugin, "gs_binary", "gs")
    page = "%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 64\n%%EndComments\nshowpage\n%%EOF\n"
    (tmp_path / name).write_text(page)
    with pytest.raises(SefaError, match=f"{name} is not a picture"):
        read_photo(tmp_path / name, SIZE)
    assert not started


def test_a_photo_that_is_cut_off(tmp_path: Path) -> None:
    whole = Path(ramp_png(tmp_path)).read_bytes()
    (tmp_path / "half.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(SefaError, match=r"half.png cannot be read as a picture.*Get the file"):
        read_photo(tmp_path / "half.png", SIZE)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "GIF", "BMP", "AVIF"])
def test_a_damaged_photo_is_read_or_refused_in_words(kind: str) -> None:
    """Pillow's readers raise IndexError, TypeError, RuntimeError, struct.error and others."""
    if kind == "AVIF" and not features.check("avif"):
        pytest.skip("this Pillow reads no AVIF")
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "maker"
    file, rng = io.BytesIO(), random.Random(0)
    words = {"save_all": True, "append_images": [ramp(40, 40)]} if kind == "GIF" else {}
    ramp(40, 40).save(file, kind, **words if kind in ("GIF", "BMP") else {"exif": exif})
    for _ in range(400):
        data = bytearray(file.getvalue())
        for _ in range(rng.choice((1, 4, 12))):
            data[rng.randrange(min(len(data), 400))] = rng.choice((0, 127, 128, 255))
        with contextlib.suppress(SefaError):
            assert read_photo(bytes(data[: rng.choice((300, len(data)))]), SIZE, name="me")


def test_arrays_of_another_kind_are_refused() -> None:
    for array in (np.zeros((64, 64, 3)), np.zeros((64, 64, 2), np.uint8), np.zeros(64, np.uint8)):
        with pytest.raises(SefaError, match=r"is an array of .* expected uint8"):
            read_photo(array, SIZE)  # type: ignore[arg-type]
    assert read_photo(np.zeros((64, 64, 1), np.uint8), SIZE).pixels.shape == (32, 32, 3)


def test_a_folder_stands_for_its_pictures(tmp_path: Path) -> None:
    for name in ("b.png", "a.jpg", "notes.txt", "c.HEIC", ".hidden.png", *OTHERS):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "empty").mkdir()
    assert [path.name for path in find_photos([tmp_path])] == ["a.jpg", "b.png", "c.HEIC"]
    assert find_photos([tmp_path / "notes.txt"]) == [tmp_path / "notes.txt"]
    with pytest.raises(SefaError, match="empty has no pictures"):
        find_photos([tmp_path / "empty"])
    with pytest.raises(SefaError, match="aaa does not exist"):
        find_photos(["a" * 5000])
    with pytest.raises(SefaError, match=r"none.jpg does not exist"):
        find_photos([tmp_path / "none.jpg"])
