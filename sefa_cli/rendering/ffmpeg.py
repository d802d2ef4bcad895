"""Run the ffmpeg of imageio-ffmpeg: feed it through a pipe, and never leave it running.

imageio's own writer ignores ffmpeg's exit code and lets its messages reach the terminal: with a
full disk it would write half a film and report no error.
"""

import contextlib
import os
import re
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from functools import cache
from typing import IO

import imageio_ffmpeg

from sefa_cli.errors import SefaError
from sefa_cli.files import DISK_ERRORS

_REMEDY = "Reinstall imageio-ffmpeg, set IMAGEIO_FFMPEG_EXE, or write a folder of PNG frames."


@cache
def ffmpeg_path() -> str:
    """Return the ffmpeg program: `IMAGEIO_FFMPEG_EXE`, else imageio-ffmpeg's, else the system's.

    Raises SefaError if there is none.
    """
    try:
        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError:
        raise SefaError("cannot find ffmpeg, which writes films", remedy=_REMEDY) from None


def run_ffmpeg(arguments: Sequence[str], chunks: Iterable[bytes] = ()) -> None:
    """Run ffmpeg with `chunks` as its standard input, written as they are made.

    If anything goes wrong, an interrupt included, ffmpeg is killed and waited for. Raises OSError
    if the disk is full, otherwise SefaError with ffmpeg's first error message.
    """
    with tempfile.TemporaryFile() as messages:  # an unread pipe could fill up
        process = _start(arguments, messages)
        try:
            finished = _feed(process, chunks)
            code = process.wait()
        finally:
            process.kill()  # has no effect on a process that has ended
            process.wait()
        if code or not finished:
            messages.seek(0)
            raise _error_in(messages.read().decode(errors="replace"))


def _start(arguments: Sequence[str], messages: IO[bytes]) -> subprocess.Popen[bytes]:
    program = ffmpeg_path()
    try:
        return subprocess.Popen(
            [program, "-hide_banner", "-nostdin", "-loglevel", "error", "-y", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=messages,
            start_new_session=True,  # on Ctrl-C ffmpeg would finish half a film
            restore_signals=False,  # a quota is then an error to ffmpeg, too, and not its death
        )
    except OSError as error:
        raise SefaError(f"cannot run {program}: {error.strerror}", remedy=_REMEDY) from error


def _feed(process: subprocess.Popen[bytes], chunks: Iterable[bytes]) -> bool:
    """Write all chunks and close the pipe; return False if ffmpeg stopped reading early."""
    pipe = process.stdin
    assert pipe is not None
    for chunk in chunks:
        try:
            pipe.write(chunk)
        except OSError:  # EPIPE, or EINVAL on Windows; stderr has the reason
            with contextlib.suppress(OSError):
                pipe.close()
            return False
    try:
        pipe.close()
    except OSError:
        return False
    return True


def _error_in(messages: str) -> Exception:
    """Return the error for ffmpeg's messages; their first line is the cause."""
    for number in DISK_ERRORS:
        if os.strerror(number) in messages:
            return OSError(number, os.strerror(number))
    lines = [re.sub(r"\[[^]]* @ [^]]*\]\s*", "", line).strip() for line in messages.splitlines()]
    cause = next(filter(None, lines), "unknown reason")
    return SefaError(f"ffmpeg could not write the film: {cause}")
