"""`--class`: indices and ImageNet's names, and what is said of words that are neither."""

import pytest

from sefa_cli.editing.class_names import parse_class
from sefa_cli.errors import UsageError


@pytest.mark.parametrize(
    ("text", "index"),
    [
        ("0", 0),
        (" 999 ", 999),
        ("1234", 1234),  # of another data set: the model says how many it has
        ("goldfish", 1),
        ("Carassius auratus", 1),
        ("Golden Retriever", 207),
        ("daisy", 985),
        ("toilet tissue", 999),
    ],
)
def test_indices_and_names(text: str, index: int) -> None:
    assert parse_class(text) == index


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("goldfsh", "no class of ImageNet.*Did you mean goldfish"),
        ("qqqqqqq", "an index or a name$"),
        ("-1", "no class of ImageNet"),
        ("crane", "the name of 134 and 517"),
    ],
)
def test_what_is_neither(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        parse_class(text)
