"""`sefa animate`: every format, the frames it says, and what it refuses before rendering."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
from PIL import Image

from sefa_cli.rendering.pictures import Picture
from sefa_cli.rendering.sweeps import Shot
from tests.helpers import Sefa
from tests.helpers.reading import num_frames

SHORT = ["--frames", "6", "--fps", "25"]


def test_gif(sefa: Sefa, bundle: Path) -> None:
    words = ["--dirs", "tiny.dirs", "--k", "3", *SHORT, "-o", "sweep.gif"]
    result = sefa("animate", *words)
    assert (result.exit_code, result.stdout) == (0, "sweep.gif\n")
    with Image.open("sweep.gif") as film:
        assert num_frames(film) == 6 and film.size == (32, 32)
        durations = []
        for frame in range(num_frames(film)):
            film.seek(frame)
            durations.append(film.info["duration"])
    assert sum(durations) == 240


@pytest.mark.parametrize("name", ["sweep.mp4", "sweep.webp", "sweep.apng"])
def test_other_formats(sefa: Sefa, bundle: Path, name: str) -> None:
    result = sefa("animate", "--dirs", "tiny.dirs", "--k", "3", *SHORT, "-o", name)
    assert (result.exit_code, result.stdout) == (0, f"{name}\n")
    assert Path(name).stat().st_size > 500


def test_a_folder_of_frames_side_by_side(sefa: Sefa, bundle: Path) -> None:
    words = ["--k", "3", *SHORT, "--seeds", "0-2", "-o", "frames", "--range", "0:2"]
    assert sefa("animate", "--dirs", "tiny.dirs", *words).exit_code == 0
    frames = sorted(Path("frames").iterdir())
    assert len(frames) == 6
    pictures = [np.asarray(Image.open(frame)) for frame in frames]
    assert all(picture.shape[0] == 32 and picture.shape[1] >= 96 for picture in pictures)
    assert len({picture.tobytes() for picture in pictures}) == 6


def test_a_film_passes_several_steps_in_turn(sefa: Sefa, bundle: Path) -> None:
    for span, name in (("0,3,-3", "turning"), ("0:3", "there")):
        words = ["--k", "3", *SHORT, "--range", span, "-o", name]
        assert sefa("animate", "--dirs", "tiny.dirs", *words).exit_code == 0
    frames = [path.read_bytes() for path in sorted(Path("turning").iterdir())]
    assert len(frames) == 11  # 0, 0.6 … 3, then 1.8, 0.6 … -3
    assert frames[6:8] == [frames[3], frames[1]]
    assert frames[:6] == [path.read_bytes() for path in sorted(Path("there").iterdir())]


def test_bounce_comes_back(sefa: Sefa, bundle: Path) -> None:
    words = ["--k", "3", *SHORT, "--bounce", "-o", "frames"]
    assert sefa("animate", "--dirs", "tiny.dirs", *words).exit_code == 0
    frames = [path.read_bytes() for path in sorted(Path("frames").iterdir())]
    assert len(frames) == 10  # 6 there, 4 back: neither end is shown twice
    assert frames[1:5] == frames[9:5:-1]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--k", "3", "-o", "a.avi"], 2, ".gif"),
        (["--k", "0-2", "--k", "1", "-o", "a.gif"], 2, "direction 1 is given twice"),
        (["--k", "3", "--ease", "quick", "-o", "a.gif"], 2, "linear or smooth"),
        (["--k", "3", "--arrange", "grid", "-o", "a.gif"], 2, "rows or sequence"),
        (["--k", "3", "--hold", "-1", "-o", "a.gif"], 2, "hold must be between 0 and 3600 seconds"),
        (["--k", "99", "-o", "a.gif"], 2, "out of range; expected 0-31"),
        (["--k", "3", "-o", "tiny.pth/a.gif"], 1, "part of its path is a file"),
        (["--k", "3", "--range", "3", "-o", "a.gif"], 2, "such as -3:3"),
        (["--k", "3", "--range", "0:nan", "-o", "a.gif"], 2, "--range must be finite"),
        (["--k", "3", "--frames", "1", "-o", "a.gif"], 2, "--frames"),
        (["--k", "3", "--fps", "0", "-o", "a.gif"], 2, "--fps"),
        (["--k", "3"], 2, "--output"),
    ],
)
def test_refuses_in_one_line(
    sefa: Sefa, bundle: Path, words: list[str], code: int, said: str
) -> None:
    result = sefa("animate", "--dirs", "tiny.dirs", *words)
    assert said in result.stderr
    assert result.exit_code == code and result.stdout == ""


def test_keeps_an_existing_film(sefa: Sefa, bundle: Path) -> None:
    Path("a.gif").write_text("mine")
    result = sefa("animate", "--dirs", "tiny.dirs", "--k", "3", *SHORT, "-o", "a.gif")
    assert result.exit_code == 1 and "a.gif already exists" in result.stderr
    assert Path("a.gif").read_text() == "mine"


def frames_of(folder: str) -> list[np.ndarray]:
    return [np.asarray(Image.open(path).convert("RGB")) for path in sorted(Path(folder).iterdir())]


def test_several_directions_as_rows_and_in_sequence(sefa: Sefa, bundle: Path) -> None:
    """Each row, and each part of a sequence, is the film of that direction alone."""
    assert sefa("name", "tiny.dirs", "3", "car turns left").exit_code == 0
    words = ["--dirs", "tiny.dirs", *SHORT, "--seeds", "0,1"]
    several = ["--k", "car turns left", "--k", "0-1"]
    for k in ("3", "0", "1"):
        assert sefa("animate", *words, "--k", k, "-o", f"alone{k}").exit_code == 0
    assert sefa("animate", *words, *several, "-o", "rows").exit_code == 0
    result = sefa("animate", *words, *several, "--arrange", "sequence", "-o", "sequence")
    assert result.exit_code == 0
    alone = [frames_of(f"alone{k}") for k in ("3", "0", "1")]
    assert np.array_equal(frames_of("sequence"), np.concatenate(alone))
    for n, rows in enumerate(frames_of("rows")):
        assert rows.shape == (3 * 32 + 2 * 2, 2 * 32 + 2, 3)
        for row, film in enumerate(alone):
            assert np.array_equal(rows[34 * row : 34 * row + 32], film[n])


@pytest.mark.parametrize("name", ["film.gif", "film.webp", "film.apng", "film.mp4", "film"])
def test_a_hold_repeats_the_ends_and_drops_nothing(sefa: Sefa, bundle: Path, name: str) -> None:
    words = ["--dirs", "tiny.dirs", "--k", "3", *SHORT, "--hold", "0.2", "-o", name]
    result = sefa("-v", "animate", *words)
    assert result.exit_code == 0
    assert "film: 16 frames, 0.64 s at 25 frames a second\n" in result.stderr
    if name == "film":
        frames = frames_of(name)
        assert [np.array_equal(frame, frames[0]) for frame in frames] == [True] * 6 + [False] * 10
        assert all(np.array_equal(frame, frames[-1]) for frame in frames[10:])
    elif name == "film.mp4":
        count, seconds = imageio_ffmpeg.count_frames_and_secs(name)
        assert (count, seconds) == (16, pytest.approx(0.64))
    else:
        with Image.open(name) as film:
            assert num_frames(film) == 16


@pytest.mark.parametrize(("room", "rendered"), [(2**28, 6), (0, 10)])
def test_what_comes_again_is_rendered_once_while_there_is_room(
    sefa: Sefa, bundle: Path, monkeypatch: pytest.MonkeyPatch, room: int, rendered: int
) -> None:
    from sefa_cli.rendering import film
    from sefa_cli.rendering.animation import SweepFilm

    shots = []
    frame = SweepFilm.frame

    def counted(self: SweepFilm, shot: Shot) -> Picture:
        shots.append(shot)
        return frame(self, shot)

    monkeypatch.setattr(SweepFilm, "frame", counted)
    monkeypatch.setattr(film, "_KEPT", room)
    words = ["--dirs", "tiny.dirs", "--k", "3", *SHORT, "--bounce", "-o", "frames"]
    assert sefa("animate", *words).exit_code == 0
    assert len(shots) == rendered and len(frames_of("frames")) == 10


def test_captions_say_label_and_step(sefa: Sefa, bundle: Path) -> None:
    """They change with α, leave the pictures alone, and every frame has the same size."""
    assert sefa("name", "tiny.dirs", "3", "微笑").exit_code == 0  # the font has none of it
    words = ["--dirs", "tiny.dirs", "--k", "3", "--k", "1", *SHORT]
    assert sefa("animate", *words, "-o", "plain").exit_code == 0
    assert sefa("animate", *words, "--captions", "-o", "captions").exit_code == 0
    frames = frames_of("captions")
    for frame, plain in zip(frames, frames_of("plain"), strict=True):
        assert frame.shape == frames[0].shape
        assert np.array_equal(frame[:32, :32], plain[:32, :32])
    strips = {frame[32 : frames[0].shape[0] // 2].tobytes() for frame in frames}
    assert len(strips) == 6


def test_times_that_a_gif_cannot_say_are_told(sefa: Sefa, bundle: Path) -> None:
    words = ["--dirs", "tiny.dirs", "--k", "3", "--frames", "6", "--fps", "30"]
    said = sefa("animate", *words, "-o", "a.gif").stderr
    assert "6 frames, 0.20 s at 30 frames a second; GIF counts in 10 ms" in said
    with Image.open("a.gif") as film:
        lasts = []
        for frame in range(num_frames(film)):
            film.seek(frame)
            lasts.append(film.info["duration"])
    assert set(lasts) == {30, 40} and sum(lasts) == 200
    assert "counts in" not in sefa("animate", *words, "-o", "a.mp4").stderr


def test_once_does_not_repeat(sefa: Sefa, bundle: Path) -> None:
    words = ["--dirs", "tiny.dirs", "--k", "3", *SHORT]
    assert sefa("animate", *words, "-o", "for_ever.gif").exit_code == 0
    assert sefa("animate", *words, "--once", "-o", "once.gif").exit_code == 0
    assert b"NETSCAPE2.0" in Path("for_ever.gif").read_bytes()
    assert b"NETSCAPE2.0" not in Path("once.gif").read_bytes()


def test_the_bundle_from_a_pipe(sefa: Sefa, bundle: Path) -> None:
    words = ["--dirs", "-", "--k", "0-1", *SHORT, "--ease", "smooth", "-o", "a.gif"]
    result = sefa("animate", *words, stdin=bundle.read_bytes())
    assert (result.exit_code, result.stdout) == (0, "a.gif\n")


@pytest.mark.skipif(os.name == "nt", reason="signals are otherwise there")
@pytest.mark.parametrize("name", ["long.gif", "long.mp4", "long"])
def test_ctrl_c_leaves_nothing(bundle: Path, workplace: Path, name: str) -> None:
    words = ["--dirs", "tiny.dirs", "--k", "0-3", "--frames", "5000", "--captions", "--hold", "9"]
    command = [sys.executable, "-m", "sefa_cli", "animate", *words, "-o", name]
    before = set(workplace.iterdir())
    running = subprocess.Popen(command, stderr=subprocess.PIPE, start_new_session=True)
    until = time.monotonic() + 60
    while set(workplace.iterdir()) == before and time.monotonic() < until:
        time.sleep(0.05)
    time.sleep(0.3)
    os.killpg(running.pid, signal.SIGINT)
    _, said = running.communicate(timeout=30)
    assert running.returncode == 130 and b"interrupted" in said
    assert set(workplace.iterdir()) == before
