"""What goes wrong on a page is said in the page's words: no options of commands."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sefa_cli.checkpoints import open_checkpoint
from sefa_cli.errors import SefaError
from sefa_cli.families.native_tensors import BY_NAME
from sefa_cli.inversion.photos import read_photo
from sefa_cli.studio.library import Library, Model
from sefa_cli.studio.wording import said


def test_a_photo_without_a_face() -> None:
    with pytest.raises(SefaError, match="align=True") as caught:
        read_photo(Image.new("RGB", (900, 900)), (64, 64), find=lambda picture: [])
    assert said(caught.value) == (
        "no face found in the picture; expected a face. In Open, clear Align the face of a photo, "
        "and drop it again: its middle is taken."
    )


def test_a_bundle_without_its_model(model: Model) -> None:
    bundle = model.factorize("all").bundle
    for own in ({"ref": "gone.pth", "fingerprint": "0" * 64}, {"fingerprint": "0" * 64}):
        lost = replace(bundle, model={**bundle.model, **own})
        with pytest.raises(SefaError, match="model=") as caught:
            Library("cpu").open_model_of(lost)
        assert "--" not in said(caught.value)
        assert said(caught.value).endswith("Open the bundle's model first, then the bundle.")


def test_what_it_says_about_a_renamed_model_helps(model: Model, workplace: Path) -> None:
    """Open the model, then the bundle: the same sentence came again, for ever."""
    bundle, library = model.factorize("all").bundle, Library("cpu")
    (workplace / "tiny.pth").rename("renamed.pth")
    with pytest.raises(SefaError, match="model="):
        library.open_model_of(bundle)
    opened = library.open_model("renamed.pth")
    assert library.open_model_of(bundle) is opened
    of_tensors = replace(bundle, params={**bundle.params, "tensors": "*"})
    with pytest.raises(SefaError, match="no generator is known"):
        library.open_model_of(of_tensors)


def test_other_errors_stay_as_they_are() -> None:
    error = SefaError("no model is open", "one", "Open it.")
    assert said(error) == str(error) == "no model is open; expected one. Open it."


def test_what_no_page_can_do_is_left_out(tmp_path: Path) -> None:
    error = SefaError("x.pth is cut", remedy=f"It may be incomplete. {BY_NAME}")
    assert said(error) == "x.pth is cut. It may be incomplete."
    np.savez(tmp_path / "c.npz", w=np.zeros((1, 8, 12)))
    with pytest.raises(SefaError, match="codes=") as caught:
        open_checkpoint(str(tmp_path / "c.npz"))
    assert said(caught.value).endswith("Open a model, and drop the codes on its page.")
