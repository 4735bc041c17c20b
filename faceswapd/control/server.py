"""uvicorn in our own loop: one application on the Unix socket, and on the TCP port where that is wanted.

The socket is made under a umask, so that it never has other rights than 0600; who connects is asked of the
system, and answered only if it is the daemon's own user or root.
"""

import asyncio
import contextlib
import errno
import os
import socket
import stat
import struct
import sys
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from faceswapd.control.application import application
from faceswapd.control.doors.guard import PEER, Peer
from faceswapd.control.doors.port import BACKLOG, Port
from faceswapd.control.live import House
from faceswapd.control.requests import LINE_GONE, SERVER_OVER

PULSE_SECONDS = 2.0  # between two questions to ourselves
PULSE = b"GET /healthz HTTP/1.1\r\nHost: faceswapd\r\nConnection: close\r\n\r\n"


def peer_uid(connection: socket.socket) -> int | None:
    """The user on the other side of a Unix socket; None where the system does not tell."""
    if sys.platform == "darwin":  # struct xucred: version, uid, number of groups, groups
        raw = connection.getsockopt(0, 1, 76)
        return int(struct.unpack_from("II", raw)[1])
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return int(struct.unpack("3i", raw)[1])


class _Protocol(HttpToolsProtocol):
    """Tells the application who is connected, and when that is over."""

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        line = transport.get_extra_info("socket")
        inner, gone, over = self.app, asyncio.Event(), asyncio.Event()
        known: dict[str, object] = {LINE_GONE: gone, SERVER_OVER: over}
        if line.family == socket.AF_UNIX:
            known[PEER] = Peer(peer_uid(line))

        async def told(scope: Any, receive: Any, send: Any) -> None:
            scope.setdefault("extensions", {}).update(known)
            await inner(scope, receive, send)

        self.app, self._gone, self._over = told, gone, over

    def shutdown(self) -> None:
        self._over.set()
        super().shutdown()

    def connection_lost(self, exc: Exception | None) -> None:
        self._gone.set()
        super().connection_lost(exc)


class _Server(uvicorn.Server):
    """Serves until `over` is set."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.over = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """Signals belong to the daemon."""
        yield

    def end_rest(self) -> None:
        """What a client has not let end in its time ends now: one that says half a request, or hears half an answer."""
        for connection in list(self.server_state.connections):
            connection.transport.abort()

    async def main_loop(self) -> None:
        """Wait for the end. uvicorn's own loop looks ten times a second, which is most of an idle daemon's work."""
        await self.on_tick(0)
        await self.over.wait()


def answers(path: Path) -> bool:
    """Whether somebody living listens there."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True


def listen(path: Path) -> socket.socket:
    """The listening socket, with the rights 0600 from its first moment. A dead one of before is replaced.

    Raises OSError; FileExistsError when something that is no socket has the name, or a living daemon.
    """
    if answers(path):
        raise FileExistsError(errno.EADDRINUSE, "another daemon answers there", str(path))
    with contextlib.suppress(FileNotFoundError):
        if not stat.S_ISSOCK(path.lstat().st_mode) and not path.is_symlink():
            raise FileExistsError(errno.EEXIST, "something that is no socket has this name", str(path))
        path.unlink()
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listening.setblocking(False)
        before = os.umask(0o177)
        try:
            listening.bind(str(path))
        finally:
            os.umask(before)
        listening.listen(BACKLOG)
    except BaseException:
        listening.close()
        raise
    return listening


async def _answers_itself(path: str) -> bool:
    """Ask as a client does. Nothing is wrong with a server whose socket somebody has taken away, or which has no room
    for one more: only one that takes a question and does not answer is stuck."""
    try:
        async with asyncio.timeout(PULSE_SECONDS):
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
                line.setblocking(False)
                loop = asyncio.get_running_loop()
                await loop.sock_connect(line, path)
                await loop.sock_sendall(line, PULSE)
                return bool(await loop.sock_recv(line, 4096))
    except TimeoutError:
        return False
    except OSError:
        return True


class Server:
    """The application on its socket, and on its port."""

    def __init__(
        self,
        house: House,
        listening: socket.socket,
        beat: Callable[[], None] = lambda: None,
        port: Port | None = None,
    ) -> None:
        """`beat` is called as long as the server answers. Raises OSError or ssl.SSLError for a certificate that cannot
        be used."""
        made = application(house)
        self._doors = [(_server(made), listening)]
        if port is not None:
            self._doors.append((_server(made, port), port.listening))
        self._listening = listening
        self._beat = beat

    async def run(self) -> None:
        """Serve until cancelled, then end what is open within two seconds."""
        serving = [
            asyncio.create_task(server.serve(sockets=[listening]), name="uvicorn") for server, listening in self._doors
        ]
        try:
            while not (await asyncio.wait(serving, timeout=PULSE_SECONDS, return_when=asyncio.FIRST_COMPLETED))[0]:
                if await _answers_itself(self._listening.getsockname()):
                    self._beat()
            for one in serving:
                if one.done():
                    one.result()
        finally:
            for server, _ in self._doors:
                server.should_exit = True
                server.over.set()
            await asyncio.gather(*serving)
            for server, _ in self._doors:
                server.end_rest()
            await asyncio.sleep(0)  # in which the transports close


def _server(made: Starlette, port: Port | None = None) -> _Server:
    config = uvicorn.Config(
        made,
        http=_Protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=2,
        ssl_certfile=None if port is None else port.certificate,
        ssl_keyfile=None if port is None else port.key,
    )
    config.load()
    return _Server(config)
