"""The picture of a page, what it is made from, and the tools that draw on it."""

from dataclasses import replace
from typing import TYPE_CHECKING

from nicegui import events, ui

from sefa_cli.errors import UsageError
from sefa_cli.studio.elements import (
    Canvas,
    Caption,
    Drop,
    Fault,
    Number,
    fill,
    icon_button,
)
from sefa_cli.studio.faces_panel import FacesPanel
from sefa_cli.studio.film_panel import FilmPanel
from sefa_cli.studio.region_panel import RegionPanel
from sefa_cli.studio.renderer import Rendered
from sefa_cli.studio.slider import Slider

if TYPE_CHECKING:
    from sefa_cli.studio.page import Page


class PicturePanel:
    """The picture with its seed, truncation and class."""

    def __init__(self, page: "Page") -> None:
        self.page = page
        with ui.element("div").classes("frame"):
            self.canvas = Canvas()
            self._drop = Drop(
                "Drop a file here, or click to choose one: a bundle, a photo, "
                "or a picture that sefa saved",
                page,
            ).props('data-test="drop-here"')
            self.trouble = Fault("trouble")
            self.film = FilmPanel(page)
        with ui.row().classes("facts"):
            self._about = Caption().props('data-test="about"')
            ui.space()
            self._before = ui.switch("before", on_change=self._compare).props(
                'dense data-test="before"'
            )
        with ui.row().classes("controls"):
            self._seed = Number("Seed", value=0, min=0, max=2**32 - 1)
            self._seed.without_auto_validation().props('dense outlined data-test="seed"').classes(
                "seed"
            )
            self._seed.on("change", self._take_seed)
            icon_button("casino", "Random seed", self._random_seed)
            with ui.row().classes("no-wrap items-center"):
                ui.label("Truncation").classes("quiet")
                self._trunc = Slider(min=0, max=1, step=0.05, value=0.7)
            self._trunc.classes("trunc")
            self._trunc.props('label dense aria-label="truncation" data-test="trunc"')
            self._trunc.on("change", self._take_trunc)
            self._label = Number("Class", value=0, min=0)
            self._label.without_auto_validation().props('dense outlined data-test="class"').classes(
                "seed"
            )
            self._label.on("change", self._take_class)
        self.faces = FacesPanel(page, self.canvas)
        self.region = RegionPanel(page, self.canvas)

    async def _compare(self, event: events.ValueChangeEventArguments[bool | None]) -> None:
        if event.value != self.page.before:
            self.page.before = bool(event.value)
            await self.page.show()

    async def _take_seed(self) -> None:
        if self._seed.value is None:
            self.page.layout.forgive()
            self.refresh()
        else:
            seed = self._seed.value
            await self.page.do(lambda state: state.with_seed(_whole("seed", seed)), self._seed)

    async def _random_seed(self) -> None:
        import random

        seed = random.randrange(100_000)
        await self.page.do(lambda state: state.with_seed(seed), self._seed)

    async def _take_trunc(self) -> None:
        await self.page.do(lambda state: replace(state, trunc=self._trunc.value), self._label)

    async def _take_class(self) -> None:
        label = self._label.value or 0
        await self.page.do(lambda state: replace(state, label=_whole("class", label)), self._label)

    def refresh(self) -> None:
        """Bring everything but the picture itself up to date."""
        page, state, model = self.page, self.page.state, self.page.model
        fill(self._seed, state.seed)
        fill(self._label, state.label)
        generator = model.generator if model else None
        self._label.visible = generator is not None and generator.c_dim > 0
        if generator:
            self._trunc.set_enabled(generator.space == "w" or generator.conditioned)
            own = 1.0 if state.origin else generator.default_truncation
            psi = own if state.trunc is None else state.trunc
            self._trunc.value = psi
        self._before.value = page.before
        self._before.set_enabled(bool(state.moved) or page.before)
        self._drop.visible = model is None
        self.faces.refresh()
        self.region.refresh()

    def say(self, about: str) -> None:
        """Show what the picture is, or will be."""
        self._about.say(about)

    def busy(self, busy: bool) -> None:
        """Mark the picture as out of date, or as up to date."""
        self.canvas.say(**{"aria-busy": str(busy).lower()})

    def show(self, address: str, rendered: Rendered) -> None:
        """Show another picture."""
        self.canvas.show(address)
        self.say(f"{rendered.about} · {rendered.seconds:.2f} s")


def _whole(name: str, value: float) -> int:
    """Return the number in a field. Raises UsageError for a fraction."""
    if value != int(value):
        raise UsageError(f"{name} must be a whole number, got {value:g}")
    return int(value)
