"""The row that keeps moves: as a preset, or as key frames of a film."""

from typing import TYPE_CHECKING

from nicegui import ui

from sefa_cli.errors import SefaError
from sefa_cli.studio.session import State
from sefa_cli.studio.timeline import (
    film_along,
    key_of,
    preset_commands,
    preset_of,
    storyboard_commands,
    storyboard_of,
)

if TYPE_CHECKING:
    from sefa_cli.studio.page import Page

PRESET, STORY, FILM = "preset.toml", "story.toml", "story.gif"


class TimelinePanel:
    """Buttons for a preset and for key frames, and the key frames so far."""

    def __init__(self, page: "Page") -> None:
        self.page = page
        self.states: list[State] = []
        with ui.row().classes("region"):
            ui.button("Save preset", on_click=self._preset).props(
                'no-caps outline padding="4px 10px" data-test="save-preset"'
            ).tooltip("Saves these moves in a small file. Drop it on a page, or use edit --preset")
            ui.button("Add key frame", on_click=self._add).props(
                'no-caps outline padding="4px 10px" data-test="add-key"'
            ).tooltip("The film goes from one key frame to the next: another seed, other sliders")
            self._told = ui.label("").classes("quiet").props('data-test="keys"')
            self._film = ui.button("Save film", on_click=self._save).props(
                'no-caps outline padding="4px 10px" data-test="save-story"'
            )
            self._seconds = ui.number("Seconds each", value=1, min=0.1, max=60, step=0.5)
            self._seconds.props('dense outlined data-test="seconds"').classes("seed")
            self._clear = ui.button("Clear", on_click=self._forget).props("no-caps flat dense")
        self._tell()

    def _tell(self) -> None:
        count = len(self.states)
        self._told.text = f"{count} key frame{'s' * (count != 1)}" if count else ""
        for part in (self._film, self._seconds, self._clear):
            part.visible = count > 0
        self._film.set_enabled(count > 1)

    def _preset(self) -> None:
        model, state = self.page.model, self.page.state
        if model is None:
            return
        try:
            text = preset_of(state, "preset").to_text()
        except SefaError as error:
            self.page.layout.complain(str(error))
            return
        ui.download.content(text, PRESET, "text/plain")
        self.page.layout.tell(preset_commands(model, state, PRESET))

    def _add(self) -> None:
        state = self.page.state.alone
        try:
            key_of(state, 0)
        except SefaError as error:
            self.page.layout.complain(str(error))
            return
        self.states.append(state)
        self._tell()

    def _forget(self) -> None:
        self.states.clear()
        self._tell()

    async def _save(self) -> None:
        page, model, states = self.page, self.page.model, list(self.states)
        if model is None:
            return
        self._film.disable()
        try:
            story = storyboard_of(model, states, float(self._seconds.value or 1))
        except SefaError as error:
            page.layout.complain(str(error))
            self._tell()
            return
        self._told.text = "making the film …"
        label = states[0].label
        made = await page.work(lambda: film_along(model, story, label, page.go_on), aside=True)
        if page.closed:
            return
        self._tell()
        if made:
            ui.download.content(made, FILM, "image/gif")
            ui.download.content(story.to_text(), STORY, "text/plain")
            page.layout.tell(storyboard_commands(model, states, STORY, FILM))
