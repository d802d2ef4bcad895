"""`sefa studio`: sliders, regions and annotations in the browser."""

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from sefa_cli.commands import checks, options
from sefa_cli.commands.console import say
from sefa_cli.errors import SefaError, UsageError


def studio(
    file: Annotated[
        str | None,
        typer.Argument(metavar="[X.dirs|MODEL]", help="The bundle or model to open first."),
    ] = None,
    host: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS", help="The address to listen on. Other machines need a token."
        ),
    ] = "127.0.0.1",
    port: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=65535,
            metavar="N",
            help="The port to listen on; 0 takes any free one. Default: 8642 or the next free one.",
        ),
    ] = None,
    browser: Annotated[
        bool, typer.Option("--open/--no-open", help="Open the page in a browser.")
    ] = True,
    token: Annotated[
        str | None, typer.Option(metavar="WORD", help="Require this token, even from this machine.")
    ] = None,
    device: options.Device = "auto",
    offline: options.Offline = None,
) -> None:
    """Open the studio: a page with a slider for every direction, until Ctrl-C.

    Draw a region on the picture and get directions for it. Name what you find. Save the bundle,
    the picture or a film. The page always shows the commands that do the same. Only this machine
    can open the page unless you give --host. Then a token is needed, and everyone who has it can
    open the models and bundles that you can open.
    """
    if find_spec("nicegui") is None:
        raise SefaError(
            "the studio needs NiceGUI, which is not installed",
            remedy="Install it with: pip install 'nicegui>=3', or in a checkout '.[studio]'",
        )
    if token is not None and not token.strip():
        raise UsageError("--token must not be empty")
    checks.check_device(device)
    if file is not None:
        _check_file(file, offline)
    from sefa_cli.allocator import keep_blocks
    from sefa_cli.sources.references import is_loopback
    from sefa_cli.studio import server

    if token is None and not is_loopback(host):
        token = server.new_token()
    listener = server.bind(host, port)
    keep_blocks()
    # Read when torch is loaded. Threads that spin while they wait take the cores from the browser.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from sefa_cli.studio.library import Library
    from sefa_cli.studio.studio import Studio

    url = server.address(listener, token)

    def ready() -> None:
        if port is None and listener.getsockname()[1] != server.PORT:
            say(f"port {server.PORT} is in use; using {listener.getsockname()[1]}")
        say("Press Ctrl-C to stop.")
        typer.echo(url)  # last: who reads it may already end the studio
        if browser:
            _open(url)

    server.serve(listener, token, Studio(Library(device, offline), file), ready)


def _check_file(file: str, offline: bool | None) -> None:
    """Refuse a file that is neither a bundle nor a model, before the page opens."""
    from sefa_cli.bundle.bundle import Bundle
    from sefa_cli.checkpoints import open_checkpoint

    if file.endswith(".dirs"):
        Bundle.load(file)
    elif Path(file).exists():
        open_checkpoint(file, offline=offline)
    else:
        checks.check_model(file, offline)


def _open(url: str) -> None:
    """Open the page in a browser, if there is a display."""
    import sys
    import threading
    import webbrowser

    shown = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if sys.platform == "linux" and not shown:
        return  # no display: the address is on stdout
    threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()
