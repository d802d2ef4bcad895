"""The history as a strip of small pictures. A click goes to a step."""

from typing import TYPE_CHECKING

from nicegui import ui
from nicegui.element import Element

from sefa_cli.studio.session import State
from sefa_cli.studio.thumbnails import Thumbnails, shown_by

if TYPE_CHECKING:
    from collections.abc import Hashable

    from sefa_cli.studio.page import Page

_LONGEST = 60  # steps


class HistoryStrip:
    """A button for each step that changed the picture, those that were undone included."""

    def __init__(self, page: "Page", thumbnails: Thumbnails) -> None:
        self.page, self._thumbnails = page, thumbnails
        self._steps: list[tuple[Hashable, int]] = []  # what it shows, and its place in the history
        self._buttons: list[tuple[Element, Element]] = []
        self._body = ui.element("div").classes("history")
        self._body.props('role=group aria-label="History" data-test="history"')

    def refresh(self) -> None:
        """Show the history as it is now. Buttons that stay the same are kept."""
        history = self.page.history
        known, self._steps = self._steps, _steps(history.states, len(history.past))
        same = 0
        while same < min(len(known), len(self._steps)) and known[same][0] == self._steps[same][0]:
            same += 1
        for button, _ in self._buttons[same:]:
            button.delete()
        del self._buttons[same:]
        with self._body:
            self._buttons += map(self._button, range(same, len(self._steps)))
        self._body.visible = len(self._steps) > 1
        self.show_thumbnails()
        self._scroll()

    def _scroll(self) -> None:
        """Bring the present step into sight, without moving the page."""
        present = len(self.page.history.past)
        for (_, at), (button, _) in zip(self._steps, self._buttons, strict=True):
            if at == present and self._body.visible and not self.page.closed:
                self._body.client.run_javascript(
                    f"const b = getHtmlElement({button.id}), s = b?.parentElement;"
                    "if (s) s.scrollLeft = b.offsetLeft - s.offsetLeft - s.clientWidth / 2;"
                )

    def show_thumbnails(self) -> None:
        """Show the pictures that are made, and mark the present step."""
        history = self.page.history
        states = history.states
        for (_, at), (button, image) in zip(self._steps, self._buttons, strict=True):
            button.props["aria-current"] = "step" if at == len(history.past) else "false"
            image.props["src"] = self._thumbnails.of_step(states[at])

    def _button(self, number: int) -> tuple[Element, Element]:
        state = self.page.history.states[self._steps[number][1]]
        about = f"step {number + 1}: {state.about}"

        async def go() -> None:
            await self.page.go(self._steps[number][1])

        with ui.element("button").classes("thumbnail").on("click", go) as button:
            button.props("type=button")
            button.props["aria-label"] = about
            image = ui.element("img").props('alt=""')
            ui.tooltip(about)
        return button, image


def _steps(states: list[State], present: int) -> list[tuple["Hashable", int]]:
    """Return what each step shows and its place; of equal neighbors the present or last one."""
    steps: list[tuple[Hashable, int]] = []
    for at, state in enumerate(states):
        shown = shown_by(state)
        if not steps or steps[-1][0] != shown:
            steps.append((shown, at))
        elif steps[-1][1] != present:
            steps[-1] = (shown, at)
    return steps[-_LONGEST:]
