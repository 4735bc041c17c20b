"""A real server on a ledger with two jobs, and questions to it."""

import asyncio
import contextlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from faceswapd.control.doors.port import Port
from faceswapd.control.live import House
from faceswapd.control.wire import messages
from faceswapd.engines.facefusion.installation import Installation
from faceswapd.ledger.connection import Ledger

SECONDS = 20.0
PATIENCE = 0.2  # with a server that waits for the rest of a request that has none
OWN_ERROR = "an error of faceswapd itself"  # as the log says it


@dataclass
class Control:
    """A server that runs on a ledger with two jobs: one queued, one parked."""

    ledger: Ledger
    path: Path
    house: House
    orders: list[str] = field(default_factory=list)
    facefusion: list[Installation] = field(default_factory=list)  # the one that is set up
    port: Port | None = None

    async def raw(self, data: bytes) -> bytes:
        """Send bytes and read what the server says to them, until it closes or waits for more."""
        reader, writer = await asyncio.open_unix_connection(self.path)
        answer = b""
        with contextlib.suppress(ConnectionError, TimeoutError):
            writer.write(data)
            async with asyncio.timeout(PATIENCE):
                await writer.drain()
                while more := await reader.read(65536):
                    answer += more
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
        return answer

    async def ask(self, route: str, method: str = "GET", body: object = None) -> tuple[int, Any]:
        """One request, and the answer's status and JSON."""
        data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        head = f"{method} {route} HTTP/1.1\r\nHost: daemon\r\nConnection: close\r\nContent-Length: {len(data)}\r\n\r\n"
        reader, writer = await asyncio.open_unix_connection(self.path)
        async with asyncio.timeout(SECONDS):
            with contextlib.suppress(ConnectionError):  # it may be refused before it is sent
                writer.write(head.encode() + data)
                await writer.drain()
            answer = await reader.read()
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
        first, _, rest = answer.partition(b"\r\n")
        return int(first.split()[1]), json.loads(rest.partition(b"\r\n\r\n")[2] or b"null")

    async def well(self) -> bool:
        """Whether the server still answers."""
        status, said = await self.ask("/api/status")
        return status == 200 and bool(messages.from_wire(messages.Status, said))
