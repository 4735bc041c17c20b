"""Whether a file still is what the ledger knows: by its looks, and where they tell nothing, by reading it."""

import asyncio
import hashlib
import os
from collections import OrderedDict
from typing import Final

from faceswapd.control.files.places import Found

REMEMBERED: Final = 1024
_BLOCK: Final = 1 << 20  # bytes

_Looks = tuple[int, int, int, int, int]


class Contents:
    """The hashes of files, remembered for as long as the files look the same."""

    def __init__(self) -> None:
        self._known: OrderedDict[_Looks, str] = OrderedDict()
        self._turn = asyncio.Lock()  # one file is read at a time: more would only wait for the same disk

    async def of(self, found: Found) -> str:
        """The BLAKE2b-256 of an open file, in hexadecimal. Raises OSError."""
        one = found.status
        looks = one.st_dev, one.st_ino, one.st_size, one.st_mtime_ns, one.st_ctime_ns
        async with self._turn:
            content = self._known.get(looks)
            if content is None:
                content = await asyncio.to_thread(_digest, found.file.fileno())
                self._known[looks] = content
                while len(self._known) > REMEMBERED:
                    self._known.popitem(last=False)
            self._known.move_to_end(looks)
            return content


def _digest(number: int) -> str:
    digest, at = hashlib.blake2b(digest_size=32), 0
    while data := os.pread(number, _BLOCK, at):
        digest.update(data)
        at += len(data)
    return digest.hexdigest()
