import os
import sys

import imageio_ffmpeg
import pytest

from sefa_cli.errors import SefaError
from sefa_cli.rendering import ffmpeg
from sefa_cli.rendering.films import check_film_path, write_film


@pytest.fixture
def stand_in(tmp_path, monkeypatch):
    """A program in place of ffmpeg that runs the Python given to it."""

    def put(code):
        program = tmp_path / "tools" / "ffmpeg"
        program.parent.mkdir(exist_ok=True)
        program.write_text(f"#!{sys.executable}\nimport sys\n{code}\n")
        program.chmod(0o755)
        monkeypatch.setattr(ffmpeg, "ffmpeg_path", lambda: str(program))

    (tmp_path / "films").mkdir()
    return put


@pytest.mark.skipif(os.name == "nt", reason="scripts run in another way there")
@pytest.mark.parametrize(
    ("message", "stated"),
    [
        ("[mp4 @ 0x5] Error writing trailer: No space left on device", "the disk is full"),
        ("[libx264 @ 0x55f] [enc:x @ 0x1] too wide\nError while opening", ": too wide$"),
        ("Unknown encoder 'libx264'", "Unknown encoder 'libx264'$"),
        ("", "unknown reason"),
    ],
)
@pytest.mark.parametrize("reads", [True, False])
@pytest.mark.parametrize("name", ["film.gif", "film.mp4"])
def test_its_message_becomes_one_line(tmp_path, waves, stand_in, message, stated, reads, name):
    read = "sys.stdin.buffer.read()" if reads else "pass"
    stand_in(f"{read}\nsys.stderr.write({message!r})\nsys.exit(1)")
    with pytest.raises(SefaError, match=stated) as caught:
        write_film(tmp_path / "films" / name, waves(40, 64, 64) // 32)
    assert "\n" not in str(caught.value)
    assert not list((tmp_path / "films").iterdir())


@pytest.mark.skipif(os.name == "nt", reason="scripts run in another way there")
def test_an_ffmpeg_that_stops_reading_is_an_error(tmp_path, waves, stand_in):
    stand_in("sys.stdin.buffer.read(100)\nsys.exit(0)")
    with pytest.raises(SefaError, match="could not write"):
        write_film(tmp_path / "films" / "film.mp4", waves(40, 64, 64) // 32)


def test_a_missing_ffmpeg_is_an_error(tmp_path, monkeypatch, waves):
    def nothing():
        raise RuntimeError("No ffmpeg exe could be found.")

    monkeypatch.setattr(imageio_ffmpeg, "get_ffmpeg_exe", nothing)
    ffmpeg.ffmpeg_path.cache_clear()
    try:
        with pytest.raises(SefaError, match=r"cannot find ffmpeg.*folder of PNG frames"):
            check_film_path(tmp_path / "film.gif")
        write_film(tmp_path / "frames", waves(2, 4, 4))
    finally:
        ffmpeg.ffmpeg_path.cache_clear()


def test_an_ffmpeg_that_cannot_run_is_an_error(tmp_path, monkeypatch, waves):
    monkeypatch.setattr(ffmpeg, "ffmpeg_path", lambda: str(tmp_path / "missing"))
    with pytest.raises(SefaError, match=r"cannot run .*missing: No such file"):
        write_film(tmp_path / "film.mp4", waves(2, 8, 8))


@pytest.mark.skipif(os.name == "nt", reason="a limit of Unix")
@pytest.mark.parametrize("name", ["film.gif", "film.mp4"])
def test_a_quota_is_said(tmp_path, waves, name):
    """The signal that Python ignores killed ffmpeg, which said nothing."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    frames = waves(20, 64, 64)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1024, hard))
    try:
        with pytest.raises(SefaError, match=rf"cannot write .*{name}: the file is larger than it"):
            write_film(tmp_path / name, frames)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not list(tmp_path.iterdir())
