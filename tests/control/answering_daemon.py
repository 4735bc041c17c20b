"""A small real HTTP server on a Unix socket that answers with wire messages, for tests of the client."""

import json
import queue
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from faceswapd.control.wire.messages import Error, is_message, to_wire

Answer = Any  # a message, bytes sent as they are, (HTTP status, Error), or what is told piece by piece


@dataclass
class Telling:
    """A stream: what is put here is sent at once, until the daemon ends or None comes."""

    pieces: "queue.SimpleQueue[bytes | None]" = field(default_factory=queue.SimpleQueue)

    def tell(self, kind: str, said: object) -> None:
        self.pieces.put(f"event: {kind}\ndata: {json.dumps(to_wire(said))}\n\n".encode())


Answers = dict[str, Answer | list[Answer] | Callable[[], Answer]]


@dataclass
class Daemon:
    """What it answers to `METHOD /path?query`, and what it was asked. Of a list the last answer stays."""

    socket: Path
    answers: Answers
    asked: list[tuple[str, Any]] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def answer(self, question: str, body: Any) -> Answer:
        self.asked.append((question, body))
        for key in (question, question.partition("?")[0]):
            if key in self.answers:
                given = self.answers[key]
                if isinstance(given, list):
                    return given.pop(0) if len(given) > 1 else given[0]
                return given() if callable(given) else given
        return 404, Error(f"No such thing: {question}.")


def _handler(daemon: Daemon) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer(None)

        def do_POST(self) -> None:
            self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

        def _answer(self, body: Any) -> None:
            answer = daemon.answer(f"{self.command} {self.path}", body)
            self.close_connection = True
            if isinstance(answer, bytes):
                self.wfile.write(answer)
                return
            if isinstance(answer, Telling):
                self._tell(answer)
                return
            status, message = (200, answer) if is_message(type(answer)) or not isinstance(answer, tuple) else answer
            content = json.dumps(to_wire(message)).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def _tell(self, telling: Telling) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            with suppress(OSError):  # who listened has hung up
                while not daemon.over.is_set():
                    with suppress(queue.Empty):
                        piece = telling.pieces.get(timeout=0.02)
                        if piece is None:
                            break
                        self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
                self.wfile.write(b"0\r\n\r\n")

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name
            pass

    return Handler


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    block_on_close = False


@contextmanager
def listening(socket: Path, answers: Answers) -> Iterator[Daemon]:
    """A daemon that listens on the socket until the block ends; then the socket is gone."""
    daemon = Daemon(socket, answers)
    with _Server(str(socket), _handler(daemon)) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield daemon
        finally:
            daemon.over.set()
            server.shutdown()
            thread.join()
            socket.unlink()
