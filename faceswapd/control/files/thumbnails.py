"""Small pictures of files: made by a child of their own, one after the other, and kept for the next one who asks."""

import asyncio
import base64
import contextlib
import hashlib
import os
from pathlib import Path
from typing import Final

from faceswapd.children.child import ChildFailure
from faceswapd.control.files.places import Found
from faceswapd.core.target import Unreadable
from faceswapd.media.examiner import Examiner

MOST_BYTES: Final = 200_000_000  # of all that are kept
MOST_WAITING: Final = 200  # pictures that are asked for at the same time
LEFT: Final = 0.9  # of MOST_BYTES, when the oldest have gone


class NoThumbnailError(Exception):
    """There is no picture, and why; `busy`: it may be asked for again."""

    def __init__(self, sentence: str, *, busy: bool = False) -> None:
        super().__init__(sentence)
        self.busy = busy


class Thumbnails:
    """Makes and keeps them."""

    def __init__(self, folder: Path, examiner: Examiner, most_bytes: int = MOST_BYTES) -> None:
        self._folder = folder
        self._examiner = examiner
        self._most = most_bytes
        self._kept: int | None = None  # bytes; None: not counted yet
        self._turn = asyncio.Lock()
        self._making: dict[str, asyncio.Task[bytes]] = {}

    async def of(self, key: str, found: Found) -> bytes:
        """The JPEG of a file whose content is known by `key`. Raises NoThumbnailError."""
        path = self._folder / f"{hashlib.blake2b(key.encode(), digest_size=20).hexdigest()}.jpg"
        kept = await asyncio.to_thread(_read, path)
        if kept is not None:
            return kept
        making = self._making.get(path.name)
        if making is None:
            if len(self._making) >= MOST_WAITING:
                raise NoThumbnailError("Too many pictures are asked for at the same time.", busy=True)
            making = asyncio.create_task(self._make(path, found), name="a thumbnail is made")
            self._making[path.name] = making
            making.add_done_callback(lambda task: self._done(path.name, task))
        # Who hangs up does not end it: the child would have to be started anew.
        return await asyncio.shield(making)

    def _done(self, name: str, task: "asyncio.Task[bytes]") -> None:
        del self._making[name]
        if not task.cancelled():
            task.exception()  # whoever waited has been told

    async def close(self) -> None:
        """Give up what is being made."""
        tasks = list(self._making.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _make(self, path: Path, found: Found) -> bytes:
        async with self._turn:
            try:
                made = await self._examiner.thumbnail(Path(found.path), found.status.st_dev, found.status.st_ino)
            except ChildFailure as error:
                raise NoThumbnailError(str(error), busy=True) from error
            if isinstance(made, Unreadable):
                raise NoThumbnailError(made.sentence)
            data = base64.b64decode(made.jpeg)
            with contextlib.suppress(OSError):  # a disk that is full keeps nobody from seeing it
                await asyncio.to_thread(self._keep, path, data)
            return data

    def _keep(self, path: Path, data: bytes) -> None:
        self._folder.mkdir(exist_ok=True, mode=0o700)
        aside = path.with_suffix(".part")
        aside.write_bytes(data)
        aside.replace(path)
        if self._kept is not None and self._kept + len(data) <= self._most:
            self._kept += len(data)
            return
        with os.scandir(self._folder) as entries:
            files = sorted(((entry.stat(), entry.path) for entry in entries), key=lambda one: one[0].st_mtime)
        self._kept = sum(status.st_size for status, _ in files)
        if self._kept <= self._most:
            return
        for status, name in files:
            if self._kept <= LEFT * self._most:
                break
            Path(name).unlink(missing_ok=True)
            self._kept -= status.st_size


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None
