"""A target and its photos that are sent as a form: received into a folder of their own below the state folder."""

import asyncio
import contextlib
import hashlib
import json
import os
import secrets
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from starlette.requests import Request

from faceswapd.children.shield import to_the_end
from faceswapd.control import requests
from faceswapd.control.files.form import Begun, Data, field_text, form_of
from faceswapd.control.files.photos import LARGEST_PHOTO, begin_photo
from faceswapd.control.files.receiving import Receiving, check_room
from faceswapd.control.files.storage import Storage
from faceswapd.control.refusal import Refused
from faceswapd.core.intake import is_target
from faceswapd.core.target import IMAGE_SUFFIXES, VIDEO_SUFFIXES
from faceswapd.core.upload_name import PHOTOS, kept_name

FIELDS: Final = ("face", "preset", "priority", "upload")
FORM: Final = 64 * 1024  # bytes that a form takes beside its files
BUSY_SECONDS: Final = 5.0


@dataclass
class Upload:
    """What was received. Unless `kept` is set, nothing of it stays."""

    folder: Path
    path: Path | None = None  # of the target
    called: str = ""  # the target, by the one who sends it
    target: Receiving | None = None  # None: it was sent before
    photos: list[Receiving] = field(default_factory=list)
    fields: dict[str, str] = field(default_factory=dict)
    kept: bool = False

    @property
    def asked(self) -> str:
        """All of it in words."""
        target = None if self.target is None else (self.target.called, self.target.content)
        return json.dumps([target, [one.content for one in self.photos], sorted(self.fields.items())])

    @property
    def photos_name(self) -> str | None:
        """What the photos are called as a face: the same ones always have the same name."""
        if not self.photos:
            return None
        together = hashlib.blake2b(digest_size=16)
        for content in sorted(one.content for one in self.photos):
            together.update(content.encode())
        return f"{PHOTOS}{together.hexdigest()}"

    @property
    def bundle(self) -> Path | None:
        """The folder in which the photos are to lie."""
        name = self.photos_name
        return None if name is None else self.folder.with_name(name)

    async def make_last(self) -> None:
        """Put the photos into their place, and make all of it durable. Raises Refused."""
        try:
            await to_the_end(asyncio.to_thread(self._place))
        except OSError as error:
            raise Refused(507, f"The files cannot be kept: {error.strerror}.") from None

    def _place(self) -> None:
        if self.bundle is not None:
            inner = self.photos[0].path.parent
            _sync(inner)
            try:
                inner.rename(self.bundle)
            except OSError:
                if not self.bundle.is_dir():
                    raise
                os.utime(self.bundle)  # the same photos are there already, and somebody needs them again
        _sync(self.folder)
        _sync(self.folder.parent)


def _sync(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


@contextlib.asynccontextmanager
async def receive(storage: Storage, request: Request) -> AsyncIterator[Upload]:
    """All that a form says. At the end nothing of it stays that is not to be kept. Raises Refused."""
    settings = storage.settings.uploads
    if not settings.enabled:
        raise Refused(403, "Files are not taken by the API.", "Set `enabled = true` in [uploads], and restart.")
    if storage.receiving.locked():
        raise Refused(503, "Too many files are being sent at the same time.", wait=BUSY_SECONDS)
    async with storage.receiving:
        length = requests.length(request)
        if length > int(settings.largest) + settings.most_photos * LARGEST_PHOTO + FORM:
            raise Refused(413, f"{length:,} bytes are more than is taken.")
        upload = Upload(storage.settings.uploads_folder / secrets.token_hex(12))
        try:
            await asyncio.to_thread(_begin, upload.folder, length, int(storage.settings.limits.disk_free))
            await _hear(storage, request, upload)
            yield upload
        finally:
            for one in (upload.target, *upload.photos):
                if one is not None:
                    one.close()
            if not upload.kept:
                await to_the_end(asyncio.to_thread(shutil.rmtree, upload.folder, ignore_errors=True))


def _begin(folder: Path, length: int, kept_free: int) -> None:
    try:
        folder.parent.mkdir(exist_ok=True, mode=0o700)
        check_room(folder.parent, length, kept_free)
        folder.mkdir(mode=0o700)
    except OSError as error:
        raise Refused(507, f"The files cannot be kept: {error.strerror}.") from None


async def _hear(storage: Storage, request: Request, upload: Upload) -> None:
    part: Receiving | None = None  # None: a field
    called = ""
    async for event in form_of(request):
        match event:
            case Begun(called, None) if called in FIELDS:
                part = None
                if called in upload.fields:
                    raise Refused(400, f"The form has two parts {called!r}.")
                upload.fields[called] = ""
            case Begun(name, file):
                part = await _begun(storage, upload, name, file)
            case Data(data) if part is not None:
                await part.add(data)
            case Data(data):
                upload.fields[called] = field_text(upload.fields[called], data)
            case _ if part is not None:
                await part.finish()
    _check(upload)


def _check(upload: Upload) -> None:
    """Whether it says what is to be swapped, and once. Raises Refused."""
    if upload.target is None and not upload.fields.get("upload"):
        raise Refused(400, "The form has no file called `target`.")
    if upload.target is not None and upload.fields.get("upload"):
        raise Refused(400, "The form has a target, and names an upload as well.", "Send one of the two.")
    if upload.photos and upload.fields.get("face"):
        raise Refused(400, "The form names a face and has photos as well.", "Send one of the two.")


async def _begun(storage: Storage, upload: Upload, name: str, file: str | None) -> Receiving:
    """A file begins. Raises Refused."""
    settings, kept_free = storage.settings.uploads, int(storage.settings.limits.disk_free)
    if file is None or name not in ("target", "source"):
        wanted = "`target` and `source` as files, and `face`, `preset`, `priority` and `upload`"
        raise Refused(400, f"The form has a part {name[:40]!r}; it may have {wanted}.")
    if name == "source":
        inner = upload.folder / "photos"
        photo = await begin_photo(inner, len(upload.photos), file, settings.most_photos, kept_free, "source-")
        upload.photos.append(photo)
        return photo
    if upload.target is not None:
        raise Refused(400, "The form has two files called `target`.", "Send one at a time.")
    own = kept_name(file, "target")
    if not is_target(own):
        endings = ", ".join(sorted(VIDEO_SUFFIXES | IMAGE_SUFFIXES))
        raise Refused(422, f"{file[:60]!r} is neither a video nor an image by its name's ending.", f"Send {endings}.")
    upload.path, upload.called = upload.folder / own, file[:60]
    try:
        upload.target = await asyncio.to_thread(Receiving, upload.path, upload.called, int(settings.largest), kept_free)
    except OSError as error:
        raise Refused(507, f"The target cannot be written: {error.strerror}.") from None
    return upload.target
