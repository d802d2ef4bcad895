"""Kill every command that writes before and after each of its steps, and at random moments.

    python bench/crashes.py                   all commands, every boundary, 200 random kills each
    python bench/crashes.py factorize pick    these
    python bench/crashes.py --random 0        every boundary only
    python bench/crashes.py --every 5         every fifth boundary
    python bench/crashes.py --faults          a fault at every boundary instead of a kill
    python bench/crashes.py --faults --kind clock --over-old     of one kind, over old files only
    python bench/crashes.py --pairs 20        two processes on one output and one cache
    python bench/crashes.py --full-disk 20    a real disk with less room than needed; needs root
    python bench/crashes.py --real            some commands on mobilestylegan_ffhq

Everything is imported once, and each trial is a fork: nothing is written while modules load. After
each kill the old files or the new ones must stand, and the next run must succeed, give the
same bytes as an undisturbed one, and clear away what was left. Prints a row for each command and
ends with 1 if anything was wrong.
"""

import argparse
import contextlib
import importlib
import pkgutil
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))
from sefa_cli.bundle.bundle import Bundle
from sefa_cli.sources.locate import locate
from sefa_cli.sources.references import ref_digest
from tests.helpers import CONTAINERS
from tests.helpers.crashes import Case, Ran, content, faults, prepare, run, state, try_again
from tests.helpers.faults import FAULTS, pair, squeeze, trial
from tests.helpers.server import Page, Server

Trial = tuple[str, bool, list[str]]  # where, whether at a boundary, what was wrong
MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None  # files that need no disk

_PICTURES = ("--size", "32", "--device", "cpu")
_BOX = ("--box", "20,10,8,12", "--size", "32", "--device", "cpu")
_CPU = ("--device", "cpu")


def cases(web: str, model: str = "tiny.pth") -> dict[str, Case]:
    """Return every command that writes, with small inputs."""
    dirs = "tiny.dirs"
    edit = ["edit", dirs, "-k", "1", *_PICTURES]
    film = ["animate", dirs, "-k", "1", "--seeds", "0", *_PICTURES, "--frames"]
    invert = ["invert", "photos", "-m", model, *_PICTURES, "--passes", "2"]
    invert += ["-o", "c.npz", "--space"]
    photo = ["--photo", "photos/seed0000.png", "--save-codes", "c.npz", "--save-preset", "p.toml"]
    report = ["report", dirs, "-k", "0", "-o", "r", *_PICTURES, "--seeds"]
    box = ["localize", model, "-o", "x.dirs", *_BOX, "--seeds", "0-1"]
    import_ = ["import", "boundary_w.npy", "--model", model, "-o", "x.dirs", "-L"]
    export = ["export", dirs, "-k", "0-1", "--to"]
    measure = ["evaluate", dirs, *_CPU, "-k", "0", "--steps", "1", "--scorers", "colors"]
    seeds = ["--seeds", "0-9", "--write-labels", "--calibrate", "--keep-pictures"]
    learn = ["supervise", model, "-o", "x.dirs", *_CPU, "--scorers", "colors", "--seeds", "0-19"]
    learn += ["--share", "0.3", "--scores", "s.npz", "--attribute"]
    pulled = f"cache/models/tiny-{ref_digest(web)[:8]}/tiny.pth"
    parts = ["x.dirs.1of2.part", "x.dirs.2of2.part"]
    return {
        "factorize": case(["factorize", model, "-o", "x.dirs"], ["--num", "3"], "x.dirs"),
        "localize": case(box, ["--num", "2"], "x.dirs"),
        "localize, a shard": case(
            [*box[:-1], "0-2", "--shard", "2/3"], ["--num", "2"], "x.dirs.2of3.part"
        ),
        "merge": case(
            ["merge", *parts, "-o", "x.dirs"],
            [],
            "x.dirs",
            ["pick", dirs, "-k", "0", "-o", "x.dirs"],
        ),
        "supervise": case([*learn, "brightness"], [], "x.dirs s.npz", [*learn, "contrast"], False),
        "convert": case(["convert", model, "-o", "x.safetensors"], [], "x.safetensors"),
        "export": case([*export, "npy", "-o", "x.npy"], [], "x.npy"),
        "export, a folder": case([*export, "interfacegan", "-o", "x"], [], "x", whole=False),
        "import": case([*import_, "bottom"], [], "x.dirs", [*import_, "top"]),
        "pick": case(["pick", dirs, "-k", "0-2", "-o", "x.dirs"], ["--flip"], "x.dirs"),
        "name": Case(
            ["name", dirs, "0", "smile"], ["name", dirs, "1", "age"], ["tiny.dirs"], again=()
        ),
        "edit": case([*edit, "--seeds", "0", "-o", "x.png"], ["-a", "2"], "x.png"),
        "edit, more files": case(
            [*edit, *photo, "-o", "x.png", "-a", "1"],
            ["--trunc", "0.5"],
            "x.png c.npz p.toml",
            whole=False,
        ),
        "edit, a folder": case(
            [*edit, "--seeds", "0-1", "-o", "x", "-a", "1"], ["--trunc", "0.5"], "x", whole=False
        ),
        "animate": case([*film, "3", "-o", "x.gif"], ["--bounce"], "x.gif"),
        "animate, mp4": case([*film, "3", "-o", "x.mp4"], ["--bounce"], "x.mp4"),
        "animate, a folder": case([*film, "2", "-o", "x/"], ["--bounce"], "x"),
        "sample": case(["sample", model, *_PICTURES, "-o", "x.png"], ["--seeds", "0-1"], "x.png"),
        "report": Case([*report, "0"], [*report, "1"], ["r"], False, grows="r/index.html"),
        "invert": case([*invert, "w"], [], "c.npz c.csv", [*invert, "w+"], False),
        "invert, tuned, with a page": case(
            [*invert, "w", "--tune", "--sheet", "s.png", "--report", "r"],
            [],
            "c.npz c.csv c.tuned.safetensors s.png r",
            [*invert, "w+"],
            False,
        ),
        "evaluate": case([*measure, *seeds, "-o", "e"], ["-a", "1"], "e", whole=False),
        "models pull": Case(["models", "pull", web], ["models"], [pulled], again=()),
        "completion": Case(["--install-completion", "bash"], ["models"], ["home"], False, again=()),
        "studio, autosave": Case(
            ["autosave", "1"], ["autosave", "0"], ["cache/pages"], False, (), quiet=True
        ),
    }


def case(
    words: Sequence[str],
    more: Sequence[str],
    output: str,
    before: Sequence[str] = (),
    whole: bool = True,
) -> Case:
    """Return a case whose earlier run is the same command with `more`, or `before`."""
    return Case(words, before or [*words, *more], output.split(), whole)


def make_template(folder: Path, model: str = "tiny.pth") -> None:
    """Make what the commands are given: a model, its bundle, a boundary, a photo, parts."""
    (folder / "home").mkdir(parents=True)
    (folder / "home" / ".bashrc").write_text("# what somebody has written in years\n" * 300)
    tiny = CONTAINERS / "ckpt_genforce_stylegan2.pth"
    (folder / "tiny.pth").write_bytes(tiny.read_bytes())
    box = ["localize", "tiny.pth", "--seeds", "0-1", "-o", "x.dirs", *_BOX, "--shard"]
    for words in (
        ["factorize", model, "-o", "tiny.dirs"],
        ["sample", "tiny.pth", "--seeds", "0", "-o", "photos", *_CPU],
        *([*box, "1/2"], [*box, "2/2"]),
    ):
        done = run(words, folder)
        if done.status:
            sys.exit(done.said)
    width = int(Bundle.load(folder / "tiny.dirs").model["w_dim"])
    np.save(folder / "boundary_w.npy", np.eye(1, width))
    shutil.rmtree(folder / "cache")


def kills(one: Case, given: Path, count: int, every: int = 1) -> Iterator[Trial]:
    """Yield what happened at each kill: where, whether at a boundary, what was wrong."""
    folder = given.with_name("work")
    for has_old in (False, True):
        base = prepare(given.with_name("base"), given)
        if has_old and (done := run(one.before, base)).status:
            yield "the earlier run", True, [done.said]
        old = content(base, one.outputs)
        again = one.again if has_old else ()
        began = time.monotonic()
        whole = run([*one.words, *again], prepare(folder, base))
        took = time.monotonic() - began
        new = content(folder, one.outputs)
        if whole.status or not new:
            yield "an undisturbed run", True, [whole.said]
        seen: dict[object, list[str]] = {}  # the next run depends on what it finds alone
        moments = [random.uniform(0, took) for _ in range(count // 2)]
        for at in (*range(1, len(whole.steps) + 1, every), *moments):
            is_step = isinstance(at, int)
            kill = {"kill_at": at} if is_step else {"after": at}
            run([*one.words, *again], prepare(folder, base), **kill)
            left = state(folder)
            if left not in seen:
                seen[left] = faults(one, folder, old, new) or try_again(one, folder, new)
            wrong = seen[left]
            where = f"{whole.steps[at - 1]} (step {at})" if is_step else f"{at:.3f} s"
            yield f"{where}, {'over old' if has_old else 'fresh'}", is_step, wrong


def undisturbed(one: Case, given: Path) -> Iterator[tuple[Path, Ran, dict[str, bytes], float]]:
    """Yield, without old files and with them: the folder, a whole run, its files and seconds."""
    for has_old in (False, True):
        base = prepare(given.with_name("base"), given)
        if has_old:
            run(one.before, base)
        folder = prepare(given.with_name("work"), base)
        began = time.monotonic()
        whole = run([*one.words, *(one.again if has_old else ())], folder)
        yield base, whole, content(folder, one.outputs), time.monotonic() - began


def met(
    one: Case, given: Path, every: int, kinds: Sequence[str] = tuple(FAULTS), over_old: bool = False
) -> Iterator[Trial]:
    """Yield what happened at each fault: where, that it was at a boundary, what was wrong."""
    for has_old, (base, whole, new, _) in enumerate(undisturbed(one, given)):
        if over_old and not has_old:
            continue
        for number, kind in enumerate(kinds):
            begun = [at for at, step in enumerate(whole.steps, 1) if not step.startswith("after")]
            for at in begun[number % every :: every]:
                where = f"{kind}, {whole.steps[at - 1]} (step {at})"
                yield where, True, trial(one, kind, at, base, new)


def paired(one: Case, given: Path, count: int) -> Iterator[Trial]:
    """Yield what happened when a second process began, at a random moment of the first."""
    for base, _, new, took in undisturbed(one, given):
        for later in (0.0, *(random.uniform(0, took) for _ in range(count - 1))):
            yield f"{later:.3f} s later", False, pair(one, base, new, later)


def squeezed(one: Case, given: Path, count: int) -> Iterator[Trial]:
    """Yield what happened on a disk with room for nothing, and then for more and more."""
    for base, _, new, _ in undisturbed(one, given):
        most = 4 * (sum(map(len, new.values())) + (64 << 10))
        for part in range(count):
            room = int(most * (part / count) ** 2) & ~4095
            yield f"{room >> 10} KB of room", False, squeeze(one, room, base, new)


def import_all() -> None:
    """Import every module, so that no fork has to."""
    import torch
    from PIL import Image

    import sefa_cli

    torch.set_num_threads(1)
    importlib.import_module("torch._dynamo")  # the first optimizer imports it, for seconds
    Image.init()
    for module in pkgutil.walk_packages(sefa_cli.__path__, "sefa_cli."):
        if module.name != "sefa_cli.__main__":
            with contextlib.suppress(ModuleNotFoundError):  # of an extra
                importlib.import_module(module.name)


def trials(asked: argparse.Namespace, one: Case, given: Path) -> Iterator[Trial]:
    """Return the trials of one command that were asked for."""
    if asked.faults:
        return met(one, given, asked.every, asked.kind or tuple(FAULTS), asked.over_old)
    if asked.pairs:
        return paired(one, given, asked.pairs)
    if asked.full_disk:
        return squeezed(one, given, asked.full_disk)
    return kills(one, given, asked.random, asked.every)


def parse(words: Sequence[str] | None = None) -> argparse.Namespace:
    """Return what was asked for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("commands", nargs="*")
    parser.add_argument("--random", type=int, default=200)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--real", action="store_true")
    parser.add_argument("--faults", action="store_true")
    parser.add_argument("--kind", choices=FAULTS, action="append")
    parser.add_argument("--over-old", action="store_true")
    parser.add_argument("--pairs", type=int)
    parser.add_argument("--full-disk", type=int)
    return parser.parse_args(words)


def main() -> int:
    """Run the chosen commands and print a row for each."""
    asked = parse()
    import_all()
    model, names = "tiny.pth", asked.commands
    if asked.real:
        model = str(locate("mobilestylegan_ffhq", offline=True))
        names = names or ["factorize", "edit", "sample", "localize"]

    failed = 0
    with tempfile.TemporaryDirectory(dir=MEMORY) as place, Server() as web:
        given = Path(place) / "given"
        web.pages["/tiny.pth"] = Page((CONTAINERS / "ckpt_genforce_stylegan2.pth").read_bytes())
        make_template(given, model)
        known = cases(web.url("/tiny.pth"), model)
        print(f"{'command':28}{'boundaries':>12}{'random':>8}{'wrong':>7}{'seconds':>9}")
        for name in names or known:
            began, steps, moments, wrong = time.monotonic(), 0, 0, []
            one = known[name]
            for where, is_step, found in trials(asked, one, given):
                steps, moments = steps + is_step, moments + (not is_step)
                wrong += [f"  {where}: {one}" for one in found]
            took = time.monotonic() - began
            print(f"{name:28}{steps:12}{moments:8}{len(wrong):7}{took:9.0f}", flush=True)
            print("\n".join(wrong[:20]), end="\n" if wrong else "", flush=True)
            failed += len(wrong)
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
