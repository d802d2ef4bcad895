"""`--class`: indices and ImageNet's names, and what is said of words that are neither."""

import pytest

from sefa_cli.editing.class_names import check_class, parse_class
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
        ("goldfsh", "unknown class 'goldfsh'.*Did you mean goldfish"),
        ("qqqqqqq", "an index, or a name of an ImageNet class$"),
        ("-1", "unknown class '-1'"),
        ("crane", "the name of 134 and 517"),
    ],
)
def test_what_is_neither(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        parse_class(text)


def test_names_are_for_networks_of_as_many_classes() -> None:
    for label, classes in ((parse_class("goldfish"), 1000), (parse_class("1"), 10), (None, 10)):
        check_class(label, classes)
    with pytest.raises(UsageError, match="network of 10 classes; expected an index, one of 0-9"):
        check_class(parse_class("goldfish"), 10)


def test_a_name_is_refused_as_a_name_however_few_classes_there_are() -> None:
    with pytest.raises(UsageError, match="cannot use a class name with a network of 10 classes"):
        check_class(parse_class("golden retriever"), 10)
