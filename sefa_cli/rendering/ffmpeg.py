"""Runs the ffmpeg of imageio-ffmpeg: feeds it through a pipe, never leaves it running.

imageio's own writer ignores ffmpeg's exit code and leaves its complaints on the terminal: with it,
a full disk would give half a film and no error.
"""

import contextlib
import errno
import os
import re
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from functools import cache
from typing import IO

import imageio_ffmpeg

from sefa_cli.errors import SefaError

_REMEDY = "Reinstall imageio-ffmpeg or set IMAGEIO_FFMPEG_EXE; a folder of PNGs needs no ffmpeg."
_DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


@cache
def ffmpeg_path() -> str:
    """The ffmpeg program: `IMAGEIO_FFMPEG_EXE`, or imageio-ffmpeg's own, or the system's.

    Raises SefaError where there is none.
    """
    try:
        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError:
        raise SefaError("no ffmpeg was found, which writes the films", remedy=_REMEDY) from None


def run_ffmpeg(arguments: Sequence[str], chunks: Iterable[bytes] = ()) -> None:
    """Run ffmpeg with `chunks` as its standard input, one after another as they are made.

    Whatever goes wrong meanwhile, an interrupt included, ffmpeg is killed and waited for. Raises
    OSError where the disk is full, otherwise SefaError with ffmpeg's own first complaint.
    """
    with tempfile.TemporaryFile() as complaints:  # a pipe that nobody reads could fill up
        process = _start(arguments, complaints)
        try:
            finished = _feed(process, chunks)
            code = process.wait()
        finally:
            process.kill()  # does nothing to one that has ended
            process.wait()
        if code or not finished:
            complaints.seek(0)
            raise _stated(complaints.read().decode(errors="replace"))


def _start(arguments: Sequence[str], complaints: IO[bytes]) -> subprocess.Popen[bytes]:
    program = ffmpeg_path()
    try:
        return subprocess.Popen(
            [program, "-hide_banner", "-nostdin", "-loglevel", "error", "-y", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=complaints,
            start_new_session=True,  # Ctrl-C is for us: ffmpeg would finish half a film
        )
    except OSError as error:
        raise SefaError(f"cannot run {program}: {error.strerror}", remedy=_REMEDY) from error


def _feed(process: subprocess.Popen[bytes], chunks: Iterable[bytes]) -> bool:
    """Write all chunks and close the pipe; False where ffmpeg stopped listening before."""
    pipe = process.stdin
    assert pipe is not None
    for chunk in chunks:
        try:
            pipe.write(chunk)
        except OSError:  # EPIPE, or EINVAL on Windows; what ended it stands on its stderr
            with contextlib.suppress(OSError):
                pipe.close()
            return False
    try:
        pipe.close()
    except OSError:
        return False
    return True


def _stated(complaints: str) -> Exception:
    """The error to raise for what ffmpeg wrote: its first line is the cause, the rest follows."""
    for number in _DISK_ERRORS:
        if os.strerror(number) in complaints:
            return OSError(number, os.strerror(number))
    lines = [re.sub(r"\[[^]]* @ [^]]*\]\s*", "", line).strip() for line in complaints.splitlines()]
    cause = next(filter(None, lines), "it gave no reason")
    return SefaError(f"ffmpeg could not write the film: {cause}")
