"""A film in the making: how far it is, and a button that cancels it."""

from typing import TYPE_CHECKING

from nicegui import ui

from sefa_cli.studio.elements import Fault
from sefa_cli.studio.filming import LENGTH, film_of
from sefa_cli.studio.localizing import CancelledError
from sefa_cli.studio.shell import film_commands

if TYPE_CHECKING:
    from sefa_cli.studio.page import Page


class FilmPanel:
    """One film at a time, in a row under the picture."""

    def __init__(self, page: "Page") -> None:
        self.page = page
        self._made = 0  # frames
        self._canceled = False
        with ui.row().classes("film no-wrap").props('data-test="film"') as self._row:
            self._bar = ui.linear_progress(value=0, show_value=False).props("rounded")
            self._bar.props('aria-label="the film"')
            self._told = ui.label("").classes("quiet")
            ui.button("Cancel", on_click=self._cancel).props("no-caps flat dense")
        self._fault = Fault("film-fault")
        self._row.visible = False
        self._timer = ui.timer(0.3, self._tell, active=False)

    async def make(self, k: int) -> None:
        """Make and save a film of direction `k`, unless one is being made."""
        page = self.page
        model, state = page.model, page.state
        if model is None or self._row.visible:
            return
        self._made, self._canceled, self._fault.error = 0, False, None
        self._show(True)
        film = await page.work(
            lambda: film_of(model, state, k, self._count), aside=True, by=self._fault
        )
        if page.closed:
            return
        self._show(False)
        if film:
            name = f"{state.stem}_k{k}.gif"
            ui.download.content(film, name, "image/gif")
            page.layout.tell(film_commands(model, state, k, name))

    def _show(self, running: bool) -> None:
        self._row.visible = running
        self._timer.active = running
        self._tell()

    def _tell(self) -> None:
        self._bar.value = round(self._made / LENGTH, 2)
        self._told.text = f"film: {self._made} of {LENGTH} frames"

    def _count(self) -> None:
        """Count a frame, or end the film."""
        self._made += 1
        self.page.go_on()
        if self._canceled:
            raise CancelledError

    def _cancel(self) -> None:
        self._canceled = True
        self._told.text = "stopping …"
