"""Kill every command that writes before and after each of its steps, and at random moments.

    python bench/crashes.py                   all commands, every boundary, 200 random kills each
    python bench/crashes.py factorize pick    these
    python bench/crashes.py --random 0        every boundary only

After each kill the old files or the new ones must stand, and the next run must succeed, give the
same bytes as an undisturbed one, and clear away what was left. Prints a row for each command and
ends with 1 if anything was wrong.
"""

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.helpers import CONTAINERS
from tests.helpers.crashes import Case, content, faults, prepare, run, state, try_again
from tests.helpers.server import Page, Server

_PICTURES = ("--size", "32", "--device", "cpu")
_BOX = ("--box", "20,10,8,12", "--size", "32", "--device", "cpu")
_QUICK = ("-k", "0-1", "--seeds", "0-9", "--steps", "1", "--scorers", "colors", "-o", "eval")


def cases(web: str) -> dict[str, Case]:
    """Return every command that writes, with small inputs."""
    tiny, dirs = "tiny.pth", "tiny.dirs"
    edit = ("edit", dirs, "-k", "1", *_PICTURES)
    film = ("animate", dirs, "-k", "1", "--seeds", "0", *_PICTURES)
    invert = ("invert", "photos", "--model", tiny, "-o", "c.npz", "--passes", "2", "--space")
    report = ("report", dirs, "-k", "0", "-o", "r", *_PICTURES, "--seeds")
    box = ("localize", tiny, "--seeds", "0-1", "-o", "x.dirs", *_BOX)
    import_ = ("import", "boundary_w.npy", "--model", tiny, "-o", "x.dirs", "-L")
    export = ("export", dirs, "--to", "npy", "-o", "x.npy", "-k")
    return {
        "factorize": case(["factorize", tiny, "-o", "x.dirs"], ["--num", "3"], "x.dirs"),
        "localize": case(box, ["--num", "2"], "x.dirs"),
        "convert": case(["convert", tiny, "-o", "x.safetensors"], [], "x.safetensors"),
        "export": case([*export, "0-1"], [], "x.npy", [*export, "0-2"]),
        "import": case([*import_, "bottom"], [], "x.dirs", [*import_, "top"]),
        "pick": case(["pick", dirs, "-k", "0-2", "-o", "x.dirs"], ["--flip"], "x.dirs"),
        "name": Case(
            ["name", dirs, "0", "smile"], ["name", dirs, "1", "age"], ["tiny.dirs"], again=()
        ),
        "edit": case([*edit, "--seeds", "0", "-o", "x.png"], ["-a", "2"], "x.png"),
        "edit, a folder": case(
            [*edit, "--seeds", "0-1", "-o", "x", "-a", "1"], ["--trunc", "0.5"], "x", whole=False
        ),
        "animate": case([*film, "--frames", "3", "-o", "x.gif"], ["--bounce"], "x.gif"),
        "animate, a folder": case([*film, "--frames", "2", "-o", "x/"], ["--bounce"], "x"),
        "sample": case(["sample", tiny, *_PICTURES, "-o", "x.png"], ["--seeds", "0-1"], "x.png"),
        "report": case([*report, "0"], [], "r", [*report, "1"], whole=False),
        "invert": case([*invert, "w"], [], "c.npz", [*invert, "w+"]),
        "evaluate": case(["evaluate", dirs, *_QUICK], ["-a", "1"], "eval", whole=False),
        "models pull": Case(["models", "pull", web], ["models"], ["cache/models"], again=()),
    }


def case(
    words: Sequence[str],
    more: Sequence[str],
    output: str,
    before: Sequence[str] = (),
    whole: bool = True,
) -> Case:
    """Return a case whose earlier run is the same command with `more`, or `before`."""
    return Case(words, before or [*words, *more], [output], whole)


def make_template(folder: Path) -> None:
    """Make what the commands are given: a model, its bundle, a boundary, a photo."""
    folder.mkdir()
    (folder / "tiny.pth").write_bytes((CONTAINERS / "ckpt_genforce_stylegan2.pth").read_bytes())
    np.save(folder / "boundary_w.npy", np.eye(1, 32))
    for words in (
        ["factorize", "tiny.pth", "-o", "tiny.dirs"],
        ["sample", "tiny.pth", "--seeds", "0", "-o", "photos", "--device", "cpu"],
    ):
        done = run(words, folder)
        if done.status:
            sys.exit(done.said)


def kills(one: Case, given: Path, count: int) -> Iterator[tuple[str, bool, list[str]]]:
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
        for at in (*range(1, len(whole.steps) + 1), *moments):
            is_step = isinstance(at, int)
            run(
                [*one.words, *again],
                prepare(folder, base),
                **{"kill_at" if is_step else "after": at},
            )
            left = state(folder)
            if left not in seen:
                seen[left] = faults(one, folder, old, new) or try_again(one, folder, new)
            wrong = seen[left]
            where = f"{whole.steps[at - 1]} (step {at})" if is_step else f"{at:.3f} s"
            yield f"{where}, {'over old' if has_old else 'fresh'}", is_step, wrong


def main() -> int:
    """Run the chosen commands and print a row for each."""
    parser = argparse.ArgumentParser()
    parser.add_argument("commands", nargs="*")
    parser.add_argument("--random", type=int, default=200)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    import sefa_cli.cli  # noqa: F401 (forks need not import it again)

    failed = 0
    with tempfile.TemporaryDirectory() as place, Server() as web:
        given = Path(place) / "given"
        web.pages["/tiny.pth"] = Page((CONTAINERS / "ckpt_genforce_stylegan2.pth").read_bytes())
        make_template(given)
        known = cases(web.url("/tiny.pth"))
        print(f"{'command':20}{'boundaries':>12}{'random':>8}{'wrong':>7}{'seconds':>9}")
        for name in asked.commands or known:
            began, steps, moments, wrong = time.monotonic(), 0, 0, []
            for where, is_step, found in kills(known[name], given, asked.random):
                steps, moments = steps + is_step, moments + (not is_step)
                wrong += [f"  {where}: {one}" for one in found]
            took = time.monotonic() - began
            print(f"{name:20}{steps:12}{moments:8}{len(wrong):7}{took:9.0f}", flush=True)
            print("\n".join(wrong[:20]), end="\n" if wrong else "", flush=True)
            failed += len(wrong)
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
