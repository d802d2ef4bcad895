"""How much a slider changes the picture inside and outside the region that it was found for."""

from collections.abc import Callable

import numpy as np
from PIL import Image

from sefa_cli.bundle.bundle import Bundle
from sefa_cli.rendering.pictures import Picture
from sefa_cli.studio.renderer import Renderer
from sefa_cli.studio.session import Sliders, State


def estimated(sliders: Sliders, k: int) -> str:
    """Return the change by one suggested step, or where the slider is, to first order."""
    change = sliders.bundle.info[k]["change"]
    step = abs(sliders.alpha(k)) or sliders.bundle.step(k)
    return f"≈ {_said(step * change['inside'], step * change['outside'])}"


def measured(renderer: Renderer, state: State, k: int, go_on: Callable[[], object]) -> str:
    """Return the change between the pictures with slider `k` at 0 and where it is.

    Of several faces, it is that of the first one.
    """
    own, state = state.sliders, state.alone
    assert own is not None
    pictures = []
    for one in (state, state.at(k, 0)):
        go_on()  # some networks cannot stop between layers
        pictures.append(renderer.picture(one, renderer.quick, go_on))
    return _said(*change(own.bundle, *pictures))


def change(bundle: Bundle, after: Picture, before: Picture) -> tuple[float, float]:
    """Return the root mean square change inside and outside, as parts of a range of 2.

    The region of a bundle with one for each seed is the first.
    """
    fore = np.asarray(bundle.mask, np.uint8)
    back = 255 - fore if bundle.background is None else bundle.background
    squares = np.square((after.astype(float) - before) / 127.5).mean(axis=-1)  # (h, w)
    height, width = squares.shape
    weights = [
        np.asarray(Image.fromarray(part.reshape(-1, *part.shape[-2:])[0]).resize((width, height)))
        for part in (fore, back)
    ]
    inside, outside = (np.sqrt(np.average(squares, weights=own + 1e-9)) for own in weights)
    return float(inside), float(outside)


def _said(inside: float, outside: float) -> str:
    return f"in {inside:.2f} · out {outside:.2f}"
