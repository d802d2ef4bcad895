"""Errors in the words of a shell: it has options where Python has keyword arguments."""

import re
from collections.abc import Collection, Mapping
from functools import partial
from types import MappingProxyType

from sefa_cli.errors import SefaError

_CHOICE = re.compile(r"\w+(, \w+)* or \w+")  # of arguments, perhaps
# A keyword argument that the library expects or recommends, perhaps with its value.
_KEYWORD = re.compile(
    r"(?<![\w.-])(align|any_model|codes|exact_gram|label|latent_axis|loss|model|overwrite|resume|scorers|to_rgb|tune)"
    r"=(?:True\b|'(\w+)'|(\d+))?"
)


# A value that the library names with its argument: in what it found, where nothing of the user's
# can stand, and in what it expects or recommends, outside quotes.
_REFUSED = re.compile(r"(?:\A|(?<=cannot use ))tau (?=(?:auto|0) with )")
_VALUE = re.compile(
    r"'[^']*'|\"[^\"]*\"|(?<![\w-])(?:tau (?=auto|above|\d)|layers,? (?=auto|such as|middle|all\b))"
    r"|\Aface (?=\d)"
)
# What the library says of its keyword arguments begins with their names.
_OF_KEYWORDS = re.compile(
    r"\A\w+(?:(?:, | and )\w+)* (?:must be|cannot be used together"
    r"|ha(?:s|ve) no effect(?: with(?:out)? \w+(?: and \w+)?)?)"
)
_DIFFERING = re.compile(r"(?<=with other options )\(.*\)")  # what `Partial` says of them
_WORD, _FIRST_WORD = re.compile(r"\w+"), re.compile(r"(?:(?<=^\()|(?<=; ))\w+")
_CALL = "sefa.factorize_tensors(FILE, PATTERN)", "sefa factorize FILE --tensors PATTERN"
_OPTIONS = {"truncation": "trunc", "label": "class", "truncation_layers": "trunc-layers"}


def said(
    error: SefaError, options: Collection[str] = (), typed: Mapping[str, str] = MappingProxyType({})
) -> str:
    """Return what an error says in a shell, to a command that has these `options`.

    `typed` are the names of options that the user took instead of others for the same.

    Example:
        >>> said(SefaError("a.png already exists", remedy="Use overwrite=True to replace it."))
        'a.png already exists. Use --overwrite to replace it.'
        >>> said(SefaError("no scorer measures 'age'", remedy="Choose scorers='person'."))
        "no scorer measures 'age'. Choose --scorers person."
        >>> said(SefaError("face has no effect without align"), ["face", "align"])
        '--face has no effect without --align'
        >>> said(SefaError("a search with other options (num: 6 then, 8 now)"), ["num"])
        'a search with other options (--num: 6 then, 8 now)'
        >>> said(SefaError("alpha must be finite"), ["alpha"], {"--alpha": "--range"})
        '--range must be finite'
    """
    found = _OF_KEYWORDS.sub(partial(_dashed, options), error.found, count=1)
    dashed = partial(_dashed_word, options)
    found = _DIFFERING.sub(lambda text: _FIRST_WORD.sub(dashed, text[0]), found)
    expected, remedy = error.expected, error.remedy
    if _CHOICE.fullmatch(expected) and {*_WORD.findall(expected)} - {"or"} <= {*options}:
        expected = _WORD.sub(dashed, expected)
    if options and "any-model" not in options:
        remedy = remedy.replace(", or accept this one with any_model=True", "")
    if options and "codes" not in options:
        remedy = remedy.replace("Codes are given with codes=.", "")
    expected, remedy = (_KEYWORD.sub(_option, text) for text in (expected, remedy))
    remedy = remedy.replace(*_CALL)
    words = partial(_dashed, options)
    found = _REFUSED.sub(words, found)
    expected, remedy = (_VALUE.sub(words, text) for text in (expected, remedy))
    for name, own in typed.items():
        found = re.sub(rf"(?<![\w-]){name}(?![\w-])", own, found)
    return str(SefaError(found, expected, remedy))


def _dashed(options: Collection[str], match: re.Match[str]) -> str:
    if match[0][0] in "'\"":
        return match[0]
    return _WORD.sub(partial(_dashed_word, options), match[0])


def _dashed_word(options: Collection[str], name: re.Match[str]) -> str:
    option = _OPTIONS.get(name[0], name[0]).replace("_", "-")
    return f"--{option}" if option in options else name[0]


def _option(match: re.Match[str]) -> str:
    option = "--" + _OPTIONS.get(match[1], match[1]).replace("_", "-")
    value = match[2] or match[3]
    return f"{option} {value}" if value else option
