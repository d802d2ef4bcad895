"""A film in the making: how far it is, and a button that cancels it."""

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from nicegui import ui

from sefa_cli.studio.elements import Complaint, Fault
from sefa_cli.studio.filming import LENGTH, film_of
from sefa_cli.studio.localizing import CancelledError
from sefa_cli.studio.region_panel import spoken
from sefa_cli.studio.shell import film_commands

if TYPE_CHECKING:
    from sefa_cli.studio.page import Page

Work = Callable[[Callable[[], object]], bytes]  # makes a film; its argument counts frames


class FilmPanel:
    """One film at a time, in a row under the picture."""

    def __init__(self, page: "Page") -> None:
        self.page = page
        self._made, self._length, self._began = 0, 1, 0.0  # frames, and when the first was made
        self._canceled = False
        with ui.row().classes("film no-wrap").props('data-test="film"') as self._row:
            self._bar = ui.linear_progress(value=0, show_value=False).props("rounded")
            self._bar.props('aria-label="the film"')
            self._told = ui.label("").classes("quiet").props('data-test="film-progress"')
            ui.button("Cancel", on_click=self._cancel).props("no-caps flat dense")
        self._fault = Fault("film-fault")
        self._row.visible = False
        self._timer = ui.timer(0.3, self._tell, active=False)

    async def make(self, k: int) -> None:
        """Make and save a film of direction `k`, unless one is being made."""
        model, state = self.page.model, self.page.state
        if model is None:
            return
        name = f"{state.stem}_k{k}.gif"
        await self.run(
            LENGTH,
            lambda count: film_of(model, state, k, count),
            name,
            film_commands(model, state, k, name),
            self._fault,
        )

    async def run(
        self, length: int, work: Work, name: str, commands: Sequence[str], by: Complaint
    ) -> bool:
        """Make and save a film, unless one is being made, and say whether it was made.

        An error is shown `by` what asked for it.
        """
        page = self.page
        if self._row.visible:
            return False
        self._made, self._length, self._canceled = 0, length, False
        by.error = self._fault.error = None
        self._show(True)
        film = await page.work(lambda: work(self._count), aside=True, by=by)
        if page.closed:
            return False
        self._show(False)
        if film:
            ui.download.content(film, name, "image/gif")
            page.layout.tell(commands)
        return film is not None

    def _show(self, running: bool) -> None:
        self._row.visible = running
        self._timer.active = running
        self._tell()

    def _tell(self) -> None:
        self._bar.value = round(self._made / self._length, 2)
        told, left = f"film: {self._made} of {self._length} frames", self._length - self._made
        if self._made > 1 and left and not self._canceled:
            pace = (time.monotonic() - self._began) / (self._made - 1)
            told += f", {spoken(pace * left)} left"
        self._told.text = "stopping …" if self._canceled else told

    def _count(self) -> None:
        """Count a frame, or end the film."""
        self._made += 1
        self._began = self._began if self._made > 1 else time.monotonic()
        self.page.go_on()
        if self._canceled:
            raise CancelledError

    def _cancel(self) -> None:
        self._canceled = True
        self._tell()
