"""The annotating mode: a sweep, two questions and a name, answered by keyboard."""

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from nicegui import events, ui

from sefa_cli.bundle.rules import LEVELS
from sefa_cli.errors import SefaError
from sefa_cli.ranges import parse_range
from sefa_cli.studio.annotating import (
    REACH,
    Answer,
    Question,
    answered,
    is_answered,
    questions,
    sliders_of,
    sweep,
)
from sefa_cli.studio.annotating_sheet import Headings, SheetPanel
from sefa_cli.studio.elements import Fault
from sefa_cli.studio.wording import said

if TYPE_CHECKING:
    from sefa_cli.studio.page import Page

_OBVIOUS = "Does the picture change obviously in every row?"
_MEANINGFUL = "Is the change one thing that you can name, and the same in every row?"
_NAME = "What changes? Type a name and press Enter."
_INTRO = (
    "You see each of the leading directions moved both ways, a row for each seed, and say:",
    f"1. {_OBVIOUS}",
    f"2. {_MEANINGFUL} If so, name it.",
    "Answer with y and n, or with the buttons. ← goes back, → skips, and Esc closes.",
    "The answers go into the bundles, which you save on the page.",
)


class AnnotatingPanel:
    """A dialog over the page. An answer changes the page's state, so undo takes it back."""

    def __init__(self, page: "Page") -> None:
        self.page = page
        self._questions: list[Question] = []
        self._at = 0
        self._stage = 0  # obvious, meaningful, name
        self._answer = Answer(False, False)
        self._sheets: dict[Question, tuple[int, Headings]] = {}  # the number of each picture
        self._turn = asyncio.Lock()  # sweeps are made one at a time
        self._dialog = ui.dialog().props("maximized aria-label=Annotate")
        with self._dialog, ui.card().classes("annotating"):
            with ui.row().classes("panel-head"):
                ui.label("Annotate").classes("brand")
                self._levels = ui.select(
                    ["this bundle", *LEVELS], value=list(LEVELS), multiple=True, label="Levels"
                )
                self._levels.props('dense outlined data-test="levels"').classes("trunc")
                self._num = ui.number("Directions per level", value=20, min=1, precision=0)
                self._seeds = ui.input("Seeds", value="0-2").without_auto_validation()
                self._reach = ui.number("Reach ±", placeholder="by level", min=0.1)
                self._reach.props("stack-label")
                for field, name in (
                    (self._num, "num"), (self._seeds, "seeds"), (self._reach, "reach"),
                ):  # fmt: skip
                    field.props(f'dense outlined data-test="annotate-{name}"').classes("seed")
                ui.button("Start", on_click=self._begin).props(
                    'no-caps unelevated data-test="begin"'
                )
                ui.space()
                ui.button("Close", on_click=self._dialog.close).props(
                    'flat no-caps data-test="annotate-close"'
                )
            with ui.element("div").classes("intro").props('data-test="intro"') as self._intro:
                for line in _INTRO:
                    ui.label(line)
            with ui.element("div").classes("asking") as self._asking:
                self._place = ui.label("").classes("quiet").props('data-test="place"')
                self._sheet = SheetPanel()
                self._question = ui.label("").classes("brand").props('data-test="question"')
                with ui.row().classes("panel-head") as self._buttons:
                    for text, key in (("Yes (y)", "y"), ("No (n)", "n")):
                        ui.button(text, on_click=lambda key=key: self._press(key)).props(
                            f'no-caps unelevated data-test="answer-{key}"'
                        )
                self._fault = Fault("annotate-fault")
                self._name = ui.input("Name").without_auto_validation()
                self._name.props('dense outlined data-test="annotate-name"')
                self._name.on("keydown.enter", self._named)
                with ui.row().classes("panel-head"):
                    for text, key in (("← Back", "ArrowLeft"), ("Skip →", "ArrowRight")):
                        ui.button(text, on_click=lambda key=key: self._press(key)).props(
                            f'no-caps flat dense data-test="{key}"'
                        )
                    ui.label("Esc closes and keeps the answers").classes("quiet")
        self._keys = ui.keyboard(self._key, active=False, ignore=["input", "select", "textarea"])
        self._dialog.on_value_change(self._toggled)
        self._asking.visible = False

    def open(self) -> None:
        """Show the dialog."""
        self._dialog.open()

    async def _toggled(self, event: events.ValueChangeEventArguments[bool]) -> None:
        """Go on where one was, or go back to the page with the name that was typed last."""
        self._keys.active = bool(event.value)
        if event.value and self._name.error:
            return  # back to the name that was refused
        if event.value:
            await self._go_on()
        elif self._stage == 2 and self._name.value and not await self._take(self._named_answer):
            self._dialog.open()
        else:
            await self.page.show()

    async def _go_on(self) -> None:
        """Ask the present question again, unless its bundle was closed."""
        open_ones = {own.path for own in self.page.state.sets}
        if not {question.path for question in self._questions} <= open_ones:
            self._questions.clear()
        self._asking.visible = bool(self._questions)
        self._intro.visible = not self._questions
        if self._questions:
            await self._ask()

    async def _begin(self) -> None:
        page = self.page
        if page.model is None:
            return
        self._seeds.error = self._levels.error = None
        levels = [level for level in self._levels.value or [] if level in page.model.levels]
        try:
            parse_range(self._seeds.value, "seed", 2**32)
        except SefaError as error:
            self._seeds.error = said(error)
            return
        try:
            state, self._questions = questions(
                page.model, page.state, levels, int(self._num.value or 1)
            )
        except SefaError as error:
            self._levels.error = said(error)
            return
        page.history.do(state)
        self._sheets.clear()
        open_ones = [i for i, q in enumerate(self._questions) if not is_answered(state, q)]
        self._at = open_ones[0] if open_ones else 0
        await self._go_on()

    async def _ask(self) -> None:
        """Show the next question with its sweep, then prepare the sweep after it."""
        self._stage, self._fault.error = 0, None
        if self._at >= len(self._questions):
            self._place.text = "All directions have answers. Close this and save the bundles."
            self._question.text = ""
            self._buttons.visible = self._name.visible = False
            self._sheet.hide()
            return
        question = self._questions[self._at]
        count = sum(q.path == question.path for q in self._questions)
        self._place.text = f"{question.level} · direction {question.k + 1} of {count}"
        # Now, while the field is hidden: later, it could replace what is being typed.
        own = sliders_of(self.page.state, question).bundle.labels[question.k]
        self._name.value, self._name.error = own or "", None
        self._show_stage()
        self._sheet.hide()
        await self._draw(question)
        here = self._questions[self._at : self._at + 1]
        if here == [question] and self._is_there(question):
            number, headings = self._sheets[question]
            self._sheet.show(f"/picture/{self.page.key}/{number}", headings)
            for following in self._questions[self._at + 1 : self._at + 2]:
                await self._draw(following)

    async def _draw(self, question: Question) -> None:
        """Make a sweep, unless the person has moved on in the meantime."""
        async with self._turn:
            page, seeds = self.page, self._seeds.value
            model, state = page.model, page.state
            wanted = self._questions[self._at : self._at + 2]
            if self._is_there(question) or question not in wanted or model is None:
                return
            reach = float(self._reach.value or REACH[question.level])
            made = await page.work(
                lambda: sweep(model, state, question, seeds, reach), by=self._fault
            )
            if made is not None:
                self._sheets[question] = page.keep(made[0]), made[1]

    def _is_there(self, question: Question) -> bool:
        """Whether a question's sheet is made, and not yet dropped for newer pictures."""
        return question in self._sheets and self._sheets[question][0] in self.page.pictures

    def _show_stage(self) -> None:
        self._question.text = (_OBVIOUS, _MEANINGFUL, _NAME)[self._stage]
        self._buttons.visible = self._stage < 2
        self._name.visible = self._stage == 2
        if self._stage == 2:
            self._name.run_method("focus")

    async def _key(self, event: events.KeyEventArguments) -> None:
        if event.action.keydown and not event.action.repeat:
            await self._press(event.key.name)

    async def _press(self, key: str) -> None:
        if not self._asking.visible:
            return
        if key == "ArrowLeft":
            self._at = max(0, self._at - 1)
            await self._ask()
        elif key == "ArrowRight" and self._at < len(self._questions):
            self._at += 1
            await self._ask()
        elif key in ("y", "n") and self._stage < 2 and self._at < len(self._questions):
            yes = key == "y"
            if self._stage == 0:
                self._answer = Answer(yes, False)
            else:
                self._answer = replace(self._answer, meaningful=yes)
            if yes:
                self._stage += 1
                self._show_stage()
            else:
                await self._take(self._answer)

    @property
    def _named_answer(self) -> Answer:
        return replace(self._answer, name=self._name.value or "")

    async def _named(self) -> None:
        await self._take(self._named_answer)

    async def _take(self, answer: Answer) -> bool:
        """Keep the answer and go on. If the name is refused, say why and return False."""
        try:
            self.page.history.do(answered(self.page.state, self._questions[self._at], answer))
        except SefaError as error:
            self._name.error = said(error)
            return False
        self.page.save()  # the dialog may stay open for an hour
        self._at += 1
        if self._dialog.value:
            await self._ask()
        else:
            self._stage = 0
            await self.page.show()
        return True
