import io

import numpy as np
import pytest
from PIL import Image

from sefa_cli.errors import SefaError
from sefa_cli.rendering.pictures import save_picture, save_png, to_image, to_rgb, to_uint8
from tests.helpers.reading import psnr


def test_levels_are_the_nearest():
    levels = np.arange(256)
    images = np.zeros((1, 1, 1, 256), np.float32)
    images[0, 0, 0] = levels / 127.5 - 1
    assert np.array_equal(to_uint8(images)[0, 0, :, 0], levels)
    nearly = images + 0.49 / 127.5
    assert np.array_equal(to_uint8(nearly)[0, 0, :, 0], levels)


def test_values_outside_the_range_are_clamped():
    images = np.array([-1e30, -1.5, -1, 0, 1, 1.2, 1e30]).reshape(1, 1, 1, 7)
    assert to_uint8(images).ravel().tolist() == [0, 0, 0, 128, 255, 255, 255]


def test_the_argument_is_not_changed():
    images = np.full((1, 3, 2, 2), 0.5, np.float32)
    to_uint8(images)
    assert np.all(images == 0.5)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_axes(channels):
    images = np.random.RandomState(0).uniform(-1, 1, (2, channels, 5, 7))
    pictures = to_uint8(images)
    assert pictures.shape == (2, 5, 7, channels) and pictures.flags.c_contiguous
    assert pictures[1, 4, 6, channels - 1] == round((images[1, channels - 1, 4, 6] + 1) * 127.5)


def test_torch_tensors_are_accepted():
    torch = pytest.importorskip("torch")
    assert to_uint8(torch.ones(1, 3, 2, 2))[0, 0, 0].tolist() == [255, 255, 255]


@pytest.mark.parametrize("shape", [(1, 2, 4, 4), (3, 4, 4), (1, 5, 4, 4)])
def test_odd_shapes_are_refused(shape):
    with pytest.raises(SefaError, match="1, 3 or 4 channels"):
        to_uint8(np.zeros(shape))


@pytest.mark.parametrize("level", [np.nan, np.inf, -np.inf])
def test_levels_that_are_not_finite_are_refused(level):
    images = np.zeros((1, 3, 2, 2))
    images[0, 0, 0, 0] = level
    with pytest.raises(SefaError, match=r"NaN or infinit.*smaller step"):
        to_uint8(images)


def test_transparent_pixels_show_the_background():
    picture = np.array([[[200, 100, 50, 255], [200, 100, 50, 0]]], np.uint8)
    assert to_rgb(picture, (1, 2, 3)).tolist() == [[[200, 100, 50], [1, 2, 3]]]


@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (3, "RGB"), (4, "RGBA")])
def test_png_is_lossless_and_repeats(tmp_path, waves, channels, mode):
    picture = waves(1, 5, 9, channels)[0]
    for name in ("a.png", "b.png"):
        save_png(
            tmp_path / name, picture, text={"command": "sefa edit --alpha 2", "label": "é → 漢"}
        )
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    with Image.open(tmp_path / "a.png") as image:
        assert image.mode == mode
        assert np.array_equal(np.asarray(image), np.asarray(to_image(picture)))
        assert getattr(image, "text", None) == {"command": "sefa edit --alpha 2", "label": "é → 漢"}


def test_png_is_replaced_only_on_request(tmp_path, waves):
    path = tmp_path / "a.png"
    path.write_text("mine")
    with pytest.raises(SefaError, match="exists"):
        save_png(path, waves(1, 4, 4)[0])
    assert path.read_text() == "mine"
    save_png(path, waves(1, 4, 4)[0], overwrite=True)
    assert Image.open(path).size == (4, 4)
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]


@pytest.mark.parametrize(
    ("suffix", "form", "best"), [(".jpg", "JPEG", 33), (".JPEG", "JPEG", 33), (".webp", "WEBP", 33)]
)
def test_jpeg_and_webp_by_the_suffix(tmp_path, waves, suffix, form, best):
    picture = waves(1, 64, 48)[0]
    for name in ("a", "b"):
        save_picture(tmp_path / f"{name}{suffix}", picture, text={"Comment": "64 px"})
    path = tmp_path / f"a{suffix}"
    assert path.read_bytes() == (tmp_path / f"b{suffix}").read_bytes()
    with Image.open(path) as image:
        assert image.format == form and image.size == (48, 64)
        assert psnr(np.asarray(image.convert("RGB")), picture) > best
        if form == "JPEG":
            assert image.info["comment"] == b"64 px"


@pytest.mark.parametrize("channels", [1, 4])
@pytest.mark.parametrize("suffix", [".jpg", ".webp"])
def test_gray_and_transparent_pictures_have_every_suffix(tmp_path, waves, suffix, channels):
    save_picture(tmp_path / f"a{suffix}", waves(1, 8, 8, channels)[0])
    assert Image.open(tmp_path / f"a{suffix}").size == (8, 8)


def test_a_sheet_too_large_for_its_format_is_refused(tmp_path):
    with pytest.raises(SefaError, match=r"16,384 pixels on a side; expected at most 16,383"):
        save_picture(tmp_path / "a.webp", np.zeros((1, 16384, 3), np.uint8))
    assert not list(tmp_path.iterdir())


def test_png_on_stdout(capfdbinary, waves):
    save_png("-", waves(1, 4, 6)[0])
    assert Image.open(io.BytesIO(capfdbinary.readouterr().out)).size == (6, 4)
