"""The pictures of a sweep, under and beside headings that stay readable on a phone."""

from dataclasses import dataclass

from nicegui import ui
from nicegui.element import Element


@dataclass(frozen=True)
class Headings:
    """What stands above the columns of a sweep, and left of its rows."""

    columns: tuple[str, ...]
    rows: tuple[str, ...]
    ratio: float  # of all pictures together: width to height


class SheetPanel:
    """One sweep."""

    def __init__(self) -> None:
        with ui.element("figure").classes("sheet").props('data-test="sheet"') as self._body:
            self._columns = ui.element("div").classes("columns")
            self._rows = ui.element("div").classes("beside")
            self._picture = ui.element("img")
            self._picture.props('alt="sweep of the direction, a row for each seed"')
        self.hide()

    def show(self, address: str, headings: Headings) -> None:
        """Show the pictures at an address."""
        self._body.style(f"--ratio: {headings.ratio:.3f}")
        _fill(self._columns, headings.columns)
        _fill(self._rows, headings.rows)
        self._picture.props["src"] = address
        self._picture.update()
        self._body.visible = True

    def hide(self) -> None:
        """Show nothing."""
        self._body.visible = False


def _fill(place: Element, texts: tuple[str, ...]) -> None:
    place.clear()
    with place:
        for text in texts:
            ui.label(text)
