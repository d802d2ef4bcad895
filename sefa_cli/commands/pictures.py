"""Pictures on their way into files: a bar, the size of a big job, and what an interrupt leaves."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from sefa_cli.commands.console import say, working

if TYPE_CHECKING:
    from sefa_cli.commands.showing import Showing
    from sefa_cli.rendering.gallery import Pictures
    from sefa_cli.rendering.outputs import PictureTarget


def write_pictures(
    make: "Callable[[], Pictures]",
    target: "PictureTarget",
    showing: "Showing",
    doing: str,
    model: str,
    before: "Callable[[Pictures], None]" = lambda pictures: None,
) -> Iterator[Path | str]:
    """Make pictures and write them to `target`; yield each file when it is written.

    `model` is loaded first. `before` is called with the pictures before the first is rendered.
    """
    written = 0
    with working(f"loading {model}") as work:
        pictures = make()
        before(pictures)
        total = pictures.count(target)
        advance = work.begin(doing, total, "pictures", _advice(target))
        try:
            for path in pictures.write(target, advance, showing.see):
                written += 1
                yield path
        except (KeyboardInterrupt, SystemExit) as interrupt:
            if target.is_folder and written:
                interrupt.add_note(f"{written:,} of {total:,} pictures are in {target.path}")
            raise
    say(f"pictures: {pictures.about(target)}", level=0 if pictures.scene.view.fast else 1)


def _advice(target: "PictureTarget") -> str:
    """Return what a user should know before a big job."""
    if target.is_folder:
        return "each is kept as soon as it is made"
    return "the sheet is written at the end; with -o DIR each picture is kept as soon as it is made"
