"""The panel that draws a region on the picture and starts the search for its directions."""

from typing import TYPE_CHECKING, Any

from nicegui import events, ui

from sefa_cli.errors import SefaError
from sefa_cli.studio.elements import Fault, tip_above
from sefa_cli.studio.localizing import Drawing, Job, Task, drawing_from
from sefa_cli.studio.slider import Slider
from sefa_cli.studio.wording import said

if TYPE_CHECKING:
    from sefa_cli.studio.elements import Canvas
    from sefa_cli.studio.page import Page
    from sefa_cli.studio.renderer import Renderer

_HOW = {
    "box": "Draw the region that should change on the picture. Or use the arrow keys on it: "
    "they move a box, with Shift they change its size.",
    "brush": "Paint the region that should change on the picture.",
}


class RegionPanel:
    """The drawing tools, the cost of the search, and its progress."""

    def __init__(self, page: "Page", canvas: "Canvas") -> None:
        self.page, self.canvas = page, canvas
        self.drawing: Drawing | None = None
        self._number = 0  # searches started so far
        self._last: Job | None = None  # the last search that found directions
        self._timed: Renderer | None = None
        self._picture = 0.0  # seconds for one of its pictures; a derivative takes about as long
        canvas.on("drawn", self._drawn)
        with ui.row().classes("region"):
            self._mode = ui.toggle(
                {"none": "Look", "box": "Box", "brush": "Brush"}, value="none", on_change=self._take
            ).props('no-caps unelevated padding="4px 12px" data-test="mode"')
            self._brush = Slider(min=0.02, max=0.3, step=0.01, value=0.08)
            self._brush.props('dense aria-label="width of the brush" data-test="brush"').classes(
                "trunc"
            )
            self._brush.on_value_change(lambda event: canvas.say(brush=event.value))
            self._layers = ui.select({"all": "all"}, value="all", label="Layers to move")
            self._layers.on_value_change(self.refresh)
            self._layers.props('dense outlined options-dense data-test="region-layers"')
            with self._layers:
                tip_above(
                    "The layers that move. In faces, the middle ones keep to the region best."
                )
            self._alone = ui.checkbox("quick", on_change=self.refresh).props(
                'dense data-test="alone"'
            )
            self._alone.tooltip(
                "Looks at this picture alone, which takes a third of the time. Directions may "
                "hold for other pictures less well."
            )
            self._go = ui.button("Localize", on_click=self._start).props(
                'no-caps unelevated padding="4px 14px" data-test="localize"'
            )
            self._clear = ui.button("Clear", on_click=self._wipe).props("no-caps flat dense")
            self._cost = ui.label("").classes("quiet").props('role=status data-test="cost"')
        with ui.row().classes("panel-head no-wrap") as self._busy:
            self._bar = ui.linear_progress(value=0, show_value=False).props("rounded")
            self._bar.props('aria-label="the search for directions"')
            self._left = ui.label("").classes("quiet").style("white-space: nowrap")
            ui.button("Cancel", on_click=self._cancel).props(
                'no-caps flat dense data-test="cancel"'
            )
        self._fault = Fault("region-fault")
        self._timer = ui.timer(0.5, self._watch, active=False)

    def _take(self, event: events.ValueChangeEventArguments[Any]) -> None:
        self.canvas.say(mode=event.value)
        self.refresh()

    async def _drawn(self, event: events.GenericEventArguments) -> None:
        sent, self._fault.error = event.args, None
        try:
            self.drawing = drawing_from(sent["kind"], sent["strokes"], sent["brush"])
        except SefaError as error:
            self._fault.error = said(error)
        self.refresh()
        renderer, state = self.page.renderer, self.page.state.alone
        if renderer and renderer is not self._timed:
            self._timed, self._picture = renderer, 0.0
            self._picture = (
                await self.page.work(lambda: renderer.seconds_anew(state), by=self._fault) or 0.0
            )
            self.refresh()

    def _wipe(self) -> None:
        self.drawing = None
        self.canvas.clear_drawing()
        self.refresh()

    def _task(self) -> Task | None:
        page = self.page
        if page.model is None or self.drawing is None or page.state.more:
            return None
        name = f"region{self._number + 1}"
        layers = str(self._layers.value)
        return Task(
            page.model, page.state, self.drawing, layers, bool(self._alone.value), name=name
        )

    def refresh(self) -> None:
        """Show the tools that can be used now, and what the search would cost."""
        running = bool(self.page.job and self.page.job.running)
        several = bool(self.page.state.more)
        self._mode.set_enabled(self.page.model is not None and not several)
        if several and self._mode.value != "none":
            self._mode.value = "none"
        self._brush.visible = self._mode.value == "brush"
        self._layers.visible = self._alone.visible = self._mode.value != "none"
        if self.page.model and self._layers.options != self.page.model.level_names:
            names = self.page.model.level_names
            self._layers.set_options(names, value="middle" if "middle" in names else "all")
        self._busy.visible = running
        self._clear.visible = self.drawing is not None
        task = None if running else self._task()
        self._go.set_enabled(task is not None)
        self._cost.text = ""
        if task:
            passes, pace = task.passes(), self._pace()
            takes = f"about {spoken(passes * pace)}, " if pace else ""
            self._cost.text = f"{takes}at most {passes} derivatives"
        elif several:
            self._cost.text = "A region is drawn on one face alone."
        elif self._mode.value != "none" and not running:
            self._cost.text = _HOW[self._mode.value]

    def _pace(self) -> float:
        """Return the seconds per derivative: those of the last search, or those of a picture."""
        known = self._last and self._last.task.model is self.page.model and self._last.pace
        return known or self._picture

    def _start(self) -> None:
        task = self._task()
        if task is None:
            return
        self._fault.error = None
        try:
            self.page.job = Job(task).start()
        except SefaError as error:
            self._fault.error = said(error)
            return
        self._number += 1
        self._timer.activate()
        self.refresh()

    def _cancel(self) -> None:
        if self.page.job:
            self.page.job.stop()
        self._left.text = "stopping …"

    async def _watch(self) -> None:
        job = self.page.job
        if job is None:
            return
        self._bar.value = job.done / max(job.total, 1)
        if job.left is not None:
            self._left.text = f"{job.done} of {job.total}, {spoken(job.left)} left"
        else:
            self._left.text = "starting …"
        if job.running:
            self.refresh()
            return
        self._timer.deactivate()
        self.page.job = None
        if job.error:
            self._fault.error = said(job.error)
        result = job.result
        if result:
            self._last = job
        if result and job.task.model is self.page.model:
            self._mode.value = "none"  # the outline stays: the sliders should change what is in it
            if job.task.drawing.kind == "brush":
                ui.download.content(job.task.mask_png(), job.task.mask_name, "image/png")
            await self.page.do(lambda state: state.added(result))
        self.refresh()


def spoken(seconds: float) -> str:
    """Return a duration such as `40 s` or `2 min 10 s`."""
    whole = max(1, round(seconds))
    return f"{whole} s" if whole < 60 else f"{whole // 60} min {whole % 60} s"
