"""Whose faces the page shows: how many, chosen from a gallery, mixed, and compared by a wipe."""

from typing import TYPE_CHECKING, Any

from nicegui import events, ui

from sefa_cli.studio.elements import fill, tip_above
from sefa_cli.studio.gallery import Gallery
from sefa_cli.studio.session import State, with_mix

if TYPE_CHECKING:
    from sefa_cli.studio.elements import Canvas
    from sefa_cli.studio.page import Page

NOTHING, BEFORE = -2, -1  # what the picture is compared with; a bundle by its index


class FacesPanel:
    """Tools around the seed."""

    def __init__(self, page: "Page", canvas: "Canvas") -> None:
        self.page, self.canvas = page, canvas
        self._compared = NOTHING
        self._shown: tuple[State, str] | None = None  # at the left of the wipe, and its address
        self.gallery = Gallery(page)
        with ui.row().classes("controls"):
            self._faces = ui.toggle({1: "1", 4: "4", 9: "9"}, value=1, on_change=self._count)
            self._faces.props('no-caps flat size=12px padding="2px 8px" data-test="faces"')
            with self._faces:
                tip_above("How many faces are edited together: this seed and those after it")
            ui.button("Gallery", icon="apps", on_click=self.gallery.open).props(
                'flat dense no-caps size=12px data-test="gallery"'
            )
            self._mix = ui.input("Mix from", placeholder="7:8-22").classes("seed")
            self._mix.without_auto_validation().props('dense outlined data-test="mix"')
            self._mix.on("change", self._take_mix)
            with self._mix:
                tip_above("Takes the styles of another seed on these layers: 7:8-22, or 7:top")
            self._compare = ui.select({NOTHING: "nothing"}, value=NOTHING, label="Compare with")
            self._compare.props('dense outlined options-dense data-test="compare"').classes(
                "compare"
            )
            self._compare.on_value_change(self._choose)

    def refresh(self) -> None:
        """Bring the tools up to date."""
        state = self.page.state
        self._faces.value = len(state.seeds)
        fill(self._mix, state.mix)
        names = {NOTHING: "nothing", BEFORE: "before"}
        if len(state.sets) > 1:
            names |= {i: f"{own.path} alone" for i, own in enumerate(state.sets)}
        if names != self._compare.options:
            value = self._compared if self._compared in names else NOTHING
            self._compare.set_options(names, value=value)

    def hide_other(self) -> None:
        """Show no other picture until the picture is done."""
        self._shown = None
        self.canvas.say(other="")

    async def settled(self) -> None:
        """Show what the picture is compared with, now that the picture is done."""
        page, renderer = self.page, self.page.renderer
        if self._compared == NOTHING or renderer is None:
            self.hide_other()
            return
        state = page.state.before() if self._compared == BEFORE else page.state.only(self._compared)
        if self._shown is None or self._shown[0] != state:
            rendered = await page.work(lambda: renderer.render(state, renderer.views(state)[-1]))
            if rendered is None or page.closed:
                return
            self._shown = state, f"/picture/{page.key}/{page.keep(rendered.data)}"
        self.canvas.say(other=self._shown[1], sides=self._sides())

    def _sides(self) -> list[str]:
        """Return what stands at the left of the wipe, and at its right."""
        if self._compared == BEFORE:
            return ["before", "after"]
        own, *others = (
            self.page.state.sets[self._compared :] + self.page.state.sets[: self._compared]
        )
        return [own.path, others[0].path if len(others) == 1 else "all others"]

    async def _choose(self, event: events.ValueChangeEventArguments[Any]) -> None:
        if event.value in (None, self._compared):
            return
        self._compared = int(event.value)
        self.page.apart = self._compared if self._compared >= 0 else None
        await self.page.show()

    async def _count(self, event: events.ValueChangeEventArguments[Any]) -> None:
        if event.value != len(self.page.state.seeds):
            await self.page.do(lambda state: state.of_faces(int(event.value)))

    async def _take_mix(self) -> None:
        text = (self._mix.value or "").strip()
        await self.page.do(lambda state: with_mix(state, text), by=self._mix)
