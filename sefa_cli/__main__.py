"""`sefa` and `python -m sefa_cli`: signals are handled before anything else is imported."""

import _signal as signal  # type: ignore[import-not-found]  # part of Python itself: no file is read


def main() -> None:
    """Run the command line."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # else a traceback, until `install`
    from sefa_cli import interrupts

    interrupts.install()
    import gc

    # What modules define stays. To look for garbage in it, again and again while modules are
    # imported, takes a tenth of the time. A command turns this on again when it begins, but
    # less often than by default: its own modules, and torch, are still to come.
    gc.disable()
    gc.set_threshold(10_000, 10, 1000)
    from sefa_cli.cli import main

    main()


def run() -> None:
    """Run the command line as a process of its own, which ends at once."""
    try:
        main()
    except SystemExit as end:
        if isinstance(end.code, int):
            from sefa_cli.interrupts import leave

            leave(end.code)
        raise


if __name__ == "__main__":
    run()
