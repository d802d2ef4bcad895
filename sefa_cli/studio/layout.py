"""The layout of a page: the picture on the left, sliders on the right, commands below."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nicegui import events, ui
from nicegui.element import Element

from sefa_cli.sources.locate import cached
from sefa_cli.sources.zoo import load_zoo
from sefa_cli.studio.annotating_panel import AnnotatingPanel
from sefa_cli.studio.region_panel import RegionPanel
from sefa_cli.studio.renderer import Rendered
from sefa_cli.studio.shell import picture_commands
from sefa_cli.studio.slider import Slider
from sefa_cli.studio.sliders_panel import SlidersPanel
from sefa_cli.studio.uploads import LARGEST, too_large

if TYPE_CHECKING:
    from sefa_cli.studio.page import Page

_STYLE = Path(__file__).with_name("assets") / "studio.css"


class Canvas(Element, component="assets/canvas.js"):
    """The picture, and the drawing on it."""

    def __init__(self) -> None:
        super().__init__()
        self._props["mode"] = "none"
        self._props["brush"] = 0.08
        self._props["src"] = ""
        self._props["alt"] = "the generated picture"

    def say(self, **props: Any) -> None:
        """Set `src`, `mode` or `brush`."""
        self._props.update(props)
        self.update()

    def clear_drawing(self) -> None:
        """Remove the drawing."""
        self.run_method("clear")


class Drop(Element, component="assets/drop.js"):
    """A place for files: they go to the studio's own route, which limits them.

    NiceGUI's own element adds a route for each page, and FastAPI keeps it and its page for ever.
    """

    def __init__(self, label: str, address: str) -> None:
        super().__init__()
        self._props.update(label=label, address=address, accept=".dirs", largest=LARGEST)
        self._props["refusal"] = ". ".join(too_large())


class Layout:
    """The elements of one page that change, and how they change."""

    def __init__(self, page: "Page") -> None:
        self.page = page
        ui.add_css(_STYLE.read_text())
        ui.colors(primary="#3b6ea5")
        with ui.element("div").classes("studio") as self._main:
            with ui.element("header"):
                self._header()
            with ui.element("section").classes("left"):
                self._picture_side()
                with ui.element("div").classes("foot"):
                    self._commands()
            with ui.element("section").classes("right"):
                self.sliders = SlidersPanel(page)
        self._dialog = self._open_dialog()
        self.annotating = AnnotatingPanel(page)
        self.refresh()
        if not page.studio.begin:
            self._dialog.open()

    def _header(self) -> None:
        ui.label("sefa studio").classes("brand").props("role=heading aria-level=1")
        self._model = ui.label("").classes("model").props('data-test="model"')
        ui.space()
        self._undo = _icon("undo", "Undo", self._go_back)
        self._redo = _icon("redo", "Redo", self._go_forward)
        ui.keyboard(self._key, ignore=["input", "select", "textarea"])
        self._annotate = ui.button(
            "Annotate", icon="checklist", on_click=lambda: self.annotating.open()
        )
        self._annotate.props('flat dense no-caps aria-label="Annotate" data-test="annotate"')
        ui.button("Open", icon="folder_open", on_click=lambda: self._dialog.open()).props(
            'flat dense no-caps aria-label="Open" data-test="open"'
        )

    async def _key(self, event: events.KeyEventArguments) -> None:
        """Undo by Ctrl+Z, redo by Ctrl+Y or Ctrl+Shift+Z (on a Mac: Cmd)."""
        held, key = event.modifiers, str(event.key).lower()
        if not event.action.keydown or not (held.ctrl or held.meta):
            return
        if key == "z" and not held.shift:
            await self._go_back()
        elif key in ("y", "z"):
            await self._go_forward()

    async def _go_back(self) -> None:
        self.page.history.undo()
        await self.page.show()

    async def _go_forward(self) -> None:
        self.page.history.redo()
        await self.page.show()

    def _picture_side(self) -> None:
        with ui.element("div").classes("frame"):
            self.canvas = Canvas()
            self._trouble = ui.label("").classes("trouble").props('role="alert"')
        with ui.row().classes("facts"):
            self._about = ui.label("").props('data-test="about"')
            ui.space()
            self._before = ui.switch("before", on_change=self._compare).props(
                'dense data-test="before"'
            )
        with ui.row().classes("controls"):
            self._seed = ui.number("Seed", value=0, min=0, max=2**32 - 1, precision=0)
            self._seed.props('dense outlined data-test="seed"').classes("seed")
            self._seed.on("change", self._take_seed)
            _icon("casino", "Random seed", self._random_seed)
            with ui.row().classes("no-wrap items-center"):
                ui.label("Truncation").classes("quiet")
                self._trunc = Slider(min=0, max=1, step=0.05, value=0.7)
            self._trunc.classes("trunc")
            self._trunc.props('label dense aria-label="truncation" data-test="trunc"')
            self._trunc.on("change", self._take_trunc)
            self._label = ui.number("Class", value=0, min=0, precision=0)
            self._label.props('dense outlined data-test="class"').classes("seed")
            self._label.on("change", self._take_class)
        self.region = RegionPanel(self.page, self.canvas)

    async def _compare(self, event: events.ValueChangeEventArguments[bool | None]) -> None:
        if event.value != self.page.before:
            self.page.before = bool(event.value)
            await self.page.show()

    async def _take_seed(self) -> None:
        if self._seed.value is None:
            self.refresh()
        else:
            await self._take(int(self._seed.value))

    async def _random_seed(self) -> None:
        import random

        await self._take(random.randrange(100_000))

    async def _take(self, seed: int) -> None:
        await self.page.do(lambda state: state.with_seed(seed))

    async def _take_trunc(self) -> None:
        await self._change(trunc=self._trunc.value)

    async def _take_class(self) -> None:
        await self._change(label=int(self._label.value or 0))

    async def _change(self, **words: Any) -> None:
        from dataclasses import replace

        await self.page.do(lambda state: replace(state, **words))

    def _commands(self) -> None:
        with ui.row().classes("commands-head"):
            ui.label("The same in a shell").classes("quiet")
            ui.space()
            _icon("content_copy", "Copy", self._copy)
            ui.button("Picture", icon="download", on_click=self._save_picture).props(
                'flat dense no-caps data-test="save-picture"'
            )
        self._shell = ui.label("").classes("commands").props('data-test="commands"')

    def _copy(self) -> None:
        ui.clipboard.write(self._shell.text)
        ui.notify("Copied")

    async def _save_picture(self) -> None:
        page = self.page
        if page.renderer is None:
            return
        renderer, state = page.renderer, page.shown
        saved = await page.work(lambda: renderer.save(state))
        if saved:
            moves = state.moves if len(state.moves) < 100 else "moved"
            name = f"seed{state.seed:04d}" + (f"_{moves}" if moves else "")
            ui.download.content(saved, f"{name}.png", "image/png")

    def _open_dialog(self) -> ui.dialog:
        names = [entry.name for entry in load_zoo().values() if cached(entry.wanted, entry.also)]
        title = "Open a model or a bundle"
        with (
            ui.dialog().props(f'aria-label="{title}"') as dialog,
            ui.card().classes("open-card"),
        ):
            ui.label(title).classes("brand").props("role=heading aria-level=2")
            if names:
                ui.label("Models in the cache").classes("quiet")
                with ui.row():
                    for name in names:
                        ui.button(name, on_click=lambda name=name: self._open(name)).props(
                            'outline no-caps padding="4px 12px"'
                        )
            path = ui.input("A path, a zoo name (see `sefa models`), or an address")
            path.props('outlined dense data-test="path"').classes("wide")
            path.on("keydown.enter", lambda: self._open(path.value))
            ui.button("Open", on_click=lambda: self._open(path.value)).props(
                'no-caps unelevated data-test="open-path"'
            )
            drop = Drop("or drop a bundle (.dirs) here", f"/upload/{self.page.key}")
            drop.props('data-test="drop"').classes("wide")
        return dialog

    async def _open(self, text: str) -> None:
        if text and text.strip():
            self._dialog.close()
            await self.page.open(text.strip())

    def dropped(self) -> None:
        """Close the dialog: a dropped bundle is open."""
        self._dialog.close()

    def address(self, address: str) -> None:
        """Show where this page can be found again."""
        if not self.page.closed:
            with self.page.client:
                ui.navigate.history.replace(address)

    def opening(self, text: str) -> None:
        """Show that a model is being opened, which may take a while."""
        self._trouble.text = ""
        self._about.text = f"opening {text} …"

    def failed(self, text: str, why: str) -> None:
        """Show why a model or bundle cannot be opened. The text stays on the page."""
        self._about.text = ""
        self._trouble.text = f"cannot open {text}: {why}"

    def complain(self, why: str) -> None:
        """Show why something was refused, in a notification that goes away."""
        with self.page.client:
            close = {"label": "Close", "color": "white"}
            ui.notify(why, type="negative", timeout=10_000, multi_line=True, actions=[close])

    def refresh(self) -> None:
        """Bring all elements but the picture up to date."""
        page, state = self.page, self.page.state
        self._undo.set_enabled(bool(page.history.past))
        self._redo.set_enabled(bool(page.history.future))
        self._seed.value = state.seed
        model = page.model
        self._main.classes(add="empty" if model is None else "", remove="empty")
        self._annotate.set_enabled(model is not None)
        generator = model.generator if model else None
        self._label.visible = generator is not None and generator.c_dim > 0
        if generator:
            self._trunc.set_enabled(generator.space == "w" or generator.conditioned)
            psi = generator.default_truncation if state.trunc is None else state.trunc
            self._trunc.value = psi
        self._label.value = state.label
        self._before.value = page.before
        self._before.set_enabled(bool(state.moved) or page.before)
        if model:
            config = model.checkpoint.config
            self._model.text = f"{model.ref} · {model.generator.family} · {config['resolution']} px"
            self._trouble.text = ""
        self.sliders.refresh()
        self.region.refresh()
        self.tell(picture_commands(model, page.shown) if model else [])

    def tell(self, commands: Sequence[str]) -> None:
        """Show the commands that make the picture, or the film that was just saved."""
        self._shell.text = "\n".join(commands)

    def busy(self, busy: bool) -> None:
        """Mark the picture as out of date, or as up to date."""
        self.canvas.say(**{"aria-busy": str(busy).lower()})

    def picture(self, address: str, rendered: Rendered) -> None:
        """Show another picture."""
        self.canvas.say(src=address)
        self._about.text = f"{rendered.about} · {rendered.seconds:.2f} s"


def _icon(icon: str, tip: str, handler: Any) -> ui.button:
    button = ui.button(icon=icon, on_click=handler).props(
        f'flat dense round aria-label="{tip}" data-test="{icon}"'
    )
    button.tooltip(tip)
    return button
