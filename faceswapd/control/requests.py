"""What stands in a request, as values of the right sort. Whatever does not fit raises Refused."""

import asyncio
import json
import re
from collections.abc import Coroutine
from typing import Any, TypeVar
from urllib.parse import parse_qs

from starlette.requests import ClientDisconnect, Request

from faceswapd.control.refusal import Refused
from faceswapd.control.wire.messages import NotAsWrittenError, from_wire

LARGEST_BODY = 64 * 1024  # bytes; no JSON of this wire is longer
LINE_GONE = "faceswapd.line_gone"  # in the scope's extensions: the event that the connection is over
SERVER_OVER = "faceswapd.server_over"  # the event that the server ends, and answers should
LONGEST_NUMBER = 18  # digits; of nothing longer SQLite knows

T = TypeVar("T")


def length(request: Request) -> int:
    """How many bytes are announced; 0 where nobody says."""
    text = request.headers.get("content-length", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else 0


def number(request: Request) -> int:
    """The job that the path names."""
    text: str = request.path_params["number"]
    return as_job(text)


def as_job(text: str) -> int:
    """A job's id."""
    if not text.isascii() or not text.isdigit() or len(text) > LONGEST_NUMBER:
        raise Refused(404, f"There is no job {text[:40]}.")
    return int(text)


def whole(request: Request, name: str, default: int, least: int = 0) -> int:
    """A whole number of the query, not smaller than `least`."""
    text = request.query_params.get(name)
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or len(text) > LONGEST_NUMBER:
        raise Refused(400, f"{text[:40]!r} is not a whole number.")
    if int(text) < least:
        raise Refused(400, f"`{name}` cannot be less than {least}.")
    return int(text)


def words(request: Request, name: str) -> str | None:
    """A text of the query; None where it says nothing. Bytes that are no UTF-8 are kept."""
    found: list[str] | None = _query(request).get(name)
    return None if found is None else found[0]


def moment(request: Request, name: str) -> float | None:
    """A moment of the query, in seconds since 1970; None where it says nothing."""
    text = request.query_params.get(name)
    if text is None:
        return None
    if re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,9})?", text) is None:
        raise Refused(400, f"{text[:40]!r} is no time in seconds since 1970.")
    return float(text)


def seconds(request: Request, default: float) -> float:
    """A time of the query, in seconds."""
    text = request.query_params.get("seconds")
    if text is None:
        return default
    if re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,6})?", text) is None:
        raise Refused(400, f"{text[:40]!r} is no number of seconds.")
    return float(text)


def path(request: Request) -> str:
    """The path that is asked for; bytes that are no UTF-8 are kept, as everywhere."""
    found = words(request, "path") or ""
    if not found or "\0" in found:
        raise Refused(400, "The request names no path.")
    return found


def _query(request: Request) -> dict[str, list[str]]:
    return parse_qs(request.scope["query_string"].decode("ascii", "replace"), errors="surrogateescape")


async def said(request: Request, kind: type[T]) -> T:
    """What the JSON object in the body says; an empty body is an empty object."""
    data = bytearray()
    try:
        async for chunk in request.stream():
            data += chunk
            if len(data) > LARGEST_BODY:
                raise Refused(413, "The request is too long.")
    except ClientDisconnect:  # nobody hears it
        raise Refused(400, "The request is cut off.") from None
    try:
        value = json.loads(data) if data else {}
    except (ValueError, RecursionError):
        raise Refused(400, "The request is no JSON.") from None
    if not isinstance(value, dict):
        raise Refused(400, "The request is no JSON object.")
    try:
        return from_wire(kind, value)
    except NotAsWrittenError as error:
        name = error.where.partition(".")[2]
        text = f"The request lacks `{name}`." if error.wanted is None else f"`{name}` is no {error.wanted}."
        raise Refused(400, text) from None
    except OverflowError:  # a whole number that no float holds
        raise Refused(400, "A number of the request is too large.") from None


async def while_heard(request: Request, answer: Coroutine[Any, Any, T]) -> T:
    """An answer that may take a minute; it is given up when the one who asked hangs up."""
    answering = asyncio.create_task(answer, name=f"answer to {request.scope['path'][:40]!r}")
    gone = asyncio.create_task(_hung_up(request), name="the one who asked")
    # Of several requests in a row on one connection, uvicorn tells only the last one that nobody hears them any more.
    line = asyncio.create_task(request.scope["extensions"][LINE_GONE].wait(), name="the line")
    try:
        await asyncio.wait((answering, gone, line), return_when=asyncio.FIRST_COMPLETED)
        if not answering.done():
            raise Refused(400, "The one who asked has hung up.")  # nobody hears it
        return answering.result()
    finally:
        for task in (answering, gone, line):
            task.cancel()
        await asyncio.gather(answering, gone, line, return_exceptions=True)


async def _hung_up(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
