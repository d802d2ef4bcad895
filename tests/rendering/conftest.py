"""Small films to write."""

import numpy as np
import pytest
from numpy.typing import NDArray


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
