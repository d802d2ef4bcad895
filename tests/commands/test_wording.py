"""What the library says in Python's words is said in a shell's."""

import pytest

from sefa_cli.commands.wording import said
from sefa_cli.errors import SefaError


@pytest.mark.parametrize(
    ("remedy", "shown"),
    [
        ("Use overwrite=True to replace it.", "Use --overwrite to replace it."),
        ("Name it with model=.", "Name it with --model."),
        ("Accept this one with any_model=True.", "Accept this one with --any-model."),
        (
            "The scorer face measures it: scorers='face'.",
            "The scorer face measures it: --scorers face.",
        ),
        ("Choose another to_rgb=.", "Choose another --to-rgb."),
        ("Set SEFA_model=1 and a.loss=2.", "Set SEFA_model=1 and a.loss=2."),
    ],
)
def test_remedies_name_options(remedy: str, shown: str) -> None:
    assert (
        said(SefaError("it is not aligned", "align=True")) == "it is not aligned; expected --align"
    )
    assert said(SefaError("a model=x.pth is there", "another", remedy)) == (
        f"a model=x.pth is there; expected another. {shown}"
    )
