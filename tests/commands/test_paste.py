"""`sefa edit --photo … --align --paste`: the edited face in its whole photo."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sefa_cli.discovery.regions import landmarks
from sefa_cli.inversion import invert as inverting
from sefa_cli.inversion import paste
from sefa_cli.inversion.how import How
from tests.helpers import Sefa
from tests.inversion.test_align import finder, mesh, photo

SIZE, MOVE = (1400, 1300), (300.0, 300.0)


def test_edits_of_photos(sefa: Sefa, bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, _, *others = How.__init__.__defaults__
    monkeypatch.setattr(How.__init__, "__defaults__", (None, 3, *others))
    find = finder(mesh(0, 1, MOVE), size=SIZE)
    for room in (inverting, paste):
        monkeypatch.setattr(room, "face_finder", lambda offline=None: find)
    for room in (paste, landmarks):
        monkeypatch.setattr(room, "refusal", lambda: None)
    photo(0, SIZE, MOVE).save("me.png")
    words = ("edit", "tiny.dirs", "-k", "3", "--photo", "me.png", "--align", "--paste", "-o")
    done = sefa(*words, "out.png", "-a", "2")
    assert done.exit_code == 0, done.stderr
    made, given = np.asarray(Image.open("out.png")), np.asarray(Image.open("me.png"))
    assert made.shape == given.shape and (made != given).any()
    assert (made[:300] == given[:300]).all() and (made[:, 1150:] == given[:, 1150:]).all()
    assert (
        sefa(*words, "many", "-a", "-2,2").exit_code == 0 and len(list(Path("many").iterdir())) == 2
    )
    several = sefa(*words, "sheet.png", "-a", "-2,2")
    assert several.exit_code == 2 and "a folder, -o DIR" in several.stderr
    alone = sefa(*words[:4], "--paste", "-o", "x.png")
    assert alone.exit_code == 2 and "without --photo and --align" in alone.stderr
    faces = [word for word in words if word != "--paste"]
    for first, then in ((words, faces), (faces, words)):
        folder = f"made {len(first)}"
        assert sefa(*first, folder, "-a", "2").exit_code == 0
        assert sefa(*first, folder, "-a", "2", "--resume").exit_code == 0
        refused = sefa(*then, folder, "-a", "2", "--resume")
        assert refused.exit_code == 3 and "made with other options" in refused.stderr
