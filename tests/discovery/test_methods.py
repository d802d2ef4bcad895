"""The one table of methods: every command takes its names and its refusals from it."""

import pytest

from sefa_cli.discovery.methods import METHODS, check_method, check_options, methods_of
from sefa_cli.errors import UsageError


def test_a_command_knows_its_own_methods_alone() -> None:
    assert methods_of("factorize")[0] == "sefa" and methods_of("localize")[0] == "resefa"
    for command in ("factorize", "localize"):
        for name in METHODS:
            if name in methods_of(command):
                check_method(command, name)
                continue
            with pytest.raises(UsageError, match=f"unknown method '{name}'.*has the method {name}"):
                check_method(command, name)


def test_an_unknown_method_is_told_the_known_ones() -> None:
    with pytest.raises(UsageError, match=r"unknown method 'nose'; expected resefa, .* stylespace$"):
        check_method("localize", "nose")


@pytest.mark.parametrize("name", METHODS)
def test_each_method_takes_its_own_options_and_no_others(name: str) -> None:
    own = METHODS[name]
    for other in METHODS.values():
        if other.command != own.command:
            continue
        for option in other.options:
            check_options(name, {option: None})
            if option in own.options:
                check_options(name, {option: 0})
                continue
            with pytest.raises(UsageError, match=f"{option} has no effect with method {name}"):
                check_options(name, {option: 0})
