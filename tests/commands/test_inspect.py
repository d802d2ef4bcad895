"""`sefa inspect`: tables for people, JSON for programs, and no torch for either."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from sefa_cli.bundle.bundle import Bundle
from tests.helpers import CONTAINERS, Sefa
from tests.helpers.light import run_without


def test_a_bundle_as_json(sefa: Sefa, bundle: Path) -> None:
    about = json.loads(sefa("inspect", "--json", "tiny.dirs").stdout)
    assert about["format_version"] == "1.0" and about["method"] == "sefa" and about["space"] == "w"
    assert about["params"]["normalize"] is True
    assert about["model"]["ref"] == "tiny.pth" and about["model"]["family"] == "stylegan2"
    assert about["model"]["resolution"] == 32 and len(about["model"]["fingerprint"]) == 64
    assert about["layers"] == list(range(8)) and (about["k"], about["dim"]) == (32, 32)
    assert len(about["eigenvalues"]) == 32 and about["labels"] == [None] * 32


def test_a_bundle_for_people(sefa: Sefa, bundle: Path) -> None:
    text = sefa("inspect", "tiny.dirs").stdout
    for word in ("sefa-directions 1.0", "tiny.pth", "0-7 of 8", "eigenvalue", "█", "22 more"):
        assert word in text, word
    assert "\x1b" not in text  # no color where it is no terminal


def test_a_checkpoint(sefa: Sefa) -> None:
    about = json.loads(sefa("inspect", "--json", "tiny.pth").stdout)
    assert (about["container"], about["dialect"], about["family"]) == (
        "torch zip", "genforce", "stylegan2",
    )  # fmt: skip
    assert about["levels"]["bottom"] == [0, 1] and about["levels"]["middle"] == [2, 3, 4, 5]
    assert [layer["kind"] for layer in about["layers"]].count("torgb") == 4
    text = sefa("inspect", "tiny.pth").stdout
    for word in ("genforce", "bottom 0-1", "middle 2-5", "synthesis.b8.conv0", "torgb"):
        assert word in text, word


def test_damaged_weights_are_said(sefa: Sefa) -> None:
    import torch

    state = torch.load("tiny.pth", weights_only=True)
    weights = state["generator_smooth"]
    first, *more = [name for name in weights if name.endswith("weight")][:3]
    for name in (first, *more):
        weights[name].view(-1)[0] = torch.nan
    torch.save(state, "bad.pth")
    notes = json.loads(sefa("inspect", "bad.pth", "--json").stdout)["notes"]
    count = weights[first].numel()
    said = f" holds NaN or infinite numbers: 1 of {count:,}, in {first!r} of bad.pth."
    assert notes[0].endswith(said) and notes[1:] == ["2 more tensors do so, too."]
    assert notes[0] in " ".join(sefa("inspect", "bad.pth").stdout.split())


def test_a_checkpoint_names_its_regions(sefa: Sefa, default_model: Path) -> None:
    about = json.loads(sefa("inspect", "--json", "tiny.pth").stdout)
    assert about["regions"]["center"] == [[0.25, 0.25, 0.5, 0.5]] and "eyes" not in about["regions"]
    assert "center, border" in sefa("inspect", "tiny.pth").stdout
    assert "eyes, left-eye, right-eye" in sefa("inspect", str(default_model)).stdout


def test_several_files_one_after_another(sefa: Sefa, bundle: Path) -> None:
    about = json.loads(sefa("inspect", "--json", "tiny.dirs", "tiny.pth").stdout)
    assert [entry["file"] for entry in about] == ["tiny.dirs", "tiny.pth"]
    text = sefa("inspect", "tiny.dirs", "tiny.pth").stdout
    assert text.index("sefa-directions") < text.index("container")


def test_from_a_pipe(process: Callable[..., CompletedProcess[bytes]], bundle: Path) -> None:
    done = process("inspect", "-", "--json", input=bundle.read_bytes())
    assert json.loads(done.stdout)["k"] == 32


def test_compare(sefa: Sefa, bundle: Path) -> None:
    sefa("factorize", "tiny.pth", "-L", "0-1", "-o", "low.dirs")
    same = json.loads(sefa("inspect", "--compare", "--json", "tiny.dirs", "tiny.dirs").stdout)
    assert same["same_model"] and max(same["principal_angles"]) < 1e-3
    assert [match["other"] for match in same["matches"]] == list(range(10))
    other = json.loads(sefa("inspect", "--compare", "--json", "tiny.dirs", "low.dirs").stdout)
    assert other["same_model"] and not other["same_layers"]
    assert max(other["principal_angles"]) > 10
    text = sefa("inspect", "--compare", "tiny.dirs", "low.dirs").stdout
    assert "the same" in text and "0-7 and 0-1" in text and "°" in text


def test_two_bundles_are_shown_and_compared(sefa: Sefa, bundle: Path) -> None:
    sefa("name", "tiny.dirs", "1", "smile")
    sefa("pick", "tiny.dirs", "--k", "2,1", "--flip", "-o", "two.dirs")
    text = sefa("inspect", "two.dirs", "tiny.dirs").stdout
    assert text.count("sefa-directions 1.0") == 2 and "two.dirs  ↔  tiny.dirs" in text
    matched = [line.split() for line in text.partition("shared up to k")[2].splitlines()[2:4]]
    assert matched[0][:5] == ["0", "2", "-1.000", "0.0°", "0%"]
    assert matched[1][:5] == ["1", "1", "-1.000", "0.0°", "50%"]
    assert matched[1][5:] == ["smile", "↔", "smile"]
    assert len(json.loads(sefa("inspect", "--json", "two.dirs", "tiny.dirs").stdout)) == 2
    alone = sefa("inspect", "--compare", "two.dirs", "tiny.dirs").stdout
    assert text.endswith(alone) and "sefa-directions" not in alone


def test_where_directions_came_from(sefa: Sefa, bundle: Path) -> None:
    sefa("name", "tiny.dirs", "1", "smile")
    words = ["--mix", "smile - 0.5*3", "--without", "4,5", "-o", "m.dirs"]
    assert sefa("pick", "tiny.dirs", *words).exit_code == 0
    row = sefa("inspect", "m.dirs").stdout.splitlines()[-2]
    assert row.split(maxsplit=2)[2].strip() == (
        "smile - 0.5*3 without tiny.dirs 4 without tiny.dirs 5"
    )
    sefa("pick", "tiny.dirs", "--k", "7", "--flip", "-o", "f.dirs")
    assert "−tiny.dirs 7" in sefa("inspect", "f.dirs").stdout
    sefa("export", "tiny.dirs", "--to", "npy", "-o", "x.npy")
    sefa("import", "x.npy", "--model", "tiny.pth", "-o", "x.dirs")
    assert "x.npy 31" in sefa("inspect", "--num", "32", "x.dirs").stdout


def test_text_in_a_file_cannot_control_the_terminal(sefa: Sefa, bundle: Path) -> None:
    origin = {"mix": "a\x1b[2Jb", "without": [{"bundle": "\r", "k": None}, 3], "from": 1}
    made = Bundle.load(bundle)
    info = ({"from": origin}, {"from": {"without": 3, "file": []}}, *made.info[2:])
    replace(made, info=info, params={"a\x1b": ["\x07"]}).save("odd.dirs")
    text = sefa("inspect", "odd.dirs").stdout
    assert "a\\x1b[2Jb without \\r None" in text and "a\\x1b \\x07" in text
    assert all(character.isprintable() for character in text.replace("\n", ""))


def test_a_region_is_named_once(sefa: Sefa, bundle: Path) -> None:
    for region in ("region mouth", "box 1,2,3,4", "regional"):
        replace(Bundle.load(bundle), params={"region": region}).save(f"{len(region)}.dirs")
    shown = sefa("inspect", *(f"{n}.dirs" for n in (12, 11, 8))).stdout
    for words in ("(region mouth)", "(region box 1,2,3,4)", "(region regional)"):
        assert words in shown


def test_words_between_colons_are_no_emoji(sefa: Sefa, bundle: Path) -> None:
    made = Bundle.load(bundle).name({0: ":smile:"})
    made = replace(made, params={":eye:": ":fire:"}, model={**made.model, "ref": ":car:.pth"})
    made.save("odd.dirs")
    shown = sefa("inspect", "odd.dirs")
    compared = sefa("inspect", "--compare", "odd.dirs", "odd.dirs")
    assert all(f":{word}:" in shown.stdout for word in ("smile", "eye", "fire", "car"))
    assert ":smile:" in compared.stdout


def test_compare_says_when_the_models_differ(sefa: Sefa, bundle: Path) -> None:
    shutil.copy(CONTAINERS / "ckpt_hammer_stylegan2.pth", "other.pth")
    sefa("factorize", "other.pth", "-o", "other.dirs")
    text = sefa("inspect", "--compare", "tiny.dirs", "other.dirs").stdout
    assert "different" in text


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["none.dirs"], 1, "none.dirs"),
        (["broken.dirs"], 1, "broken.dirs"),
        (["--compare", "tiny.dirs"], 2, "two bundles"),
        (["-", "-"], 2, "- is given twice"),
        (["none.dirs"], 1, "Make it with: sefa factorize"),
        (["tiny.pth", "--num", "2"], 2, "--num has no effect with a model"),
        (["tiny.dirs", "--annotations", "--num", "2"], 2, "--num has no effect with --annotations"),
        (["tiny.dirs", "tiny.dirs", "--compare", "--annotations"], 2, "cannot be used together"),
        ([], 2, "FILE"),
    ],
)
def test_refuses_in_one_line(
    sefa: Sefa, bundle: Path, words: list[str], code: int, said: str
) -> None:
    Path("broken.dirs").write_bytes(bundle.read_bytes()[:100])
    result = sefa("inspect", *words)
    assert result.exit_code == code and said in result.stderr and result.stdout == ""


@pytest.mark.parametrize("words", [["--help"], ["inspect", "tiny.dirs"], ["inspect", "tiny.pth"]])
def test_imports_no_torch(workplace: Path, bundle: Path, words: list[str]) -> None:
    run_without(["torch", "PIL", "requests", "sefa_cli.generators"], *words)


def test_quiet_works_in_any_position(sefa: Sefa, default_model: Path) -> None:
    words = ["factorize", str(default_model), "--num", "1", "--overwrite", "-o", "m.dirs"]
    assert "common style gain" in sefa(*words).stderr
    assert sefa("-q", *words).stderr == "" and sefa(*words, "-q").stderr == ""


def test_a_closed_pipe_gives_no_traceback(workplace: Path, bundle: Path) -> None:
    command = f"{sys.executable} -m sefa_cli inspect --json tiny.dirs tiny.dirs tiny.dirs | head -1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True)
    assert done.stdout == "[\n" and "Traceback" not in done.stderr and "Broken" not in done.stderr
