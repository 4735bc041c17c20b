"""A file opened for examination. Its bytes are hashed while they pass by, so that most files are read once."""

import hashlib
import os
import stat
from typing import Final, Self

from faceswapd.core.target import Unreadable

_BLOCK: Final = 1 << 20  # bytes


class Opened:
    """An ordinary file, read-only, in the shape that PyAV wants, and without a name to guess by.

    The path may hold lone surrogates (names that are not UTF-8). Raises OSError, and NotOrdinaryError.
    """

    def __init__(self, path: str) -> None:
        # Opening a FIFO would wait for a writer for ever without O_NONBLOCK.
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            os.close(fd)
            raise NotOrdinaryError
        self._file = os.fdopen(fd, "rb", buffering=0)
        self._hash = hashlib.blake2b(digest_size=32)
        self._hashed = 0  # bytes from the start that the hash has seen
        self._at = 0
        self.size = status.st_size
        self.numbers = status.st_dev, status.st_ino  # which file it is

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def read(self, size: int) -> bytes:
        """Up to `size` bytes from here; empty at the end."""
        data = self._file.read(size)
        start, self._at = self._at, self._at + len(data)
        if start <= self._hashed < self._at:
            self._hash.update(memoryview(data)[self._hashed - start :])
            self._hashed = self._at
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go there; returns the new place, or -1, as FFmpeg wants it, for one that a damaged file made up."""
        try:
            self._at = self._file.seek(offset, whence)
        except (OSError, OverflowError):
            return -1
        return self._at

    def tell(self) -> int:
        """The place of the next read."""
        return self._at

    def peek(self, offset: int, size: int) -> bytes:
        """Bytes from anywhere, without moving; fewer than `size` at the end."""
        return os.pread(self._file.fileno(), size, offset)

    def whole(self) -> bytes:
        """All the bytes. The caller has looked at `size`."""
        self.seek(0)
        data = bytearray()
        while block := self.read(max(_BLOCK, self.size - len(data))):  # a network may hand over less at once
            data += block
        return bytes(data)

    def content(self) -> str:
        """The BLAKE2b-256 of all the bytes, in hexadecimal. Reads what has not been read yet."""
        self.seek(self._hashed)
        while self.read(_BLOCK):
            pass
        return self._hash.hexdigest()


class NotOrdinaryError(Exception):
    """The path names a folder, a device, a socket or a FIFO."""


def unopened(error: OSError | NotOrdinaryError) -> Unreadable:
    """Why a file could not be opened or read, in a sentence."""
    match error:
        case NotOrdinaryError() | IsADirectoryError():
            return Unreadable("It is not an ordinary file.")
        case FileNotFoundError():
            return Unreadable("The file is no longer there.")
        case PermissionError():
            return Unreadable("The file may not be read by this user: give the daemon's user the right to read it.")
        case _:
            return Unreadable(f"The file could not be read: {error.strerror or error}.")
