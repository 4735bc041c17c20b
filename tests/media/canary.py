"""A file and an address that nothing may touch, and that notice it when something does."""

import contextlib
import ctypes
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

_OPENED = 0x20  # IN_OPEN


class Canary:
    """`path` is a video that nobody may open, `url` an address that nobody may ask for."""

    def __init__(self, path: Path, watch: int | None, listening: socket.socket) -> None:
        self.path = path
        self.url = f"http://127.0.0.1:{listening.getsockname()[1]}/canary.mp4"
        self._watch = watch
        self._listening = listening

    @property
    def sees(self) -> bool:
        """Whether the system tells of opened files."""
        return self._watch is not None

    def opened(self) -> bool:
        """Whether somebody has opened the file since the last time."""
        if self._watch is None:
            return False
        with contextlib.suppress(BlockingIOError):
            return bool(os.read(self._watch, 4096))
        return False

    def called(self) -> bool:
        """Whether somebody has connected to the address since the last time."""
        try:
            self._listening.accept()[0].close()
        except BlockingIOError:
            return False
        return True


@contextlib.contextmanager
def canary(path: Path) -> Iterator[Canary]:
    """Watch over an existing file, and listen on an address of this machine."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        watch = _watching(path) if sys.platform == "linux" else None
        try:
            yield Canary(path, watch, listening)
        finally:
            if watch is not None:
                os.close(watch)


def _watching(path: Path) -> int | None:
    system = ctypes.CDLL(None, use_errno=True)
    watch = int(system.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC))
    if watch >= 0 and system.inotify_add_watch(watch, os.fsencode(path), _OPENED) < 0:
        os.close(watch)
        return None
    return watch if watch >= 0 else None
