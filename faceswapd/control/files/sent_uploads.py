"""Uploads that may be broken off and gone on with: each has a folder, and the size of its file is how far it is."""

import asyncio
import contextlib
import json
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from faceswapd.children.shield import to_the_end
from faceswapd.control.files.receiving import check_room
from faceswapd.control.files.storage import Storage
from faceswapd.control.refusal import Refused
from faceswapd.core.upload_name import SENT

MOST: Final = 100  # that are not finished
_DATA: Final = "data"
_ABOUT: Final = "about.json"


@dataclass(frozen=True, slots=True)
class SentUpload:
    """One of them, as it is now."""

    id: str
    name: str  # as it is kept
    called: str  # by the one who sends it
    offset: int  # bytes that have come
    length: int  # bytes that it will have
    folder: Path

    @property
    def data(self) -> Path:
        """The file."""
        return self.folder / _DATA


async def begin(storage: Storage, name: str, called: str, length: int) -> SentUpload:
    """A new one of which nothing has come. Raises Refused."""
    root, kept_free = storage.settings.uploads_folder, int(storage.settings.limits.disk_free)
    number = secrets.token_hex(12)
    folder = root / f"{SENT}{number}"

    def make() -> None:
        root.mkdir(exist_ok=True, mode=0o700)
        check_room(root, length, kept_free)
        if sum(one.name.startswith(SENT) for one in root.iterdir()) >= MOST:
            raise Refused(429, f"{MOST} uploads are not finished.", "Finish them, or delete them.")
        folder.mkdir(mode=0o700)
        os.close(os.open(folder / _DATA, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        (folder / _ABOUT).write_text(json.dumps({"name": name, "called": called, "length": length}), encoding="utf-8")

    try:
        await asyncio.to_thread(make)
    except OSError as error:
        raise Refused(507, f"The upload cannot be kept: {error.strerror}.") from None
    return SentUpload(number, name, called, 0, length, folder)


async def find(storage: Storage, number: str) -> SentUpload:
    """One by its id. Raises Refused."""
    folder = storage.settings.uploads_folder / f"{SENT}{number}"

    def look() -> SentUpload | None:
        try:
            about = json.loads((folder / _ABOUT).read_text(encoding="utf-8"))
            offset = (folder / _DATA).lstat().st_size
            return SentUpload(number, about["name"], about["called"], offset, about["length"], folder)
        except (OSError, ValueError):  # a crash came while it was begun
            return None

    found = await asyncio.to_thread(look) if re.fullmatch("[0-9a-f]{24}", number) else None
    if found is None:
        raise Refused(404, f"There is no upload {number[:40]!r}.", "It was used, deleted, or left alone for a day.")
    return found


@contextlib.contextmanager
def held(storage: Storage, number: str) -> Iterator[None]:
    """Nobody else changes it meanwhile. Raises Refused."""
    if number in storage.sending:
        raise Refused(423, "A part of this upload is coming already.", "Go on when it has come.", wait=1.0)
    storage.sending.add(number)
    try:
        yield
    finally:
        storage.sending.discard(number)


async def remove(storage: Storage, number: str) -> None:
    """Give it up. Raises Refused."""
    with held(storage, number):
        found = await find(storage, number)
        await to_the_end(asyncio.to_thread(shutil.rmtree, found.folder, ignore_errors=True))


async def take(storage: Storage, number: str, folder: Path) -> tuple[Path, str]:
    """Move a whole one into a folder, under its own name; the file, and what it was called. Raises Refused."""
    with held(storage, number):
        found = await find(storage, number)
        if found.offset != found.length:
            raise Refused(409, f"Of the upload {number} {found.offset:,} of {found.length:,} bytes have come.")
        path = folder / found.name
        try:
            await asyncio.to_thread(found.data.rename, path)
        except OSError as error:
            raise Refused(409, f"The upload {number} cannot be used: {error.strerror}.") from None
        await to_the_end(asyncio.to_thread(shutil.rmtree, found.folder, ignore_errors=True))
        return path, found.called
