"""Films in a browser: they play, and have the right size, colors and times."""

from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page

from sefa_cli.rendering.films import write_film

RED_TO_BLUE = [np.full((33, 47, 3), (255 - 10 * n, 0, 10 * n), np.uint8) for n in range(25)]


def opened(page: Page, folder: Path, tag: str) -> None:
    """Open a page from disk that holds this tag."""
    (folder / "page.html").write_text(f"<!doctype html><link rel=icon href=data:,>{tag}")
    page.goto((folder / "page.html").as_uri())


def test_mp4_plays_to_its_end(page: Page, tmp_path: Path) -> None:
    write_film(tmp_path / "film.mp4", RED_TO_BLUE)
    opened(page, tmp_path, "<video src=film.mp4 muted></video>")
    about = page.evaluate(
        """() => new Promise((done, failed) => {
            const film = document.querySelector('video')
            film.onerror = () => failed(film.error.message)
            film.onended = () => done([film.videoWidth, film.videoHeight, film.duration])
            film.play().catch(failed)
        })"""
    )
    assert about == [48, 34, pytest.approx(1, abs=0.01)]


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".apng"])
def test_moving_pictures_decode_with_their_times(page: Page, tmp_path: Path, suffix: str) -> None:
    """Chromium's decoder finds every frame, held ones too, with its color and duration."""
    film = [RED_TO_BLUE[0]] * 3 + RED_TO_BLUE + [RED_TO_BLUE[-1]] * 3
    data = write_film(tmp_path / f"film{suffix}", film).read_bytes()
    kind = {".apng": "image/png"}.get(suffix, f"image/{suffix[1:]}")
    opened(page, tmp_path, "")
    colors, lasts = page.evaluate(
        """async ([bytes, type]) => {
            const decoder = new ImageDecoder({data: new Uint8Array(bytes), type})
            await decoder.tracks.ready
            await decoder.completed
            const colors = [], lasts = []
            for (let n = 0; n < decoder.tracks.selectedTrack.frameCount; n++) {
                const {image} = await decoder.decode({frameIndex: n})
                const canvas = new OffscreenCanvas(8, 8).getContext('2d')
                canvas.drawImage(image, 0, 0, 8, 8)
                colors.push([...canvas.getImageData(4, 4, 1, 1).data.slice(0, 3)])
                lasts.push(image.duration / 1000)
            }
            return [colors, lasts]
        }""",
        [list(data), kind],
    )
    assert lasts == [40] * 31
    wanted = [frame[0, 0].tolist() for frame in film]
    assert np.abs(np.array(colors) - wanted).max() <= 8
