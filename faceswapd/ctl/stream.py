"""What the daemon tells as it happens: its Server-Sent Events (GET /api/stream), and after a break what followed the
last one that was heard."""

import json
import socket
import time
from typing import Any, Final, Self

from faceswapd.control.wire.job_messages import Event
from faceswapd.control.wire.messages import from_wire
from faceswapd.control.wire.stream_messages import Hello, Progress
from faceswapd.ctl.client import ANSWER_SECONDS, BROKEN_OFF, UNREACHABLE, Client, Problem

SILENT_SECONDS: Final = 60.0  # the daemon says something every 15 s, be it that all is well
HANGS: Final = "The daemon has said nothing for a minute. It may hang: look at its log."

_KINDS: Final[dict[str, Any]] = {"hello": Hello, "progress": Progress}  # all others are events


class Stream:
    """One line after the other. Not connected at first, and after each Problem."""

    def __init__(self, client: Client, last: int | None = None) -> None:
        """`last`: the last event that is known; None: what is told begins with the present."""
        self._client = client
        self._last = last
        self._line: socket.socket | None = None
        self._chunked = False
        self._received = b""
        self._text = b""
        self._heard_at = 0.0

    @property
    def connected(self) -> bool:
        """Whether `next` may be asked."""
        return self._line is not None

    def connect(self) -> Hello | Problem:
        """Listen from here on."""
        self.close()
        begun = self._client.begin("/api/stream" + ("" if self._last is None else f"?after={self._last}"))
        if isinstance(begun, Problem):
            return begun
        self._line, self._chunked, self._received, self._text = begun.line, begun.chunked, begun.first, b""
        self._heard_at = time.monotonic()
        hello = self.next(ANSWER_SECONDS)
        if isinstance(hello, Hello | Problem):
            return hello
        self.close()
        return self._client.not_understood("it does not greet")

    def next(self, seconds: float) -> Hello | Event | Progress | Problem | None:
        """What is told next; None: nothing in so many seconds."""
        ends = time.monotonic() + seconds
        try:
            while self._line is not None:
                said = self._told()
                if said is not None:
                    return said
                now = time.monotonic()
                if now - self._heard_at > SILENT_SECONDS:
                    self.close()
                    return Problem(HANGS, UNREACHABLE)
                if not self._hear(max(0.0, ends - now)):
                    return None
        except (ValueError, RecursionError) as problem:
            self.close()
            return self._client.not_understood(str(problem))
        return Problem(BROKEN_OFF, UNREACHABLE)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Listen no longer."""
        if self._line is not None:
            self._line.close()
            self._line = None

    def _hear(self, seconds: float) -> bool:
        """False: nothing has come in time."""
        assert self._line is not None
        self._line.settimeout(seconds)
        try:
            block = self._line.recv(1 << 16)
        except (TimeoutError, BlockingIOError):
            return False
        except OSError:
            block = b""
        if block:
            self._heard_at = time.monotonic()
            self._received += block
        else:
            self.close()
        return True

    def _told(self) -> Hello | Event | Progress | None:
        """The next message of what has come; None: it is not whole yet."""
        self._unchunk()
        while True:
            message, end, rest = self._text.partition(b"\n\n")
            if not end:
                return None
            self._text = rest
            fields = dict(line.partition(b": ")[::2] for line in message.split(b"\n"))
            if b"data" not in fields:  # that all is well, or how long a browser should wait
                continue
            kind = _KINDS.get(fields.get(b"event", b"").decode("ascii"), Event)
            said: Hello | Event | Progress = from_wire(kind, json.loads(fields[b"data"]))
            if isinstance(said, Hello):
                self._last = said.last
            elif isinstance(said, Event):
                self._last = said.id
            return said

    def _unchunk(self) -> None:
        if not self._chunked:
            self._text, self._received = self._text + self._received, b""
        while self._chunked:
            size, end, rest = self._received.partition(b"\r\n")
            length = int(size.split(b";")[0], 16) if end else 0
            if not end or len(rest) < length + 2:
                return
            self._text += rest[:length]
            self._received = rest[length + 2 :]
