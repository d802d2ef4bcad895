"""Sheets of edits: columns in the order of α, and headings that say it."""

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

import sefa_cli as sefa
from sefa_cli.bundle.bundle import Bundle
from sefa_cli.editing.moves import parse_moves
from sefa_cli.editing.start import start_from
from sefa_cli.editing.sum import add
from sefa_cli.errors import SefaError
from sefa_cli.families.build import build
from sefa_cli.rendering.edits import Edits
from sefa_cli.rendering.pictures import LARGEST, Picture
from sefa_cli.rendering.scene import Scene
from tests.helpers.networks import stylegan2


@pytest.fixture(scope="module")
def scene() -> Iterator[tuple[Scene, Bundle]]:
    checkpoint = stylegan2(resolution=32)
    generator = build(checkpoint, "cpu")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield Scene(generator, start_from(generator, "0")), sefa.factorize(checkpoint, num=3)
    torch.set_num_threads(threads)


def edits(scene: tuple[Scene, Bundle], ks: Sequence[str], alphas: Sequence[str]) -> Edits:
    return Edits(scene[0], scene[1], parse_moves(scene[1], ks, alphas))


def left_of(sheet: Picture, picture: Picture) -> int:
    """Return the column at which a picture begins in a sheet."""
    windows = np.lib.stride_tricks.sliding_window_view(sheet, picture.shape)
    found = np.argwhere((windows == picture).all(axis=(-1, -2, -3)))
    assert len(found) == 1
    return int(found[0][1])


def test_columns_stand_in_the_order_of_alpha(scene: tuple[Scene, Bundle]) -> None:
    made = edits(scene, ["0"], ["2,-1,-3"])
    sheet = np.asarray(made.sheet())
    before = next(scene[0].pictures(scene[0].view))
    pictures = [made.one(2), made.one(1), before, made.one(0)]  # -3, -1, 0, 2
    places = [left_of(sheet, picture) for picture in pictures]
    assert places == sorted(places)


def test_before_a_combined_move_the_picture_before_stands_first(
    scene: tuple[Scene, Bundle],
) -> None:
    made = edits(scene, ["0", "1"], ["-2", "-1"])
    sheet = np.asarray(made.sheet())
    assert left_of(sheet, next(scene[0].pictures(scene[0].view))) < left_of(sheet, made.one(0))


def test_steps_that_differ_by_row_stand_under_the_pictures(scene: tuple[Scene, Bundle]) -> None:
    own = edits(scene, ["0-1"], ["auto"])
    assert own.table[0][3].steps[0][1] != own.table[1][3].steps[0][1]
    same = edits(scene, ["0-1"], ["-4,-2,2,4"])
    assert own.sheet().height > same.sheet().height  # a caption under each row


def test_a_sweep_of_suggested_steps(scene: tuple[Scene, Bundle]) -> None:
    generator, bundle = scene[0].generator, scene[1]
    film = sefa.sweep(bundle, "0,2", frames=3, model=generator, any_model=True, seeds=0)
    assert [[alpha for _, alpha in shot] for shot in film.shots] == [
        [n * bundle.step(0), n * bundle.step(2)] for n in (-2, 0, 2)
    ]


def test_a_picture_moves_its_own_code_alone(
    scene: tuple[Scene, Bundle], monkeypatch: pytest.MonkeyPatch
) -> None:
    several = replace(scene[0], start=start_from(scene[0].generator, "0-2"))
    made = edits((several, scene[1]), ["all"], ["-2,2"])
    all_moved, sizes = made.codes, []

    def watched(codes: torch.Tensor, rows: NDArray[np.float32], own: list[int]) -> torch.Tensor:
        sizes.append(len(codes))
        return add(codes, rows, own)

    monkeypatch.setattr("sefa_cli.editing.start.add", watched)
    notes = [made.note(i) for i in range(len(made))]
    assert sizes == [1] * 18  # the first of thousands does not wait for the others
    assert notes == [made.note_after(made.moves[i // 3], i % 3, all_moved[i]) for i in range(18)]


def test_a_sheet_is_as_high_as_its_pictures(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Pictures of 32 x 16 pixels were counted as if they had 32 rows, and refused."""
    monkeypatch.setitem(LARGEST, ".webp", 190)
    checkpoint = stylegan2(resolution=32, start=(2, 4))
    generator, bundle = build(checkpoint, "cpu"), sefa.factorize(checkpoint, num=3)
    for last, fits in (5, True), (11, False):
        scene = Scene(generator, start_from(generator, f"0-{last}"))
        made = Edits(scene, bundle, parse_moves(bundle, ["0"], ["1"]))
        with nullcontext() if fits else pytest.raises(SefaError, match="cannot have 192 pixels"):
            made.save(tmp_path / "sheet.webp", overwrite=True)
