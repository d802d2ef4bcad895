"""What many tests share: the real models, fetched once, and a small one in a folder to work in."""

import logging
import multiprocessing
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner, Result

from sefa_cli import scratch
from tests.helpers import CONTAINERS, ROOT, Sefa

if TYPE_CHECKING:
    from sefa_cli.generators.base import Generator

pytest_plugins = ["tests.helpers.chromium"]  # the pages' Chromium
TINY = CONTAINERS / "ckpt_genforce_stylegan2.pth"

# What `make check` leaves to `make test`, by measuring: whole files and folders, and whatever
# uses a real model, a browser or a process. A single test is marked where it stands.
SLOW_FIXTURES = {"default_model", "digiface", "page", "process", "studio", "at_any_step", "outcome"}
SLOW_FILES = (
    "browser/",
    "commands/",
    "discovery/test_jacobian.py",
    "discovery/test_sketch.py",
    "families/biggan/test_network.py",
    "families/biggan/test_ports.py",
    "families/dcgan/test_network.py",
    "families/lucidrains/test_network.py",
    "families/stylegan3/test_network.py",
    "families/test_dialects_agree.py",
    "families/test_plugin_example.py",
    "generators/test_base.py",
    "docs/",
    "generators/test_derivatives.py",
    "generators/test_elsewhere.py",
    "generators/test_linearize.py",
    "generators/test_steps.py",
    "rendering/test_films.py",
    "rendering/test_report.py",
    "rendering/test_report_page.py",
    "sources/test_source_archives.py",
    "sources/test_wheels.py",
    "studio/",
    "test_annotations_page.py",
    "test_directions_page.py",
    "test_gallery.py",
    "test_readme.py",
    "test_users_words.py",
)
QUICK_FILES = (  # of those folders
    "commands/test_inspect.py",
    "commands/test_name_and_pick.py",
    "studio/test_session.py",
)


def is_slow_file(path: Path) -> bool:
    """Return whether all tests of a file wait for `make test`."""
    name = path.relative_to(ROOT / "tests").as_posix()
    return name.startswith(SLOW_FILES) and not name.startswith(QUICK_FILES)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Do not even import slow files for `make check`."""
    quick = config.option.markexpr == "not slow"
    return (
        True
        if quick and collection_path.suffix == ".py" and is_slow_file(collection_path)
        else None
    )


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what is slow, before `-m` chooses; `make test` begins with the files that hold it.

    Quick ones then fill both workers to the end. A long file begun last would leave one idle.
    """
    for item in items:
        fixtures = set(getattr(item, "fixturenames", ()))
        if is_slow_file(item.path) or fixtures & SLOW_FIXTURES:
            item.add_marker(pytest.mark.slow)
    if hasattr(config, "workerinput"):  # of pytest-xdist
        slow = {item.path for item in items if item.get_closest_marker("slow")}
        items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(scope="session")
def default_model() -> Path:
    """The folder with the four IR files of `mobilestylegan_ffhq` (40 MB, SHA-256 checked).

    It lies in the user's own cache, so that a second run fetches nothing. A machine that cannot
    get it fails these tests: they may not be skipped unseen.
    """
    from sefa_cli.sources.locate import locate

    return locate("mobilestylegan_ffhq")


@pytest.fixture(scope="session")
def digiface() -> Path:
    """The weights of `dcgan_digiface64`, a small real model fed with z (14 MB, SHA-256 checked)."""
    from sefa_cli.sources.locate import locate

    return locate("dcgan_digiface64")


@pytest.fixture(scope="session")
def forked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PATH with a `sefa` that has imported torch before it begins."""
    from tests.helpers.forking import forked_sefa

    with forked_sefa(tmp_path_factory.mktemp("sefa")) as path:
        yield path


@pytest.fixture(params=["stylegan", "stylegan2", "mobilestylegan"])
def tiny(request: pytest.FixtureRequest) -> "Generator":
    """A small random generator of each family."""
    from sefa_cli.families.build import build
    from tests.helpers import networks

    return build(getattr(networks, request.param)(), "cpu")


@pytest.fixture(scope="session")
def faces(default_model: Path) -> "Generator":
    """The real default model."""
    from sefa_cli.families.build import build
    from sefa_cli.families.reading import read_checkpoint

    return build(read_checkpoint(default_model), "cpu")


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, with `tiny.pth` (32 px, published code's format) and a cache."""
    shutil.copy(TINY, tmp_path / "tiny.pth")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEFA_CACHE", str(tmp_path / "cache"))
    return tmp_path


@pytest.fixture(autouse=True)
def quiet_log() -> Iterator[None]:
    """Undo what a command run inside this process does to the log: it sets it for its process."""
    logger = logging.getLogger("sefa_cli")
    level, handlers = logger.level, list(logger.handlers)
    yield
    logger.setLevel(level)
    logger.handlers[:] = handlers


@pytest.fixture
def sefa(workplace: Path) -> Sefa:
    """Run `sefa …` inside this process: quick, for all that needs no process of its own."""
    from sefa_cli.cli import app

    runner = CliRunner()

    def run(*words: str, stdin: bytes | None = None) -> Result:
        result = runner.invoke(app, words, input=stdin)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return run


@pytest.fixture
def at_any_step() -> Callable[..., None]:
    """Interrupt some work before every bytecode instruction, one after the other.

    Each time `prepare` comes first, and after the work what a process removes at its end is
    removed; then `check` is told whether it was interrupted. All of it runs in a child: Python
    never forgets what is raised between the instructions that end an `except`.
    """

    def run(
        prepare: Callable[[], object], work: Callable[[], object], check: Callable[[bool], object]
    ) -> None:
        def all_steps() -> None:
            step, reached = 0, True
            while reached:
                step += 1
                prepare()
                reached = _interrupted(work, step)
                scratch.remove_scratch()
                check(reached)
            assert step > 500

        child = multiprocessing.get_context("fork").Process(target=all_steps)
        child.start()
        child.join()
        assert child.exitcode == 0

    return run


def _interrupted(work: Callable[[], object], step: int) -> bool:
    """Do the work with an interrupt before instruction `step`, if there are so many."""
    left = step

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal left
        frame.f_trace_opcodes = True
        if event == "opcode":
            left -= 1
            if left == 0:
                raise KeyboardInterrupt
        return trace

    try:
        sys.settrace(trace)
        work()
    except KeyboardInterrupt:
        pass
    finally:
        sys.settrace(None)
    return left <= 0
