"""Directions of a drawn region: the command makes the same bundle, and a search can be stopped."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import Result

from sefa_cli.errors import UsageError
from sefa_cli.studio.library import Model
from sefa_cli.studio.localizing import CancelledError, Job, Task, drawing_from
from sefa_cli.studio.session import State
from tests.helpers.visiting import run, until

BOX = drawing_from("box", [[(0.2, 0.6), (0.4, 0.7), (0.6, 0.9)]])
BRUSH = drawing_from("brush", [[(0.3, 0.3), (0.5, 0.4)], [(0.7, 0.7)]], 0.2)


def test_a_box_spans_two_corners() -> None:
    assert BOX.box(32, 32) == "19,6,10,13"
    assert drawing_from("box", [[(0.6, 0.9), (0.2, 0.6)]]).box(32, 32) == "19,6,10,13"
    assert drawing_from("box", [[(1.0, 1.0)]]).box(32, 32) == "31,31,1,1"
    assert drawing_from("box", [[(-3, -3), (7, 7)]]).box(16, 32) == "0,0,16,32"


def test_strokes_cover_what_the_brush_touches() -> None:
    mask = BRUSH.mask(100, 100)
    assert mask.shape == (100, 100) and set(np.unique(mask)) == {0, 255}
    assert mask[35, 40] == mask[70, 70] == mask[62, 70] == 255
    assert mask[90, 90] == mask[50, 70] == 0


@pytest.mark.parametrize(
    ("kind", "strokes", "brush"),
    [
        ("box", [], 0),
        ("box", None, 0),
        ("box", [["ab"]], 0),
        ("circle", [[(0, 0)]], 0),
        ("brush", [[(0, float("nan"))]], 0.1),
        ("brush", [[(0, 0, 0)]], 0.1),
        ("brush", [[(0, 0)]], "wide"),
    ],
)
def test_a_drawing_is_checked(kind: str, strokes: object, brush: object) -> None:
    with pytest.raises(UsageError, match="draw"):
        drawing_from(kind, strokes, brush)


def tasks(model: Model) -> dict[str, Task]:
    state = State(seed=2)
    moved = state.added(model.factorize("bottom")).at(0, 1.5)
    return {
        "box": Task(model, state, BOX),
        "brush": Task(model, state, BRUSH, layers="2-5", num=7),
        "moved": Task(model, moved, BOX, name="mouth"),
        "less truncated": Task(model, State(seed=2, trunc=0.9), BOX),
    }


@pytest.mark.parametrize("name", ["box", "brush", "moved", "less truncated"])
def test_the_command_makes_the_same_bundle(
    model: Model, sefa: Callable[..., Result], name: str
) -> None:
    task = tasks(model)[name]
    done: list[Any] = []
    found = task.run(done.append, threading.Event())
    assert done[-1] == task.passes() == 32
    if name == "brush":
        Path(task.mask_name).write_bytes(task.mask_png())
    run(sefa, task.commands())
    assert Path(task.path).read_bytes() == found.bundle.to_bytes()
    assert found.made_by == tuple(task.commands()) and found.path == task.path


def test_a_search_stops_on_request(model: Model) -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(CancelledError):
        tasks(model)["box"].run(lambda passes: None, stop)
    job = Job(tasks(model)["box"])
    job.stop()
    job.start()
    until(lambda: not job.running)
    assert job.result is None and job.error is None


def test_a_job_reports_its_progress(model: Model) -> None:
    job = Job(tasks(model)["box"])
    assert job.left is None
    job.start()
    until(lambda: not job.running)
    assert job.result is not None and job.done == job.total == 32
    assert job.left in (None, 0) and 0 <= job.pace < 10


def test_a_region_that_covers_everything_is_refused(model: Model) -> None:
    everything = drawing_from("box", [[(0, 0), (1, 1)]])
    job = Job(Task(model, State(), everything)).start()
    until(lambda: not job.running)
    assert job.result is None and "covers all" in str(job.error)
    with pytest.raises(UsageError, match="layer 9"):
        Job(Task(model, State(), BOX, layers="9"))


def test_the_time_left_leaves_out_the_first_batch(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first batch also makes the picture and warms up: it once promised 46 min for 2."""
    clock = iter((0.0, 60.0, 61.0, 61.0))
    monkeypatch.setattr("sefa_cli.studio.localizing.time.monotonic", lambda: next(clock))
    job = Job(tasks(model)["box"])
    job._advance(2)
    assert job.left is None and job.pace == 0
    job._advance(4)
    assert job.pace == 0.5 and job.left == (32 - 4) * 0.5
