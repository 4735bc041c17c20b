"""A file as an answer: whole, a part of it, or only what it is like; read in pieces, in a thread.

Starlette's own FileResponse opens its file by name, and would follow a link that has come there since we looked.
"""

import asyncio
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import formatdate, parsedate_to_datetime
from io import FileIO
from pathlib import PurePath
from typing import Final, Literal
from urllib.parse import quote

import structlog
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from faceswapd.control.requests import LINE_GONE

PIECE: Final = 256 * 1024  # bytes
UNKNOWN: Final = "application/octet-stream"
TYPES: Final[Mapping[str, str]] = {
    ".avi": "video/x-msvideo",
    ".bmp": "image/bmp",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".m4v": "video/x-m4v",
    ".mkv": "video/x-matroska",
    ".mov": "video/quicktime",
    ".mp4": "video/mp4",
    ".mpeg": "video/mpeg",
    ".mxf": "application/mxf",
    ".png": "image/png",
    ".tiff": "image/tiff",
    ".webm": "video/webm",
    ".webp": "image/webp",
    ".wmv": "video/x-ms-wmv",
}
# What a file holds is not ours: a browser shows it, runs nothing of it, and lets no other page have it.
SAFE_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; "
    "sandbox",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_RANGE = re.compile(r"bytes=\s*(\d{0,18})-(\d{0,18})\s*")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Part:
    """Bytes of a file, from the first to before the end."""

    first: int
    end: int


def part_of(wanted: str | None, size: int) -> Part | Literal["all", "none"]:
    """What a Range asks for: `all` where it asks for nothing that we know, such as several parts; `none` where the file
    has nothing of it."""
    match = None if wanted is None else _RANGE.fullmatch(wanted)
    if match is None or match[1] == match[2] == "":
        return "all"
    if not match[1]:
        last = int(match[2])
        return Part(max(0, size - last), size) if last and size else "none"
    first = int(match[1])
    end = min(size, int(match[2]) + 1) if match[2] else size
    if match[2] and int(match[2]) < first:
        return "all"
    return Part(first, end) if first < size else "none"


def is_known(headers: Headers, tag: str, modified: float) -> bool:
    """Whether the one who asks has this already."""
    tags = headers.get("if-none-match")
    if tags is not None:
        return tags.strip() == "*" or tag in {one.strip().removeprefix("W/") for one in tags.split(",")}
    since = _moment(headers.get("if-modified-since"))
    return since is not None and int(modified) <= since


def goes_on(headers: Headers, tag: str, modified: float) -> bool:
    """Whether a part may be given: the one who asks has the other parts of the same file."""
    of = headers.get("if-range")
    return of is None or of.strip() == tag or _moment(of) == int(modified)


def _moment(text: str | None) -> float | None:
    try:
        return None if text is None else parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None


def disposition(name: str, *, download: bool) -> str:
    """A Content-Disposition with any name (RFC 6266, RFC 5987)."""
    plain = re.sub(r'[^ -~]|["\\%]', "_", name)
    whole = quote(name.encode("utf-8", "replace"), safe="")
    return f"{'attachment' if download else 'inline'}; filename=\"{plain}\"; filename*=UTF-8''{whole}"


def type_of(name: str) -> str:
    """The media type by a name's ending, of what we take and make; nothing else is shown."""
    return TYPES.get(PurePath(name).suffix.lower(), UNKNOWN)


class FileAnswer(Response):
    """Answers with an open file, and closes it."""

    def __init__(self, file: FileIO, asked: Headers, *, name: str, tag: str, download: bool) -> None:
        """`tag` is the ETag, with its quotes; `asked` are the request's headers."""
        status = os.fstat(file.fileno())
        headers = {
            **SAFE_HEADERS,
            "Accept-Ranges": "bytes",
            "Cache-Control": "private, no-cache",
            "Content-Disposition": disposition(name, download=download),
            "ETag": tag,
            "Last-Modified": formatdate(status.st_mtime, usegmt=True) if 0 <= status.st_mtime < 2**37 else "",
        }
        code, self._part = 200, Part(0, status.st_size)
        if is_known(asked, tag, status.st_mtime):
            code, self._part = 304, Part(0, 0)
        elif goes_on(asked, tag, status.st_mtime):
            found = part_of(asked.get("range"), status.st_size)
            if found == "none":
                code, self._part = 416, Part(0, 0)
                headers["Content-Range"] = f"bytes */{status.st_size}"
            elif isinstance(found, Part):
                code, self._part = 206, found
                headers["Content-Range"] = f"bytes {found.first}-{found.end - 1}/{status.st_size}"
        if code != 304:
            headers["Content-Length"] = str(self._part.end - self._part.first)
        self._file = file
        super().__init__(None, code, {key: value for key, value in headers.items() if value}, type_of(name))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it; whoever hangs up is sent no more."""
        del receive
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            gone = scope.get("extensions", {}).get(LINE_GONE)
            at, end = (self._part.first, self._part.end) if scope["method"] != "HEAD" else (0, 0)
            while at < end:
                if gone is not None and gone.is_set():
                    return
                data = await asyncio.to_thread(os.pread, self._file.fileno(), min(PIECE, end - at), at)
                if not data:  # it has become shorter: what is missing tells the one who asks
                    log.warning("a file became shorter while it was sent", missing=end - at)
                    return
                at += len(data)
                await send({"type": "http.response.body", "body": data, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            self._file.close()
