"""From words to weights: the background, what is empty, what is everything, what is missing."""

import numpy as np
import pytest
from PIL import Image

from sefa_cli.discovery.regions.region import (
    Region,
    as_region,
    background,
    check_weights,
    one_region,
)
from sefa_cli.errors import SefaError, UsageError


def test_every_way_of_saying_the_upper_left_quarter(tmp_path):
    quarter = np.zeros((4, 8), np.uint8)
    quarter[:2, :4] = 255
    Image.fromarray(quarter).save(tmp_path / "mask.png")
    Image.fromarray(quarter // 85).save(tmp_path / "seg.png")
    ways = [
        one_region(box="0,0,2,4"),
        one_region(box="0,0,.5,0.5"),
        one_region(polygon="0,0 0,4 2,4 2,0"),
        one_region(mask=tmp_path / "mask.png"),
        one_region(seg=tmp_path / "seg.png", seg_ids="3"),
    ]
    for region in ways:
        np.testing.assert_array_equal(region.weights(4, 8), quarter)
    assert [way.kind for way in ways] == ["box", "box", "polygon", "mask", "seg"]
    assert ways[0].text == "0,0,2,4" and ways[4].text == f"3 of {tmp_path / 'seg.png'}"


def test_a_named_region_goes_by_the_subject():
    eyes = one_region(named="eyes", subject="face").weights(256, 256)
    np.testing.assert_array_equal(eyes, one_region(box="105,75,28,110").weights(256, 256))


def test_exactly_one_region():
    with pytest.raises(UsageError, match="no region is given; expected box, mask"):
        one_region()
    with pytest.raises(
        UsageError, match="box and region cannot be used together; expected box, mask, "
    ):
        one_region(box="0,0,1,1", named="eyes")
    with pytest.raises(UsageError, match="seg_ids has no effect without seg"):
        one_region(box="0,0,1,1", seg_ids="3")


def test_the_background_is_the_rest():
    gray = np.array([[0, 100, 255]], np.uint8)
    np.testing.assert_array_equal(background(gray), [[255, 155, 0]])


def test_a_background_that_is_said_gives_way_to_the_region():
    fore = np.array([[0, 0, 100, 255]], np.uint8)
    held = background(fore, one_region(box="0,1,1,3"))
    np.testing.assert_array_equal(held, [[0, 255, 155, 0]])
    with pytest.raises(UsageError, match="background, box 0,3,1,1, holds nothing outside the reg"):
        background(fore, one_region(box="0,3,1,1"))


def test_a_background_may_be_said_to_be_everything():
    fore = np.array([[0, 255]], np.uint8)
    np.testing.assert_array_equal(background(fore, one_region(box="0,0,1,2")), [[255, 0]])


def test_masks_for_each_seed_are_checked_each():
    masks = np.zeros((2, 2, 2), np.uint8)
    masks[:, 0, 0] = 255
    assert check_weights(masks, "eyes") is masks
    held = background(masks, one_region(box="0,0,1,2"))
    np.testing.assert_array_equal(held, [[[0, 255], [0, 0]]] * 2)
    masks[1] = 0
    with pytest.raises(UsageError, match="eyes is empty"):
        check_weights(masks, "eyes")
    masks[1] = 255
    with pytest.raises(UsageError, match="eyes covers all of the 2 × 2 pixels"):
        check_weights(masks, "eyes")


@pytest.mark.parametrize(
    "words",
    [
        {"box": "0.1,0.1,0.01,0.5"},
        {"polygon": "1,1 2,2 3,3"},
        {"polygon": "1.,.1 .1,.1 .1,.15"},
        {"mask": "black.png"},
        {"seg": "dot.png", "seg_ids": "1"},
    ],
    ids=str,
)
def test_an_empty_region_is_refused(tmp_path, monkeypatch, words):
    """Also one that is lost between the pixels of the working size."""
    monkeypatch.chdir(tmp_path)
    Image.new("L", (16, 16)).save("black.png")
    dot = Image.new("L", (16, 16))
    dot.putpixel((0, 0), 1)
    dot.save("dot.png")
    with pytest.raises(UsageError, match="is empty: it holds none of the 8 × 8 pixels"):
        one_region(**words).weights(8, 8)


@pytest.mark.parametrize(
    "words",
    [
        {"box": "0,0,8,8"},
        {"box": "0,0,1.,1"},
        {"polygon": "0,0 0,8 8,8 8,0"},
        {"mask": "white.png"},
    ],
    ids=str,
)
def test_a_region_covering_everything_is_refused(tmp_path, monkeypatch, words):
    monkeypatch.chdir(tmp_path)
    Image.new("L", (16, 16), 255).save("white.png")
    with pytest.raises(UsageError, match="covers all of the 8 × 8 pixels, so that nothing is left"):
        one_region(**words).weights(8, 8)


def test_an_almost_white_mask_is_a_region(tmp_path):
    Image.new("L", (16, 16), 254).save(tmp_path / "gray.png")
    assert (one_region(mask=tmp_path / "gray.png").weights(8, 8) == 254).all()


def test_numbers_and_words_make_the_same_region():
    assert Region.box(1, 2, 3, 4) == Region.box("1,2,3,4") == one_region(box="1,2,3,4")
    assert Region.box(0.00001, 0.5, 0.5, 0.25).text == "0.00001,0.5,0.5,0.25"
    assert Region.polygon([(0, 0), (0, 1), (0.5, 0)]).text == "0,0 0,1 0.5,0"
    with pytest.raises(UsageError, match="box '1,2,3' is not 4 numbers"):
        Region.box(1, 2, 3)
    with pytest.raises(UsageError, match="not a list of corners"):
        Region.polygon([(0, 0), (0, 4)])


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.float32])
def test_a_mask_may_be_an_array_of_any_size(dtype):
    top = np.zeros((2, 4), dtype)
    top[0] = 255 if dtype is np.uint8 else 1
    region = Region.mask(top)
    assert region.weights(4, 8).tolist() == [[255] * 8] * 2 + [[0] * 8] * 2
    assert (region.label, Region.mask(top, "a.png").label) == ("mask array", "mask a.png")
    with pytest.raises(UsageError, match="the mask has 2 rows × 4 columns; expected the picture's"):
        region.weights(8, 8)


@pytest.mark.parametrize(
    ("mask", "said"),
    [
        (np.zeros((2, 2, 3), np.uint8), r"uint8 \(2, 2, 3\); expected bool, uint8 or floats"),
        (np.array([[0, 300]]), "expected bool, uint8 or floats"),
        (np.array([[0, 1.5]]), "outside 0 … 1"),
        (np.array([[0, np.nan]]), "outside 0 … 1"),
    ],
)
def test_an_array_that_is_not_a_mask(mask, said):
    with pytest.raises(UsageError, match=said):
        Region.mask(mask)


def test_segments_of_an_array():
    labels = np.array([[0, 3], [4, 4]])
    region = Region.segments(labels, [3, 4], "parts.png")
    assert region.weights(2, 2).tolist() == [[0, 255], [255, 255]]
    assert region.label == "seg 3-4 of parts.png" and Region.segments(labels, 3).weights(2, 2)[0, 1]
    with pytest.raises(UsageError, match="segment 7 is not in the label map; expected 0"):
        Region.segments(labels, 7)
    with pytest.raises(UsageError, match=r"expected integers \(height, width\)"):
        Region.segments(labels / 2, 1)


def test_a_name_waits_for_its_model(tmp_path):
    eyes = Region.named("eyes")
    np.testing.assert_array_equal(eyes.on("face").weights(256, 256), Region.named(
        "face:eyes").weights(256, 256))  # fmt: skip
    for refuse in (lambda: eyes.on("car"), lambda: eyes.weights(8, 8)):
        with pytest.raises(UsageError, match="unknown region 'eyes'"):
            refuse()
    box = Region.box(0, 0, 1, 1)
    assert box.on("car") is box and as_region(box) is box and as_region("eyes") == eyes
    with pytest.raises(SefaError, match=r"none\.png"):
        as_region(tmp_path / "none.png")


def test_files_are_called_by_their_names(tmp_path):
    Image.fromarray(np.eye(2, dtype=np.uint8) * 255).save(tmp_path / "eye.png")
    assert as_region(tmp_path / "eye.png").label == "mask eye.png"
