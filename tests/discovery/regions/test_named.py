"""Named boxes: which model has which, that they lie in the picture, what a wrong name is told."""

import pytest

from sefa_cli.discovery.regions.named import SETS, find_boxes, named_regions, subject_of
from sefa_cli.errors import UsageError


@pytest.mark.parametrize(
    ("ref", "subject"),
    [
        ("stylegan2_ffhq", "face"),
        ("pggan_celebahq", "face"),
        ("stylegan2_metfaces_1024", "face"),
        ("/models/stylegan2-ffhq-config-f.pkl", "face"),
        ("https://example.org/transfer/ffhq-res256-mirror.pkl", "face"),
        ("stylegan2_car", "car"),
        ("hf:huggan/stylegan_car512/pytorch_model.bin", "car"),
        ("/data/cars/stylegan2-ffhq.pkl", "face"),  # the nearest part of the path
        ("stylegan3_t_ffhqu_1024", "centered"),  # not aligned
        ("stylegan_animeface", "centered"),
        ("stylegan2_afhqcat_512", "centered"),
        ("/home/oscar/model.pt", "centered"),
        ("", "centered"),
    ],
)
def test_the_name_tells_the_subject(ref, subject):
    assert subject_of(ref, "stylegan2") == subject


def test_the_default_network_is_known_wherever_it_lies():
    assert subject_of("some/folder", "mobilestylegan") == "face"


@pytest.mark.parametrize("subject", SETS)
def test_all_boxes_lie_in_the_picture(subject):
    for boxes in named_regions(subject).values():
        for top, left, height, width in boxes:
            assert 0 <= top < top + height <= 1 and 0 <= left < left + width <= 1


def test_every_model_has_the_centered_regions():
    assert {"center", "border"} == set(named_regions("centered"))
    assert {"center", "border", "eyes", "left-eye", "mouth", "hair"} <= set(named_regions("face"))
    assert {"center", "border", "wheels", "body"} <= set(named_regions("car"))


def test_other_sets_by_their_prefix():
    assert find_boxes("face:eyes", "centered", 64, 64) == find_boxes("eyes", "face", 64, 64)
    assert find_boxes("center", "car", 64, 64) == find_boxes("centered:center", "face", 64, 64)


def test_left_is_left_in_the_picture():
    (left,), (right,) = (find_boxes(f"{side}-eye", "face", 1, 1) for side in ("left", "right"))
    assert left.left + left.width < right.left


def test_several_names():
    both = find_boxes("eyes, mouth", "face", 1, 1)
    assert both == find_boxes("eyes", "face", 1, 1) + find_boxes("mouth", "face", 1, 1)


def test_cars_lie_between_black_bars_in_a_square_picture():
    (wide,) = find_boxes("body", "car", 384, 512)
    (square,) = find_boxes("body", "car", 512, 512)
    assert square.top * 512 == 64 + wide.top * 384
    assert square.height * 512 == wide.height * 384
    assert (square.left, square.width) == (wide.left, wide.width)


@pytest.mark.parametrize(
    ("name", "subject", "said"),
    [
        ("eyse", "face", "unknown region 'eyse' for aligned faces; .*Did you mean eyes"),
        ("eyes", "centered", "unknown subject; expected center or border. Write face:eyes if"),
        ("wheels", "face", "Write car:wheels if"),
        ("dog:ears", "face", "unknown subject 'dog'; expected face, car, centered or landmarks"),
        ("eyes,", "face", "unknown region ''"),
    ],
)
def test_unknown_names(name, subject, said):
    with pytest.raises(UsageError, match=said):
        find_boxes(name, subject, 64, 64)
