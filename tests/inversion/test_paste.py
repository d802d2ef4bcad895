"""An edited face goes back to where it was cut out, and the rest of the photo stays."""

import numpy as np
import pytest
from PIL import Image

from sefa_cli.errors import SefaError
from sefa_cli.inversion import paste
from sefa_cli.inversion.photos import read_photo
from tests.inversion.test_align import finder, mesh

SIZE, MOVE = (1400, 1300), (300.0, 300.0)


def smooth() -> Image.Image:
    """A photo whose colors change slowly, so that the cut loses nothing."""
    x, y = np.meshgrid(np.linspace(40, 200, SIZE[0]), np.linspace(20, 220, SIZE[1]))
    return Image.fromarray(np.stack([x, y, (x + y) / 2], axis=2).astype(np.uint8))


@pytest.mark.parametrize("turn", [0.0, 0.5, -0.8])
def test_what_was_cut_out_fits_again(turn: float) -> None:
    find = finder(mesh(turn, 1, MOVE), size=SIZE)
    image = smooth()
    cut = read_photo(image, (256, 256), find=find).pixels
    whole = paste.paste(paste.place_of(image, find), cut)
    assert np.abs(whole.astype(int) - np.asarray(image)).max() <= 4
    black = paste.paste(paste.place_of(image, find), np.zeros_like(cut))
    place = paste.place_of(image, find)
    middle = place.square.mean(axis=0).astype(int)
    assert not black[middle[1], middle[0]].any()
    corner = (place.square[0] + 1).clip(0).astype(int)
    assert (black[corner[1], corner[0]] == np.asarray(image)[corner[1], corner[0]]).all()
    assert (black[:20] == np.asarray(image)[:20]).all() or turn


def test_a_face_at_the_edge_of_the_photo() -> None:
    find = finder(mesh(0, 1, (-300, -300)), size=(500, 400))
    image = smooth().crop((0, 0, 500, 400))
    cut = read_photo(image, (64, 64), find=find).pixels
    assert paste.paste(paste.place_of(image, find), cut).shape == (400, 500, 3)
    far = paste.Place(image, np.array([[900.0, 0], [900, 90], [990, 90], [990, 0]]))
    assert (paste.paste(far, cut) == np.asarray(image)).all()


def test_the_landmark_package_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paste, "refusal", lambda: SefaError("mediapipe is missing"))
    with pytest.raises(SefaError, match="mediapipe is missing"):
        paste.pasted(None, [], None)
