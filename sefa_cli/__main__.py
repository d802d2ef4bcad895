"""`sefa` and `python -m sefa_cli`: signals are handled before anything else is imported."""

import _signal as signal  # type: ignore[import-not-found]  # part of Python itself: no file is read


def main() -> None:
    """Run the command line."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # else a traceback, until `install`
    from sefa_cli import interrupts

    interrupts.install()
    from sefa_cli.cli import main

    main()


if __name__ == "__main__":
    main()
