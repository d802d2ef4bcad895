"""An interrupted `sefa localize` says in one line what it kept, and --resume goes on from there."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from typer.testing import Result

from sefa_cli.commands.on_cluster import Items, merge
from sefa_cli.commands.shares import Shares
from sefa_cli.errors import SefaError

Sefa = Callable[..., Result]
KEPT = (
    "sefa: interrupted; a.dirs.partial keeps what was done; "
    "the same command with --resume goes on\n"
)


@pytest.mark.parametrize(("ended", "code"), [(KeyboardInterrupt(), 130), (SystemExit(143), 143)])
def test_an_interrupt_keeps_what_is_done(
    sefa: Sefa, monkeypatch: pytest.MonkeyPatch, ended: BaseException, code: int
) -> None:
    """The second picture is interrupted; --resume takes the first one from the partial file."""
    from sefa_cli.discovery import collect

    real, made = collect.picture_grams, []

    def counted(*args: Any) -> Any:
        made.append(args[1])
        if len(made) == 2:
            raise ended
        return real(*args)

    monkeypatch.setattr(collect, "picture_grams", counted)
    words = ["tiny.pth", "--box", "20,10,8,12", "--size", "32", "--seeds", "0-1", "-o", "a.dirs"]
    stopped = sefa("-q", "localize", *words)
    assert stopped.exit_code == code
    assert stopped.stderr == KEPT
    assert Path("a.dirs.partial").exists() and not Path("a.dirs").exists()
    other = sefa("localize", *words[:2], "20,10,8,11", *words[3:], "--resume")
    assert other.exit_code == 1 and "other options" in other.stderr
    assert sefa("localize", *words, "--resume").exit_code == 0
    assert len(made) == 3 and not Path("a.dirs.partial").exists()
    assert sefa("localize", *words[:-1], "b.dirs").exit_code == 0
    assert Path("a.dirs").read_bytes() == Path("b.dirs").read_bytes()


def test_an_interrupt_after_the_last_picture_keeps_all(
    sefa: Sefa, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sefa_cli.discovery import region_bundle

    words = ["tiny.pth", "--box", "20,10,8,12", "--size", "32", "--seeds", "0", "-o", "a.dirs"]
    with monkeypatch.context() as patch:
        patch.setattr(region_bundle, "settled", lambda tried: signal.raise_signal(signal.SIGINT))
        stopped = sefa("-q", "localize", *words)
    assert (stopped.exit_code, stopped.stderr) == (130, KEPT)
    assert sefa("localize", *words, "--resume").exit_code == 0


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        ("localize tiny.pth --box 1,1,9,9 -o a.dirs", "a.dirs.partial"),
        ("localize tiny.pth --box 1,1,9,9 --per-seed -o a.dirs", "a.dirs.partial"),
        ("localize tiny.pth --box 1,1,9,9 -o a.dirs --shard 1/2", "a.dirs.1of2.part.partial"),
        ("invert a.png --model tiny.pth -o a.npz", "a.npz.partial"),
        ("invert a.png b.png --model tiny.pth -o a.npz --shard 1/2", "a.npz.1of2.part.partial"),
    ],
)
def test_what_an_interrupted_run_kept_is_not_thrown_away_unasked(
    sefa: Sefa, words: str, kept: str
) -> None:
    """`localize` replaced the partial file of another search without a word."""
    for name in ("a.png", "b.png"):
        Image.new("RGB", (64, 64)).save(name)
    Path(kept).write_bytes(b"an hour of work")
    refused = sefa("-q", *words.split())
    assert refused.exit_code == 1
    assert refused.stderr == (
        f"sefa: {kept} is there from an interrupted run. "
        "Go on with --resume, or start again with --overwrite.\n"
    )
    Path(kept.removesuffix(".partial")).write_bytes(b"done before")
    refused = sefa("-q", *words.split())
    also = "" if "--shard" in words else " and --overwrite"
    both = f"Go on with --resume{also}, or start again with --overwrite."
    assert refused.stderr.endswith(f"{kept} is there from an interrupted run. {both}\n")
    assert Path(kept).read_bytes() == b"an hour of work"


@pytest.mark.parametrize(
    ("words", "kept", "there"),
    [
        ("localize tiny.pth --box 1,1,9,9 --per-seed -o a.dirs", "a.dirs", "a_seed0000.dirs"),
        ("localize tiny.pth --box 1,1,9,9 --per-seed -o a.dirs", "a.dirs", "a_code0012_me.dirs"),
        ("invert a.png --model tiny.pth -o a.npz", "a.npz", "a.csv"),
        ("invert a.png --model tiny.pth -o a.npz --sheet s.png", "a.npz", "s.png"),
    ],
)
def test_work_goes_on_with_all_that_it_takes(sefa: Sefa, words: str, kept: str, there: str) -> None:
    """Of several outputs that were there, `--resume` alone was refused in turn."""
    Image.new("RGB", (64, 64)).save("a.png")
    Path(f"{kept}.partial").write_bytes(b"an hour of work")
    Path(there).write_bytes(b"done before")
    both = "Go on with --resume and --overwrite, or start again with --overwrite."
    assert sefa("-q", *words.split()).stderr.endswith(f"run. {both}\n")


def test_bundles_of_seeds_are_made_as_advised(sefa: Sefa, monkeypatch: pytest.MonkeyPatch) -> None:
    from sefa_cli.discovery import collect

    words = ["tiny.pth", "--box", "20,10,8,12", "--size", "32", "--seeds", "0-1", "--per-seed"]
    words = ["-q", "localize", *words, "-o", "a.dirs"]
    assert sefa(*words).exit_code == 0
    real, made = collect.picture_grams, []

    def counted(*args: Any) -> Any:
        made.append(args[1])
        if len(made) == 2:
            raise KeyboardInterrupt
        return real(*args)

    monkeypatch.setattr(collect, "picture_grams", counted)
    assert sefa(*words, "--overwrite").stderr == KEPT
    assert "Go on with --resume and --overwrite, or" in sefa(*words).stderr
    assert sefa(*words, "--resume", "--overwrite").exit_code == 0 and len(made) == 3


def test_only_a_file_has_kept_work(sefa: Sefa) -> None:
    """A folder ended in a traceback, and standard output in a refusal."""
    words = ["-q", "localize", "tiny.pth", "--box", "1,1,9,9", "--size", "16", "--seeds", "0", "-o"]
    for folder in (".", "/"):
        assert f"{folder} is a folder; expected a file name" in sefa(*words, folder).stderr
    Path("-.partial").touch()
    assert sefa(*words, "-").exit_code == 0


def test_kept_work_that_cannot_go_on_is_not_said_to(sefa: Sefa) -> None:
    """Derivatives are saved whole, so `--resume` was refused in turn."""
    Path("a.dirs.partial").write_bytes(b"an hour of work")
    words = "localize tiny.pth --box 1,1,9,9 -o a.dirs --save-jacobian a.npy"
    assert sefa(*words.split()).stderr.endswith("run. Start again with --overwrite.\n")


def test_what_a_cluster_left_is_not_thrown_away_unasked(workplace: Path) -> None:
    """Of the shares, only those that were done were looked at; the others were removed."""
    Path("a.npz.2of2.part.partial").write_bytes(b"an hour of work")
    with pytest.raises(SefaError, match=r"a\.npz\.2of2\.part\.partial is there from an interr"):
        merge(Shares(on="ray"), "a.npz", Items("photo", ["a.png", "b.png"]), "cpu", False)
    assert Path("a.npz.2of2.part.partial").read_bytes() == b"an hour of work"


def test_overwrite_starts_again(sefa: Sefa) -> None:
    Path("a.dirs.partial").write_bytes(b"an hour of work")
    words = ["localize", "tiny.pth", "--box", "20,10,8,12", "--size", "32", "--seeds", "0"]
    assert sefa(*words, "-o", "a.dirs", "--overwrite").exit_code == 0
    assert not Path("a.dirs.partial").exists()


@pytest.mark.slow
def test_ctrl_c_while_the_second_picture_is_made(workplace: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "sefa_cli",
        "-q",
        "localize",
        "tiny.pth",
        "--box",
        "20,10,8,12",
    ]
    command += ["--size", "32", "--seeds", "0-9", "-o", "a.dirs"]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while not Path("a.dirs.partial").exists() and child.poll() is None:
        time.sleep(0.01)
    child.send_signal(signal.SIGINT)
    printed, said = child.communicate()
    assert (child.returncode, printed, said) == (130, "", KEPT)
    assert not Path("a.dirs").exists()
    subprocess.run([*command, "--resume"], check=True)
    assert Path("a.dirs").exists() and not Path("a.dirs.partial").exists()
