"""The timeline: key frames in a row, and the film along them."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from nicegui import events, ui
from nicegui.element import Element

from sefa_cli.errors import SefaError
from sefa_cli.studio.elements import Fault, Number, fill, icon_button, tip_above
from sefa_cli.studio.key_frames import KeyFrame, KeyFrames, storyboard_of
from sefa_cli.studio.thumbnails import Thumbnails
from sefa_cli.studio.timeline import film_along, save_film, storyboard_commands
from sefa_cli.studio.wording import said

if TYPE_CHECKING:
    from sefa_cli.studio.page import Page

STORY, FILM = "story.toml", "story.gif"
_BUTTON = 'no-caps outline padding="4px 10px"'


class TimelinePanel:
    """The key frames, each with what it shows and its seconds, and what is done with them."""

    def __init__(self, page: "Page", thumbnails: Thumbnails) -> None:
        self.page, self._thumbnails = page, thumbnails
        self._built: list[KeyFrame] = []
        self._pictures: list[Element] = []
        self._seconds: list[Number] = []
        self._dragged: int | None = None
        with ui.row().classes("region"):
            add = ui.button("Add key frame", on_click=self._add).props(_BUTTON)
            add.props('data-test="add-key"')
            with add:
                tip_above(
                    "The film goes from one key frame to the next: another seed, other sliders"
                )
            self._told = ui.label("").classes("quiet").props('data-test="keys" role=status')
            ui.space()
            self._undo = icon_button(
                "history", "Undo the last change of the key frames", self._back
            )
            self._undo.props('data-test="undo-keys"')
        self._row = ui.element("div").classes("keys").props('role=list aria-label="Key frames"')
        with ui.row().classes("panel-head") as self._tools:
            film = ui.button("Save film", on_click=self._save).props(_BUTTON)
            self._film = film.props('data-test="save-story"')
            text = ui.button("Save storyboard", on_click=self._save_text).props(_BUTTON)
            self._text = text.props('data-test="save-storyboard"')
            text.tooltip("For sefa animate --storyboard; dropped on a page, it comes back")
            self._smooth = ui.checkbox("slow at each", on_change=self._ease)
            self._smooth.props('dense data-test="smooth"').tooltip(
                "The film slows down at each key frame"
            )
            ui.button("Clear", on_click=lambda: self._set(KeyFrames())).props(
                'no-caps flat dense data-test="clear-keys"'
            )
        self._fault = Fault("timeline-fault")
        self.refresh()

    @property
    def _shown(self) -> KeyFrames:
        return self.page.keys

    def refresh(self) -> None:
        """Show the key frames as they are now."""
        shown = self._shown
        self._undo.visible = bool(self.page.keys_past)
        self._row.visible = self._tools.visible = bool(shown.frames)
        self._film.set_enabled(len(shown.frames) > 1)
        self._text.set_enabled(len(shown.frames) > 1)
        self._smooth.value = shown.ease == "smooth"
        count = len(shown.frames)
        seconds = f", {shown.times[-1]:g} s" if count > 1 else ""
        self._told.text = f"{count} key frame{'s' * (count != 1)}{seconds}" if count else ""
        frames = [replace(frame, seconds=1) for frame in shown.frames]
        if frames != self._built:  # a field that somebody writes in stays
            self._built = frames
            self._pictures.clear()
            self._seconds.clear()
            self._row.clear()
            with self._row:
                for i, frame in enumerate(shown.frames):
                    self._card(i, frame)
        for frame, field in zip(shown.frames, self._seconds, strict=True):
            fill(field, frame.seconds)
        self.show_thumbnails()

    def show_thumbnails(self) -> None:
        """Show the small pictures that are made."""
        for frame, picture in zip(self._shown.frames, self._pictures, strict=True):
            picture.props["src"] = self._thumbnails.of_step(frame.state)

    def _card(self, i: int, frame: KeyFrame) -> None:
        state, count = frame.state, len(self._shown.frames)
        about = f"key frame {i + 1}: {frame.caption or state.about}"
        with ui.element("div").classes("key") as card:
            card.props(f'role=listitem draggable=true data-test="key-{i}"')
            card.on("dragstart", lambda: self._drag(i))
            card.on("dragover", js_handler="(event) => event.preventDefault()")
            card.on("drop.prevent", lambda: self._drop(i), args=[])
            with ui.element("button").classes("thumbnail") as button:
                button.props(f'type=button data-test="show-key-{i}"').on("click", self._show(i))
                button.props["aria-label"] = about
                picture = ui.element("img").props('alt="" draggable=false')
                picture.props["src"] = ""
                ui.tooltip(about)
            self._pictures.append(picture)
            with ui.element("div").classes("key-tools"):
                tools = (
                    ("chevron_left", "earlier", lambda: self._move(i, i - 1), i > 0),
                    ("chevron_right", "later", lambda: self._move(i, i + 1), i < count - 1),
                    ("content_copy", "twice", lambda: self._set(self._shown.doubled(i)), True),
                    ("close", "remove", lambda: self._set(self._shown.without(i)), True),
                )
                for icon, word, handler, works in tools:
                    tool = icon_button(icon, f"{word}: key frame {i + 1}", handler)
                    tool.props(f'size=xs data-test="{word}-{i}"').set_enabled(works)
            seconds = Number("s to next", value=frame.seconds, min=0.1, max=60, step=0.5)
            seconds.props(f'dense outlined data-test="seconds-{i}"').without_auto_validation()
            seconds.on("change", lambda: self._last(i, seconds))
            seconds.visible = i < count - 1
            self._seconds.append(seconds)

    def _set(self, keys: KeyFrames) -> None:
        self._fault.error = None
        self.page.set_keys(keys)
        self.page.layout.move_on()

    def _add(self) -> None:
        if self.page.model:
            self._set(self._shown.added(self.page.state))

    def _back(self) -> None:
        self.page.undo_keys()
        self.page.layout.move_on()

    def _ease(self, event: events.ValueChangeEventArguments[Any]) -> None:
        ease = "smooth" if event.value else "linear"
        if ease != self._shown.ease:
            self._set(KeyFrames(self._shown.frames, ease))

    def _drag(self, i: int) -> None:
        self._dragged = i

    def _drop(self, to: int) -> None:
        dragged, self._dragged = self._dragged, None
        if dragged is not None and dragged != to:
            self._set(self._shown.moved(dragged, to))

    def _move(self, i: int, to: int) -> None:
        word = "earlier" if to < i else "later"
        self._set(self._shown.moved(i, to))
        last = to in (0, len(self._shown.frames) - 1)  # there this button does nothing more
        word = {"earlier": "later", "later": "earlier"}[word] if last else word
        self._row.client.run_javascript(
            f"document.querySelector('[data-test=\"{word}-{to}\"]')?.focus()"
        )

    def _last(self, i: int, field: Number) -> None:
        try:
            self._set(self._shown.lasting(i, float(field.value or 0)))
        except SefaError as error:
            self.page.layout.complain(said(error), field)

    def _show(self, i: int) -> Any:
        async def show() -> None:
            await self.page.do(lambda _: self._shown.frames[i].state)

        return show

    def _save_text(self) -> None:
        model = self.page.model
        if model is None:
            return
        self._fault.error = None
        try:
            text = storyboard_of(model, self._shown).to_text()
            commands = storyboard_commands(model, self._shown, STORY, FILM)
        except SefaError as error:
            self._fault.error = said(error)
            return
        ui.download.content(text, STORY, "text/plain")
        self.page.layout.tell(commands)

    async def _save(self) -> None:
        page, model, shown = self.page, self.page.model, self._shown
        if model is None:
            return
        self._fault.error = None
        try:
            text = storyboard_of(model, shown).to_text()
            length = len(film_along(model, shown))
            commands = storyboard_commands(model, shown, STORY, FILM)
        except SefaError as error:
            self._fault.error = said(error)
            return
        made = await page.layout.picture.film.run(
            length, lambda count: save_film(model, shown, count), FILM, commands, self._fault
        )
        if made:
            ui.download.content(text, STORY, "text/plain")
