"""Files made to do harm: nothing runs, nothing blows up, and every refusal is one line."""

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import hostile
import numpy as np
import pytest

from sefa_cli.checkpoints.pickles import read_pickle
from sefa_cli.checkpoints.reading import read_checkpoint
from sefa_cli.errors import SefaError

GOLDEN = Path(__file__).parents[1] / "golden"

# Reads every file named on stdin under an audit hook that lets nothing be run, imported or written.
GUARDED = """
import json, sys, time
from pathlib import Path
from sefa_cli.checkpoints import openvino
from sefa_cli.checkpoints.reading import read_checkpoint
from sefa_cli.errors import SefaError

FORBIDDEN = ("exec", "compile", "import", "os.", "subprocess.", "pickle.", "marshal.", "socket.",
             "ctypes.", "code.", "shutil.", "webbrowser.", "object.__setattr__")

def guard(event, args):
    if event.startswith(FORBIDDEN) and event not in ("os.listdir", "os.scandir"):
        found.append(f"{event} {args!r:.200}")
    elif event == "open" and not (isinstance(args[1], str) and args[1] in ("r", "rb")):
        if args[2] & 3:  # written to
            found.append(f"open {args!r:.200}")

def peak():
    # kB; getrusage would count what the parent held before it became us
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))

found, report = [], {}
for codec in ("cp437", "raw-unicode-escape"):  # zipfile and old pickles use them
    "".encode(codec)
paths = [Path(line) for line in sys.stdin.read().splitlines()]
before = peak()
sys.addaudithook(guard)
for path in paths:
    start = time.process_time()
    try:
        read_checkpoint(path)
        outcome = "read"
    except SefaError as error:
        outcome = str(error)
    report[path.name] = (outcome, time.process_time() - start)
print(json.dumps({"report": report, "found": found, "grown": peak() - before,
                  "modules": [m for m in ("torch", "subprocess") if m in sys.modules]}))
"""


def test_the_bait_works(tmp_path, monkeypatch):
    """In a live unpickler the cases do what they are made for; so the canary can be trusted."""
    monkeypatch.setenv("CANARY", str(tmp_path / "canary"))
    for case in ("os.system", "exec", "INST", "OBJ", "a chain of getattr", "by text", "partial"):
        pickle.loads(hostile.CALLS[case])  # noqa: S301
        assert (tmp_path / "canary").exists(), case
        (tmp_path / "canary").unlink()


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> dict:
    """What became of all hostile files, and of the published ones with their canaries."""
    folder = tmp_path_factory.mktemp("hostile")
    paths = [*hostile.write_all(folder), *(GOLDEN / "containers").iterdir()]
    canary = folder / "canary"
    done = subprocess.run(
        [sys.executable, "-c", GUARDED],
        input="\n".join(map(str, paths)),
        env={**os.environ, "CANARY": str(canary), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        cwd=folder,
    )
    assert done.returncode == 0, done.stderr
    return {**json.loads(done.stdout), "canary": canary.exists(), "count": len(paths)}


def test_nothing_is_run_imported_or_written(outcome):
    assert outcome["found"] == [] and not outcome["canary"]
    assert outcome["modules"] == []


def test_every_hostile_file_is_refused_in_one_line(outcome):
    report = outcome["report"]
    assert len(report) == outcome["count"] > 200
    for name, (text, _) in report.items():
        if name[0].isdigit():
            assert text != "read", name
            assert text.startswith(name) and "\n" not in text and len(text) < 700, text


def test_memory_and_time_stay_small(outcome):
    assert outcome["grown"] < 400 * 1024  # kB, over all of them together
    slowest = max(outcome["report"].items(), key=lambda item: item[1][1])
    assert slowest[1][1] < 10, slowest  # seconds of CPU, on a slow machine


@pytest.mark.parametrize("case", hostile.CALLS)
def test_calls_are_records_or_refused(case):
    try:
        found = read_pickle(hostile.CALLS[case], Path("x.pkl"))
    except SefaError:
        return
    assert all(isinstance(name, str) for name in found.called)
    assert type(found.value).__module__ in ("builtins", "sefa_cli.checkpoints.inert")


def test_what_would_have_been_called_is_named(tmp_path):
    path = tmp_path / "model.pkl"
    path.write_bytes(hostile.CALLS["subprocess"])
    with pytest.raises(SefaError, match=r"Nothing in it was run; .*'subprocess\.check_call'"):
        read_checkpoint(path)


def test_any_instruction_on_an_empty_stack():
    tails = (b"", b".", b"\x00" * 12, b"\xff" * 12, b"\n\n.", b"N.", b"(((N.", b"NNN.")
    for opcode in range(256):
        for start in (b"\x80\x02", b"\x80\x04(", b"\x80\x02](", b"\x80\x02})N"):
            for tail in tails:
                try:
                    read_pickle(start + bytes([opcode]) + tail, Path("x.pkl"))
                except SefaError as refused:
                    assert "\n" not in str(refused)


def test_files_with_flipped_and_missing_bytes(tmp_path):
    """A few hundred seeded accidents to the published files: read or refused, never a crash."""
    random = np.random.RandomState(0)
    for path in sorted((GOLDEN / "containers").glob("*.p*")):
        content = path.read_bytes()
        for _ in range(40):
            broken = bytearray(content)
            for place in random.randint(0, min(len(content), 10 ** random.randint(2, 6)), 3):
                broken[place] = random.randint(256)
            del broken[len(broken) - 10 ** random.randint(0, 4) :]
            broken.extend(content[-100:])
            (tmp_path / path.name).write_bytes(broken)
            try:
                found = read_checkpoint(tmp_path / path.name)
                assert all(t.numpy().shape == t.shape for t in found.tensors.values())
            except SefaError as refused:
                assert "\n" not in str(refused) and path.name in str(refused)
