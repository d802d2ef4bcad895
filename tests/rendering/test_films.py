"""Films as a whole: refusals, remains after failures, sweeps and rows of pictures."""

import errno
import os
import signal
import subprocess
import sys
import time

import pytest

from sefa_cli.errors import SefaError, UsageError
from sefa_cli.rendering.films import check_film_path, timing, write_film
from tests.helpers.reading import Gif, shown

NAMES = ["film.gif", "film.mp4", "film.webp", "film.apng", "film.png", "film"]


@pytest.fixture
def processes(monkeypatch):
    """Every ffmpeg that was started."""
    started = []

    class Watched(subprocess.Popen):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            started.append(self)

    monkeypatch.setattr(subprocess, "Popen", Watched)
    return started


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("broken_by", [KeyboardInterrupt, SefaError("no"), OSError(errno.EIO, "")])
def test_an_interrupt_leaves_nothing(tmp_path, waves, processes, name, broken_by):
    def frames():
        yield from waves(3, 64, 64)
        raise broken_by

    with pytest.raises((KeyboardInterrupt, SefaError)):
        write_film(tmp_path / name, frames())
    assert not list(tmp_path.iterdir())
    assert all(process.poll() is not None for process in processes)


@pytest.mark.parametrize("name", NAMES)
def test_what_exists_is_kept_when_overwriting_fails(tmp_path, waves, name):
    path = write_film(tmp_path / name, waves(2, 8, 8))
    before = contents(tmp_path)

    def frames():
        yield waves(1, 8, 8)[0]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_film(path, frames(), overwrite=True)
    assert contents(tmp_path) == before


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.skipif(os.name == "nt", reason="signals are otherwise there")
@pytest.mark.parametrize("name", ["film.gif", "film.mp4"])
def test_ctrl_c_in_a_real_process(tmp_path, name):
    """The signal goes to the whole group, as a terminal sends it."""
    script = """
import sys, itertools, numpy as np
from sefa_cli.rendering import films
from sefa_cli.rendering.films import write_film
def frames():
    for n in itertools.count():
        if n == 5: print("ready", flush=True)
        yield np.full((32, 32, 3), n % 256, np.uint8)
write_film(sys.argv[1], frames())
"""
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path / name)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdout.readline() == b"ready\n"
    time.sleep(0.1)
    os.killpg(process.pid, signal.SIGINT)
    _, stderr = process.communicate(timeout=20)
    assert b"KeyboardInterrupt" in stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", NAMES)
def test_existing_output_is_refused(tmp_path, waves, name):
    path = write_film(tmp_path / name, waves(2, 8, 8))
    before = contents(tmp_path)
    for refused in (check_film_path, lambda p: write_film(p, waves(3, 8, 8))):
        with pytest.raises(SefaError, match="exists"):
            refused(path)
    assert contents(tmp_path) == before
    write_film(path, waves(3, 8, 8), overwrite=True)
    assert contents(tmp_path) != before


def test_refused_before_the_first_frame(tmp_path):
    def frames():
        raise AssertionError("a frame was asked for")
        yield

    for path, fps, words in [
        (
            tmp_path / "film.avi",
            25,
            r"\.avi files hold films of another format; .*\.gif",
        ),
        (tmp_path / "film.jpg", 25, r"\.jpg files hold pictures; expected \.gif"),
        (tmp_path / "film.new", 25, r"unknown film suffix '\.new'.*\.gif, \.mp4"),
        (tmp_path / "film.gif", 60, "fps must be at most 50 for .gif, got 60"),
        (tmp_path / "film.webp", 100, "at most 90"),
        (tmp_path / "film.mp4", 0, "fps must be at least 0.01, got 0"),
        (tmp_path / "film.mp4", float("nan"), "got nan"),
        ("-", 25, "stdout"),
    ]:
        with pytest.raises(SefaError, match=words):
            write_film(path, frames(), fps)
        with pytest.raises(SefaError, match=words):
            check_film_path(path, fps=fps)


@pytest.mark.parametrize("name", NAMES)
def test_no_frames_are_refused(tmp_path, name):
    with pytest.raises(UsageError, match="no frames"):
        write_film(tmp_path / name, [])
    assert not list(tmp_path.iterdir())


def test_unequal_frames_raise_value_error(tmp_path, waves):
    with pytest.raises(ValueError, match="frame 1 is"):
        write_film(tmp_path / "film.mp4", [waves(1, 8, 8)[0], waves(1, 8, 9)[0]])
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", NAMES)
def test_progress_counts_each_frame_once(tmp_path, waves, name):
    calls = []
    write_film(tmp_path / name, iter(waves(5, 8, 8)), progress=lambda: calls.append(1))
    assert len(calls) == 5


def test_upper_case_suffix(tmp_path, waves):
    assert len(shown(write_film(tmp_path / "FILM.GIF", waves(2, 8, 8)))[0]) == 2


def test_films_have_usual_permissions(tmp_path, waves):
    usual = tmp_path / "usual"
    usual.touch()
    path = write_film(tmp_path / "film.gif", waves(2, 8, 8))
    assert path.stat().st_mode == usual.stat().st_mode


@pytest.mark.parametrize(
    ("name", "fps", "said"),
    [
        ("film.gif", 25, None),
        ("film.gif", 30, "GIF counts in 10 ms: a frame lasts 30 or 40 ms"),
        ("film.gif", 12, "80 or 90 ms"),
        ("film.webp", 30, "WEBP counts in 1 ms: a frame lasts 33 or 34 ms"),
        ("film.webp", 25, None),
        ("film.apng", 30, None),
        ("film.mp4", 30, None),
        ("film", 30, None),
    ],
)
def test_the_reported_times_are_those_written(tmp_path, waves, name, fps, said):
    about, inexact = timing(name, 45, fps)
    assert about.startswith(f"45 frames, {45 / fps:.2f} s at {fps} frames a second")
    assert inexact == (said is not None) and (said or "") in about
    if name == "film.gif":
        lasts = {10 * d for d in Gif.of(write_film(tmp_path / name, waves(45, 8, 8), fps)).delays}
        assert all(f"{ms:g} " in about or not inexact for ms in lasts)
        assert len(lasts) == 1 + inexact
