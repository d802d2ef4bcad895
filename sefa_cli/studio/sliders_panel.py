"""The column of sliders: a list of bundles, and a row for every direction of one."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from nicegui import background_tasks, events, ui
from numpy.typing import NDArray

from sefa_cli.ranges import format_range, parse_range
from sefa_cli.studio.annotating import count_answers
from sefa_cli.studio.direction_row import DirectionRow
from sefa_cli.studio.elements import fill
from sefa_cli.studio.session import Sliders, State, shown_directions
from sefa_cli.studio.thumbnails import Thumbnails

if TYPE_CHECKING:
    from sefa_cli.studio.page import Page

_STYLE = Path(__file__).with_name("assets") / "rows.css"
FIRST = 10  # directions shown at first, and with each "more"
REACHES = (1, 2, 4)  # ± ends of the sliders, in suggested steps


class SlidersPanel:
    """The sliders. They are rebuilt only if the bundle or the number of rows changes."""

    def __init__(self, page: "Page", thumbnails: Thumbnails) -> None:
        self.page, self.thumbnails = page, thumbnails
        self.count, self.reach = FIRST, REACHES[1]
        self._built: tuple[Any, ...] = ()
        self._rows: dict[int, DirectionRow] = {}
        self._shown: NDArray[np.float32] = np.zeros((0, 0), np.float32)
        ui.add_css(_STYLE.read_text())
        self._body = ui.element("div").classes("rows")

    def refresh(self) -> None:
        """Bring names and sliders up to date, and rebuild the rows if needed."""
        sliders = self.page.state.sliders
        directions = sliders.bundle.directions if sliders else self._shown[:0]
        if np.array_equal(directions, self._shown):
            directions = self._shown  # only names or answers changed
        wanted = (
            tuple(map(_title, self.page.state.sets)),
            self.page.state.active,
            id(directions),
            sliders and sliders.layers,
            self.count,
            self.reach,
        )
        if wanted != self._built:
            self._built, self._shown = wanted, directions
            self._body.clear()
            self._rows.clear()
            with self._body:
                self._build(sliders)
        if sliders:
            fill(self._moves, format_range(sliders.applied))
            for row in self._rows.values():
                row.refresh(self.page.state)

    def settled(self) -> None:
        """Make the small pictures: the big one is done."""
        background_tasks.create(self.thumbnails.make(list(self._rows)), name="thumbnails")

    def show_thumbnails(self, k: int) -> None:
        """Show the small pictures of a row that were just made."""
        if k in self._rows and not self.page.closed:
            self._rows[k].show_thumbnails(self.page.state)

    def _build(self, sliders: Sliders | None) -> None:
        page = self.page
        if page.model is None:
            ui.label("Open a model or a bundle to start.").classes("quiet")
            return
        if sliders is None:
            ui.label("Find directions of some layers, or open a bundle.").classes("quiet")
        else:
            self._build_rows(sliders)
        with ui.row().classes("region no-wrap"):
            named = page.model.level_names
            choice = ui.select(named, value="all", label="Directions of the layers")
            choice.props('dense outlined options-dense data-test="level"').classes("flex-grow")
            ui.button("Factorize", on_click=lambda: page.factorize(str(choice.value))).props(
                'no-caps outline padding="7px 12px" data-test="factorize"'
            )

    def _build_rows(self, sliders: Sliders) -> None:
        page = self.page
        titles = dict(enumerate(map(_title, page.state.sets)))
        with ui.row().classes("panel-head no-wrap"):
            ui.select(titles, value=page.state.active, on_change=self._choose).props(
                'dense options-dense borderless data-test="bundles"'
            ).classes("flex-grow")
            for icon, tip, handler in (
                ("download", "Save this bundle", self._save),
                ("close", "Close this bundle", self._close),
            ):
                ui.button(icon=icon, on_click=handler).props(
                    f'flat dense round size=sm aria-label="{tip}" data-test="bundle-{icon}"'
                ).tooltip(tip)
        with ui.row().classes("panel-head no-wrap"):
            self._layers(sliders)
            ui.space()
            ui.button("All to 0", on_click=self._still).props(
                'flat dense no-caps size=12px data-test="reset"'
            )
            ui.toggle({r: f"±{r}" for r in REACHES}, value=self.reach, on_change=self._go).props(
                'no-caps flat size=12px padding="2px 6px" data-test="reach"'
            ).tooltip("How far the sliders go, in the steps that suit each direction")
        for k, _, value in shown_directions(sliders, self.count):
            self._rows[k] = DirectionRow(self, sliders, k, value)
        if self.count < sliders.bundle.k:
            ui.button(
                f"More of the {sliders.bundle.k} directions",
                on_click=self._more,
                icon="expand_more",
            ).props('flat dense no-caps size=12px data-test="more"')

    def _layers(self, sliders: Sliders) -> None:
        own = format_range(int(layer) for layer in sliders.bundle.layers)
        field = self._moves = ui.input("Layers to move").props('dense data-test="layers"')
        field.without_auto_validation().classes("seed")

        async def take() -> None:
            await self.page.do(lambda state: _with_layers(state, field.value, own), field)

        field.on("change", take)

    async def _choose(self, event: events.ValueChangeEventArguments[Any]) -> None:
        if event.value != self.page.state.active:
            await self.page.do(lambda state: replace(state, active=int(event.value)))

    async def _save(self) -> None:
        sliders = self.page.state.sliders
        if sliders:
            ui.download.content(sliders.bundle.to_bytes(), Path(sliders.path).name)

    async def _close(self) -> None:
        await self.page.do(lambda state: state.without(state.active))

    async def _still(self) -> None:
        await self.page.do(lambda state: state.before())

    def _go(self, event: events.ValueChangeEventArguments[Any]) -> None:
        self.reach = event.value
        self.refresh()

    def _more(self) -> None:
        self.count += FIRST
        self.refresh()
        self.settled()


def _title(sliders: Sliders) -> str:
    """Return a bundle's file, and how many of its directions somebody answered *Annotate* about."""
    count = count_answers(sliders.bundle)
    return sliders.path + (f" · {count} annotated" if count else "")


def _with_layers(state: State, text: str, own: str) -> State:
    """Return the state whose active sliders move the layers in `text`, or their own if empty.

    Raises UsageError if `text` is not a range of the model's layers.
    """
    sliders = state.sliders
    assert sliders is not None
    text = text.strip()
    if text in ("", own):
        return state.with_sliders(replace(sliders, layers=None))
    count = int(sliders.bundle.model["num_layers"])
    layers = tuple(sorted(parse_range(text, "layer", count)))
    return state.with_sliders(replace(sliders, layers=layers))
