"""Files that are dropped on a page."""

import io

import numpy as np
import pytest

from sefa_cli.errors import SefaError
from sefa_cli.studio.dropping import first_code
from sefa_cli.studio.library import Model


@pytest.mark.parametrize(
    ("count", "about"), [(1, ""), (3, "the first of 3 codes; the command moves all of them")]
)
def test_a_file_of_several_codes_says_which_is_shown(model: Model, count: int, about: str) -> None:
    codes = np.random.RandomState(0).randn(count, model.generator.num_layers, 32)
    file = io.BytesIO()
    np.savez(file, w=codes.astype(np.float32))
    origin = first_code(model, "me.npz", file.getvalue())
    np.testing.assert_array_equal(origin.codes[0], codes[0].astype(np.float32))
    assert (origin.path, origin.about) == ("me.npz", about)


@pytest.mark.parametrize("data", [b"some words", b"PK\3\4", b"\x93NUMPY\1\0"])
def test_a_broken_file_of_codes_is_called_by_its_name(model: Model, data: bytes) -> None:
    with pytest.raises(SefaError, match=r"^me\.npz (holds no codes|is damaged): ") as refused:
        first_code(model, "me.npz", data)
    assert "/" not in str(refused.value)
