"""A receiver of webhooks on this machine that answers as a test tells it."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

OK = b"HTTP/1.1 204 No Content\r\n\r\n"


def status(number: int, *lines: str) -> bytes:
    return "\r\n".join([f"HTTP/1.1 {number} As told", *lines, "Content-Length: 0", "", ""]).encode()


@dataclass(frozen=True)
class Message:
    """A request that came."""

    line: str
    headers: dict[str, str]  # by name in small letters
    body: bytes


Answer = Callable[[Message], "bytes | asyncio.Event"]  # an event: nothing is said until it is set


@dataclass
class Receiver:
    """What came, and what is answered."""

    answer: Answer = lambda _: OK
    port: int = 0
    came: "asyncio.Queue[Message]" = field(default_factory=asyncio.Queue)
    open: int = 0  # connections now
    most: int = 0  # at once so far

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hooks/key?secret=1"

    async def next(self) -> Message:
        async with asyncio.timeout(20):
            return await self.came.get()

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        self.most = max(self.most, self.open)
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                message = await self._read(reader)
                self.came.put_nowait(message)
                said = self.answer(message)
                if isinstance(said, asyncio.Event):
                    await said.wait()
                    said = OK
                writer.write(said)
                await writer.drain()
        finally:
            self.open -= 1
            writer.close()

    async def _read(self, reader: asyncio.StreamReader) -> Message:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
        return Message(head[0], headers, await reader.readexactly(int(headers.get("content-length", "0"))))


@contextlib.asynccontextmanager
async def receiving(answer: Answer = lambda _: OK, tls: ssl.SSLContext | None = None) -> AsyncIterator[Receiver]:
    """One that listens on a port of its own."""
    receiver = Receiver(answer)
    server = await asyncio.start_server(receiver.handle, "127.0.0.1", 0, ssl=tls)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()
        await server.wait_closed()
