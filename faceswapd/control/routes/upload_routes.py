"""Uploads in parts, by the tus protocol 1.0 with its extensions creation and termination
(https://tus.io/protocols/resumable-upload).

What has come stays when the line breaks, or the daemon is started again; POST /api/process makes a job of it.
"""

import asyncio
import base64
import binascii
import os
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from faceswapd.children.shield import to_the_end
from faceswapd.control.files import sent_uploads
from faceswapd.control.files.form import lingering, pieces_of
from faceswapd.control.files.receiving import Receiving
from faceswapd.control.files.sent_uploads import SentUpload
from faceswapd.control.files.storage import Storage
from faceswapd.control.live import House
from faceswapd.control.operation import NOTHING, Hears, Operation, Parameter, Told
from faceswapd.control.refusal import Refused
from faceswapd.control.routes.file_routes import storage_of
from faceswapd.control.wire.process_messages import Sent
from faceswapd.core.gate import size_text
from faceswapd.core.intake import is_target
from faceswapd.core.upload_name import kept_name

VERSION: Final = "1.0.0"
CARRIED: Final = {"Tus-Resumable": VERSION, "Tus-Version": VERSION}  # by every answer
OVERRIDE: Final = "X-HTTP-Method-Override"
MEDIA_TYPE: Final = "application/offset+octet-stream"
BUSY_SECONDS: Final = 5.0


def _taken(house: House) -> Storage:
    """Where uploads lie, if they are taken. Raises Refused."""
    storage = storage_of(house)
    if not storage.settings.uploads.enabled:
        raise Refused(403, "Files are not taken by the API.", "Set `enabled = true` in [uploads], and restart.")
    return storage


def _storage(house: House, request: Request) -> Storage:
    """Where uploads lie, if they are taken, and the client speaks as we do. Raises Refused."""
    storage = _taken(house)
    if request.headers.get("tus-resumable") != VERSION:
        raise Refused(412, f"The request does not say `Tus-Resumable: {VERSION}`.")
    return storage


def _whole(request: Request, name: str) -> int:
    text = request.headers.get(name, "")
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise Refused(400, f"The request has no header `{name}` with a whole number.")
    return int(text)


def _file_name(request: Request) -> str:
    """The name in Upload-Metadata: pairs of a key and base64, with commas between. Raises Refused."""
    for pair in request.headers.get("upload-metadata", "").split(","):
        key, _, value = pair.strip().partition(" ")
        if key in ("filename", "name"):
            try:
                return base64.b64decode(value, validate=True).decode("utf-8", "replace")
            except (binascii.Error, ValueError):
                raise Refused(400, "The file's name in Upload-Metadata is no base64.") from None
    raise Refused(400, "Upload-Metadata tells no `filename`.")


def _headers(found: SentUpload) -> dict[str, str]:
    return {"Upload-Offset": str(found.offset), "Upload-Length": str(found.length)}


async def _spoken(house: House, request: Request) -> Response:
    """What a client may know before it begins; the one request that need not say the protocol's version."""
    del request
    largest = str(int(_taken(house).settings.uploads.largest))
    return Response(None, 204, {"Tus-Extension": "creation,termination", "Tus-Max-Size": largest})


async def _begin(house: House, request: Request) -> Told:
    storage = _storage(house, request)
    length, given = _whole(request, "Upload-Length"), _file_name(request)
    largest = int(storage.settings.uploads.largest)
    if length > largest:
        raise Refused(413, f"{given[:60]!r} is larger than {size_text(largest)}.")
    name = kept_name(given, "target")
    if not is_target(name):
        raise Refused(422, f"{given[:60]!r} is neither a video nor an image by its name's ending.")
    made = await sent_uploads.begin(storage, name, given[:60], length)
    headers = {**_headers(made), "Location": f"/api/uploads/{made.id}"}
    return Told(Sent(made.id, 0, length), 201, headers)


async def _how_far(house: House, request: Request) -> Told:
    found = await sent_uploads.find(_storage(house, request), request.path_params["upload"])
    return Told(Sent(found.id, found.offset, found.length), 200, _headers(found))


async def _go_on(house: House, request: Request) -> Response:
    storage, number = _storage(house, request), request.path_params["upload"]
    if request.headers.get("content-type") != MEDIA_TYPE:
        raise Refused(415, f"A part of an upload is of the type {MEDIA_TYPE}.")
    offset = _whole(request, "Upload-Offset")
    if storage.receiving.locked():
        raise Refused(503, "Too many files are being sent at the same time.", wait=BUSY_SECONDS)
    with sent_uploads.held(storage, number):
        async with storage.receiving:
            found = await sent_uploads.find(storage, number)
            if offset != found.offset:
                raise Refused(409, f"{found.offset:,} bytes have come, and not {offset:,}.", "Ask how far it is.")
            await _receive(storage, request, found)
            found = await sent_uploads.find(storage, number)
    return Response(None, 204, _headers(found))


async def _receive(storage: Storage, request: Request, found: SentUpload) -> None:
    """Write what comes at the end of the file; what has come stays, whatever happens. Raises Refused."""
    kept_free = int(storage.settings.limits.disk_free)
    try:
        file = await asyncio.to_thread(Receiving, found.data, found.called, found.length, kept_free, more=True)
        try:
            async for piece in pieces_of(request):
                await file.add(piece)
        finally:
            try:
                await to_the_end(file.finish())
            finally:
                file.close()
                await asyncio.to_thread(os.utime, found.folder)  # it is not forgotten
    except OSError as error:
        raise Refused(507, f"The upload cannot be written: {error.strerror}.") from None


async def _remove(house: House, request: Request) -> Response:
    await sent_uploads.remove(_storage(house, request), request.path_params["upload"])
    return Response(None, 204)


async def _overridden(house: House, request: Request) -> Response:
    """For a client that can send nothing but GET and POST."""
    match request.headers.get(OVERRIDE):
        case "PATCH":
            return await _go_on(house, request)
        case "DELETE":
            return await _remove(house, request)
    raise Refused(400, f"The request says neither `{OVERRIDE}: PATCH` nor `DELETE`.")


UPLOAD = Parameter("upload", {"type": "string"}, "the upload's id", "path", required=True)
SPOKEN = Parameter("Tus-Resumable", {"const": VERSION}, "the protocol's version", "header", required=True)
LENGTH = Parameter("Upload-Length", {"type": "integer", "minimum": 0}, "bytes in all", "header", required=True)
METADATA = Parameter("Upload-Metadata", {"type": "string"}, "`filename` and base64 of it", "header", required=True)
OFFSET = Parameter("Upload-Offset", {"type": "integer", "minimum": 0}, "bytes that have come", "header", required=True)

GIVEN = Parameter("Upload-Offset", {"type": "integer", "minimum": 0}, "with PATCH: bytes that have come", "header")
METHOD = Parameter(OVERRIDE, {"enum": ["PATCH", "DELETE"]}, "what the request is", "header", required=True)

OPERATIONS = (
    Operation(
        "OPTIONS", "/api/uploads", _spoken, "How much of tus is spoken.", NOTHING, status=204, carries=CARRIED,
    ),
    Operation(
        "POST", "/api/uploads", _begin, "An upload in parts begins (tus 1.0).", Sent,
        parameters=(SPOKEN, LENGTH, METADATA), status=201, refusals=(400, 403, 412, 413, 422, 429, 507),
        carries=CARRIED,
    ),
    Operation(
        "GET", "/api/uploads/{upload}", _how_far, "How much of an upload has come.", Sent,
        parameters=(UPLOAD, SPOKEN), refusals=(403, 404, 412), carries=CARRIED,
    ),
    Operation(
        "PATCH", "/api/uploads/{upload}", lingering(_go_on), "A part of an upload comes.", NOTHING,
        Hears(MEDIA_TYPE, {"type": "string", "format": "binary"}), parameters=(UPLOAD, SPOKEN, OFFSET), status=204,
        refusals=(400, 403, 404, 408, 409, 412, 413, 415, 423, 507), carries=CARRIED,
    ),
    Operation(
        "POST", "/api/uploads/{upload}", lingering(_overridden), "PATCH or DELETE, of a client that can only POST.",
        NOTHING, Hears(MEDIA_TYPE, {"type": "string", "format": "binary"}),
        parameters=(UPLOAD, SPOKEN, METHOD, GIVEN), status=204,
        refusals=(400, 403, 404, 408, 409, 412, 413, 415, 423, 507), carries=CARRIED,
    ),
    Operation(
        "DELETE", "/api/uploads/{upload}", _remove, "An upload is given up.", NOTHING,
        parameters=(UPLOAD, SPOKEN), status=204, refusals=(403, 404, 412, 423), carries=CARRIED,
    ),
)  # fmt: skip
