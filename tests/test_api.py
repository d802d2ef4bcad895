"""What `import sefa_cli as sefa` offers: every name is there and says what it is."""

import inspect
import re

import pytest

import sefa_cli
from sefa_cli.generators.base import Generator
from sefa_cli.generators.core import Core

PUBLIC = [name for name in sefa_cli.__all__ if name != "__version__"]


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_has_a_docstring(name: str) -> None:
    text = getattr(sefa_cli, name).__doc__ or ""
    assert text.strip()
    assert not text.startswith(f"{name}("), "the signature that dataclass puts there"


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_method_has_a_docstring(name: str) -> None:
    thing = getattr(sefa_cli, name)
    members = vars(thing) if isinstance(thing, type) else {}
    public = {n: m for n, m in members.items() if not n.startswith("_") and callable(m)}
    assert [n for n, member in public.items() if not (member.__doc__ or "").strip()] == []


@pytest.mark.parametrize("name", [n for n in PUBLIC if inspect.isfunction(getattr(sefa_cli, n))])
def test_a_docstring_has_every_argument_and_an_example(name: str) -> None:
    function = inspect.unwrap(getattr(sefa_cli, name))
    text = inspect.getdoc(function) or ""
    if own := inspect.signature(function).parameters:
        assert set(own) <= set(re.findall(r"^    \*{0,2}(\w+): ", text, re.M)), name
        assert all(f"\n{part}:" in text for part in ("Args", "Raises", "Example")), name
        assert "Returns:" in text or text.startswith("Return"), name


CLASSES = {name: getattr(sefa_cli, name) for name in PUBLIC} | {"Generator": Generator}
CLASSES = {name: owner for name, owner in CLASSES.items() if isinstance(owner, type)}
METHODS = {
    f"{name}.{called}": method
    for name, owner in CLASSES.items()
    for called, method in inspect.getmembers(owner, inspect.isroutine)
    if called[0] != "_"
    and str(getattr(method, "__module__", "")).startswith("sefa_cli")
    and method.__module__ != Core.__module__  # what families provide
}


@pytest.mark.parametrize("name", CLASSES)
def test_every_class_has_an_example(name: str) -> None:
    assert "\nExample:\n    >>> " in (inspect.getdoc(CLASSES[name]) or "")


@pytest.mark.parametrize("name", METHODS)
def test_a_method_says_what_it_takes_and_returns_or_is_one_line(name: str) -> None:
    text, known = inspect.getdoc(METHODS[name]) or "", inspect.signature(METHODS[name])
    own = known.parameters.keys() - {"self", "cls"}
    returns = known.return_annotation not in (None, "None")
    first, *rest = text.splitlines()
    assert first.endswith(".") and (rest or not returns or first.startswith(("Return", "Yield")))
    if rest:
        assert own <= set(re.findall(r"^    \*{0,2}(\w+): ", text, re.M))
        assert not returns or "\nReturns:\n    " in text or "\nYields:\n    " in text
        assert not own or "\nExample:\n    >>> " in text


SAVING = ("Bundle", "Edits", "Film", "Inversion", "Preset", "Samples")


@pytest.mark.parametrize("name", SAVING)
def test_what_is_saved_says_where_and_over_what(name: str) -> None:
    text = inspect.getdoc(getattr(sefa_cli, name).save) or ""
    assert re.findall(r"^    (path|overwrite): ", text, re.M) == ["path", "overwrite"]


def test_names_are_sorted_and_stand_once() -> None:
    assert sefa_cli.__all__ == sorted(set(sefa_cli.__all__))


def test_another_name_is_refused() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = sefa_cli.nonsense


def test_help_shows_the_names_of_types_not_what_they_stand_for() -> None:
    for name in sefa_cli.__all__:
        owner = getattr(sefa_cli, name)
        own = inspect.getmembers(owner, inspect.isfunction) if inspect.isclass(owner) else []
        for called, function in [(name, owner)] * inspect.isfunction(owner) + own:
            if not called.startswith("_"):
                written = str(inspect.signature(function))
                assert "collections.abc" not in written and "ndarray[" not in written, called
