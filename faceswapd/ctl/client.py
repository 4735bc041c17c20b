"""One question to the daemon, one answer: HTTP/1.1 over its Unix socket.

Made by hand, since http.client brings the email package along: 30 ms, more than all the rest. Errors are
values: a Problem with one plain sentence.
"""

import contextlib
import json
import os
import socket
import time
from collections.abc import Iterator
from typing import Any, Final, NamedTuple, TypeVar

from faceswapd.control.wire.messages import Error, from_wire

REFUSED: Final = 1  # exit codes; `parser.py` documents them
UNREACHABLE: Final = 3
ANSWER_SECONDS: Final = 10.0  # the daemon answers in milliseconds; this is for one that hangs
LARGEST_ANSWER: Final = 256 * 1024 * 1024  # bytes: some 300,000 jobs
NO_ANSWER: Final = "it ended without an answer"
BROKEN_OFF: Final = "The daemon broke its answer off: it is ending, or starting again. Ask once more; its log says why."

Message = TypeVar("Message")


class Problem(NamedTuple):
    """Why there is no answer, in one sentence, with the exit code it means."""

    sentence: str
    code: int


class Begun(NamedTuple):
    """An answer that does not end."""

    line: socket.socket  # over which it comes
    chunked: bool
    first: bytes  # what has come with its head


class _Rubbish(Exception):
    """What came is not HTTP with JSON."""


_NOT_UNDERSTOOD: Final = (_Rubbish, ValueError, RecursionError)


class Client(NamedTuple):
    """Asks the daemon that listens on a socket. Each question has its own connection."""

    path: str

    def get(self, kind: type[Message], route: str, seconds: float = ANSWER_SECONDS) -> Message | Problem:
        """Ask for a message. `seconds` is how long the daemon may take."""
        return self._ask(kind, "GET", route, b"", seconds)

    def post(
        self, kind: type[Message], route: str, body: dict[str, Any], seconds: float = ANSWER_SECONDS
    ) -> Message | Problem:
        """Give an order. `seconds` is how long the daemon may take."""
        return self._ask(kind, "POST", route, json.dumps(body).encode("ascii"), seconds)

    def delete(self, kind: type[Message], route: str, seconds: float = ANSWER_SECONDS) -> Message | Problem:
        """Have something taken away. `seconds` is how long the daemon may take."""
        return self._ask(kind, "DELETE", route, b"", seconds)

    def send(
        self, kind: type[Message], route: str, media_type: str, length: int, pieces: Iterator[bytes], seconds: float
    ) -> Message | Problem:
        """Give an order whose body is too long to be held. `seconds` is how long the daemon may take after it."""
        return self._say(kind, _head("POST", route, media_type, length), pieces, seconds)

    def begin(self, route: str, seconds: float = ANSWER_SECONDS) -> Begun | Problem:
        """Ask for an answer that does not end. `seconds` is how long the daemon may take to begin it."""
        line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            line.settimeout(seconds)
            _connect(line, self.path)
            line.sendall(_head("GET", route, "application/json", 0))
            received = bytearray()
            while b"\r\n\r\n" not in received and (block := line.recv(1 << 16)):
                received += block
            head, _, first = bytes(received).partition(b"\r\n\r\n")
            if head.split(b" ", 2)[1:2] == [b"200"]:
                return Begun(line, _is_chunked(_headers(head)), first)
            while block := line.recv(1 << 16):
                received += block
            if not received:
                raise ConnectionResetError(0, NO_ANSWER)
            answer = self._understood(Error, *_taken_apart(bytes(received)))
            refused = answer if isinstance(answer, Problem) else Problem(answer.error, REFUSED)
        except (OSError, *_NOT_UNDERSTOOD) as problem:
            refused = self._told(problem, seconds)
        line.close()
        return refused

    def _ask(self, kind: type[Message], method: str, route: str, body: bytes, seconds: float) -> Message | Problem:
        return self._say(kind, _head(method, route, "application/json", len(body)), iter((body,)), seconds)

    def _say(self, kind: type[Message], head: bytes, pieces: Iterator[bytes], seconds: float) -> Message | Problem:
        try:
            return self._understood(kind, *self._exchange(head, pieces, seconds))
        except (OSError, *_NOT_UNDERSTOOD) as problem:
            return self._told(problem, seconds)

    def _understood(self, kind: type[Message], status: int, content: bytes) -> Message | Problem:
        if status >= 500 and not content.startswith(b"{"):  # the server's own words, and none of a handler
            return Problem(BROKEN_OFF, UNREACHABLE)
        answer = json.loads(content, parse_constant=_refuse)
        if status < 300:
            return from_wire(kind, answer)
        refusal = from_wire(Error, answer)
        return Problem(f"{refusal.error} {refusal.advice or ''}".strip(), REFUSED)

    def _told(self, problem: Exception, seconds: float) -> Problem:
        if isinstance(problem, OSError):
            return Problem(self._unreachable(problem, seconds), UNREACHABLE)
        return self.not_understood(str(problem))

    def not_understood(self, why: str) -> Problem:
        """What comes is nothing that this program knows."""
        return Problem(
            f"What answers on {self.path} is not understood ({why}). If faceswapd was updated, restart the daemon.",
            UNREACHABLE,
        )

    def _unreachable(self, problem: OSError, seconds: float) -> str:
        if isinstance(problem, FileNotFoundError | ConnectionRefusedError | NotADirectoryError):
            from faceswapd.ctl.start_command import start_command

            start = start_command(self.path)
            return f"The daemon is not running (nobody listens on {self.path}). Start it: {start}"
        if isinstance(problem, TimeoutError):
            return f"The daemon did not answer within {seconds:.0f} s. It may hang: look at its log."
        if isinstance(problem, PermissionError):
            return f"The socket {self.path} is not yours: only the user who runs the daemon may ask it."
        return f"The daemon broke the connection off ({problem.strerror or problem})."

    def _exchange(self, head: bytes, pieces: Iterator[bytes], seconds: float) -> tuple[int, bytes]:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
            line.settimeout(seconds)
            _connect(line, self.path)
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it has heard enough, and says why
                line.sendall(head + next(pieces, b""))
                for piece in pieces:
                    line.sendall(piece)
            deadline = time.monotonic() + seconds
            received = bytearray()
            whole: int | None = None
            while whole is None or len(received) < whole:
                left = deadline - time.monotonic()
                if left <= 0:
                    raise TimeoutError
                line.settimeout(left)
                block = line.recv(1 << 18)
                if not block:
                    break
                received += block
                if whole is None:
                    whole = _whole(received)
                if len(received) > LARGEST_ANSWER:
                    raise _Rubbish("the answer does not end")
        if not received:
            raise ConnectionResetError(0, NO_ANSWER)
        return _taken_apart(bytes(received))


def _head(method: str, route: str, media_type: str, length: int) -> bytes:
    return (
        f"{method} {route} HTTP/1.1\r\nHost: faceswapd\r\nAccept: application/json\r\n"
        f"Content-Type: {media_type}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    ).encode("ascii")


def _connect(line: socket.socket, path: str) -> None:
    """Connect, to a path over the system's limit too: through its folder's descriptor, or a relative path."""
    try:
        line.connect(path)
    except OSError as problem:
        # Python itself refuses a long path, without an errno.
        if problem.errno is not None:
            raise
    else:
        return
    relative = os.path.relpath(path)
    if len(os.fsencode(relative)) < 100:
        line.connect(relative)
        return
    parent, _, name = path.rpartition("/")
    folder = os.open(parent or "/", os.O_RDONLY | os.O_DIRECTORY)
    try:
        line.connect(f"/proc/self/fd/{folder}/{name}")
    finally:
        os.close(folder)


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number")


def _whole(received: bytearray) -> int | None:
    """How many bytes the answer has, as soon as its head is there; without a length it ends when the
    daemon hangs up."""
    end = received.find(b"\r\n\r\n")
    length = _headers(bytes(received[:end])).get(b"content-length", b"") if end >= 0 else b""
    return end + 4 + int(length) if length.isdigit() else None


def _headers(head: bytes) -> dict[bytes, bytes]:
    parts = (line.partition(b":") for line in head.split(b"\r\n")[1:])
    return {name.strip().lower(): value.strip() for name, _, value in parts}


def _is_chunked(headers: dict[bytes, bytes]) -> bool:
    return headers.get(b"transfer-encoding", b"").lower() == b"chunked"


def _taken_apart(received: bytes) -> tuple[int, bytes]:
    """Status and body of an answer. Raises _Rubbish, or ConnectionResetError when a part is missing."""
    head, end, body = received.partition(b"\r\n\r\n")
    words = head.split(b"\r\n")[0].split()
    if not end or len(words) < 2 or not words[0].startswith(b"HTTP/1.") or not words[1].isdigit():
        raise _Rubbish("no HTTP")
    status, headers = int(words[1]), _headers(head)
    if _is_chunked(headers):
        body = _unchunked(body)
    length = headers.get(b"content-length", b"")
    if length.isdigit():
        if len(body) < int(length):
            raise ConnectionResetError(0, "a part of its answer is missing")
        body = body[: int(length)]
    return status, body


def _unchunked(body: bytes) -> bytes:
    joined = bytearray()
    while True:
        size, end, rest = body.partition(b"\r\n")
        length = int(size.split(b";")[0], 16)  # no number is a ValueError, which is rubbish
        if not end or len(rest) < length:
            raise ConnectionResetError(0, "a part of its answer is missing")
        if length <= 0:
            return bytes(joined)
        joined += rest[:length]
        body = rest[length + 2 :]
