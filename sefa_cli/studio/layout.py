"""The layout of a page: the picture on the left, sliders on the right, commands below."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nicegui import events, ui

from sefa_cli.studio.annotating_panel import AnnotatingPanel
from sefa_cli.studio.elements import Commands, Complaint, Hint, icon_button
from sefa_cli.studio.history_strip import HistoryStrip
from sefa_cli.studio.open_dialog import OpenDialog
from sefa_cli.studio.photo_panel import PhotoPanel
from sefa_cli.studio.picture_panel import PicturePanel
from sefa_cli.studio.presets_dialog import PresetsDialog
from sefa_cli.studio.shell import picture_commands
from sefa_cli.studio.sliders_panel import SlidersPanel
from sefa_cli.studio.thumbnails import Thumbnails
from sefa_cli.studio.timeline_panel import TimelinePanel

if TYPE_CHECKING:
    from sefa_cli.studio.page import Page

_STYLE = Path(__file__).with_name("assets") / "studio.css"

# Between a menu and its options, Quasar has an element that takes the focus: no list may have that.
_MENUS = """<script>new MutationObserver(() => {
    const inner = "[role=listbox] > .q-virtual-scroll__content[tabindex]";
    for (const one of document.querySelectorAll(inner)) one.removeAttribute("tabindex");
}).observe(document.documentElement, { childList: true, subtree: true })</script>"""


class Layout:
    """The elements of one page that change, and how they change."""

    def __init__(self, page: "Page") -> None:
        self.page = page
        self._complaints: list[Complaint] = []
        thumbnails = Thumbnails(page)
        ui.add_css(_STYLE.read_text())
        ui.add_body_html(_MENUS)
        ui.colors(primary="#3b6ea5")
        with ui.element("div").classes("studio") as self._main:
            with ui.element("header"):
                self._header()
            with ui.element("section").classes("left"):
                self.picture = PicturePanel(page)
                self.photo = PhotoPanel(page, self.picture.canvas)
                self.strip = HistoryStrip(page, thumbnails)
                with ui.element("div").classes("foot"):
                    self._commands()
            with ui.element("section").classes("right"):
                Hint(
                    "A slider's two small faces show what it does.",
                    "Draw a box on the picture to change only that part.",
                    "The command below the picture makes the same.",
                ).props('data-test="hint"')
                self.sliders = SlidersPanel(page, thumbnails)
                with ui.row().classes("region"):
                    PresetsDialog(page)
                self.timeline = TimelinePanel(page, thumbnails)
        self.dialog = OpenDialog(page)
        self.annotating = AnnotatingPanel(page)
        self.refresh()
        if not page.studio.begin:
            self.dialog.open()

    def _header(self) -> None:
        ui.label("sefa studio").classes("brand").props("role=heading aria-level=1")
        self._model = ui.label("").classes("model").props('data-test="model"')
        ui.space()
        self._undo = icon_button("undo", "Undo", self._go_back)
        self._redo = icon_button("redo", "Redo", self._go_forward)
        ui.keyboard(self._key, ignore=["input", "select", "textarea"])
        self._annotate = ui.button(
            "Annotate", icon="checklist", on_click=lambda: self.annotating.open()
        )
        self._annotate.props('flat dense no-caps aria-label="Annotate" data-test="annotate"')
        ui.button("Open", icon="folder_open", on_click=lambda: self.dialog.open()).props(
            'flat dense no-caps aria-label="Open" data-test="open"'
        )

    async def _key(self, event: events.KeyEventArguments) -> None:
        """Undo by Ctrl+Z, redo by Ctrl+Y or Ctrl+Shift+Z (on a Mac: Cmd)."""
        held, key = event.modifiers, str(event.key).lower()
        if not event.action.keydown or not (held.ctrl or held.meta):
            return
        if key == "z" and not held.shift:
            await self._go_back()
        elif key in ("y", "z"):
            await self._go_forward()

    async def _go_back(self) -> None:
        await self.page.go(len(self.page.history.past) - 1)

    async def _go_forward(self) -> None:
        await self.page.go(len(self.page.history.past) + 1)

    def _commands(self) -> None:
        with ui.row().classes("commands-head"):
            ui.label("The same in a shell").classes("quiet")
            ui.space()
            self._copied = ui.label("").props("role=status")
            icon_button("content_copy", "Copy", self._copy)
            ui.button("Picture", icon="download", on_click=self._save_picture).props(
                'flat dense no-caps data-test="save-picture"'
            )
        self._shell = Commands().props('data-test="commands"')

    def _copy(self) -> None:
        ui.clipboard.write("\n".join(self._shell.lines))
        self._copied.text = "Copied"

    async def _save_picture(self) -> None:
        page = self.page
        if page.renderer is None:
            return
        renderer, state = page.renderer, page.shown
        saved = await page.work(lambda: renderer.save(state))
        if saved:
            moves = state.moves if len(state.moves) < 100 else "moved"
            name = state.stem + (f"_{moves}" if moves else "")
            ui.download.content(saved, f"{name}.png", "image/png")

    def address(self, address: str) -> None:
        """Show where this page can be found again."""
        if not self.page.closed:
            with self.page.client:
                ui.navigate.history.replace(address)

    def complain(self, why: str, by: Complaint | None = None) -> None:
        """Show why something was refused, `by` the field where it was asked for."""
        if self.page.closed:
            return
        place = by or self.picture.trouble
        place.error = why
        self._complaints.append(place)

    def forgive(self) -> None:
        """Remove all complaints."""
        while self._complaints:
            self._complaints.pop().error = None

    def move_on(self) -> None:
        """Remove all complaints, and what was refused: somebody does something else."""
        self.forgive()
        self.refresh()

    def refresh(self) -> None:
        """Bring all elements but the picture up to date."""
        page, model = self.page, self.page.model
        self._undo.set_enabled(bool(page.history.past))
        self._redo.set_enabled(bool(page.history.future))
        self._main.classes(add="empty" if model is None else "", remove="empty")
        self._annotate.set_enabled(model is not None)
        if model:
            config = model.checkpoint.config
            self._model.text = f"{model.ref} · {model.generator.family} · {config['resolution']} px"
        self.picture.refresh()
        self.photo.refresh()
        self.sliders.refresh()
        self.strip.refresh()
        self.timeline.refresh()
        self.tell(picture_commands(model, page.shown) if model else [])

    def show_thumbnails(self, k: int) -> None:
        """Show small pictures that were just made: of slider `k`, or of the history if it is -1."""
        if self.page.closed:
            return
        if k < 0:
            self.strip.show_thumbnails()
            self.timeline.show_thumbnails()
        else:
            self.sliders.show_thumbnails(k)

    def tell(self, commands: Sequence[str]) -> None:
        """Show the commands that make the picture, or the film that was just saved."""
        self._shell.lines, self._copied.text = commands, ""
