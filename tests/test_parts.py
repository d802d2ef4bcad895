"""Parts of a job: shares, files, and what must be refused before anything is merged."""

import zipfile
from pathlib import Path

import numpy as np
import pytest

from sefa_cli.errors import MismatchError, SefaError, UsageError
from sefa_cli.parts import Part, Shard, read_job

JOB = {"items": [3, 5, 8, 9, 10], "model": {"ref": "a.pth", "fingerprint": "f"}, "tau": 1e-3}


def saved(folder: Path, text: str, job: dict | None = None, kind: str = "directions") -> Path:
    """A part in a file, whose result for each item is ten times its place."""
    shard = Shard.parse(text)
    whole = Part(kind, shard, job or JOB)
    arrays = {f"x/{i}": np.array([10 * i]) for i in whole.share}
    path = shard.path(folder / "a.dirs")
    Part(kind, shard, job or JOB, {}, arrays).save(path, overwrite=True)
    return path


@pytest.mark.parametrize("total", [1, 5, 12, 100])
@pytest.mark.parametrize("count", [1, 3, 7])
def test_shares_are_disjoint_whole_and_nearly_equal(total: int, count: int) -> None:
    if count > total:
        for n in range(1, count + 1):  # or a job array ends with some failed, and all made
            with pytest.raises(UsageError, match=f"at most {total}"):
                Shard(n, count).share(total)
        return
    shares = [Shard(n, count).share(total) for n in range(1, count + 1)]
    assert [i for share in shares for i in share] == list(range(total))
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


@pytest.mark.parametrize(
    "text", ["", "2", "0/3", "4/3", "-1/3", "1/0", "1/2/3", "a/b", "1/9999999"]
)
def test_what_is_no_share_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--shard must be a share such as 2/8"):
        Shard.parse(text)


def test_parts_are_read_in_order_however_they_are_named(tmp_path: Path) -> None:
    paths = [saved(tmp_path, text) for text in ("3/3", "1/3", "2/3")]
    job = read_job(paths)
    assert [str(part.shard) for part in job.parts] == ["1/3", "2/3", "3/3"]
    assert [int(job.array(i, "x")[0]) for i in range(5)] == [0, 10, 20, 30, 40]
    assert paths[0].name == "a.dirs.3of3.part"


def test_the_same_part_has_the_same_bytes(tmp_path: Path) -> None:
    first = saved(tmp_path, "1/2").read_bytes()
    assert saved(tmp_path, "1/2").read_bytes() == first


def test_missing_and_double_shards_are_named(tmp_path: Path) -> None:
    first = saved(tmp_path, "1/5")
    with pytest.raises(SefaError, match="shards 2-5 of 5 are missing"):
        read_job([first])
    with pytest.raises(UsageError, match="shard 1/5 is given twice"):
        read_job([first, first])
    with pytest.raises(UsageError, match="no parts are given"):
        read_job([])


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({**JOB, "tau": 1e-4}, "tau is 0.001 and 0.0001"),
        ({**JOB, "items": [3, 5, 8, 9, 11]}, "the list of items is"),
        (
            {**JOB, "model": {"ref": "a.pth", "fingerprint": "g"}},
            "model fingerprint is 'f' and 'g'",
        ),
        ({**JOB, "num": 4}, "num is None and 4"),
    ],
)
def test_parts_of_different_jobs_are_refused(tmp_path: Path, other: dict, said: str) -> None:
    paths = [saved(tmp_path, "1/2"), saved(tmp_path, "2/2", other)]
    with pytest.raises(MismatchError) as caught:
        read_job(paths)
    assert said in str(caught.value) and "with the same command" in str(caught.value)


def test_parts_of_another_kind_count_or_version_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = saved(tmp_path, "1/2")
    with pytest.raises(MismatchError, match="kind is 'directions' and 'codes'"):
        read_job([first, saved(tmp_path, "2/2", kind="codes")])
    with pytest.raises(MismatchError, match="number of shards is 2 and 3"):
        read_job([first, saved(tmp_path, "2/3")])
    monkeypatch.setattr("sefa_cli.parts.__version__", "0.0.9")
    with pytest.raises(MismatchError, match=r"the version of sefa is '0.1.0' and '0.0.9'"):
        read_job([first, saved(tmp_path, "2/2")])


@pytest.mark.parametrize("data", [b"", b"no archive", b"PK\3\4" + bytes(40)])
def test_a_file_that_is_no_part_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a.part"
    path.write_bytes(data)
    with pytest.raises(SefaError, match="is not a part of a job, or is broken"):
        read_job([path])


def test_other_archives_and_missing_files_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "codes.npz", w=np.zeros(3))
    with pytest.raises(SefaError, match="is not a part of a job"):
        read_job([tmp_path / "codes.npz"])
    with pytest.raises(SefaError, match="does not exist"):
        read_job([tmp_path / "none.part"])


def test_members_that_are_no_arrays_are_refused(tmp_path: Path) -> None:
    """numpy returns their bytes."""
    path = saved(tmp_path, "1/1")
    with zipfile.ZipFile(path) as archive:
        about = archive.read("about.npy")
    for name, data in (("about", b"{}"), ("about.npy", b"{}"), ("about.npy", about)):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(name, data)
            archive.writestr("x/0.npy", b"5")
        with pytest.raises(SefaError, match="broken"):
            read_job([path]).array(0, "x")


def test_every_flipped_byte_is_found_or_changes_nothing(tmp_path: Path) -> None:
    path = saved(tmp_path, "1/1")
    whole = path.read_bytes()
    for at in range(0, len(whole), 7):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1 :])
        try:
            job = read_job([path])
            found = [int(job.array(i, "x")[0]) for i in range(5)]
        except SefaError:
            continue
        assert found == [0, 10, 20, 30, 40]
