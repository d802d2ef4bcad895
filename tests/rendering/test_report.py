"""The page of a report: its rows, its folder, hostile words, and interrupts."""

import base64
import dataclasses
import hashlib
import html
import re
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from sefa_cli.bundle.bundle import Bundle
from sefa_cli.discovery.factorize import factorize
from sefa_cli.editing.start import start_from
from sefa_cli.errors import SefaError, UsageError
from sefa_cli.families.build import build
from sefa_cli.generators.base import Generator
from sefa_cli.rendering.edits import Edits
from sefa_cli.rendering.report import (
    Report,
    described,
    sweep_steps,
    write_report,
)
from sefa_cli.rendering.report_folder import check_report_folder
from sefa_cli.rendering.scene import Scene
from sefa_cli.rendering.view import View
from tests.helpers.networks import stylegan2

STEPS = (-2.0, -1.0, 0.0, 1.5)
Make = Callable[..., Report]


@pytest.fixture(scope="module")
def small() -> Iterator[tuple[Generator, Bundle]]:
    checkpoint = stylegan2(resolution=64)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # pictures this small are slower with more
    yield build(checkpoint, "cpu"), factorize(checkpoint)
    torch.set_num_threads(threads)


@pytest.fixture
def make(small: tuple[Generator, Bundle]) -> Make:
    def made(ks: tuple[int, ...] = (0, 2), seeds: str = "0-1", **changes: Any) -> Report:
        generator, bundle = small
        bundle = dataclasses.replace(bundle, **changes)
        edits = Edits(Scene(generator, start_from(generator, seeds)), bundle)
        return Report(
            edits,
            View(),
            dict.fromkeys(ks, STEPS),
            "x.dirs",
            "sefa report x.dirs",
            {"--fast": True},
        )

    return made


def labeled(bundle: Bundle, **of_first: object) -> tuple[dict[str, object], ...]:
    return ({**bundle.info[0], **of_first}, *bundle.info[1:])


def test_every_picture_appears_once_and_unmoved_ones_are_shared(make: Make, tmp_path: Path) -> None:
    steps: list[None] = []
    page = write_report(make(), tmp_path / "r", progress=lambda: steps.append(None))
    assert page == tmp_path / "r" / "index.html"
    files = sorted(str(path.relative_to(tmp_path / "r")) for path in page.parent.rglob("*.png"))
    moved = [f"k{k}/seed000{s}_{a}" for k in (0, 2) for s in (0, 1) for a in ("+1.5", "-1", "-2")]
    assert files == sorted(f"pictures/{n}.png" for n in [*moved, "seed0000", "seed0001"])
    assert len(steps) == len(files) == make().total
    text = page.read_text()
    assert set(re.findall(r'(?:src|href)="(pictures/[^"]+)"', text)) == set(files)
    assert (
        text.count("<tr data-k=") == 4
        and "missing" not in text.split("<main>")[1].split("</main>")[0]
    )


def test_the_page_refers_only_to_its_folder(make: Make, tmp_path: Path) -> None:
    text = write_report(make(), tmp_path / "r").read_text()
    assert "http:" not in text and "https:" not in text and "//" not in text.split("<script>")[0]
    script = text.split("<script>")[1].split("</script>")[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in text and "default-src 'none'" in text


def test_hostile_words_stay_text(
    make: Make, small: tuple[Generator, Bundle], tmp_path: Path
) -> None:
    evil = "</title><script>alert(1)</script>\"'>"
    info = labeled(small[1], label=evil, annotation={"note": evil}, gain=0.9)
    report = make(info=info, model={**small[1].model, "ref": evil.replace("/", "")}, method=evil)
    report = dataclasses.replace(report, dirs=evil, command=f"sefa report '{evil}'")
    text = write_report(report, tmp_path / "r").read_text()
    assert text.count("<script>") == 1 and "<script>alert" not in text
    assert html.escape(evil, quote=False) in text.replace("&#39;", "'").replace("&#34;", '"')


def test_an_interrupt_leaves_a_page_that_shows_what_is_missing(make: Make, tmp_path: Path) -> None:
    count = 0

    def stop() -> None:
        nonlocal count
        count += 1
        if count == 10:
            raise KeyboardInterrupt

    report = make()
    with pytest.raises(KeyboardInterrupt):
        write_report(report, tmp_path / "r", progress=stop)
    text = (tmp_path / "r" / "index.html").read_text()
    assert "4 of 14 pictures are missing" in text and text.endswith("</html>")
    assert text.count('class="missing">') == 4
    there = set(re.findall(r'src="(pictures/[^"]+)"', text))
    assert len(there) == 10 and all((tmp_path / "r" / name).exists() for name in there)
    assert not list((tmp_path / "r").rglob(".*")), "half-written files"
    assert described(report, tmp_path / "r")["missing"] == 4


def test_the_page_is_there_before_the_first_picture(make: Make, tmp_path: Path) -> None:
    seen: list[str] = []
    page = tmp_path / "r" / "index.html"
    write_report(make(), tmp_path / "r", progress=lambda: seen.append(page.read_text()))
    assert "14 of 14 pictures are missing" in seen[0]
    assert "6 of 14 pictures are missing" in seen[-1]  # as it was after the first direction


def test_a_region_for_all_or_for_each_seed(
    make: Make, small: tuple[Generator, Bundle], tmp_path: Path
) -> None:
    mask = np.zeros((64, 64), np.uint8)
    mask[8:24, 8:40] = 255
    text = write_report(make(mask=mask), tmp_path / "one").read_text()
    assert (
        text.count("--region: url(&#39;pictures/region.png&#39;)")
        + text.count("--region: url('pictures/region.png')")
        == 4
    )
    overlay = np.asarray(Image.open(tmp_path / "one" / "pictures" / "region.png"))
    assert overlay.shape == (512, 512, 4)
    assert (overlay[80:180, 80:300, 3] == 0).all() and (overlay[300:, :, 3] == 166).all()
    params = {**small[1].params, "seeds": [1, 7]}
    report = make(mask=np.stack([mask, mask.T]), params=params)
    write_report(report, tmp_path / "each")
    assert report.region_file(0) is None
    assert report.region_file(1) == "pictures/region_seed0001.png"
    assert (tmp_path / "each" / "pictures" / "region_seed0001.png").exists()
    assert not (tmp_path / "each" / "pictures" / "region_seed0007.png").exists()


def test_a_bundle_without_eigenvalues_has_no_plot(make: Make, tmp_path: Path) -> None:
    assert 'class="spectrum"' in write_report(make(), tmp_path / "with").read_text()
    text = write_report(make(eigenvalues=None), tmp_path / "without").read_text()
    assert 'class="spectrum"' not in text


def test_eigenvalues_without_a_logarithm(make: Make, tmp_path: Path) -> None:
    values = np.array([5, 2, 1, 0, -3] + [-4] * 7, float)
    assert "eigenvalue −" not in write_report(make(eigenvalues=values), tmp_path / "r").read_text()
    same = write_report(make(eigenvalues=np.zeros(12)), tmp_path / "same").read_text()
    assert 'class="spectrum"' not in same


def test_the_description_for_programs(make: Make, tmp_path: Path) -> None:
    write_report(make(), tmp_path / "r")
    about = described(make(), tmp_path / "r")
    assert about["missing"] == 0 and about["alphas"] == list(STEPS) and len(about["cells"]) == 16
    cell = about["cells"][-1]
    assert (cell["k"], cell["seed"], cell["alpha"]) == (2, 1, 1.5)
    assert cell["command"] == "sefa edit --dirs x.dirs --k 2 --alpha 1.5 --seeds 1 --fast -o cells"
    assert (tmp_path / "r" / cell["picture"]).exists()


def test_memory_does_not_grow_with_the_table(make: Make, tmp_path: Path) -> None:
    """10 rows and 100: the pictures together would take 3.4 MB more, the page 0.3 MB.

    A run may be repeated: paths intern their parts, and when the interpreter's table of interned
    strings is full, it grows by megabytes at once, whatever the report keeps.
    """

    def peak(report: Report) -> int:
        tracemalloc.start()
        try:
            write_report(report, tmp_path / "r", overwrite=True)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    few, many = make((0,), "0-9"), make(tuple(range(10)), "0-9")
    assert (few.total, many.total) == (40, 310)
    peak(few)  # imports and compiles templates
    limit = min(peak(few), peak(few)) + 100_000
    assert any(peak(many) < limit for _ in range(3))


@pytest.mark.parametrize(
    ("span", "steps"),
    [
        ((-3, 3, 7), (-3, -2, -1, 0, 1, 2, 3)),
        ((-3, 3, 8), (-3, -2.143, -1.286, -0.429, 0.429, 1.286, 2.143, 3)),
        ((0.3, -0.3, 3), (0.3, 0, -0.3)),
        ((0, 1e-3, 2), (0, 1e-3)),
        ((1000, 5000, 3), (1000, 3000, 5000)),
    ],
)
def test_steps(span: tuple[float, float, int], steps: tuple[float, ...]) -> None:
    assert sweep_steps(*span) == steps
    assert not any(np.signbit(a) for a in sweep_steps(*span) if a == 0)


@pytest.mark.parametrize("wrong", [(0, 1, 1), (0, 1, 202), (2, 2, 5)])
def test_steps_that_are_refused(wrong: tuple[float, float, int]) -> None:
    with pytest.raises(UsageError):
        sweep_steps(*wrong)


def test_a_folder_of_other_files_is_kept(make: Make, tmp_path: Path) -> None:
    folder = tmp_path / "r"
    write_report(make(), folder)
    with pytest.raises(SefaError, match=r"r already exists.*overwrite=True"):
        check_report_folder(folder)
    write_report(make((1,)), folder, overwrite=True)
    assert not (folder / "pictures" / "k0").exists(), "nothing of the former one stays"
    for name in ("notes.txt", "pictures/k1/mine.png", "pictures/other"):
        (folder / name).write_text("mine")
        with pytest.raises(SefaError, match=f"holds .*{Path(name).name}"):
            write_report(make(), folder, overwrite=True)
        (folder / name).unlink()
    write_report(make(), folder, overwrite=True)


def test_an_empty_folder_is_filled(make: Make, tmp_path: Path) -> None:
    (tmp_path / "r").mkdir()
    assert write_report(make((0,), "0"), tmp_path / "r").exists()


@pytest.mark.parametrize(("name", "kind"), [("-", UsageError), ("page.html", UsageError)])
def test_outputs_that_are_refused(tmp_path: Path, name: str, kind: type[SefaError]) -> None:
    with pytest.raises(kind):
        check_report_folder(name if name == "-" else tmp_path / name)


def test_a_file_in_its_place(tmp_path: Path) -> None:
    (tmp_path / "r").write_text("mine")
    for overwrite in (False, True):
        with pytest.raises(SefaError, match="r is a file; expected a folder"):
            check_report_folder(tmp_path / "r", overwrite)
