"""The command `sefa`: its commands, and how errors and signals become messages and exit codes."""

import os
import sys
from collections.abc import Callable
from functools import cache, partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from typer.core import TyperGroup

from sefa_cli import __version__, interrupts
from sefa_cli.arguments import refused
from sefa_cli.commands import console
from sefa_cli.commands.command import SefaCommand, aliases, known
from sefa_cli.commands.missing import missing_package
from sefa_cli.commands.picture_options import spread
from sefa_cli.commands.streams import accept_any_text, terminal_columns, visible
from sefa_cli.commands.typing_errors import TYPING_ERROR, in_our_words
from sefa_cli.commands.wording import said
from sefa_cli.errors import SefaError

_NOWHERE = "the working folder does not exist any more. Run it again in another folder."
_QUIETNESS = ("-q", "--quiet", "-v", "--verbose")
_HELP = ("-h", "--help")
_COLUMNS = terminal_columns()


# In the order of the help. The module of a command is imported when it is named.
_COMMANDS = (
    "factorize",
    "localize",
    "supervise",
    "edit",
    "animate",
    "invert",
    "sample",
    "report",
    "evaluate",
    "studio",
    "merge",
    "inspect",
    "export",
    "import",
    "convert",
    "name",
    "pick",
    "models",
)
if TYPE_CHECKING:
    app: typer.Typer


class SefaGroup(TyperGroup):
    """A Typer group that states our errors in one line, each with its own exit code."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Let `-q` and `-v` count wherever they stand, also after the command."""
        end = args.index("--") if "--" in args else len(args)
        quietness = [word for word in args[:end] if word in _QUIETNESS]
        rest = [word for word in args[:end] if word not in _QUIETNESS]
        try:
            return super().parse_args(ctx, [*quietness, *rest, *args[end:]])
        except TYPING_ERROR as error:
            raise _stated(error) from None

    def invoke(self, ctx: Any) -> Any:
        """Run the command; turn errors and interrupts into one line and an exit code."""
        try:
            with interrupts.Catchable():
                result = super().invoke(ctx)
                sys.stdout.flush()  # now: when Python ends, nobody catches a broken pipe
                return result
        except SefaError as error:
            _tell(said(error, known, aliases))
            raise typer.Exit(error.exit_code) from None
        except TYPING_ERROR as error:
            raise _stated(error) from None
        except ModuleNotFoundError as error:
            missing = missing_package(error)
            if missing is None:
                raise
            _tell(missing)
            raise typer.Exit(missing.exit_code) from None
        except (KeyboardInterrupt, SystemExit) as interrupt:
            notes = getattr(interrupt, "__notes__", None)  # what the command has kept
            if isinstance(interrupt, SystemExit) and not notes:
                raise
            _tell(f"interrupted; {notes[-1]}" if notes else interrupts.INTERRUPTED[len("sefa: ") :])
            raise typer.Exit(getattr(interrupt, "code", 130)) from None
        except OSError as error:
            if isinstance(error, FileNotFoundError) and not _has_working_folder():
                _tell(_NOWHERE)
                raise typer.Exit(1) from None
            raise _refused(error) from None


def _refused(error: OSError) -> Exception:
    """Return what ends the command for a file that is refused, and when stdout takes no more.

    Other errors are returned as they are. The reader of a pipe may be gone, which needs no words.
    """
    if isinstance(error.filename, str | os.PathLike):
        _tell(refused(error))
        return typer.Exit(1)
    if not isinstance(error, BrokenPipeError):
        from sefa_cli.file_kinds import why_not
        from sefa_cli.files import DISK_ERRORS

        if error.errno not in DISK_ERRORS:
            return error
        _tell(why_not("standard output", error, "write to"))
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return typer.Exit(1)


def _tell(text: object) -> None:
    """Print why the command ends; if stderr takes no more, the exit code has to tell it."""
    try:
        print(visible(f"sefa: {text}"), file=sys.stderr)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())


def _has_working_folder() -> bool:
    try:
        return bool(Path.cwd())
    except FileNotFoundError:
        return False


def _stated(error: Exception) -> Exception:
    """Print a typing error in one line, and return what ends the command; help is not an error."""
    if not getattr(error, "message", ""):
        return error
    _tell(said(in_our_words(error), known, aliases))
    return typer.Exit(2)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"sefa {__version__}")
        raise typer.Exit


def _common(
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Show only warnings and errors.")
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show more messages.")] = False,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    console.set_verbosity(-1 if quiet else int(verbose))


@cache
def make_app(only: str = "") -> typer.Typer:
    """Return the app with all commands, or, to start sooner, with one of them.

    For `--help` all commands are without options, and their texts without Markdown: the list of
    commands shows neither, and they would take a tenth of the time.
    """
    listed = only in _HELP
    # Rich alone would keep the line breaks of docstrings. Its tables cut words on narrow terminals.
    narrow = (80 if only in _COMMANDS else 60) > _COLUMNS
    markup: Literal["markdown", "rich"] = "rich" if listed else "markdown"
    made = typer.Typer(
        name="sefa",
        cls=SefaGroup,
        no_args_is_help=True,
        rich_markup_mode=None if narrow else markup,
        context_settings={
            "help_option_names": list(_HELP),
            "terminal_width": _COLUMNS if narrow else None,
        },
        pretty_exceptions_show_locals=False,
        help="Find the directions in a GAN's latent space that change one thing in the picture, "
        "keep them in a file, and use them.",
        epilog="Exit codes: 0 success, 1 error, 2 wrong usage, 3 model and bundle do not match, "
        "4 not available offline, 130 interrupted.",
    )
    made.callback()(_common)
    for name in [only] if only in _COMMANDS else _COMMANDS:
        own = {"import": "import_"}.get(name, name)
        module = import_module(f"sefa_cli.commands.{own}")
        if name == "models":
            made.add_typer(module.app, name=name)
        elif listed:
            made.command(name, help=getattr(module, own).__doc__)(lambda: None)
        else:
            made.command(name, cls=SefaCommand)(spread(getattr(module, own)))
    return made


def __getattr__(name: str) -> typer.Typer:
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return make_app()


def _install_completion(run: Callable[[], object]) -> None:
    """Let Typer, which rewrites `~/.bashrc`, write files whole, and only if it adds something."""
    from sefa_cli.files import open_atomically

    def write_whole(path: Path, text: str) -> None:
        if not path.is_file() or path.read_text().rstrip("\n") != text.rstrip("\n"):
            with open_atomically(path, overwrite=True) as file:
                file.write(text.encode())

    Path.write_text = write_whole  # type: ignore[assignment,method-assign]
    try:
        run()
    except (SefaError, OSError, ValueError) as error:  # ValueError: the file is not text
        print(f"sefa: cannot install completion: {error}", file=sys.stderr)
        sys.exit(1)


def main() -> None:
    """Run the command that `sys.argv` names."""
    interrupts.install()
    accept_any_text()
    named = next((word for word in sys.argv[1:] if word not in _QUIETNESS), "")
    run = partial(make_app(named), prog_name="sefa")  # also as `python -m sefa_cli`
    try:
        _install_completion(run) if "--install-completion" in sys.argv else run()
    except OSError as error:  # of the help, which is written before a command is invoked
        if isinstance(_refused(error), OSError):
            raise
        sys.exit(1)
