"""Elements that several parts of a page share: the picture, drop zones, buttons and faults."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from nicegui import ui
from nicegui.element import Element

from sefa_cli.studio.uploads import LARGEST, too_large

if TYPE_CHECKING:
    from sefa_cli.studio.page import Page


class Canvas(Element, component="assets/canvas.js"):
    """The picture, and the drawing on it."""

    def __init__(self) -> None:
        super().__init__()
        self._props["mode"] = "none"
        self._props["brush"] = 0.08
        self._props["src"] = ""
        self._props["other"] = ""  # a picture at the left of the wipe
        self._props["sides"] = []  # what stands at the left of the wipe, and at its right
        self._props["alt"] = "the generated picture"

    def say(self, **props: Any) -> None:
        """Set `mode`, `brush`, or `other` and `sides`."""
        self._props.update(props)
        self.update()

    def show(self, address: str) -> None:
        """Show another picture. An update would first redraw the whole page."""
        with self._props.suspend_updates():
            self._props["src"] = address
        self.run_method("show", address)

    def clear_drawing(self) -> None:
        """Remove the drawing."""
        self.run_method("clear")


class Drop(Element, component="assets/drop.js"):
    """A place for files: they go to the studio's own route, which limits them.

    NiceGUI's own element adds a route for each page, and FastAPI keeps it and its page for ever.
    """

    def __init__(self, label: str, page: "Page", anywhere: bool = False) -> None:
        """With `anywhere` it is the whole window, and seen only while a file is over it."""
        super().__init__()
        self._props.update(
            label=label,
            address=f"/upload/{page.key}",
            accept=".dirs,.toml,.npz,.npy,image/*",
            largest=LARGEST,
        )
        self._props["anywhere"] = anywhere
        self._props["refusal"] = ". ".join(too_large())
        self.on("begun", lambda: page.layout.move_on())


class Caption(Element, component="assets/caption.js"):
    """A line of text that changes often."""

    def say(self, text: str) -> None:
        """Show another text."""
        self.run_method("say", text)


class Commands(Element, component="assets/commands.js"):
    """Lines of a shell that do the same as the page."""

    def __init__(self) -> None:
        super().__init__()
        self.lines = ()

    @property
    def lines(self) -> Sequence[str]:
        """The lines."""
        return self._lines

    @lines.setter
    def lines(self, lines: Sequence[str]) -> None:
        self._lines = self._props["lines"] = tuple(lines)
        self.update()


class Complaint(Protocol):
    """What can show an error: a field, or a `Fault`."""

    error: str | None


class Number(ui.number):
    """A field that keeps a number out of range: the page says what is wrong with it."""

    def sanitize(self) -> None:
        """Leave the number as it was typed."""


class Fault(Element):
    """A place for an error that belongs to no single field; a person can close it."""

    def __init__(self, test: str) -> None:
        super().__init__("div")
        self.classes("fault").props(f'data-test="{test}"')
        with self:
            self._words = ui.label("").props('role="alert"')
            icon_button("close", "Close", self._forgive).props("size=sm")
        self.error = None

    @property
    def error(self) -> str | None:
        """The text; None hides it."""
        return self._words.text or None

    @error.setter
    def error(self, text: str | None) -> None:
        self._words.text, self.visible = text or "", bool(text)
        if text:  # it may stand below the window
            self.client.run_javascript(
                f"setTimeout(() => getHtmlElement({self.id})?.scrollIntoView({{block: 'nearest'}}))"
            )

    def _forgive(self) -> None:
        self.error = None


class Hint(Element, component="assets/hint.js"):
    """Lines for whoever opens the studio for the first time in this browser."""

    def __init__(self, *lines: str) -> None:
        super().__init__()
        self._props["lines"] = lines


def fill(field: ui.input | ui.number, value: Any) -> None:
    """Show a value in a field, unless the error beside it is about what was typed there."""
    if not field.error:
        field.value = value


def call(element: Element, name: str) -> None:
    """Give an element the name that a screen reader says."""
    if element.props.get("aria-label") != name:
        element.props["aria-label"] = name
        element.update()


def tip_above(text: str) -> None:
    """Add a tip to the open element, above it: what is below it is wanted next."""
    ui.tooltip(text).props('anchor="top middle" self="bottom middle"')


def icon_button(icon: str, tip: str, handler: Any) -> ui.button:
    """Return a round button; its tip is its name."""
    button = ui.button(icon=icon, on_click=handler).props(
        f'flat dense round aria-label="{tip}" data-test="{icon}"'
    )
    button.tooltip(tip)
    return button
