"""A file that is being received: written aside, counted, hashed, and made durable."""

import asyncio
import errno
import hashlib
import os
import shutil
from pathlib import Path
from typing import Final

from faceswapd.children.shield import to_the_end
from faceswapd.control.refusal import Refused
from faceswapd.core.gate import size_text

BLOCK: Final = 1 << 20  # bytes that are written at once
LOOK_EVERY: Final = 16 << 20  # bytes between two looks at the disk
_FULL: Final = (errno.ENOSPC, errno.EDQUOT)


def check_room(folder: Path, wanted: int, kept_free: int) -> None:
    """Whether so many bytes more leave the disk what is to be kept free. Blocks. Raises Refused and OSError."""
    free = shutil.disk_usage(folder).free
    if free - wanted < kept_free:
        raise Refused(
            507,
            f"There is no room for it: {size_text(max(0, free))} are free on the disk of {folder}, and "
            f"{size_text(kept_free)} are kept free.",
            "Make room there, or ask again when jobs have ended.",
        )


class Receiving:
    """Write with `add`, then `finish`. Whoever made it ends it with `close`."""

    def __init__(self, path: Path, called: str, largest: int, kept_free: int, *, more: bool = False) -> None:
        """`called`: as the one who sends knows it. `more`: the file is there, and is written on. Blocks. Raises
        OSError."""
        flags = os.O_APPEND if more else os.O_CREAT | os.O_EXCL
        self.path = path
        self.called = called
        self._largest = largest
        self._kept_free = kept_free
        self._digest = hashlib.blake2b(digest_size=32)
        self._block = bytearray()
        self._file: int | None = os.open(path, flags | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        self.size = self._looked = os.fstat(self._file).st_size

    @property
    def content(self) -> str:
        """The BLAKE2b-256 of what was written here, in hexadecimal."""
        return self._digest.hexdigest()

    async def add(self, data: bytes) -> None:
        """One piece more. Raises Refused."""
        self.size += len(data)
        if self.size > self._largest:
            raise Refused(413, f"{self.called!r} is larger than {size_text(self._largest)}.")
        self._block += data
        if len(self._block) >= BLOCK:
            await self._flush()

    async def finish(self) -> None:
        """All has come. Raises Refused."""
        await self._flush(whole=True)

    async def _flush(self, *, whole: bool = False) -> None:
        block, self._block = self._block, bytearray()
        try:
            await to_the_end(asyncio.to_thread(self._write, block, whole=whole))  # nobody closes it meanwhile
        except OSError as error:
            if error.errno in _FULL:
                raise Refused(507, f"The disk of {self.path.parent} is full.", "Make room there.") from None
            raise Refused(500, f"{self.called!r} cannot be written: {error.strerror}.") from None

    def _write(self, block: bytearray, *, whole: bool) -> None:
        if self._file is None:
            return
        if self.size - self._looked >= LOOK_EVERY:
            self._looked = self.size
            check_room(self.path.parent, len(block), self._kept_free)
        self._digest.update(block)
        rest = memoryview(block)
        while rest:
            rest = rest[os.write(self._file, rest) :]
        if whole:
            os.fsync(self._file)
            self.close()

    def close(self) -> None:
        """Let go of the file. Once more does nothing."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
