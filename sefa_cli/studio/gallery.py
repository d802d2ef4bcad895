"""A gallery of seeds to choose from: small faces, made one by one while it is open."""

from typing import TYPE_CHECKING

from nicegui import background_tasks, ui

from sefa_cli.studio.thumbnails import address_of_picture

if TYPE_CHECKING:
    from sefa_cli.studio.page import Page

_SHOWN = 24  # faces at first, and with each "more"


class Gallery:
    """The dialog with the faces of seeds, from 0 on."""

    def __init__(self, page: "Page") -> None:
        self.page, self._count = page, 0
        self._about: tuple[object, ...] = ()  # what the faces are made from
        title = "Choose a face"
        with ui.dialog().props(f'aria-label="{title}"') as self._dialog, ui.card():
            ui.label(title).classes("brand").props("role=heading aria-level=2")
            self._grid = ui.element("div").classes("gallery")
            with ui.row():
                ui.button("More", on_click=self._more).props(
                    'flat no-caps data-test="gallery-more"'
                )
                ui.button("Close", on_click=self._dialog.close).props("flat no-caps")

    def open(self) -> None:
        """Show the faces of the open model."""
        state = self.page.state
        about = (self.page.model and self.page.model.ref, state.trunc, state.label, state.mix)
        if about != self._about:
            self._about, self._count = about, 0
            self._grid.clear()
        self._dialog.open()
        if not self._count:
            self._more()

    def _more(self) -> None:
        seeds = range(self._count, self._count + _SHOWN)
        self._count += _SHOWN
        with self._grid:
            faces = {seed: self._button(seed) for seed in seeds}
        background_tasks.create(self._fill(faces), name="gallery")

    def _button(self, seed: int) -> ui.element:
        async def take() -> None:
            self._dialog.close()
            await self.page.do(lambda state: state.with_seed(seed))

        with ui.element("button").classes("thumbnail").on("click", take) as button:
            button.props(f'type=button aria-label="seed {seed}" data-test="seed-{seed}"')
            face = ui.element("img").props('alt=""')
            face.props["src"] = ""
            ui.label(str(seed)).classes("number")
            ui.tooltip(f"seed {seed}")
        return face

    async def _fill(self, faces: dict[int, ui.element]) -> None:
        """Make the faces one by one, as long as the dialog is open."""
        page, about = self.page, self._about
        for seed, face in faces.items():
            renderer, state = page.renderer, page.state.alone.before().with_seed(seed)
            if renderer is None or page.closed or about != self._about:
                return
            made = await page.work(lambda: renderer.thumbnail(state, page.go_on))  # noqa: B023
            if made is None:
                return
            face.props["src"] = address_of_picture(made)
            face.update()
