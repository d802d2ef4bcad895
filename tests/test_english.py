"""How the words read: American spelling everywhere, plain English where users and readers look."""

import re
from collections import Counter

import pytest

from tests.helpers import ROOT
from tests.helpers.tree import tracked

BRITISH = re.compile(
    r"""\b(?!CancelledError|labelledby)\w*(?:
        colour | behaviour | neighbour | favour | honour | flavour | armour | rumour | vapour
        | \bcentre | \b(?:milli|centi|kilo)?metres?\b | fibre | calibre | theatre
        | (?:normal|recogn|optim|maxim|minim|organ|initial|serial|real|factor|linear|quant|visual
           |summar|character|standard|general|util|local|discret|parameter|random|synthes|custom
           |categor|memor|prior|capital|regular|vector|token|final|orthogonal|symbol|stabil
           |diagonal|canonical|penal|anonym)is(?:e|es|ed|er|ers|ing|ation|ations)\b
        | \banalys(?:e|ed|er|ing)\b | \bemphasis(?:e|ed|ing)\b
        | (?:label|model|travel|cancel|channel|signal|tunnel|level|marshal|total)
          l(?:ed|ing|er|ers)\b
        | \bgrey | catalogue | \bdialogue | licence | \bdefence | artefact | \bwhilst
        | judgement | acknowledgement | \bprogrammes?\b | sceptic | \bmould | \bageing
    )""",
    re.VERBOSE | re.IGNORECASE,
)
# British words that stay, by file: what others published.
BRITISH_LEFT = {
    "tests/golden/golden_mobilestylegan.json": 1,
}

# Phrases that read as translated, and how many are left in the package, docs/, formats/, bench/
# and the pages at the top.
# A number may only go down; a phrase whose number is 0 must not come back.
TRANSLATED = {
    r"[Ww]here nothing is said|\bnothing is said": 0,
    r"(?<![Tt]here )\b(?:is|are) no (?!longer\b|more than\b)": 0,
    "No talk": 0,
    "alone tell": 0,
    r"\banew\b": 0,
    r"\b(?:is|are) (?:told|said)\b": 0,
    r"\bis to be\b": 0,
    r"\bso many\b": 0,
    r"\bfor what is\b": 0,
    r"\bsays nothing\b": 0,
    r"\bholds what\b|\bmade of what\b": 0,
    r"\bwhat else there is\b|\bstands beside them\b": 0,
    r"\bheld in vain\b|\bso it is said\b": 0,
    r"\bis to be (?:executed|read|written)\b": 0,
    r"\bwithout a word\b|\bcounts anew\b": 0,
    r"brings what|tells? nothing|to accept or not|such that do not": 0,
}


PAGES = ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")


def words_of(name: str) -> str:
    """A file's text on one line."""
    return joined((ROOT / name).read_text("utf-8"))


def joined(text: str) -> str:
    """Text on one line: strings that Python joins are joined, comment signs are gone."""
    text = re.sub(r'"\s*\n\s*f?"', "", text)
    return re.sub(r"\s+(?:#:? )?", " ", text)


def test_spelling_is_american() -> None:
    found: dict[str, list[str]] = {}
    for name in set(tracked()) - {"tests/test_english.py"}:
        words = Counter(re.findall(r"[A-Za-z]+", (ROOT / name).read_text("utf-8")))
        wrong = {word for word in words if BRITISH.search(word)}
        british = [word for word in words.elements() if word in wrong]
        if len(british) > BRITISH_LEFT.get(name, 0):
            found[name] = british
    assert not found


@pytest.mark.parametrize(
    "word",
    [
        "colour",
        "normalised",
        "Greyscale",
        "Labelled",
        "analyse",
        "neighbours",
        "centre",
        "cancelled",
    ],
)
def test_a_british_word_is_seen(word: str) -> None:
    assert BRITISH.search(f"the {word} of it")


@pytest.mark.parametrize(
    "word", ["color", "CancelledError", "labeled", "analysis", "precise", "center", "parametric"]
)
def test_an_american_word_is_not(word: str) -> None:
    assert not BRITISH.search(f"the {word} of it")


@pytest.mark.parametrize("phrase", TRANSLATED)
def test_english_is_plain(phrase: str) -> None:
    names = tracked("sefa_cli", "docs", "formats", "bench", *PAGES)
    found = {name: len(re.findall(phrase, words_of(name))) for name in names}
    found = {name: count for name, count in found.items() if count}
    assert sum(found.values()) <= TRANSLATED[phrase], found


def test_a_phrase_is_seen_across_lines() -> None:
    assert re.search(
        next(iter(TRANSLATED)), joined('help="psi; where nothing "\n    "is said 0.7"')
    )
