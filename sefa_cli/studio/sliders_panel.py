"""The column of sliders: a list of bundles, and a row for every direction of one."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from nicegui import events, ui
from numpy.typing import NDArray

from sefa_cli.ranges import format_range, parse_range
from sefa_cli.studio.annotating import count_answers
from sefa_cli.studio.session import Sliders, State, shown_directions
from sefa_cli.studio.shell import named
from sefa_cli.studio.slider import Slider

if TYPE_CHECKING:
    from sefa_cli.studio.page import Page

FIRST = 10  # directions shown at first, and with each "more"
REACHES = (1, 2, 4)  # ± ends of the sliders, in suggested steps


class SlidersPanel:
    """The sliders. They are rebuilt only if the bundle or the number of rows changes."""

    def __init__(self, page: "Page") -> None:
        self.page = page
        self.count, self.reach = FIRST, REACHES[1]
        self._built: tuple[Any, ...] = ()
        self._rows: dict[int, tuple[Slider, ui.label, ui.input]] = {}
        self._changes: dict[int, ui.label] = {}  # of a region's directions
        self._shown: NDArray[np.float32] = np.zeros((0, 0), np.float32)
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
            self._changes.clear()
            with self._body:
                self._build(sliders)
        if sliders:
            self._moves.value = format_range(sliders.applied)
            for k, (slider, number, name) in self._rows.items():
                name.value = sliders.bundle.labels[k] or ""
                slider.value = sliders.alpha(k)
                number.text = f"{sliders.alpha(k):+g}" if sliders.alpha(k) else "0"
                if k in self._changes:
                    self._changes[k].text = changed(sliders, k)

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
                'flat dense no-caps size=sm data-test="reset"'
            )
            ui.toggle({r: f"±{r}" for r in REACHES}, value=self.reach, on_change=self._go).props(
                'no-caps flat size=sm padding="2px 6px"'
            ).tooltip("How far the sliders go, in the steps that suit each direction")
        for k, label, value in shown_directions(sliders, self.count):
            self._row(sliders, k, label, value)
        if self.count < sliders.bundle.k:
            ui.button(
                f"More of the {sliders.bundle.k} directions",
                on_click=self._more,
                icon="expand_more",
            ).props('flat dense no-caps size=sm data-test="more"')

    def _layers(self, sliders: Sliders) -> None:
        own = format_range(int(layer) for layer in sliders.bundle.layers)
        field = self._moves = ui.input("Layers to move").props('dense data-test="layers"')
        field.without_auto_validation().classes("seed")

        async def take() -> None:
            await self.page.do(lambda state: _with_layers(state, field.value, own), field)

        field.on("change", take)

    def _row(self, sliders: Sliders, k: int, label: str, value: float | None) -> None:
        with ui.element("div").classes("direction").props(f'data-test="row-{k}"'):
            ui.label(str(k)).classes("k")
            name = ui.input(value=label, placeholder="name it").classes("name")
            name.without_auto_validation()
            name.props(f'borderless dense aria-label="name of direction {k}"')
            if k in sliders.bundle.style_gains:
                ui.label("style gain").classes("gain").tooltip(
                    "Scales all styles at once. Moderate steps already destroy the picture."
                )
            elif "change" in sliders.bundle.info[k]:
                self._changes[k] = ui.label("").classes("value").props(f'data-test="change-{k}"')
                self._changes[k].tooltip(
                    "How much the pixels inside and outside the region change (root mean square, "
                    "of a range of 2), to first order: at the slider's place, or after the step "
                    "that suits the direction."
                )
            else:
                ui.label("" if value is None else f"{value:.4g}").classes("value").tooltip(
                    "eigenvalue"
                )
            ui.button(icon="movie", on_click=lambda: self.page.layout.picture.film.make(k)).props(
                f'flat dense round size=sm aria-label="film of direction {k}"'
            ).tooltip("Save a film of this direction")
            ui.label("")
            end = sliders.end(k, self.reach)
            slider = Slider(min=-end, max=end, step=0.1, value=sliders.alpha(k))
            slider.props(f'dense aria-label="direction {k}"').classes("slide")
            number = ui.label("0").classes("alpha")
            self._rows[k] = slider, number, name

        async def drag(event: events.ValueChangeEventArguments[float | None]) -> None:
            if event.value is not None:
                number.text = f"{event.value:+g}" if event.value else "0"
                await self.page.drag(k, event.value)

        async def release(event: events.GenericEventArguments) -> None:
            await self.page.do(lambda state: state.at(k, float(event.args)))

        async def call(_: object = None) -> None:
            text = (name.value or "").strip() or None
            own = self.page.state.sliders
            if own and text != own.bundle.labels[k]:
                await self.page.do(lambda state: named(state, k, text), name)

        slider.on_value_change(drag)
        slider.on("change", release)
        name.on("change", call)

    async def _choose(self, event: events.ValueChangeEventArguments[Any]) -> None:
        if event.value != self.page.state.active:
            await self.page.do(lambda state: replace(state, active=int(event.value)))

    async def _save(self) -> None:
        sliders = self.page.state.sliders
        if sliders:
            from pathlib import Path

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


def _title(sliders: Sliders) -> str:
    """Return a bundle's file, and how many of its directions have answers."""
    count = count_answers(sliders.bundle)
    answers = f" · {count} answer{'s' * (count > 1)}" if count else ""
    return sliders.path + answers


def changed(sliders: Sliders, k: int) -> str:
    """Return how much direction `k` changes the pixels inside and outside its region."""
    change = sliders.bundle.info[k]["change"]
    step = abs(sliders.alpha(k)) or sliders.bundle.step(k)
    return f"in {step * change['inside']:.2f} · out {step * change['outside']:.2f}"


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
