"""Pictures that are dropped on the page: a photo appears and moves, a saved picture comes back."""

import asyncio
import shlex
from typing import TYPE_CHECKING

from nicegui import background_tasks, ui

from sefa_cli.discovery.regions.landmarks import refusal
from sefa_cli.discovery.regions.named import subject_of
from sefa_cli.interchange.notes import has_note
from sefa_cli.inversion.photos import upright_photo
from sefa_cli.studio.elements import Canvas, Drop, icon_button
from sefa_cli.studio.photos import Search, check_model
from sefa_cli.studio.region_panel import spoken
from sefa_cli.studio.restoring import restored

if TYPE_CHECKING:
    from sefa_cli.inversion.invert import Inverter
    from sefa_cli.studio.page import Page

_ONE_LINE = "white-space: nowrap; overflow: hidden; text-overflow: ellipsis"


class PhotoPanel:
    """The photo that the page started from, and the search for one."""

    def __init__(self, page: "Page", canvas: Canvas) -> None:
        self.page, self._canvas = page, canvas
        self._search: Search | None = None
        with ui.row().classes("panel-head no-wrap") as self._shown:
            self._name = ui.label("").classes("quiet").props('data-test="photo"')
            icon_button("close", "Back to the seed", self._leave)
        self._hint = ui.label("").classes("quiet wide").props('role=status data-test="photo-hint"')
        with ui.row().classes("panel-head no-wrap") as self._busy:
            self._bar = ui.linear_progress(value=0, show_value=False).props("rounded")
            self._bar.props('aria-label="the search for the photo"')
            self._left = ui.label("").classes("quiet").style(_ONE_LINE)
            self._left.props('data-test="photo-progress"')
            ui.button("Cancel", on_click=self.stop).props(
                'no-caps flat dense data-test="photo-cancel"'
            )
        whole = Drop("Drop a photo, a saved picture or a bundle", page, anywhere=True)
        whole.on("refused", lambda event: page.layout.complain(str(event.args)))
        self._timer = ui.timer(0.5, self._tell, active=False)

    async def take(self, name: str, data: bytes) -> None:
        """Show a saved picture again, or begin to look for the code of a photo.

        Raises SefaError if the picture cannot be read, or belongs to a model that is not open.
        """
        if has_note(data):
            await self._restore(name, data)
            return
        await asyncio.to_thread(upright_photo, data, 3, name, [])  # before anything is loaded
        model, align = check_model(self.page.model), self.page.layout.dialog.align
        loop = asyncio.get_running_loop()
        show = lambda png: loop.call_soon_threadsafe(self._paint, png)  # noqa: E731
        search = Search(model, name, data, align, show, self.page.go_on)
        inverter = await asyncio.to_thread(search.prepare)
        self.stop()
        self._search = search
        self._timer.activate()
        self.refresh()
        self.page.layout.picture.faces.hide_other()
        self.page.layout.picture.say(f"looking for {name} …")
        background_tasks.create(self._run(search, inverter), name="photo")

    def stop(self) -> None:
        """End the search."""
        if self._search:
            self._search.stop.set()

    def refresh(self) -> None:
        """Show the photo's name, and how far a search is."""
        origin = self.page.state.origin
        self._shown.visible = origin is not None
        if origin:
            self._name.text = ": ".join(filter(None, (origin.name, origin.about)))
        self._busy.visible = self._search is not None
        lines = self._search.lines if self._search else origin.made_by if origin else ()
        model = self.page.model
        shows = model and subject_of(model.ref, model.checkpoint.family)
        self._hint.text = as_it_is(lines) if shows == "face" else ""
        self._hint.visible = bool(self._hint.text)

    async def _restore(self, name: str, data: bytes) -> None:
        page = self.page
        found = await asyncio.to_thread(
            restored, name, data, page.studio.library, page.model, page.state
        )
        page.show_model(found.model, found.state)
        if found.missing:
            said = "its bundle is" if len(found.missing) == 1 else "its bundles are"
            page.layout.complain(
                f"{name}: {said} not here ({', '.join(found.missing)}), so it starts from its "
                "moved code. Drop the bundle first, then the picture again."
            )
        await page.show()

    async def _run(self, search: Search, inverter: "Inverter") -> None:
        page = self.page
        origin = await page.work(lambda: search.run(inverter), aside=True)
        if self._search is search:
            self._search = None
            self._timer.deactivate()
        if page.closed:
            return
        if origin and page.model is search.model:
            await page.do(lambda state: state.before().started(origin))
        else:
            await page.show()  # in place of the pictures of the search

    def _paint(self, png: bytes) -> None:
        page = self.page
        if page.closed:
            self.stop()
        elif self._search and not self._search.stop.is_set():
            page.seen = None
            self._canvas.show(f"/picture/{page.key}/{page.keep(png)}")

    def _tell(self) -> None:
        if search := self._search:
            self._bar.value = search.done / search.total
            loss = f", loss {search.loss:.3f}" if search.done else ""
            left = "" if search.left is None else f", {spoken(search.left)} left"
            self._left.text = f"{search.name}: {search.done} of {search.total}{left}{loss}"

    async def _leave(self) -> None:
        await self.page.do(lambda state: state.started(None))


def as_it_is(lines: tuple[str, ...]) -> str:
    """Return what to know about a photo that these commands take without aligning its face."""
    searches = [words for words in map(shlex.split, lines) if words[:2] == ["sefa", "invert"]]
    if all("--align" in words for words in searches):
        return ""
    refused = refusal()
    why = f": {refused.found}" if refused else ""
    remedy = (
        refused.remedy if refused else "In Open, tick Align the face of a photo, and drop it again."
    )
    return (
        f"The photo was taken as it is, without aligning its face{why}. A face of another size or "
        f"place than the model's is met less well. {remedy}"
    )
