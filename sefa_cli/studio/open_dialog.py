"""The dialog that opens a model or a bundle."""

from typing import TYPE_CHECKING

from nicegui import ui

from sefa_cli.discovery.regions.landmarks import refusal
from sefa_cli.sources.locate import cached
from sefa_cli.sources.zoo import load_zoo
from sefa_cli.studio.elements import Complaint, Drop
from sefa_cli.studio.opening import open_named

if TYPE_CHECKING:
    from sefa_cli.studio.page import Page


class OpenDialog:
    """The models in the cache, a field for a path, and a place for a bundle."""

    def __init__(self, page: "Page") -> None:
        self.page = page
        names = [entry.name for entry in load_zoo().values() if cached(entry.wanted, entry.also)]
        title, can_align = "Open a model or a bundle", refusal() is None
        with (
            ui.dialog().props(f'aria-label="{title}"') as self._dialog,
            ui.card().classes("open-card"),
        ):
            ui.label(title).classes("brand").props("role=heading aria-level=2")
            if names:
                ui.label("Models in the cache").classes("quiet")
                with ui.row():
                    for name in names:
                        ui.button(name, on_click=lambda name=name: self._open(name)).props(
                            'outline no-caps padding="4px 12px"'
                        )
            path = self._path = ui.input("A path, an address or a zoo name")
            path.without_auto_validation().props('outlined dense data-test="path"').classes("wide")
            path.on("keydown.enter", lambda: self._open(path.value))
            ui.button("Open", on_click=lambda: self._open(path.value)).props(
                'no-caps unelevated data-test="open-path"'
            )
            label = "Or drop a bundle, a photo, a saved picture, codes or a preset here, or click"
            drop = Drop(label, page)
            drop.props('data-test="drop"').classes("wide")
            self._align = ui.checkbox("Align the face of a photo", value=can_align)
            self._align.props('dense data-test="align"').visible = can_align

    @property
    def align(self) -> bool:
        """Whether the faces of photos should be aligned."""
        return bool(self._align.value)

    async def _open(self, text: str) -> None:
        if text and text.strip():
            self._path.props("loading")
            await open_named(self.page, text.strip())
            self._path.props(remove="loading")

    @property
    def field(self) -> Complaint | None:
        """The field that says what is wrong, while the dialog is open."""
        return self._path if self._dialog.value else None

    def open(self) -> None:
        """Show the dialog."""
        self._dialog.open()

    def close(self) -> None:
        """Hide the dialog."""
        self._dialog.close()
