"""A slider that stays under the pointer."""

from nicegui import ui


class Slider(ui.slider):
    """A slider that the server does not move while it is dragged.

    NiceGUI's own gets every value back from the server. A late answer would move it away from the
    pointer, and that value would be taken when the pointer lets go.
    """

    LOOPBACK = False
