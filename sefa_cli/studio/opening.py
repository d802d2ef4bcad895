"""What a page opens: what was saved, a bundle, or a model by its name, path or address."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from sefa_cli.bundle.bundle import Bundle
from sefa_cli.studio.key_frames import KeyFrames
from sefa_cli.studio.renderer import Renderer
from sefa_cli.studio.saving import address_at, state_at
from sefa_cli.studio.session import History
from sefa_cli.studio.wording import said

if TYPE_CHECKING:
    from sefa_cli.studio.page import Page

FIRST_LAYERS = "all"


async def begin(page: "Page", words: Mapping[str, str]) -> None:
    """Show what was saved, what the address asks for, or what the command named."""
    page.layout.address(address_at(page.saved, words))  # where a reload finds it, from now on
    known = await asyncio.to_thread(page.saved.read)
    if known and await _restore(page, *known):
        return
    dirs, model = words.get("dirs", ""), words.get("model")
    wanted = dirs if Path(dirs).suffix == ".dirs" and Path(dirs).exists() else model
    if wanted := wanted or page.studio.begin:
        await open_named(page, wanted)
        if page.model and "seed" in words:
            await page.do(lambda state: state_at(words, state))


async def _restore(page: "Page", ref: str, history: History, keys: KeyFrames) -> bool:
    """Show a saved page again, unless its model can no longer be opened."""
    page.layout.picture.say(f"opening {ref} …")
    try:
        model = await asyncio.to_thread(page.studio.library.open_model, ref)
        for own in history.present.sets:
            model.sliders_of(own.path, own.bundle)
    except Exception:  # who opens it again sees why
        return False
    if not page.closed:
        page.model, page.renderer = model, Renderer(model)
        page.history, page.keys = history, keys
        await page.show()
    return True


async def open_named(page: "Page", text: str) -> None:
    """Open a bundle's file, or a model by its name, path or address. Show why if that fails."""
    page.layout.move_on()
    page.layout.picture.say(f"opening {text} …")
    try:
        if Path(text).suffix == ".dirs":
            bundle = await asyncio.to_thread(Bundle.load, text)
            await open_bundle(page, text, bundle, beside=Path(text))
        else:
            model = await asyncio.to_thread(page.studio.library.open_model, text)
            sliders = await asyncio.to_thread(model.factorize, FIRST_LAYERS)
            page.install(model, sliders)
    except Exception as error:  # the page must not wait forever
        page.layout.picture.say("")
        why = said(error)
        why = why if text in why else f"cannot open {text}: {why}"
        page.layout.complain(why, page.layout.dialog.field)
        return
    page.layout.dialog.close()
    await page.show()


async def open_bundle(page: "Page", path: str, bundle: Bundle, beside: Path | None) -> None:
    """Open a bundle with its model. Raises SefaError if that is not found."""
    model = await asyncio.to_thread(page.studio.library.open_model_of, bundle, beside)
    page.install(model, model.sliders_of(path, bundle))
