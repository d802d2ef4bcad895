"""Words that cannot be parsed are refused in one line, as every other fault is."""

import re
import shlex

import pytest
import typer.main
from typer.testing import CliRunner

from sefa_cli.cli import app


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("edti a.dirs", "unknown command 'edti'; expected edit. See: sefa --help"),
        (
            "models list",
            "unknown command 'list'; expected sefa models to list them, or sefa models ",
        ),
        ("models pull", "MODEL is missing; expected sefa models pull mobilestylegan_ffhq"),
        ("--foo", "unknown option --foo. See: sefa --help"),
        ("edit a.dirs --kk 0", "unknown option --kk; expected --k. See: sefa edit --help"),
        ("edit a.dirs --foo 0", "unknown option --foo. See: sefa edit --help"),
        ("edit a.dirs --k 0 --steps 4", "unknown option --steps. See: sefa edit --help"),
        ("edit a.dirs --alphas 4", "unknown option --alphas; expected --alpha. See: sefa edit"),
        ("sample a --seed 1 --seed 2", "--seed is given 2 times; expected once"),
        ("factorize a b -o c", "unexpected word: b. See: sefa factorize --help"),
        ("localize a mouth", "unexpected word: mouth; expected --region mouth. See: sefa localize"),
        ("localize a mouth nose", "unexpected words: mouth nose; expected --region mouth,nose."),
        ("factorize a face.dirs -o b.dirs", "unexpected word: face.dirs. See: sefa factorize"),
        ("import a.npy b.npy c.npy", "unexpected words: b.npy c.npy. See: sefa import --help"),
        ("localize a mobilestylegan_ffhq", "unexpected word: mobilestylegan_ffhq. See: sefa local"),
        ("sample a mobilestylegan_ffhq", "unexpected word: mobilestylegan_ffhq. See: sefa sample"),
        ("sample a 0-3", "unexpected word: 0-3; expected --seeds 0-3. See: sefa sample"),
        ("edit a.dirs 3", "unexpected word: 3; expected --k 3. See: sefa edit --help"),
        ("edit a.dirs foo.pth", "unexpected word: foo.pth; expected --model foo.pth. See"),
        ("animate a.dirs foo.pkl -o b.gif", "unexpected word: foo.pkl; expected --model foo.pkl."),
        ("edit a.dirs mobilestylegan_ffhq", "unexpected word: mobilestylegan_ffhq; expected --m"),
        ("edit a.dirs hf:a/b/c.pt -k 0", "unexpected word: hf:a/b/c.pt; expected --model hf:a/b/c"),
        ("report a.dirs foo.pth -o b", "unexpected word: foo.pth; expected --model foo.pth. See"),
        ("import a.npy foo.pth -o b", "unexpected word: foo.pth; expected --model foo.pth. See"),
        ("export a.dirs foo.npy", "unexpected word: foo.npy. See: sefa export --help"),
        ("edit a.dirs me.jpg", "unexpected word: me.jpg; expected --photo me.jpg. See"),
        ("edit a.dirs 1.jpg 2.jpg", "unexpected words: 1.jpg 2.jpg; expected --photo 1.jpg 2.jpg."),
        ("edit a.dirs big smile", "unexpected words: big smile; expected --k big,smile. See"),
        ("edit a.dirs b.dirs --k 0", "2 bundles are given; expected one. See: sefa edit --help"),
        ("localize a --tau", "--tau needs a value. See: sefa localize --help"),
        ("animate a --k 0 -o x.gif --frames 1", "--frames must be between 2 and 100000, got 1"),
        ("animate a --k 0 -o x.gif --fps 999", "--fps must be between 0.1 and 100, got 999"),
        ("studio --port 99999", "--port must be between 0 and 65535, got 99999"),
        ("edit a --k 0 --alpha 1 --size x", "--size must be a whole number, got 'x'"),
        ("edit a --k 0 --alpha 1 --trunc x", "--trunc must be a number, got 'x'"),
        ("export a --k 0 --k 1 --to npy -o b", "--k is given 2 times; expected once"),
        ("edit a --k 0 --alpha 1 --seeds 0 --seeds 1", "--seeds is given 2 times"),
        ("edit a --k 0 --alpha 1 -o a.png -o b.png", "--output is given 2 times"),
        (
            "factorize a -o b --no-normalize --normalize",
            "--normalize and --no-normalize cannot be used together",
        ),
        ("localize a --fast --exact", "--fast and --exact cannot be used together"),
        ("edit a.dirs -k 0 1", "unexpected word: 1. See: sefa edit --help"),
        ("localize a b --region eyes -o c.dirs", "unexpected word: b. See: sefa localize --help"),
        ("animate a.dirs -k 0 s.gif", "unexpected word: s.gif; expected --output s.gif"),
        ("animate a.dirs -o r.gif s.gif", "unexpected word: s.gif. See: sefa animate --help"),
        ("edit a.dirs --model b.pth c.pth", "unexpected word: c.pth. See: sefa edit --help"),
        ("factorize a.pth s.gif", "unexpected word: s.gif. See: sefa factorize --help"),
        ("edit a --k 0 --output=", "--output is empty; expected the name of a file or folder"),
        ("convert a --output=", "--output is empty; expected the name"),
        ("animate a --k 0 -o b.gif --output=", "--output is given 2 times"),
        ("edit a --k 0 --save-codes=", "--save-codes is empty; expected the name"),
        ("invert a --model b -o c.npz --sheet=", "--sheet is empty; expected the name"),
        ("evaluate a -o b --cache=", "--cache is empty; expected the name"),
        ("edit a --k 0 --codes=", "--codes is empty; expected a value"),
        ("edit a --k 0 --model=", "--model is empty"),
        ("sample a --on=", "--on is empty"),
        ("pick a --mix= -o c", "--mix is empty"),
        ("localize a --mask= -o c", "--mask is empty"),
        ("factorize '' -o c", "an empty word; expected MODEL"),
        ("edit '' --k 0", "an empty word; expected X.dirs"),
        ("merge a '' -o c", "an empty word; expected PART"),
        ("import '' --model a -o c", "an empty word; expected FILE"),
    ],
)
def test_one_line_says_what_to_type(words: str, said: str) -> None:
    result = CliRunner().invoke(app, shlex.split(words))
    assert result.exit_code == 2
    assert result.stderr.startswith("sefa: ") and result.stderr.count("\n") == 1
    assert said in result.stderr


def test_what_may_be_repeated_is_not_refused() -> None:
    words = "edit a.dirs --k 0 --k 1 --alpha 1 --alpha 2 --overwrite --overwrite --fast --fast"
    assert "a.dirs does not exist" in CliRunner().invoke(app, words.split()).stderr


def test_a_corrected_command_can_be_typed_as_it_is() -> None:
    for name in sorted({*typer.main.get_command(app).commands} - {"studio", "models"}):  # type: ignore[attr-defined]
        said = CliRunner().invoke(app, [name]).stderr
        assert " missing; expected sefa " in said, said
        assert not re.search(r"expected sefa .*\b[A-Z]{3,}\b", said), said
