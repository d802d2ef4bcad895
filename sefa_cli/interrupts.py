"""Row 0. Ctrl-C and SIGTERM at any moment: one line and an exit code, never a traceback.

While a command works, a signal raises an exception, so that the command can clean up and keep what
is done. At all other moments nothing would catch that exception: there the process removes its
temporary files and ends at once. An import may swallow the exception or turn it into an
ImportError, so it is raised when the import is over, and a long import ends the process.
"""

# `signal` would import enum first: 10 ms in which Ctrl-C is still a traceback.
import _signal as signal  # type: ignore[import-not-found]
import atexit
import gc
import os
import sys

TYPE_CHECKING = False  # importing it from typing is slow, and this module must be in place early
if TYPE_CHECKING:
    from types import FrameType

INTERRUPTED = "sefa: interrupted; nothing half-written was left"
_CODES: dict[int, int] = {signal.SIGINT: 130, signal.SIGTERM: 143}
_IMPORTING = ("<frozen importlib._bootstrap>", "<frozen importlib._bootstrap_external>")
_LATER, _TRIES = 0.005, 40  # seconds; the import of a picture's format is over by then
_working = False
_postponed: int | None = None  # the signal that waits for an import to end


def install() -> None:
    """Handle SIGINT and SIGTERM; a signal that the parent told us to ignore stays ignored."""
    for number in _CODES:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _handle)
    sys.unraisablehook = _unraisable
    # Registered first, called last. From there on Python would let a signal kill the process,
    # whose work is done.
    for number in _CODES:
        atexit.register(signal.signal, number, signal.SIG_IGN)
    atexit.register(gc.freeze)  # else Python ends by looking through torch, for half a second


def leave(code: int) -> None:
    """End the process with `code` as Python does, but without taking all modules apart.

    That would take a twentieth of the time of most commands, and 80 ms with torch. Returns if
    something that was written cannot be flushed; the process then ends as any other.
    """
    if (threading := sys.modules.get("threading")) is not None:
        threading._shutdown()  # waits for threads
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:  # a command may be started without
                stream.flush()
        except (OSError, ValueError):
            return
    os._exit(code & 0xFF)


class Catchable:
    """A block in which a signal raises KeyboardInterrupt or SystemExit, but not in an import."""

    def __enter__(self) -> None:
        global _working
        _working = True

    def __exit__(self, *_: object) -> None:
        global _working
        _working = False
        if _postponed is not None:
            end(_postponed)


def _handle(number: int, frame: "FrameType | None", tries: int | None = None) -> None:
    global _postponed
    left = _TRIES if tries is None else tries
    importing = _importing(frame)
    if not _working or (importing and not (left and hasattr(signal, "setitimer"))):
        end(number)
    if importing:
        _postponed = number
        signal.signal(signal.SIGALRM, lambda _, frame: _handle(number, frame, left - 1))
        signal.setitimer(signal.ITIMER_REAL, _LATER)
        return
    _postponed = None
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    raise SystemExit(_CODES[number])


def _importing(frame: "FrameType | None") -> bool:
    while frame is not None:
        if frame.f_code.co_filename in _IMPORTING:
            return True
        frame = frame.f_back
    return False


def _unraisable(details: "sys.UnraisableHookArgs") -> None:
    """End on an interrupt in a destructor, which Python would print and forget."""
    if details.exc_type is KeyboardInterrupt:
        end(signal.SIGINT)
    sys.__unraisablehook__(details)


def end(number: int, said: str = INTERRUPTED) -> None:
    """Remove temporary files, say so after Ctrl-C, and end the process at once."""
    global _working
    _working = False
    if hasattr(signal, "pthread_sigmask"):  # neither a person nor `_handle`'s timer breaks in
        signal.pthread_sigmask(signal.SIG_BLOCK, (*_CODES, signal.SIGALRM))
    scratch = sys.modules.get("sefa_cli.scratch")  # not imported before it is needed
    if scratch is not None and hasattr(scratch, "remove_scratch"):
        scratch.remove_scratch()
    if number == signal.SIGINT:
        try:  # noqa: SIM105 - contextlib is slow to import
            os.write(2, f"{said}\n".encode())
        except OSError:
            pass  # nobody listens
    os._exit(_CODES[number])
