"""The dashboard: one page and its few files, read once, at the start.

A name in a request is looked up among the names of those files and never becomes a path. Whoever has no key gets the
words on how to come in, and the files that draw them: they hold nothing of anybody's.
"""

import hashlib
from dataclasses import dataclass
from importlib import resources
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from faceswapd.control.doors.guard import PEER, check_key
from faceswapd.control.live import House
from faceswapd.control.operation import Operation, Parameter
from faceswapd.control.refusal import Refused

TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
HEADERS: Final = {
    "Cache-Control": "no-cache",  # kept, and asked about each time: an update of the daemon is seen at once
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True, slots=True)
class PageFile:
    """One file of the page."""

    content: bytes
    media_type: str
    tag: str  # changes with the content


def _read() -> dict[str, PageFile]:
    found = {}
    for entry in resources.files("faceswapd.control").joinpath("static").iterdir():
        media_type = TYPES.get("." + entry.name.rpartition(".")[2])
        if media_type is not None:
            content = entry.read_bytes()
            found[entry.name] = PageFile(content, media_type, f'"{hashlib.sha256(content).hexdigest()[:32]}"')
    return found


FILES: Final = _read()
PAGE: Final = "index.html"
LOGIN: Final = "login.html"


def _answer(request: Request, name: str, status: int = 200) -> Response:
    file = FILES[name]
    headers = {**HEADERS, "ETag": file.tag}
    if status == 200 and file.tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(file.content, status, headers, file.media_type)


async def _page(house: House, request: Request) -> Response:
    if house.network is not None and PEER not in request.scope.get("extensions", {}):
        try:
            check_key(request, house.network)
        except Refused as refused:
            if refused.status != 401:
                raise
            answer = _answer(request, LOGIN, 401)
            answer.headers["Cache-Control"] = "no-store"
            answer.headers["WWW-Authenticate"] = "Bearer"
            return answer
    return _answer(request, PAGE)


async def _file(_: House, request: Request) -> Response:
    name: str = request.path_params["name"]
    if name not in FILES or name in (PAGE, LOGIN):
        raise Refused(404, f"The page has no file {name[:40]!r}.")
    return _answer(request, name)


NAME = Parameter("name", {"type": "string"}, "one of the page's files", "path", required=True)

OPERATIONS = (
    Operation("GET", "/", _page, "The dashboard.", "text/html", open=True),
    Operation(
        "GET", "/static/{name}", _file, "A file of the dashboard.", "text/plain", parameters=(NAME,), refusals=(404,),
        open=True,
    ),
)  # fmt: skip
