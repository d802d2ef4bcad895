"""The dialog of presets: keep the moves of all sliders under a name, and take them again."""

from typing import TYPE_CHECKING, Any

from nicegui import ui

from sefa_cli.errors import SefaError
from sefa_cli.studio.elements import Fault, icon_button
from sefa_cli.studio.presets import Shelf, preset_commands, preset_of, stem_of, with_parts
from sefa_cli.studio.wording import said

if TYPE_CHECKING:
    from sefa_cli.studio.page import Page


class PresetsDialog:
    """A button, and the dialog that it opens."""

    def __init__(self, page: "Page") -> None:
        self.page = page
        ui.button("Presets", on_click=self.open).props(
            'no-caps outline padding="4px 10px" data-test="presets"'
        ).tooltip("Moves with a name, for any face of this model")
        title = "Presets"
        with (
            ui.dialog().props(f'aria-label="{title}"') as self._dialog,
            ui.card().classes("open-card"),
        ):
            ui.label(title).classes("brand").props("role=heading aria-level=2")
            with ui.row().classes("panel-head"):
                name = self._name = ui.input("Name for the moves of all sliders")
                name.without_auto_validation().props('outlined dense data-test="preset-name"')
                name.classes("flex-grow").on("keydown.enter", self._save)
                ui.button("Save", on_click=self._save).props(
                    'no-caps unelevated data-test="save-preset"'
                )
                self._replace = ui.button("Replace", on_click=lambda: self._save(True)).props(
                    'no-caps outline data-test="replace-preset"'
                )
            self._list = ui.element("ul").classes("presets").props('aria-label="Kept presets"')
            self._fault = Fault("preset-fault")
            ui.button("Close", on_click=self._dialog.close).props("flat no-caps")

    def open(self) -> None:
        """Show the presets of the open model."""
        if self.page.model:
            self._name.error = self._fault.error = None
            self._replace.visible = False
            self._fill(Shelf(self.page.model))
            self._dialog.open()

    def _fill(self, shelf: Shelf) -> None:
        self._list.clear()
        with self._list:
            for name in shelf.names:
                self._row(shelf, name)

    def _row(self, shelf: Shelf, name: str) -> None:
        async def take() -> None:
            try:
                parts = shelf.load(name).parts
                state = with_parts(shelf.model, self.page.state.before(), parts)
            except SefaError as error:
                self._fault.error = said(error)
                return
            self._dialog.close()
            await self.page.do(lambda _: state)

        def remove() -> None:
            try:
                shelf.remove(name)
            except SefaError as error:
                self._fault.error = said(error)
                return
            self._fill(shelf)

        with ui.element("li").classes("panel-head"):
            ui.button(shelf.title(name), on_click=take).props(
                f'no-caps flat align=left data-test="preset-{name}"'
            ).classes("flex-grow")
            icon_button("close", f"Forget {shelf.title(name)}", remove)

    def _save(self, overwrite: Any = False) -> None:
        model, state = self.page.model, self.page.state
        if model is None:
            return
        shelf, again = Shelf(model), overwrite is True
        try:
            stem = stem_of(self._name.value or "")
            preset = preset_of(state, (self._name.value or "").strip())
            self._replace.visible = stem in shelf.names and not again
            shelf.keep(preset, again)
        except SefaError as error:
            self._name.error = said(error)
            return
        self._dialog.close()
        ui.download.content(preset.to_text(), f"{stem}.toml", "text/plain")
        self.page.layout.tell(preset_commands(model, state, f"{stem}.toml"))
