"""The row of one direction: its name, its slider, and small pictures of what the slider does."""

from typing import TYPE_CHECKING, Any

from nicegui import events, ui
from nicegui.element import Element

from sefa_cli.studio.changes import estimated
from sefa_cli.studio.elements import call, fill
from sefa_cli.studio.session import Sliders, State
from sefa_cli.studio.shell import named
from sefa_cli.studio.slider import Slider
from sefa_cli.studio.thumbnails import end_of

if TYPE_CHECKING:
    from sefa_cli.studio.sliders_panel import SlidersPanel

_CHANGE = (
    "How much this slider changes the pixels inside and outside the region (root mean square, of a "
    "range of 2). With ≈: an estimate to first order, at 0 for the step that suits the direction."
)
# The number follows the slider in the browser: set from here, it would redraw the whole page.
_SAY = """(alpha) => {
    const text = alpha ? (alpha > 0 ? "+" : "") + Number(alpha.toFixed(2)) : "0";
    getHtmlElement(%d).firstChild.data = text;
}"""
_GAIN = "Scales all styles at once. Moderate steps already destroy the picture."


class DirectionRow:
    """The elements of one direction that change, and how they change."""

    def __init__(self, panel: "SlidersPanel", sliders: Sliders, k: int, value: float | None):
        self._panel, self._page, self._k = panel, panel.page, k
        self._pictures: dict[int, ui.image] = {}
        self._called: list[tuple[Element, str]] = []  # with what a screen reader says around a name
        self._change: ui.label | None = None
        self._take: ui.button | None = None
        with ui.element("div").classes("direction").props(f'data-test="row-{k}"'):
            tip = "" if value is None else f"eigenvalue {value:.4g}"
            with ui.label(str(k)).classes("k"):
                ui.tooltip(tip or f"direction {k}")
            self._thumbnail(sliders, -1)
            with ui.element("div").classes("over"):
                self._name = self._name_of(sliders)
                self._marks(sliders)
                film = ui.button(
                    icon="movie", on_click=lambda: panel.page.layout.picture.film.make(k)
                )
                film.props("flat dense round size=sm").tooltip("Save a film of this direction")
                self._called.append((film, "film of {}"))
            end = sliders.end(k, panel.reach)
            self._slider = Slider(min=-end, max=end, step=0.1, value=sliders.alpha(k))
            self._slider.props("dense").classes("slide")
            self._number = ui.label("0").classes("alpha")
            self._thumbnail(sliders, 1)
        self._slider.on("update:model-value", js_handler=_SAY % self._number.id)
        self._slider.on_value_change(self._drag)
        self._slider.on("change", self._release)
        self._name.on("change", self._call)

    def refresh(self, state: State) -> None:
        """Bring the row up to date."""
        sliders, k = state.sliders, self._k
        assert sliders is not None
        label = sliders.bundle.labels[k] or ""
        fill(self._name, label)
        if self._take:
            free = _proposed(sliders, k)["label"] not in sliders.bundle.labels
            self._take.visible = free and not label
        call(self._slider, name := f"direction {k}, {label}" if label else f"direction {k}")
        for element, around in self._called:
            call(element, around.format(name))
        self._slider.value = sliders.alpha(k)
        self._number.text = f"{sliders.alpha(k):+g}" if sliders.alpha(k) else "0"
        self.show_thumbnails(state)

    def show_thumbnails(self, state: State) -> None:
        """Show the small pictures that are made already, and what was measured."""
        if self._change and state.sliders:
            known = self._panel.thumbnails.change(state, self._k)
            self._change.text = known or estimated(state.sliders, self._k)
        for side, picture in self._pictures.items():
            address = self._panel.thumbnails.of(state, self._k, side)
            if picture.props.get("src") != address:
                picture.props["src"] = address
                picture.update()

    def _thumbnail(self, sliders: Sliders, side: int) -> None:
        """Add a button with a small picture, which takes the slider to what it shows."""
        k, alpha = self._k, end_of(sliders, self._k, side)

        async def go() -> None:
            await self._page.do(lambda state: state.at(k, alpha))

        with ui.element("button").classes("thumbnail").on("click", go) as button:
            button.props(f'type=button data-test="thumbnail{side:+d}-{k}"')
            self._called.append((button, f"{{}} to {alpha:+g}"))
            self._pictures[side] = picture = ui.element("img").props('alt="" src=""')  # type: ignore[assignment]
            picture.props["src"] = ""
            ui.tooltip(f"{alpha:+g}")

    def _name_of(self, sliders: Sliders) -> ui.input:
        proposed = _proposed(sliders, self._k)
        hint = f"{proposed['label']}?" if proposed else "name it"
        name = ui.input(value="", placeholder=hint).classes("name")
        name.without_auto_validation()
        return name.props(f'borderless dense aria-label="name of direction {self._k}"')

    def _marks(self, sliders: Sliders) -> None:
        """Add what is known of the direction."""
        k = self._k
        if k in sliders.bundle.style_gains:
            ui.label("style gain").classes("gain").tooltip(_GAIN)
        elif "change" in sliders.bundle.info[k]:
            self._change = ui.label("").classes("value").props(f'data-test="change-{k}"')
            self._change.tooltip(_CHANGE)
        if not (proposed := _proposed(sliders, k)):
            return

        async def take() -> None:
            await self._page.do(lambda state: named(state, k, proposed["label"]))

        self._take = ui.button(icon="check", on_click=take).props(
            f'flat dense round size=sm data-test="take-{k}" '
            f'aria-label="take the name proposed for {k}"'
        )
        self._take.tooltip(f"Take the proposed name: measured, {proposed.get('note', '')}")

    async def _drag(self, event: events.ValueChangeEventArguments[float | None]) -> None:
        if event.value is not None:
            await self._page.drag(self._k, event.value)

    async def _release(self, event: events.GenericEventArguments) -> None:
        await self._page.do(lambda state: state.at(self._k, float(event.args)))

    async def _call(self) -> None:
        text = (self._name.value or "").strip() or None
        own = self._page.state.sliders
        if own and text != own.bundle.labels[self._k]:
            await self._page.do(lambda state: named(state, self._k, text), self._name)


def _proposed(sliders: Sliders, k: int) -> dict[str, Any]:
    """Return the name that `sefa evaluate --write-labels` proposes, and its note; or nothing."""
    annotation = sliders.bundle.info[k].get("annotation", {})
    found = annotation.get("proposal", {}) if isinstance(annotation, dict) else {}
    return found if isinstance(found, dict) and isinstance(found.get("label"), str) else {}
