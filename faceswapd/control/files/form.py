"""Forms with files (multipart/form-data), read piece by piece as they come: nothing is held but a piece."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from faceswapd.control.live import House
from faceswapd.control.operation import Answer
from faceswapd.control.refusal import Refused
from faceswapd.control.wire import messages

PIECE: Final = 64 * 1024  # bytes
MOST_PARTS: Final = 64
LARGEST_FIELD: Final = 4096  # bytes of a part that is no file
SILENCE_SECONDS: Final = 60.0  # in which nothing comes
LINGER_SECONDS: Final = 2.0  # in which what is still coming is heard and thrown away
MEDIA_TYPE: Final = "multipart/form-data"


@dataclass(frozen=True, slots=True)
class Begun:
    """A part begins."""

    name: str
    file: str | None  # the file's name, as it is given; None: it is no file


@dataclass(frozen=True, slots=True)
class Data:
    """A piece of the part that has begun."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Ended:
    """The part that had begun is whole."""


Event = Begun | Data | Ended


async def form_of(request: Request) -> AsyncIterator[Event]:
    """What a form says, as it comes. Raises Refused for one that is none, is cut off, or does not go on."""
    media_type, options = parse_options_header(request.headers.get("content-type"))
    boundary = options.get(b"boundary", b"")
    if media_type.decode("latin-1") != MEDIA_TYPE or not 0 < len(boundary) <= 200:
        raise Refused(415, "The request is no form with files (multipart/form-data).")
    reading = _Reading(boundary)
    async for piece in pieces_of(request):
        for event in reading.hear(piece):
            yield event
    if not reading.over:
        raise Refused(400, "The form is cut off: its end is missing.")


async def pieces_of(request: Request) -> AsyncIterator[bytes]:
    """The body as it comes. Raises Refused where it is cut off or does not go on."""
    chunks = aiter(request.stream())
    try:
        while True:
            try:
                async with asyncio.timeout(SILENCE_SECONDS):
                    chunk = await anext(chunks)
            except StopAsyncIteration:
                return
            for start in range(0, len(chunk), PIECE):
                yield chunk[start : start + PIECE]
    except TimeoutError:
        raise Refused(408, f"Nothing has come for {SILENCE_SECONDS:.0f} seconds.") from None
    except ClientDisconnect:  # nobody hears it
        raise Refused(400, "The request is cut off.") from None


class _Reading:
    """python-multipart's push parser, and what it has found in the last piece."""

    def __init__(self, boundary: bytes) -> None:
        self._found: list[Event] = []
        self._parts = 0
        self._key = self._value = b""
        self._headers: dict[bytes, bytes] = {}
        self.over = False
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_field": self._on_key,
                "on_header_value": self._on_value,
                "on_header_end": self._header,
                "on_headers_finished": self._begun,
                "on_part_data": lambda data, start, end: self._found.append(Data(data[start:end])),
                "on_part_end": lambda: self._found.append(Ended()),
                "on_end": self._end,
            },
        )

    def hear(self, piece: bytes) -> list[Event]:
        """What a piece says. Raises Refused."""
        try:
            self._parser.write(piece)
        except FormParserError:
            raise Refused(400, "The form is not written as one.") from None
        found, self._found = self._found, []
        return found

    def _begin(self) -> None:
        self._parts += 1
        if self._parts > MOST_PARTS:
            raise Refused(400, f"The form has more than {MOST_PARTS} parts.")
        self._headers = {}

    def _on_key(self, data: bytes, start: int, end: int) -> None:
        self._key += data[start:end]

    def _on_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header(self) -> None:
        self._headers[self._key.lower()] = self._value
        self._key = self._value = b""

    def _begun(self) -> None:
        said = self._headers.get(b"content-disposition", b"").decode("latin-1")
        kind, options = parse_options_header(said)
        if kind != b"form-data" or b"name" not in options:
            raise Refused(400, "A part of the form has no name.")
        file = options.get(b"filename")
        self._found.append(Begun(_text(options[b"name"]), None if file is None else _text(file)))

    def _end(self) -> None:
        self.over = True


def _text(words: bytes) -> str:
    return words.decode("utf-8", "replace")


def field_text(before: str, data: bytes) -> str:
    """A field's text with one more piece of it. Raises Refused."""
    if len(before) + len(data) > LARGEST_FIELD:
        raise Refused(413, "A field of the form is too long.")
    return before + _text(data)


def lingering(answer: Answer) -> Answer:
    """An operation that may refuse what it has not heard to its end: the refusal is said at once, and heard even by a
    client that is still sending."""

    async def told(house: House, request: Request) -> object:
        heard = _Heard(request.receive)
        try:
            return await answer(house, Request(request.scope, heard))
        except Refused as refused:
            return _LastWord(refused, heard)

    return told


class _Heard:
    """Hears a request, and knows whether that was all."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self.all = False

    async def __call__(self) -> Message:
        message = await self._receive()
        self.all = self.all or not message.get("more_body")
        return message


class _LastWord(Response):
    """A refusal after which the connection ends."""

    def __init__(self, refused: Refused, heard: _Heard) -> None:
        self._heard = heard
        body = json.dumps(messages.to_wire(refused.message), separators=(",", ":"))
        headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Connection": "close"}
        if refused.wait is not None:
            headers["Retry-After"] = f"{refused.wait:.0f}"
        super().__init__(body, refused.status, headers, "application/json")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Say it, and let the one who asked come to hear it: a connection that is closed while bytes are on their way
        is reset, and what was said is lost."""
        del scope, receive
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": self.body, "more_body": True})
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LINGER_SECONDS):
                while not self._heard.all:
                    await self._heard()
        await send({"type": "http.response.body", "body": b"", "more_body": False})
