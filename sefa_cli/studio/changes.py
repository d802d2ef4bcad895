"""How much a slider changes the picture inside and outside the region that it was found for."""

import math
from collections.abc import Callable

from sefa_cli.discovery.regions.changes import change_in
from sefa_cli.studio.renderer import Renderer
from sefa_cli.studio.session import Sliders, State

_HALF = 127.5  # levels of a picture in one unit of its range from -1 to 1


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
    for one in (state.at(k, 0), state):
        go_on()  # some networks cannot stop between layers
        pictures.append(renderer.picture(one, renderer.quick, go_on))
    return _said(*(math.sqrt(part) / _HALF for part in change_in(own.bundle, *pictures)))


def _said(inside: float, outside: float) -> str:
    return f"in {inside:.2f} · out {outside:.2f}"
