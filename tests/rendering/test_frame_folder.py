import functools
import shutil

import numpy as np
import pytest
from PIL import Image

from sefa_cli.errors import SefaError
from sefa_cli.files import folder_beside
from sefa_cli.rendering.films import check_film_path, write_film
from sefa_cli.rendering.frame_folder import check_frame_folder


def frames_in(folder):
    return [np.asarray(Image.open(path)) for path in sorted(folder.iterdir())]


def test_frames_are_numbered_and_lossless(tmp_path, waves):
    film = waves(12, 9, 7)
    folder = write_film(tmp_path / "frames", film)
    names = sorted(path.name for path in folder.iterdir())
    assert names == [f"{number:04d}.png" for number in range(12)]
    assert np.array_equal(frames_in(folder), film)


def test_digits_are_enough_for_the_count(tmp_path, waves):
    folder = write_film(tmp_path / "frames", waves(2, 4, 4), count=12_000)
    assert sorted(path.name for path in folder.iterdir()) == ["00000.png", "00001.png"]


def test_a_trailing_slash_means_a_folder(tmp_path, waves):
    folder = write_film(f"{tmp_path}/sweep.gif/", waves(2, 4, 4))
    assert folder.is_dir() and len(list(folder.iterdir())) == 2


def test_an_empty_folder_is_filled(tmp_path, waves):
    (tmp_path / "frames").mkdir()
    assert len(frames_in(write_film(tmp_path / "frames", waves(2, 4, 4)))) == 2


@pytest.mark.parametrize("old", [None, b"old"])
def test_an_interrupt_at_any_step_leaves_all_or_nothing(tmp_path, at_any_step, old):
    frame = tmp_path / "frames" / "0000.png"

    def prepare():
        shutil.rmtree(frame.parent, ignore_errors=True)
        if old is not None:
            frame.parent.mkdir()
            frame.write_bytes(old)

    def write():
        try:
            check = functools.partial(check_frame_folder, frame.parent, overwrite=True)
            with folder_beside(frame.parent, check) as folder:
                (folder / "0000.png").write_bytes(b"new")
        except SefaError as error:  # shutil.rmtree, interrupted at its `os.close`, closes again
            assert "Bad file descriptor" in str(error)

    def check(interrupted):
        assert [path.name for path in tmp_path.iterdir()] in ([], ["frames"])
        found = frame.read_bytes() if frame.exists() else None
        assert found == b"new" or (interrupted and found == old)

    at_any_step(prepare, write, check)


def test_overwriting_leaves_no_old_frames(tmp_path, waves):
    write_film(tmp_path / "frames", waves(5, 4, 4))
    write_film(tmp_path / "frames", waves(2, 4, 4), overwrite=True)
    assert len(frames_in(tmp_path / "frames")) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["frames"]


def test_a_folder_of_other_things_is_never_replaced(tmp_path, waves):
    folder = tmp_path / "holiday"
    folder.mkdir()
    (folder / "beach.png").write_text("mine")
    with pytest.raises(SefaError, match=r"holds beach\.png.*only frames"):
        write_film(folder, waves(2, 4, 4), overwrite=True)
    assert (folder / "beach.png").read_text() == "mine"


def test_a_file_in_its_place_is_refused(tmp_path, waves):
    (tmp_path / "frames").write_text("mine")
    with pytest.raises(SefaError, match="exists"):
        check_film_path(tmp_path / "frames")


def test_files_that_appear_while_rendering_are_kept(tmp_path, waves):
    def frames():
        yield waves(1, 4, 4)[0]
        (tmp_path / "frames").mkdir()
        (tmp_path / "frames" / "0000.png").write_text("another's")

    with pytest.raises(SefaError, match="exists"):
        write_film(tmp_path / "frames", frames())
    assert (tmp_path / "frames" / "0000.png").read_text() == "another's"
    assert [path.name for path in tmp_path.iterdir()] == ["frames"]


def test_a_missing_parent_is_made(tmp_path, waves):
    write_film(tmp_path / "missing" / "frames", waves(2, 4, 4))
    assert len(list((tmp_path / "missing" / "frames").iterdir())) >= 2
