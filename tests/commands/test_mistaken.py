"""What stands in the place of something else is called what it is."""

from pathlib import Path

import pytest
import torch
from PIL import Image

from tests.helpers import Sefa


@pytest.mark.parametrize(
    "words",
    [
        "edit tiny.dirs -k 3 --photo ADDRESS",
        "edit tiny.dirs -k 3 --codes ADDRESS",
        "edit tiny.dirs -k 3 --mix-from ADDRESS:top",
        "edit --preset ADDRESS",
        "edit ADDRESS.dirs -k 3",
        "animate tiny.dirs --from ADDRESS --to 3 -o a.gif",
        "animate tiny.dirs --storyboard ADDRESS -o a.gif",
        "sample tiny.pth --codes ADDRESS",
        "invert ADDRESS --model tiny.pth -o a.npz",
        "import ADDRESS --model tiny.pth -o a.dirs",
        "inspect ADDRESS.dirs",
        "merge ADDRESS -o a.dirs",
        "localize tiny.pth -o a.dirs --mask ADDRESS",
        "localize tiny.pth -o a.dirs --seg ADDRESS --seg-ids 1",
        "localize tiny.pth -o a.dirs --box 0,0,4,4 --background ADDRESS",
    ],
)
def test_an_address_in_the_place_of_a_file_is_called_an_address(
    sefa: Sefa, bundle: Path, words: str
) -> None:
    done = sefa(*words.replace("ADDRESS", "https://h.example/a").split())
    name = (
        "https://h.example/a.dirs"
        if ".dirs" in words.partition("ADDRESS")[2][:5]
        else ("https://h.example/a")
    )
    said = f"sefa: {name} is an address; expected a file on this machine. Download it first.\n"
    assert done.exit_code == 1 and done.stderr == said


@pytest.mark.parametrize(
    "words",
    [
        "edit MODEL -k 0",
        "edit --dirs MODEL -k 0",
        "animate MODEL -k 0 -o a.gif",
        "report MODEL",
        "evaluate MODEL -o ev",
        "name MODEL 0 smile",
        "pick MODEL -k 0 -o a.dirs",
        "export MODEL --to npy -o a.npy",
        "inspect --compare MODEL tiny.dirs",
        "supervise tiny.pth --attribute warmth -o a.dirs --condition MODEL",
        "factorize tiny.pth --refine MODEL -o a.dirs",
        "invert a.png --model tiny.pth -o a.npz --report a --dirs MODEL",
    ],
)
@pytest.mark.parametrize(
    ("model", "stem"),
    [("mobilestylegan_ffhq", "mobilestylegan_ffhq"), ("https://h.example/car.pt", "car")],
)
def test_a_model_in_the_place_of_a_bundle_is_called_a_model(
    sefa: Sefa, words: str, model: str, stem: str
) -> None:
    done = sefa(*words.replace("MODEL", model).split())
    make = f"sefa factorize {model} -o {stem}.dirs"
    said = f"{model} is a model; expected a bundle of its directions. Make one with: {make}\n"
    assert done.exit_code == 1 and done.stderr == f"sefa: {said}"


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("mobilestylegan_ffhq me.jpg -o c.npz", "me.jpg -o c.npz --model mobilestylegan_ffhq"),
        ("me.jpg mobilestylegan_ffhq -o c.npz", "me.jpg -o c.npz --model mobilestylegan_ffhq"),
        (
            "me.jpg -o mobilestylegan_ffhq",
            "me.jpg -o mobilestylegan_ffhq --model mobilestylegan_ffhq",
        ),
    ],
)
def test_a_model_that_was_typed_as_a_photo_moves_to_its_option(
    sefa: Sefa, words: str, line: str
) -> None:
    done = sefa("invert", *words.split())
    said = f"sefa: --model is missing; expected sefa invert {line}\n"
    assert done.exit_code == 2 and done.stderr == said


@pytest.mark.parametrize(
    "words",
    [
        "edit tiny.dirs:3 -k 0",
        "inspect tiny.dirs:3",
        "pick tiny.dirs:3 -k 0 -o a.dirs",
        "edit tiny.dirs -k 0 --codes tiny.dirs:3",
        "factorize tiny.dirs:3 -o a.dirs",
        "invert tiny.dirs:3 --model tiny.pth -o a.npz",
    ],
)
def test_a_number_behind_the_name_of_a_file_is_left_out(
    sefa: Sefa, bundle: Path, words: str
) -> None:
    done = sefa(*words.split())
    said = "sefa: tiny.dirs:3 does not exist. tiny.dirs does: leave out :3.\n"
    assert done.exit_code == 1 and done.stderr == said


@pytest.mark.parametrize(
    "words",
    [
        "sample tiny.dirs",
        "factorize tiny.dirs -o a.dirs",
        "localize tiny.dirs --box 0,0,4,4 -o a.dirs",
        "edit tiny.dirs -k 0 --model tiny.dirs",
        "invert a.png --model tiny.dirs -o a.npz",
        "supervise tiny.dirs --attribute warmth -o a.dirs",
        "convert tiny.dirs -o a.safetensors",
    ],
)
def test_a_bundle_in_the_place_of_a_model_names_its_model(
    sefa: Sefa, bundle: Path, words: str
) -> None:
    done = sefa(*words.split())
    said = "holds a direction bundle, not a generator; expected a model: this bundle's is tiny.pth"
    assert done.exit_code == 1 and done.stderr == f"sefa: tiny.dirs {said}\n"


@pytest.mark.parametrize(
    "ref", ["github.com/o/r/raw/a.pt", "huggingface.co/o/r/a.pt", "www.h.org/a.pt"]
)
@pytest.mark.parametrize("words", ["factorize REF -o a.dirs", "sample REF", "models pull REF"])
def test_an_address_without_its_scheme_is_told_so(sefa: Sefa, words: str, ref: str) -> None:
    done = sefa(*words.replace("REF", ref).split())
    said = f"sefa: {ref} does not exist. If it is an address, write https://{ref}\n"
    assert done.exit_code == 1 and done.stderr == said
    page = sefa(*words.replace("REF", "github.com/o/r").split())
    assert page.exit_code == 1 and "https://github.com/o/r is a page of GitHub" in page.stderr


@pytest.mark.parametrize("content", ["picture", "text", "empty", "cut", "other", "damaged"])
def test_a_file_is_named_as_it_was_typed(sefa: Sefa, content: str) -> None:
    Path("in").mkdir()
    file = Path("in/a.pt")
    if content == "picture":
        Image.new("L", (8, 8)).save(file, "bmp")
    elif content == "cut":
        file.write_bytes(Path("tiny.pth").read_bytes()[:-999])
    elif content == "other":
        torch.save({"a.weight": torch.ones(2, 3)}, file)
    else:
        file.write_bytes({"text": b"some words", "empty": b"", "damaged": b"\x80\x02}q"}[content])
    for words in (
        "inspect in/a.pt",
        "factorize in/a.pt -o b.dirs",
        "import in/a.pt --model tiny.pth -o b.dirs",
        "edit in/a.pt -k 0",
        "sample in/a.pt",
    ):
        done = sefa(*words.split())
        assert done.exit_code == 1 and done.stderr.startswith("sefa: in/a.pt"), (words, done.stderr)
    if content in ("picture", "text", "empty"):
        known = "; expected a bundle, a picture made by sefa, or a checkpoint (torch, "
        assert known in sefa("inspect", "in/a.pt").stderr
    if content == "other":
        said = sefa("factorize", "in/a.pt", "-o", "b.dirs", "--tensors", "x*").stderr
        assert said.startswith("sefa: no tensor of in/a.pt matches")


@pytest.mark.parametrize("content", ["picture", "text", "empty", "folder"])
def test_what_is_neither_bundle_nor_model_is_called_the_same(
    sefa: Sefa, tmp_path: Path, content: str
) -> None:
    file = Path("a.dat")
    if content == "picture":
        Image.new("L", (8, 8)).save(file, "png")
    elif content == "folder":
        file.mkdir()
    else:
        file.write_text("some words" if content == "text" else "")
    said = [
        sefa(*words).stderr.partition(";")[0].partition(". ")[0]
        for words in (["edit", "a.dat", "-k", "0"], ["factorize", "a.dat", "-o", "b.dirs"])
    ]
    assert said[0].startswith("sefa: a.dat is ")
    if content != "folder":  # which may hold a model
        assert said[0] == said[1]
