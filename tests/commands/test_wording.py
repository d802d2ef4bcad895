"""What the library says in Python's words is said in a shell's."""

import ast
import re
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import sefa_cli
from sefa_cli.commands.wording import said
from sefa_cli.editing.mixing import parse_mix
from sefa_cli.errors import SefaError, UsageError
from tests.helpers import ROOT, Sefa


@pytest.mark.parametrize(
    ("found", "shown"),
    [
        ("size must be 8 pixels or more, got 4", "--size must be 8 pixels or more, got 4"),
        ("seeds and codes cannot be used together", "--seeds and --codes cannot be used together"),
        ("face has no effect without align", "--face has no effect without --align"),
        ("rank has no effect with method resefa", "--rank has no effect with --method resefa"),
        (
            "label has no effect with codes: they have",
            "--class has no effect with --codes: they have",
        ),
        ("seeds must be a range, got 'x'", "--seeds must be a range, got 'x'"),
        ("beta must be a number", "beta must be a number"),
        ("the size must be even", "the size must be even"),
    ],
)
def test_what_the_library_says_of_its_keywords_names_options(found: str, shown: str) -> None:
    options = ["size", "seeds", "codes", "face", "align", "rank", "method", "class"]
    assert said(SefaError(found), options) == shown
    assert said(SefaError(found)) == found


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("localize tiny.pth", "--region and --output are missing; expected sefa localize tiny.pth"),
        ("localize tiny.pth -o a.dirs --seg-ids 3", "--seg-ids has no effect without --seg"),
        ("localize tiny.pth --box 0,0,8,8", "--output is missing; expected sefa localize tiny.pth"),
        ("pick tiny.dirs -o a.dirs", "--k is missing; expected sefa pick tiny.dirs -o a.dirs"),
        ("edit tiny.dirs -k 3 --seeds 1 --codes a", "--seeds and --codes cannot be used together"),
        ("edit tiny.dirs -k 3 --face 1", "--face has no effect without --photo"),
        ("invert a.png --model tiny.pth -o a.npz --face 1", "--face has no effect without --align"),
        (
            "localize tiny.pth --box 0,0,8,8 -o a.dirs --rank 2",
            "--rank has no effect with --method",
        ),
        ("localize tiny.pth --box 0,0,8,8 -o a.dirs --size 4", "--size must be 8 pixels or more"),
        ("evaluate tiny.dirs -o ev --alpha x", "--alpha must be a number, got 'x'"),
        ("edit tiny.dirs -k 3 -a 2 --trunc -9", "--trunc must be between -2 and 2"),
    ],
)
def test_commands_name_their_options_with_dashes(
    sefa: Sefa, bundle: Path, words: str, shown: str
) -> None:
    assert sefa(*words.split()).stderr.startswith(f"sefa: {shown}")


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ("animate tiny.dirs -k 0 -o a.gif NAME 3:x", ("--range", "--alpha")),
        ("report tiny.dirs NAME 3:x", ("--range", "--alpha")),
        ("evaluate tiny.dirs -o ev NAME 1:2", ("--range", "--alpha")),
        ("evaluate tiny.dirs -o ev NAME x", ("--range", "--alpha")),
        ("sample tiny.pth NAME x", ("--seed", "--seeds")),
        ("edit tiny.dirs -k 0 --codes a.npz NAME 0", ("--seed", "--seeds")),
        ("localize tiny.pth --box 0,0,8,8 -o a.dirs NAME x", ("--seed", "--seeds")),
    ],
)
def test_an_option_is_called_by_the_name_that_was_typed(
    sefa: Sefa, bundle: Path, words: str, names: tuple[str, ...]
) -> None:
    for name in names:
        assert sefa(*words.replace("NAME", name).split()).stderr.startswith(f"sefa: {name} ")
        joined = words.replace("NAME ", f"{name}=")
        assert sefa(*joined.split()).stderr.startswith(f"sefa: {name} ")


def test_every_list_of_choices_has_one_form() -> None:
    """`errors.either` makes it; the pattern finds what joins names by hand."""
    by_hand = re.compile(r"""\bone of (?:" \+|\{)|["'] or ["']\.join""")
    for path in (ROOT / "sefa_cli").rglob("*.py"):
        if path.name != "errors.py":
            assert not by_hand.search(path.read_text("utf-8")), path


def test_numbers_of_things_have_commas() -> None:
    """`3,001 seeds`: counts of what a user may have thousands of are written as bars write them."""
    bare = re.compile(
        r"(?:\{(?:len\([^{}]*\)|count|total|missing|samples|starts)\}|%d) "
        r"(?:of|seed|code|picture|photo|frame|sample|tensor|dimension|derivative|more)"
    )
    for path in (ROOT / "sefa_cli").rglob("*.py"):
        if "studio" not in path.parts:
            assert not bare.search(path.read_text("utf-8")), (path, bare.search(path.read_text()))


def test_segments_are_asked_for_in_plain_words(sefa: Sefa, workplace: Path) -> None:
    Image.fromarray(np.array([[0, 3], [0, 0]], np.uint8)).save("a.png")
    words = ["localize", "tiny.pth", "-o", "a.dirs", "--seg", "a.png"]
    said = "; expected 0 (75.0 %) or 3 (25.0 %)\n"
    lacking = "--seg has no effect without --seg-ids, the segments of a.png"
    assert sefa(*words).stderr == f"sefa: {lacking}{said}"
    assert sefa(*words, "--seg-ids", "7").stderr == f"sefa: segment 7 is not in a.png{said}"


@pytest.mark.parametrize("content", ["text", "empty", "half", "checkpoint"])
def test_what_is_not_a_picture_is_called_the_same_everywhere(
    sefa: Sefa, bundle: Path, content: str
) -> None:
    whole = BytesIO()
    Image.effect_noise((64, 64), 50).save(whole, "png")
    data = {
        "text": (b"some words", "is not a picture: it is a text file; expected PNG, JPEG"),
        "empty": (b"", "is empty; expected a picture. Get the file again."),
        "half": (whole.getvalue()[:1000], "cannot be read as a picture: image file is truncated"),
        "checkpoint": (Path("tiny.pth").read_bytes(), "is not a picture: it is a "),
    }
    written, shown = data[content]
    Path("a.png").write_bytes(written)
    box = ["localize", "tiny.pth", "--size", "32", "-o", "a.dirs"]
    commands = [
        [*box, "--mask", "a.png"],
        [*box, "--box", "0,0,8,8", "--background", "a.png"],
        ["invert", "a.png", "--model", "tiny.pth", "-o", "a.npz"],
        ["edit", "tiny.dirs", "-k", "3", "--photo", "a.png"],
    ]
    for words in commands:
        done = sefa(*words)
        assert done.exit_code == 1 and done.stderr.startswith(f"sefa: a.png {shown}"), words


def test_a_command_names_only_its_own_options() -> None:
    other = SefaError("it is another", remedy="Use model=, or accept this one with any_model=True.")
    assert said(other, ["model", "any-model"]).endswith("or accept this one with --any-model.")
    assert said(other, ["model"]) == "it is another. Use --model."


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
        ("Give one with label=.", "Give one with --class."),
        (
            "`sefa.factorize_tensors(FILE, PATTERN)` takes them.",
            "`sefa factorize FILE --tensors PATTERN` takes them.",
        ),
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


# What only commands call, and what quotes pip.
OF_COMMANDS = (
    *("cluster.py", "commands/", "editing/moves.py", "interchange/arrays.py"),
    *("interchange/reading.py", "interchange/trees.py", "joining.py", "parts.py"),
    *("sources/wheels.py", "studio/"),
)
WHOLE_LINES = re.compile(r"`(?:sefa|pip) [^`]*`|MODEL -o ")
OPTION = re.compile(r"(?:^|(?<= ))(?:--[a-z]|-[a-zA-Z] )")


@pytest.mark.parametrize(
    "path", sorted((ROOT / "sefa_cli").rglob("*.py")), ids=lambda p: str(p.relative_to(ROOT))
)
def test_a_text_of_the_library_names_no_option_of_a_shell(path: Path) -> None:
    """Python's users meet it: it names their keyword, and `said` says the option of it."""
    if str(path.relative_to(ROOT / "sefa_cli")).startswith(OF_COMMANDS):
        return
    nodes = [*ast.walk(ast.parse(path.read_text("utf-8")))]
    documentation = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    texts = [
        WHOLE_LINES.sub("", node.value)
        for node in nodes
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and id(node) not in documentation
    ]
    assert not [text for text in texts if " " in text and OPTION.search(text)]


PYTHON = [
    lambda: sefa_cli.factorize("codes.npz"),
    lambda: sefa_cli.factorize("other.npy"),
    lambda: sefa_cli.factorize("stranger.pt"),
    lambda: sefa_cli.edit(sefa_cli.factorize_tensors("tiny.pth", "*style.weight"), {0: 1}),
    lambda: sefa_cli.inspect("sheet.png"),
    lambda: sefa_cli.load_generator("none.tuned.safetensors"),
    lambda: sefa_cli.supervise("tiny.pth", "brightness", seeds="0-59", scores="tiny.pth"),
    lambda: sefa_cli.edit("tiny.dirs", {0: [1, 2]}).preset("p", "tiny.dirs"),
]


@pytest.mark.parametrize("call", PYTHON)
def test_errors_of_python_calls_name_no_options(call: Callable[[], object], bundle: Path) -> None:
    np.savez("codes.npz", w=np.zeros((1, 8, 32), np.float32))
    np.save("other.npy", np.zeros(3))
    torch.save({"layer.weight": torch.zeros(2)}, "stranger.pt")
    Image.new("RGB", (8, 8)).save("sheet.png")
    (Path("none.tuned.safetensors")).write_bytes(Path("tiny.dirs").read_bytes())
    with pytest.raises(SefaError) as refused:
        call()
    assert not re.search(r" --?[a-z]", str(refused.value)), refused.value


def test_what_is_expected_is_named_as_it_is_typed() -> None:
    error = SefaError("box and seg cannot be used together", "box, mask or seg")
    assert said(error, ["box", "mask", "seg"]) == (
        "--box and --seg cannot be used together; expected --box, --mask or --seg"
    )
    error = SefaError("they are square", remedy="Set latent_axis=1 or latent_axis=0.")
    assert said(error) == "they are square. Set --latent-axis 1 or --latent-axis 0."


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        (UsageError("cannot use tau auto with it", "tau above 0"), "cannot use --tau auto with it"),
        (UsageError("tau 0 with a sketch", "tau above 0"), "--tau 0 with a sketch; expected --tau"),
        (
            UsageError("no", "two seeds or more, or tau 1e-3"),
            "no; expected two seeds or more, or -",
        ),
        (UsageError("no such layers", "layers such as top"), "no such layers; expected --layers s"),
        (UsageError("no", "layers, such as top"), "no; expected --layers, such as top"),
        (
            UsageError("no", "any", "Take tau 1e-3, or layers that reach it."),
            ". Take --tau 1e-3, o",
        ),
    ],
)
def test_a_value_has_its_option(error: SefaError, shown: str) -> None:
    text = said(error, ["tau", "layers"])
    assert shown in text and "--layers that" not in text
    assert "--" not in said(error, ["seeds"])


@pytest.mark.parametrize(
    "error",
    [
        SefaError("tau 1.pth does not exist"),
        SefaError("layers auto.pth does not exist"),
        UsageError("no direction is called 'layers all'", "'the layers all 2' or 'my tau 1'"),
        UsageError("no direction is called 'my face 2'", "an index 0-0 or 'my face 1'"),
        UsageError("a file called face 0"),
    ],
)
def test_what_the_user_wrote_stays(error: SefaError) -> None:
    assert "--" not in said(error, ["tau", "layers", "face"])


def test_a_face_is_named_with_its_option() -> None:
    error = SefaError("two.jpg has 2 faces", "face 0 to 1")
    assert said(error, ["align", "face"]) == "two.jpg has 2 faces; expected --face 0 to 1"


def test_an_option_that_a_command_lacks_is_not_recommended() -> None:
    error = SefaError("c.npz is a zip archive", "a checkpoint", "Codes are given with codes=.")
    assert said(error, ["seeds"]) == "c.npz is a zip archive; expected a checkpoint"
    assert said(error, ["codes"]).endswith("Codes are given with --codes.")


def test_the_layers_to_mix_are_not_those_to_move() -> None:
    with pytest.raises(UsageError) as refused:
        parse_mix("7:x")
    assert said(refused.value, ["mix-from", "layers"]).startswith(
        "--mix-from must be a source and its layers, got '7:x'"
    )
