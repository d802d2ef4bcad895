"""Files that a browser sends are limited in size, and in how many come in a minute."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from sefa_cli.studio import uploads
from sefa_cli.studio.uploads import UploadError, Uploads


async def parts(sizes: list[int]) -> AsyncIterator[bytes]:
    for size in sizes:
        yield b"x" * size
        await asyncio.sleep(0)


def test_a_file_is_read_whole() -> None:
    assert asyncio.run(Uploads().read(parts([3, 0, 4]))) == b"x" * 7


def test_reading_ends_when_a_file_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "LARGEST", 10)
    read: list[int] = []

    async def coming() -> AsyncIterator[bytes]:
        async for part in parts([6, 6, 6]):
            read.append(len(part))
            yield part

    with pytest.raises(UploadError, match=r"larger than.*open it by its path") as error:
        asyncio.run(Uploads().read(coming()))
    assert error.value.status == 413 and read == [6, 6]


def test_too_many_files_in_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr("sefa_cli.studio.uploads.time.monotonic", lambda: now[0])
    page = Uploads()
    for _ in range(uploads.A_MINUTE):
        asyncio.run(page.read(parts([1])))
    with pytest.raises(UploadError, match="20 files within a minute") as error:
        asyncio.run(page.read(parts([1])))
    assert error.value.status == 429
    now[0] += 60
    assert asyncio.run(page.read(parts([1]))) == b"x"


def test_two_files_at_once() -> None:
    async def both() -> list[object]:
        page = Uploads()
        reads = (page.read(parts([1, 1])), page.read(parts([1])))
        return list(await asyncio.gather(*reads, return_exceptions=True))

    first, second = asyncio.run(both())
    assert first == b"xx" and isinstance(second, UploadError)
