"""Small films to write, and a report to open."""

import dataclasses
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from sefa_cli.discovery.factorize import factorize
from sefa_cli.editing.start import start_from
from sefa_cli.families.build import build
from sefa_cli.rendering.edits import Edits
from sefa_cli.rendering.report import Report, write_report
from sefa_cli.rendering.scene import Scene
from sefa_cli.rendering.view import View
from tests.helpers.networks import stylegan2

EVIL = "</bdi><script>alert('xss')</script>"
STEPS = (-2.0, -1.0, 0.0, 1.0, 2.0)


def waves(frames: int, height: int, width: int, channels: int = 3) -> NDArray[np.uint8]:
    """Smooth colors that move and begin again after the last frame: (frames, H, W, C)."""
    t, y, x = np.mgrid[0:frames, 0:height, 0:width].astype(float)
    t, y, x = 2 * np.pi * t / frames, y / height, x / width
    phases = [3 * x + t, 4 * y - t, 3 * (x + y) + t]
    colors = [128 + 90 * np.sin(phase) for phase in phases] + [np.full_like(x, 255)]
    if channels == 1:
        colors = colors[:1]
    return np.rint(np.stack(colors[:channels], axis=-1)).astype(np.uint8)


@pytest.fixture(name="waves")
def _waves():
    return waves


@pytest.fixture(scope="module")
def report() -> Iterator[Report]:
    """Three directions of a small network for one region of it, over two seeds."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # pictures this small are slower with more
    checkpoint = stylegan2(resolution=64)
    generator, bundle = build(checkpoint, "cpu"), factorize(checkpoint)
    mask = np.zeros((64, 64), np.uint8)
    mask[8:24, 8:40] = 255
    info = [dict(entry) for entry in bundle.info]
    info[0] |= {"label": "smile", "gain": 0.93}
    info[1] |= {"label": EVIL, "annotation": {"note": EVIL}}
    bundle = dataclasses.replace(bundle, mask=mask, info=tuple(info))
    edits = Edits(Scene(generator, start_from(generator, "0,7")), bundle)
    yield Report(
        edits, View(), dict.fromkeys((0, 1, 4), STEPS), "my face.dirs", "sefa report 'my face.dirs'"
    )
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def address(report: Report, tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_report(report, tmp_path_factory.mktemp("report") / "r").as_uri()
