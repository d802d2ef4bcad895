"""What Typer says of words that it cannot parse, in our one line."""

import difflib
import re
from collections.abc import Collection, Iterable
from typing import Any

import typer

from sefa_cli.errors import UsageError

TYPING_ERROR: type[Exception] = typer.BadParameter.__bases__[0]  # Typer's own UsageError
# What a bare word after the file most likely names, and what it then looks like.
_MEANT = {
    "localize": ("--region", r"[a-z]+([-,][a-z]+)*"),
    "edit": ("--k", r".+"),
    "animate": ("--k", r".+"),
    "sample": ("--seeds", r"[\d,-]+"),
}
# Files that stand alone, before those.
_FILES = (("--model", r".+\.(pth?|pkl|ckpt|bin)"), ("--photo", r".+\.(png|jpe?g|webp)"))
_FILM = re.compile(r".+\.(gif|mp4|webm)")
_MODELS = "sefa models to list them, or sefa models pull NAME"
_CLOSE = 0.75  # --alphas is, to --alpha; --steps is not, to --seeds
_NUMBERS = {"int": "a whole number", "float": "a number"}


def in_our_words(error: Any) -> UsageError:
    """Return an error of Typer's as ours: what was given, what was expected, where to look."""
    found, expected = _found(error)
    return UsageError(found, expected, _help_of(error.ctx))


def unexpected(words: list[str], ctx: Any, given: Collection[str]) -> UsageError:
    """Return the error for words that stand for nothing, with the option that may be meant.

    Options that are `given` cannot be.
    """
    said = " ".join(words)
    of_bundle = "X.dirs" in (
        p.metavar for p in ctx.command.params if p.param_type_name == "argument"
    )
    if of_bundle and all(word.endswith(".dirs") for word in words):
        return UsageError(f"{len(words) + 1} bundles are given", "one", _help_of(ctx))
    found = f"unexpected {'word' if len(words) == 1 else 'words'}: {said}"
    return UsageError(found, _meant(words, ctx, given), _help_of(ctx))


def _meant(words: list[str], ctx: Any, given: Collection[str]) -> str:
    """Return the words with the option that they most likely lack, "" for none."""
    from sefa_cli.sources.locate import is_remote

    own = {name for parameter in ctx.command.params for name in parameter.opts}
    if "--model" in own - {*given} and len(words) == 1 and is_remote(words[0]):
        return f"--model {words[0]}"
    if ctx.info_name == "animate" and len(words) == 1 and _FILM.fullmatch(words[0]):
        return "" if "--output" in given else f"--output {words[0]}"
    for option, looks in (*_FILES, _MEANT.get(str(ctx.info_name), ("", ""))):
        if option in own and all(re.fullmatch(looks, word) for word in words):
            joined = (" " if option == "--photo" else ",").join(words)
            return "" if option in given else f"{option} {joined}"
    return ""


def _help_of(ctx: Any) -> str:
    words = ctx.command_path.split()[1:] if ctx else []
    return f"See: {' '.join(['sefa', *words, '--help'])}"


def _found(error: Any) -> tuple[str, str]:
    text = str(error.message).rstrip(".")
    if (parameter := getattr(error, "param", None)) is not None:
        return _of_value(max(parameter.opts, key=len), text), ""
    if hasattr(error, "option_name") and hasattr(error, "possibilities"):
        return f"unknown option {error.option_name}", _near(error.option_name, error.possibilities)
    if match := re.match(r"No such command '(.*?)'(?:\. Did you mean (.*)\?)?", text):
        meant = (match[2] or "").replace("'", "")
        of_models = error.ctx and error.ctx.info_name == "models"
        return f"unknown command {match[1]!r}", _MODELS if of_models else meant
    if match := re.match(r"Option '(.*)' requires an argument", text):
        return f"{match[1]} needs a value", ""
    return text, ""


def _near(typed: str, options: Iterable[str] | None) -> str:
    """Return the option that was meant, "" unless one is close: Typer's guesses mislead."""
    return "".join(difflib.get_close_matches(typed, options or (), n=1, cutoff=_CLOSE))


def _of_value(name: str, text: str) -> str:
    if match := re.fullmatch(r"(.*) is not in the range (?:(.*)<=)?x(?:<=(.*)|>=(.*))?", text):
        value, low, high, least = match.groups()
        if low and high:
            return f"{name} must be between {low} and {high}, got {value.removesuffix('.0')}"
        bound = f"{least or low} or more" if least or low else f"at most {high}"
        return f"{name} must be {bound}, got {value.removesuffix('.0')}"
    if match := re.fullmatch(r"(.*) is not a valid (int|float|integer)(?: range)?", text):
        return f"{name} must be {_NUMBERS[match[2][:5].removesuffix('e')]}, got {match[1]}"
    return f"{name}: {text}"
