"""`0-4,7` means the same everywhere, and whatever else is written gets one clear line."""

import time

import pytest

from sefa_cli.errors import UsageError
from sefa_cli.ranges import format_range, is_range, parse_range


@pytest.mark.parametrize(
    ("text", "indices"),
    [("3", (3,)), ("0-4,7", (0, 1, 2, 3, 4, 7)), ("7,0-1", (7, 0, 1)), (" 2 , 4 ", (2, 4))],
)
def test_reads_what_people_write(text: str, indices: tuple[int, ...]) -> None:
    assert parse_range(text, "seed") == indices


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "must be a range"),
        ("a", "must be a range"),
        ("-1", "must be a range"),
        ("1.5", "must be a range"),
        ("4-2", "runs backwards"),
        ("1,1", "given twice"),
        ("0-2,1", "given twice"),
        ("8", "layer 8 is out of range; expected 0-7"),
        ("0-99999999999", "names 100,000,000,000 layers"),
        ("0-999999,0-999999", "names 2,000,000 layers"),
        ("1" * 5000, "layer 11111111111111111111… is too large; expected at most 18 digits"),
    ],
)
def test_refuses_the_rest(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        parse_range(text, "layer", 8)


def test_a_repeated_index_is_found_at_once() -> None:
    """The time was quadratic: hours for 15 letters."""
    began = time.process_time()
    with pytest.raises(UsageError, match="seed 999998 is given twice"):
        parse_range("0-999998,999998", "seed")
    assert time.process_time() - began < 5


@pytest.mark.parametrize("text", ["0", "0-4,7", "0-2,4,6-7"])
def test_format_is_the_inverse(text: str) -> None:
    assert format_range(parse_range(text, "layer")) == text


@pytest.mark.parametrize(("text", "yes"), [("3", True), ("0-4", True), ("smile", False)])
def test_labels_are_no_ranges(text: str, yes: bool) -> None:
    assert is_range(text) is yes


def test_errors_name_what_is_counted() -> None:
    """Seeds were called indices."""
    for text in ("", "0-9999999"):
        with pytest.raises(UsageError) as refused:
            parse_range(text, "seed")
        assert "ndices" not in str(refused.value) and "eeds" in str(refused.value)
