"""One request with any headers and body to the server's socket, and its whole answer."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SECONDS = 20.0
BOUNDARY = "a-boundary"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]  # by names in small letters
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


async def ask(
    path: Path, method: str, route: str, body: bytes = b"", headers: Mapping[str, str] | None = None
) -> Answer:
    """Ask; the answer is read even where the server does not hear all of the body."""
    given = {"Host": "daemon", "Connection": "close", "Content-Length": str(len(body)), **(headers or {})}
    head = f"{method} {route} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in given.items()) + "\r\n"
    return await _exchange(path, [head.encode(), body])


async def _exchange(path: Path, pieces: Iterable[bytes]) -> Answer:
    reader, writer = await asyncio.open_unix_connection(path)
    try:
        async with asyncio.timeout(SECONDS):
            answering = asyncio.create_task(reader.read())
            with contextlib.suppress(ConnectionError):
                for piece in pieces:
                    writer.write(piece)
                    await writer.drain()
            said = await answering
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
    head, _, body = said.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    pairs = (line.partition(": ") for line in lines)
    return Answer(int(first.split()[1]), {name.lower(): value for name, _, value in pairs}, body)


@dataclass(frozen=True)
class Piece:
    """One part of a form; with a file's name it is a file."""

    name: str
    content: bytes
    file: str | None = None


def form(*pieces: Piece) -> bytes:
    """A multipart body, with BOUNDARY."""
    said = b""
    for one in pieces:
        named = "" if one.file is None else f'; filename="{one.file}"'
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{one.name}"{named}\r\n\r\n'
        said += head.encode("utf-8", "surrogateescape") + one.content + b"\r\n"
    return said + f"--{BOUNDARY}--\r\n".encode()


FORM = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}


async def send(
    path: Path, route: str, *pieces: Piece, method: str = "POST", headers: Mapping[str, str] | None = None
) -> Answer:
    """Send a form."""
    return await ask(path, method, route, form(*pieces), {**FORM, **(headers or {})})


@contextlib.asynccontextmanager
async def half_said(path: Path, data: bytes) -> AsyncIterator[asyncio.StreamWriter]:
    """Say this, and be gone at the end."""
    _, writer = await asyncio.open_unix_connection(path)
    try:
        writer.write(data)
        await writer.drain()
        yield writer
    finally:
        writer.transport.abort()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def until(told: Callable[[], bool]) -> None:
    """Wait for what no event tells of."""
    async with asyncio.timeout(SECONDS):
        while not told():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
