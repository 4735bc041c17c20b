"""One Starlette application, served by uvicorn in our own loop on the Unix socket.

The socket is made under a umask, so that it never has other rights than 0600; who connects is asked of the
system, and answered only if it is the daemon's own user or root.
"""

import asyncio
import contextlib
import errno
import json
import os
import re
import socket
import stat
import struct
import sys
from collections.abc import Awaitable, Callable, Coroutine, Generator, Mapping
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qs

import structlog
import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from faceswapd.control import explaining, handlers, ledger_handlers, messages, model_handlers, submit_handlers
from faceswapd.control.handlers import Refused
from faceswapd.control.live import House
from faceswapd.ledger.connection import LedgerFullError

BACKLOG = 128
LARGEST_BODY = 64 * 1024  # bytes; no request of this wire is longer
PEER = "faceswapd.peer"
LINE_GONE = "faceswapd.line_gone"
PULSE_SECONDS = 2.0  # between two questions to ourselves
PULSE = b"GET /healthz HTTP/1.1\r\nHost: faceswapd\r\nConnection: close\r\n\r\n"

log = structlog.get_logger(__name__)

T = TypeVar("T")
Answer = Callable[[House, Request], Awaitable[object]]


def application(house: House) -> Starlette:
    """All routes."""

    def route(path: str, answer: Answer, method: str = "GET") -> Route:
        async def endpoint(request: Request) -> Response:
            try:
                _check_peer(request)
                return _json(await answer(house, request))
            except Refused as refused:
                return _json(refused.message, refused.status)

        return Route(path, endpoint, methods=[method])

    async def ready(_: Request) -> Response:
        answer = await handlers.ready(house)
        return _json(answer, 200 if answer.ready else 503)

    made = Starlette(
        routes=[
            Route("/healthz", lambda _: _json(messages.Done("The daemon lives."))),
            Route("/readyz", ready),
            route("/v1/status", lambda house, _: handlers.status(house)),
            route("/v1/jobs", _jobs),
            route("/v1/jobs/{number}", lambda house, request: handlers.job(house, _number(request))),
            route("/v1/jobs/{number}/wait", _wait),
            route("/v1/jobs/{number}/cancel", lambda house, request: handlers.cancel(house, _number(request)), "POST"),
            route("/v1/jobs/{number}/retry", lambda house, request: handlers.retry(house, _number(request)), "POST"),
            route("/v1/jobs/{number}/assign", _assign, "POST"),
            route("/v1/explain", lambda house, request: explaining.explain(house, _path(request))),
            route("/v1/find", _find),
            route("/v1/pause", _pause, "POST"),
            route("/v1/resume", _resume, "POST"),
            route("/v1/submit", _submit, "POST"),
            route("/v1/retry", _retry_failed, "POST"),
            route("/v1/ledger/backup", _backup, "POST"),
            route("/v1/ledger/check", lambda house, _: ledger_handlers.check(house)),
            route("/v1/stop", lambda house, _: handlers.stop(house), "POST"),
            route("/v1/models", lambda house, _: model_handlers.models(house)),
            route("/v1/models/pull", lambda house, _: model_handlers.pull(house), "POST"),
            route("/v1/models/verify", lambda house, _: model_handlers.verify(house), "POST"),
            route("/v1/models/prune", _prune, "POST"),
        ],
        exception_handlers={HTTPException: _refuse, LedgerFullError: _full, Exception: _own_error},
    )
    made.router.redirect_slashes = False  # to wherever a request's Host names
    return made


async def _jobs(house: House, request: Request) -> object:
    limit = _whole(request.query_params.get("limit"), handlers.MOST_JOBS)
    return await handlers.jobs(house, request.query_params.getlist("state"), limit)


async def _wait(house: House, request: Request) -> object:
    return await _while_heard(request, handlers.wait(house, _number(request), _seconds(request, 25.0)))


async def _find(house: House, request: Request) -> object:
    return await _while_heard(request, handlers.find(house, _path(request), _seconds(request, 0.0)))


async def _assign(house: House, request: Request) -> object:
    face = (await _body(request)).get("face")
    if not isinstance(face, str) or not face:
        raise Refused(400, "The request names no face.")
    return await handlers.assign(house, _number(request), face)


async def _submit(house: House, request: Request) -> object:
    asked = submit_handlers.asked_for(await _body(request))
    return await _while_heard(request, submit_handlers.submit(house, asked))


async def _retry_failed(house: House, request: Request) -> object:
    category = (await _body(request)).get("category")
    if category is not None and not isinstance(category, str):
        raise Refused(400, "The category is not named by a text.")
    return await ledger_handlers.retry_failed(house, category)


async def _backup(house: House, request: Request) -> object:
    path = (await _body(request)).get("path")
    if not isinstance(path, str) or not path or "\0" in path:
        raise Refused(400, "The request names no path.")
    return await ledger_handlers.backup(house, path)


async def _pause(house: House, request: Request) -> object:
    return await handlers.pause(house, _inbox(await _body(request)))


async def _resume(house: House, request: Request) -> object:
    return await handlers.resume(house, _inbox(await _body(request)))


async def _prune(house: House, request: Request) -> object:
    remove = (await _body(request)).get("remove", False)
    if not isinstance(remove, bool):
        raise Refused(400, "`remove` is neither true nor false.")
    return await model_handlers.prune(house, remove=remove)


async def _while_heard(request: Request, answer: Coroutine[Any, Any, T]) -> T:
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


def _number(request: Request) -> int:
    text: str = request.path_params["number"]
    if re.fullmatch(r"[0-9]{1,18}", text) is None:  # of nothing longer SQLite knows
        raise Refused(404, f"There is no job {text[:40]}.")
    return int(text)


def _whole(text: str | None, default: int) -> int:
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise Refused(400, f"{text!r} is not a whole number.")
    return int(text)


def _seconds(request: Request, default: float) -> float:
    text = request.query_params.get("seconds")
    if text is None:
        return default
    if re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,6})?", text) is None:
        raise Refused(400, f"{text!r} is no number of seconds.")
    return float(text)


def _path(request: Request) -> str:
    """The path that is asked for; bytes that are no UTF-8 are kept, as everywhere."""
    query = parse_qs(request.scope["query_string"].decode("ascii", "replace"), errors="surrogateescape")
    path: str = query.get("path", [""])[0]
    if not path or "\0" in path:
        raise Refused(400, "The request names no path.")
    return path


def _inbox(body: Mapping[str, Any]) -> str | None:
    inbox = body.get("inbox")
    if inbox is not None and not isinstance(inbox, str):
        raise Refused(400, "The inbox is not named by a text.")
    return inbox


async def _body(request: Request) -> Mapping[str, Any]:
    """The JSON object of a request; an empty body is an empty object."""
    data = b""
    try:
        async for chunk in request.stream():
            data += chunk
            if len(data) > LARGEST_BODY:
                raise Refused(413, "The request is too long.")
    except ClientDisconnect:  # nobody hears it
        raise Refused(400, "The request is cut off.") from None
    if not data:
        return {}
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        raise Refused(400, "The request is no JSON.") from None
    if not isinstance(value, dict):
        raise Refused(400, "The request is no JSON object.")
    return value


def _json(message: object, status: int = 200) -> Response:
    """ASCII JSON: a file name that is not UTF-8 keeps its bytes as escaped surrogates."""
    body = json.dumps(messages.to_wire(message), separators=(",", ":"))
    return Response(body, status, media_type="application/json")


async def _refuse(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return _json(messages.Error(f"{request.method} {request.scope['path']}: {error.detail}."), error.status_code)


async def _full(request: Request, error: Exception) -> Response:
    del request
    return _json(messages.Error(f"{error} Nothing was changed."), 503)


async def _own_error(request: Request, error: Exception) -> Response:
    log.error("an error of faceswapd itself", path=request.scope["path"], exc_info=error)
    return _json(messages.Error("An error of faceswapd itself; its log tells more."), 500)


def _check_peer(request: Request) -> None:
    peer = request.scope.get("extensions", {}).get(PEER)
    if peer not in (0, os.getuid()):
        raise Refused(403, "Only the user who runs the daemon may speak to it.")


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
        peer = peer_uid(transport.get_extra_info("socket"))
        inner, gone = self.app, asyncio.Event()

        async def told(scope: Any, receive: Any, send: Any) -> None:
            scope.setdefault("extensions", {}).update({PEER: peer, LINE_GONE: gone})
            await inner(scope, receive, send)

        self.app, self._gone = told, gone

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
    """The application on its socket."""

    def __init__(self, house: House, listening: socket.socket, beat: Callable[[], None] = lambda: None) -> None:
        """`beat` is called as long as the server answers."""
        config = uvicorn.Config(
            application(house),
            http=_Protocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=False,
            timeout_graceful_shutdown=2,
        )
        self._server = _Server(config)
        self._listening = listening
        self._beat = beat

    async def run(self) -> None:
        """Serve until cancelled, then end what is open within two seconds."""
        serving = asyncio.create_task(self._server.serve(sockets=[self._listening]), name="uvicorn")
        try:
            while not (await asyncio.wait([serving], timeout=PULSE_SECONDS))[0]:
                if await _answers_itself(self._listening.getsockname()):
                    self._beat()
            serving.result()
        finally:
            self._server.should_exit = True
            self._server.over.set()
            await serving
