"""Files that a browser sends: limited in size, and in how many come in a minute."""

import time
from collections import deque
from collections.abc import AsyncIterator

from sefa_cli.errors import SefaError

LARGEST = 1 << 26  # bytes of a file
A_MINUTE = 20  # files from one page


class UploadError(SefaError):
    """A file that is not read. `status` is that of the answer."""

    def __init__(self, status: int, found: str, remedy: str) -> None:
        super().__init__(found, remedy=remedy)
        self.status = status


class Uploads:
    """The files that one page sends, one after the other."""

    def __init__(self) -> None:
        self._times: deque[float] = deque(maxlen=A_MINUTE)
        self._reading = False

    async def read(self, parts: AsyncIterator[bytes]) -> bytes:
        """Return the whole file. Reading ends as soon as it is too large.

        Raises UploadError if the file is too large, or if too many come.
        """
        now = time.monotonic()
        many = len(self._times) == A_MINUTE and now - self._times[0] < 60
        if many or self._reading:
            often = f"{A_MINUTE} files within a minute" if many else "two files at once"
            raise UploadError(429, f"this page sent {often}", "Wait, then send the file again.")
        self._times.append(now)
        self._reading, data = True, bytearray()
        try:
            async for part in parts:
                data += part
                if len(data) > LARGEST:
                    raise UploadError(413, *too_large())
        finally:
            self._reading = False
        return bytes(data)


def too_large() -> tuple[str, str]:
    """Return what is wrong with a file that is too large, and what to do."""
    remedy = "Put it on the machine that runs the studio and open it by its path."
    return f"the file is larger than {LARGEST >> 20} MB", remedy
