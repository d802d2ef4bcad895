"""`sefa studio` before it serves: a missing package, a taken port, an unknown host."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from sefa_cli.cli import app
from tests.helpers.visiting import Serve

Studio = Callable[..., Result]


@pytest.fixture
def studio(workplace: Path) -> Studio:
    """Run `sefa studio …` inside this process; it must end before it serves."""

    def run(*words: str) -> Result:
        result = CliRunner().invoke(app, ["studio", *words])
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return run


def test_without_the_extra(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sefa_cli.commands.studio.find_spec", lambda name: None)
    result = studio()
    assert result.exit_code == 1 and result.stderr.count("\n") == 1
    assert "NiceGUI, which is not installed" in result.stderr and "pip install" in result.stderr


def test_a_port_that_is_taken(studio: Studio) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        result = studio("--port", port)
    assert result.exit_code == 1 and result.stderr.count("\n") == 1
    assert f"port {port} of 127.0.0.1 is taken" in result.stderr and "--port" in result.stderr


def test_a_host_that_is_not_this_machine(studio: Studio) -> None:
    result = studio("--host", "192.0.2.1")
    assert result.exit_code == 2 and "not an address of this machine" in result.stderr


def test_another_host_gets_a_token(serve: Serve) -> None:
    address = serve("tiny.pth", "--host", "0.0.0.0")
    assert "/?token=" in address and len(address.partition("token=")[2]) > 16


def test_no_display_prints_the_address(workplace: Path) -> None:
    """Without --no-open and without a display, it serves and starts no browser."""
    quiet = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY")}
    command = [sys.executable, "-m", "sefa_cli", "studio", "tiny.pth", "--port", "0"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=quiet
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith("http://127.0.0.1:")
    process.terminate()
    _, stderr = process.communicate(timeout=20)
    assert "Traceback" not in stderr and "Ctrl-C to stop" in stderr


def test_help_loads_no_heavy_module() -> None:
    check = (
        "import sys\nfrom typer.testing import CliRunner\nfrom sefa_cli.cli import app\n"
        "print(CliRunner().invoke(app, ['studio', '--help']).exit_code)\n"
        "print([m for m in ('nicegui', 'torch', 'numpy', 'uvicorn') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["0", "[]"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("none.dirs", "none.dirs does not exist"),
        ("text.dirs", "text.dirs is a text file"),
        ("text.pth", "text.pth"),
        ("none.pth", "none.pth does not exist"),
    ],
)
def test_a_file_that_cannot_be_opened_is_refused_before_the_page(
    studio: Studio, name: str, said: str
) -> None:
    if name.startswith("text"):
        Path(name).write_text("only words")
    result = studio(name)
    assert result.exit_code == 1 and said in result.stderr and result.stderr.count("\n") == 1
