"""What a run says while it runs: the last of it, and how much came before."""

from collections import deque
from typing import Final

MOST: Final = 64 * 1024  # bytes that are kept


class RunningLog:
    """Lines, counted in bytes of UTF-8 with their ends, so that a reader goes on where he was."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._lines: deque[bytes] = deque()
        self._kept = 0
        self.end = 0  # bytes that were said in all

    @property
    def start(self) -> int:
        """Bytes at the beginning that are no longer kept."""
        return self.end - self._kept

    def say(self, line: str) -> None:
        """Take in a line. One that is longer than all that is kept loses its end."""
        data = line.encode(errors="replace")[: self._most - 1].decode(errors="ignore").encode() + b"\n"
        self._lines.append(data)
        self._kept += len(data)
        self.end += len(data)
        while self._kept > self._most:
            self._kept -= len(self._lines.popleft())

    def after(self, offset: int) -> str:
        """What is kept of that which followed so many bytes. An offset in the middle of a letter loses that letter."""
        skip = max(0, offset - self.start)
        return b"".join(self._lines)[skip:].decode(errors="ignore")
