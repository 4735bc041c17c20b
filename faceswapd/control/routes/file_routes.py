"""The files of jobs: the target, the output, and a small picture of either."""

import asyncio
import hashlib
from pathlib import PurePath
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from faceswapd.control import requests
from faceswapd.control.files.file_answers import SAFE_HEADERS, FileAnswer, is_known
from faceswapd.control.files.places import ElsewhereError, Found, open_below
from faceswapd.control.files.storage import Storage
from faceswapd.control.files.thumbnails import NoThumbnailError
from faceswapd.control.live import House
from faceswapd.control.operation import NUMBER, Operation, Parameter
from faceswapd.control.refusal import Refused
from faceswapd.control.routes.handlers import record_of
from faceswapd.core.failures import FINAL
from faceswapd.core.intake import Signature
from faceswapd.core.job import State
from faceswapd.ledger import files, submission
from faceswapd.ledger.records import JobRecord

OPEN_SECONDS: Final = 10.0  # that a disk may take
AFTER_SECONDS: Final = 2.0  # after the record of its success, in which the last touches an output
KEPT_SECONDS: Final = 3600  # for which a browser need not ask for a picture again


def storage_of(house: House) -> Storage:
    """Where files lie. Raises Refused."""
    if house.storage is None:
        raise Refused(503, "This daemon hands no files over.")
    return house.storage


async def opened(storage: Storage, path: str, what: str) -> Found:
    """An open file of ours; `what` begins the sentence that says why not. Raises Refused."""
    try:
        return await asyncio.wait_for(asyncio.to_thread(open_below, tuple(storage.roots), path), OPEN_SECONDS)
    except TimeoutError:
        raise Refused(503, f"{what} cannot be read: its disk does not answer.") from None
    except ElsewhereError:
        raise Refused(
            403, f"{what} is no ordinary file below an inbox, the outbox or the uploads, and is not given out."
        ) from None
    except FileNotFoundError:
        raise Refused(410, f"{what} is no longer there.") from None
    except OSError as error:
        raise Refused(404, f"{what} cannot be read: {error.strerror}.") from None


async def _output(house: House, job: JobRecord) -> tuple[Found, str]:
    """A job's output, open, and its content. Raises Refused."""
    storage, what = storage_of(house), f"The output of job {job.id}"
    content = await files.output_content(house.ledger, job.id)
    if job.output is None or content is None:
        raise Refused(404, f"Job {job.id} has no output: it is {job.state}.")
    found = await opened(storage, job.output, what)
    ended = (job.finished_at or 0.0) + AFTER_SECONDS
    same = found.status.st_ctime <= ended and found.status.st_mtime <= ended
    await _check(storage, found, content, what, same=same)
    return found, content


async def _target(house: House, job: JobRecord) -> tuple[Found, str]:
    """A job's target, open, and its content. Raises Refused."""
    storage, what = storage_of(house), f"The target of job {job.id}"
    if job.category in FINAL:
        raise Refused(403, f"{what} was declined for good, and is not shown.", job.reason)
    if job.facts is None:
        raise Refused(404, f"{what} could not be read, and is not shown.")
    taken = await submission.signature_taken(house.ledger, job)
    try:
        found = await opened(storage, job.target, what)
    except Refused as refused:
        if refused.status != 410 or job.afterwards != "archive" or job.state is not State.SUCCEEDED:
            raise
        found = await opened(storage, str(storage.settings.done / job.relative), what)
    status = found.status
    same = taken == Signature(status.st_ino, status.st_size, status.st_mtime_ns)
    await _check(storage, found, job.facts.content, what, same=same)
    return found, job.facts.content


async def _check(storage: Storage, found: Found, content: str, what: str, *, same: bool) -> None:
    """Raises Refused for another file than the one that the ledger knows, and closes it."""
    try:
        if same or await storage.contents.of(found) == content:
            return
    except OSError as error:
        found.file.close()
        raise Refused(404, f"{what} cannot be read: {error.strerror}.") from None
    except BaseException:
        found.file.close()
        raise
    found.file.close()
    raise Refused(410, f"{what} was replaced by another file, which is not given out.")


async def _send(request: Request, found: Found, content: str) -> Response:
    download = request.query_params.get("download") == "1"
    name = PurePath(found.path).name
    return FileAnswer(found.file, request.headers, name=name, tag=f'"{content[:32]}"', download=download)


async def _get_output(house: House, request: Request) -> Response:
    found, content = await _output(house, await record_of(house.ledger, requests.number(request)))
    return await _send(request, found, content)


async def _get_target(house: House, request: Request) -> Response:
    found, content = await _target(house, await record_of(house.ledger, requests.number(request)))
    return await _send(request, found, content)


async def _thumbnail(house: House, request: Request) -> Response:
    of = request.query_params.get("of", "target")
    if of not in ("target", "output"):
        raise Refused(400, f"There is no picture of {of[:40]!r}.", "Use of=target or of=output.")
    job = await record_of(house.ledger, requests.number(request))
    if job.category in FINAL:
        raise Refused(403, f"The target of job {job.id} was declined for good, and is not shown.", job.reason)
    found, content = await (_output(house, job) if of == "output" else _target(house, job))
    return await picture(storage_of(house), request, found, content)


async def picture(storage: Storage, request: Request, found: Found, key: str) -> Response:
    """A small picture of an open file whose content is known by `key`; the file is closed. Raises Refused."""
    with found.file:
        tag = f'"t-{hashlib.blake2b(key.encode(), digest_size=16).hexdigest()}"'
        headers = {**SAFE_HEADERS, "ETag": tag, "Cache-Control": f"private, max-age={KEPT_SECONDS}"}
        if is_known(request.headers, tag, found.status.st_mtime):
            return Response(None, 304, headers)
        try:
            data = await storage.thumbnails.of(key, found)
        except NoThumbnailError as error:
            if error.busy:
                raise Refused(503, str(error), "Ask again in a moment.", wait=2.0) from None
            raise Refused(422, str(error)) from None
        return Response(data, 200, headers, "image/jpeg")


DOWNLOAD = Parameter("download", {"enum": ["1"]}, "to be saved as a file, not shown")
OF = Parameter("of", {"enum": ["target", "output"], "default": "target"}, "of which file")
RANGE = Parameter("Range", {"type": "string"}, "one part of it, as in `bytes=0-99`", "header")

OPERATIONS = (
    Operation(
        "GET", "/api/jobs/{number}/output", _get_output, "A job's output: the file itself, or a part of it.",
        "application/octet-stream", parameters=(NUMBER, DOWNLOAD, RANGE), refusals=(403, 404, 410, 416),
    ),
    Operation(
        "GET", "/api/jobs/{number}/target", _get_target, "A job's target, likewise.",
        "application/octet-stream", parameters=(NUMBER, DOWNLOAD, RANGE), refusals=(403, 404, 410, 416),
    ),
    Operation(
        "GET", "/api/jobs/{number}/thumbnail", _thumbnail, "A small picture of a job's target or output.",
        "image/jpeg", parameters=(NUMBER, OF), refusals=(400, 403, 404, 410, 422),
    ),
)  # fmt: skip
