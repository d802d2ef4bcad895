"""What a file that was dropped on a page becomes: sliders, moves, key frames, a code or a face."""

import asyncio
import re
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from sefa_cli.bundle.bundle import Bundle
from sefa_cli.editing.presets import Preset
from sefa_cli.errors import SefaError
from sefa_cli.scratch import scratch_beside
from sefa_cli.studio.key_frames import origin_of, origins_in, with_storyboard
from sefa_cli.studio.opening import open_bundle
from sefa_cli.studio.photos import check_model
from sefa_cli.studio.presets import with_parts

if TYPE_CHECKING:
    from sefa_cli.studio.library import Model
    from sefa_cli.studio.page import Page
    from sefa_cli.studio.session import Origin

CODES = (".npz", ".npy")
_KEY_FRAMES = re.compile(r"^\s*(\[\[ *keys *\]\]|keys *=)", re.MULTILINE)


async def drop(page: "Page", name: str, data: bytes) -> None:
    """Show what was dropped on the page. Raises SefaError if it cannot be read or shown."""
    name = Path(name).name
    if name.endswith(".toml"):
        _read(page, check_model(page.model), name, data.decode(errors="replace"))
    elif name.endswith(CODES):
        origin = await asyncio.to_thread(first_code, check_model(page.model), name, data)
        page.history.do(page.state.started(origin))
    elif name.endswith(".dirs") or data.startswith(b"PK"):
        bundle = await asyncio.to_thread(Bundle.from_bytes, data, name)
        if page.model is None:
            await open_bundle(page, name, bundle, None)
        else:
            page.history.do(page.state.added(page.model.sliders_of(name, bundle)))
    else:
        await page.layout.photo.take(name, data)
        page.layout.dialog.close()
        return
    page.layout.dialog.close()
    await page.show()


def _read(page: "Page", model: "Model", name: str, text: str) -> None:
    """Take the key frames of a storyboard, or the moves of a preset."""
    if _KEY_FRAMES.search(text):
        keys = with_storyboard(model, page.state, text, name, origins_in(page.steps))
        page.set_keys(keys)
        return
    known = {Path(own.path): own.bundle for own in page.state.sets}
    preset = Preset.parse(text, name, known)
    page.history.do(with_parts(model, page.state.before(), preset.parts))


def first_code(model: "Model", name: str, data: bytes) -> "Origin":
    """Return the first code in a file. If it has more, it says so: commands move all of them."""
    from sefa_cli.interchange.latents import read_codes

    generator = model.generator
    with scratch_beside(Path(tempfile.gettempdir()) / "codes", folder=True) as folder:
        (folder / name).write_bytes(data)
        try:
            origin = origin_of(model, str(folder / name))
            count = len(read_codes(folder / name, generator.space, generator.num_layers).array)
        except SefaError as error:
            found = error.found.replace(f"{folder}/", "")
            raise SefaError(found, error.expected, error.remedy) from None
    about = f"the first of {count} codes; the command moves all of them" if count > 1 else ""
    return replace(origin, path=name, about=about)
