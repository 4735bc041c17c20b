"""What preparing and finishing share: their progress, and what goes wrong with the files that they write."""

import errno
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import av.error

from faceswapd.children.serve import Refusal

Report = Callable[[int, int], None]  # is told how much is done, of how much

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
_SCARCE: Final = frozenset({errno.ENOMEM, errno.EAGAIN})  # EAGAIN: no further thread could be started
_FORBIDDEN: Final = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_REPORT_SECONDS: Final = 0.3  # from one word of progress to the next
_ROOM: Final = 256 << 20  # bytes that any written file may have
_GROWTH: Final = 30  # and how many times as large as what it is made of: high quality takes more than low


class Steps:
    """Counts the pictures that have passed, over all the readings and writings of one question."""

    def __init__(self, report: Report, total: int) -> None:
        self._report, self._total, self._done, self._next = report, total, 0, 0.0

    def step(self, count: int = 1) -> None:
        """So many pictures more have passed; it is told a few times a second."""
        self._done += count
        now = time.monotonic()
        if now >= self._next:
            self._next = now + _REPORT_SECONDS
            self._report(self._done, max(self._done, self._total))


def not_written(error: BaseException) -> Refusal:
    """A file could not be written. Raises MemoryError where the machine had too little for it."""
    number = getattr(error, "errno", None)
    if number in _SCARCE:
        raise MemoryError from error
    if number in _FULL:
        return Refusal("disk_full", "The disk was full while the video or image was written.")
    # FFmpeg's coders say -1 of anything, which looks like EPERM; the system's own errors are no such thing.
    if number in _FORBIDDEN and not (number == errno.EPERM and isinstance(error, av.error.FFmpegError)):
        return Refusal("not_writable", "The scratch folder does not allow a file to be written.")
    if number == errno.EFBIG:
        return Refusal("output_damaged", "The file grew far beyond what such a video or image can need.")
    return Refusal("output_damaged", f"The file could not be written: {getattr(error, 'strerror', None) or error}.")


def limit_files(*sources: Path) -> None:
    """From now on no written file may be much larger than these together: a hostile file fills no disk."""
    size = sum(source.stat().st_size for source in sources if source.exists())
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    soft = _ROOM + _GROWTH * size
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))


def asks(args: Any, name: str) -> Path:
    """A path that a question names."""
    return Path(args[name])
