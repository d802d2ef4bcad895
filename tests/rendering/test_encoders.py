"""The frames, times, sizes and colors that each film format keeps."""

import tracemalloc
from itertools import accumulate

import numpy as np
import pytest

from sefa_cli.rendering.films import write_film
from tests.helpers.reading import Gif, decoded, described, psnr, shown

PICTURES = [".gif", ".webp", ".apng", ".png"]
VIDEOS = [".mp4", ".mov", ".webm"]
ALL = [*PICTURES, *VIDEOS]


def read_back(path, mode="RGB"):
    return decoded(path)[0] if path.suffix in VIDEOS else shown(path, mode)[0]


@pytest.mark.parametrize("suffix", ALL)
@pytest.mark.parametrize("count", [1, 2, 13])
def test_every_frame_is_kept_in_order(tmp_path, waves, suffix, count):
    film = waves(count, 32, 48)
    path = write_film(tmp_path / f"film{suffix}", film)
    frames = read_back(path)
    assert len(frames) == count
    best = {".gif": 27, ".mp4": 33, ".mov": 33, ".webm": 33, ".webp": 37}.get(suffix, 99)
    assert min(psnr(a, b) for a, b in zip(frames, film, strict=True)) >= best


@pytest.mark.parametrize("suffix", ALL)
def test_identical_frames_stay(tmp_path, waves, suffix):
    one, other = waves(2, 32, 48)
    film = [one, one, one, other, other, one, one]
    path = write_film(tmp_path / f"film{suffix}", film, fps=25)
    assert len(read_back(path)) == 7
    if suffix in VIDEOS:
        assert decoded(path)[1]["duration"] == pytest.approx(0.28)
    else:
        assert shown(path)[1] == [40] * 7


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("suffix", PICTURES)
def test_repeated_frames_cost_almost_nothing(tmp_path, waves, suffix, channels):
    """A film that rests keeps every frame, correct and small."""
    one, other = waves(2, 64, 64, channels)
    if channels == 4:
        one[8:24, 8:24, 3] = other[30:40, 30:40, 3] = 0
    mode = "RGBA" if channels == 4 else "RGB"
    short = write_film(tmp_path / f"short{suffix}", [one, other])
    rests = write_film(tmp_path / f"rests{suffix}", [one] * 20 + [other] * 20)
    if (suffix, channels) != (".gif", 4):  # transparent GIFs have whole frames
        assert rests.stat().st_size - short.stat().st_size < 38 * 130
    frames, durations = shown(rests, mode)
    assert durations == [40] * 40
    assert all(np.array_equal(frame, frames[0]) for frame in frames[:20])
    assert all(np.array_equal(frame, frames[20]) for frame in frames[20:])
    for frame, wanted in zip((frames[0], frames[20]), shown(short, mode)[0], strict=True):
        assert psnr(frame, wanted) >= (32 if suffix == ".gif" else 99)


@pytest.mark.parametrize(("suffix", "grain"), [(".gif", 10), (".webp", 1)])
@pytest.mark.parametrize("fps", [3, 12, 23.976, 25, 30, 50])
def test_times_never_drift(tmp_path, waves, suffix, grain, fps):
    """Each frame starts at its own time, rounded to the unit of the format."""
    durations = shown(write_film(tmp_path / f"film{suffix}", waves(31, 8, 8), fps))[1]
    for number, end in enumerate(accumulate(durations), 1):
        assert abs(end - 1000 * number / fps) <= grain / 2 + 0.01
    if fps == 25:
        assert set(durations) == {40}


@pytest.mark.parametrize("fps", [23.976, 30])
def test_apng_times_are_exact(tmp_path, waves, fps):
    durations = shown(write_film(tmp_path / "film.apng", waves(7, 8, 8), fps))[1]
    assert sum(durations) == pytest.approx(7000 / fps, abs=0.01)


@pytest.mark.parametrize("suffix", VIDEOS)
@pytest.mark.parametrize("fps", [12, 23.976, 30])
def test_times_of_videos(tmp_path, waves, suffix, fps):
    about = decoded(write_film(tmp_path / f"film{suffix}", waves(24, 16, 16), fps))[1]
    assert about["fps"] == pytest.approx(fps, abs=0.01)
    assert about["duration"] == pytest.approx(24 / fps, abs=0.01)


@pytest.mark.parametrize("loop", [True, False])
def test_loops(tmp_path, waves, loop):
    film = waves(3, 8, 8)
    gif = Gif.of(write_film(tmp_path / "film.gif", film, loop=loop))
    assert gif.repeats == (0 if loop else None)
    webp = write_film(tmp_path / "film.webp", film, loop=loop).read_bytes()
    at = webp.index(b"ANIM") + 12
    assert int.from_bytes(webp[at : at + 2], "little") == (0 if loop else 1)
    apng = write_film(tmp_path / "film.apng", film, loop=loop).read_bytes()
    at = apng.index(b"acTL") + 4
    counts = [int.from_bytes(apng[at + i : at + i + 4], "big") for i in (0, 4)]
    assert counts == [3, 0 if loop else 1]  # frames, plays


def test_gif_has_one_palette(tmp_path, waves):
    film = np.concatenate([waves(6, 32, 32), 255 - waves(6, 32, 32)])
    gif = Gif.of(write_film(tmp_path / "film.gif", film))
    assert len(gif.palettes) == 1 and gif.delays == [4] * 12


def test_gif_colors(tmp_path, waves):
    """Pillow's one palette reaches 38 dB on this sweep, ffmpeg's two passes 41."""
    film = waves(12, 64, 64) // 4 + 90
    frames, _ = shown(write_film(tmp_path / "film.gif", film))
    assert psnr(frames, film) > 40.5


def test_gif_of_few_colors_is_almost_lossless(tmp_path):
    colors = np.random.RandomState(0).randint(0, 32, (4, 20, 20, 3)) // 8 * 60 + 7
    film = colors.astype(np.uint8)
    frames, _ = shown(write_film(tmp_path / "film.gif", film))
    assert np.abs(np.array(frames, int) - film).max() <= 1


@pytest.mark.parametrize("suffix", PICTURES)
def test_transparent_pixels_stay_so(tmp_path, waves, suffix):
    """Earlier frames do not show through a moving hole."""
    film = waves(4, 24, 24, 4)
    for number, frame in enumerate(film):
        frame[4:12, 5 * number : 5 * number + 8, 3] = 0
    frames, _ = shown(write_film(tmp_path / f"film{suffix}", film), "RGBA")
    for frame, wanted in zip(frames, film, strict=True):
        assert np.array_equal(frame[..., 3] > 127, wanted[..., 3] > 127)


@pytest.mark.parametrize("suffix", ALL)
def test_gray_films(tmp_path, waves, suffix):
    film = waves(5, 32, 32, 1)
    frames = read_back(write_film(tmp_path / f"film{suffix}", film))
    assert psnr(np.stack(frames), film.repeat(3, axis=3)) > 38


def test_apng_is_lossless(tmp_path, waves):
    for channels, mode in ((3, "RGB"), (4, "RGBA")):
        film = waves(4, 15, 17, channels)
        path = write_film(tmp_path / "film.apng", film, overwrite=True)
        assert np.array_equal(shown(path, mode)[0], film)


@pytest.mark.parametrize(("height", "width"), [(32, 48), (33, 48), (32, 47), (33, 47), (1, 1)])
def test_mp4_is_padded_never_resampled(tmp_path, waves, height, width):
    film = waves(5, height, width)
    frames, _ = decoded(write_film(tmp_path / "film.mp4", film))
    assert frames.shape[1:3] == (height + height % 2, width + width % 2)
    assert psnr(frames[:, :height, :width], film) > 34


def test_mp4_keeps_sharp_lines(tmp_path):
    """Resampling by a single pixel would smear them: 33 columns of one pixel, black and white."""
    columns = np.where(np.arange(33) % 2, 255, 0).astype(np.uint8)
    film = np.broadcast_to(columns[None, None, :, None], (4, 33, 33, 3))
    frames, _ = decoded(write_film(tmp_path / "film.mp4", film))
    assert psnr(frames[:, :33, :33], film) > 35


def test_webm_is_vp9(tmp_path, waves):
    about = described(write_film(tmp_path / "film.webm", waves(5, 32, 32)))
    assert "matroska,webm" in about and "vp9" in about and "yuv420p(tv, bt709" in about


def test_mp4_plays_in_browsers(tmp_path, waves):
    path = write_film(tmp_path / "film.mp4", waves(5, 32, 32))
    about = described(path)
    assert "h264" in about and "yuv420p(tv, bt709" in about and "unknown" not in about
    data = path.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


@pytest.mark.parametrize("suffix", VIDEOS)
def test_colors_of_videos_are_true(tmp_path, suffix):
    """A wrong matrix would shift these by ten levels."""
    colors = np.array([[200, 30, 40], [40, 180, 60], [30, 60, 190], [190, 150, 120]], np.uint8)
    film = np.broadcast_to(colors.repeat(16, axis=0)[None, None], (3, 32, 64, 3))
    frames, _ = decoded(write_film(tmp_path / f"film{suffix}", film))
    centers = frames[:, 16, 8::16].astype(int)
    assert np.abs(centers - colors).max() <= 3


@pytest.mark.slow
@pytest.mark.parametrize("suffix", ALL)
def test_memory_does_not_grow_with_the_film(tmp_path, waves, suffix):
    """Ten times as many frames of 48 kB need less than two frames more."""
    film = waves(10, 128, 128)

    def peak(count):
        tracemalloc.start()
        stream = (film[number % 10].copy() for number in range(count))
        write_film(tmp_path / f"film{suffix}", stream, overwrite=True)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    peak(3)  # what is imported and remembered on first use
    assert peak(100) - peak(10) < 2 * film[0].nbytes
