"""A slider that stays under the pointer."""

from typing import Any

from nicegui import ui

_KEEP = "(value) => { Vue.toRaw(mounted_app.elements)[%d].props['model-value'] = value; }"


class Slider(ui.slider, component="assets/slider.js"):
    """A slider that the server does not move while it is dragged.

    NiceGUI's own gets every value back from the server. A late answer would move it away from the
    pointer, and that value would be taken when the pointer lets go.
    """

    LOOPBACK = False

    def __init__(self, **words: Any) -> None:
        """Take the words of `ui.slider`."""
        super().__init__(**words)
        assert self.component is not None
        self.tag = self.component.tag
        self._props["loopback"] = None
        self.on("update:model-value", js_handler=_KEEP % self.id)
