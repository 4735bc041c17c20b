"""Malformed requests of every sort, for every route of the table. One seed, one row of them."""

import json
import random
from collections.abc import Callable
from dataclasses import dataclass

from faceswapd.control.requests import LARGEST_BODY
from faceswapd.control.routes.table import OPERATIONS

NUMBERS = (
    *("0", "-1", "1", "2", "77", "1000000000000000000", "9223372036854775808", "9" * 400, "1e9", "0x1", "1.5", "+1"),
    *("%D9%A1", "%C2%B2", "%EF%BC%91", "nan", "inf", "", "%00", "1%00", "1/../2", "..", "%2e%2e%2f", "1;2", "1 2"),
)
TRICKS = (
    *("%00", "a%00b", "..", "../../../etc/passwd", "%2e%2e/%2e%2e", "%c0%ae%c0%ae%c0%af", "%ed%a0%80", "%ff%fe", "%"),
    *("%zz", "%u0041", "+", "&&&", "=", "a" * 5000, "%F0%9F%92%A9" * 500, "file:///etc/passwd", "\\..\\..", "1.mp4"),
    *("/" * 3000, "%0d%0aX: y", "'; DROP TABLE jobs; --", "%E2%80%AE", "//", ".", "~", "*", "1.mp4/", "inbox/1.mp4"),
)
VALUES: tuple[object, ...] = (
    *(None, True, False, 0, -1, 1 << 63, 1 << 70, 1e308, -0.0, "", "\0", "\ud800", "\udcff", "x" * 5000, "../..", "*"),
    *(["/dev/zero"], ["/etc/passwd", "/", "/proc/self/mem"], ["/nowhere/1.mp4"] * 60, ["1.mp4"], ["/\ud800"]),
    *([], [[]], {}, {"": {}}, ["alice"], {"face": "alice"}, "alice", "inbox", "gpu_oom", "\u202e", "%00", "no/where"),
)


@dataclass(frozen=True)
class Door:
    """A route of the wire."""

    method: str
    path: str  # with ID for a job's number
    query: tuple[str, ...]  # names
    fields: tuple[str, ...]  # of the body


def doors() -> list[Door]:
    """All routes that hear and say JSON, as the table of them has it."""
    return [
        Door(
            one.method,
            one.path.replace("{number}", "ID"),
            tuple(parameter.name for parameter in one.parameters if parameter.where == "query"),
            tuple(one.hears.__annotations__) if isinstance(one.hears, type) else (),
        )
        for one in OPERATIONS
    ]


class Rubbish:
    """Makes one request after the other."""

    def __init__(self, seed: int, harmless: str) -> None:
        """`harmless`: a place where a file may be written."""
        self._chance = random.Random(seed)
        self._doors = doors()
        self._values = (*VALUES, harmless)
        self._kinds: tuple[Callable[[], bytes], ...] = (
            *(self._noise, self._half, self._headers, self._method, self._broken_json, self._deep, self._wrong_field),
            *(self._path, self._pipelined, self._wrong_length, self._chunks, self._number, self._long, self._framing),
        )
        self.kinds = len(self._kinds)

    def request(self, number: int) -> bytes:
        """The number-th request; the sorts take turns."""
        data = self._kinds[number % self.kinds]()
        return data.replace(b"/api/models/pull", b"/api/models/pul")  # which would go and fetch

    def _door(self) -> Door:
        return self._chance.choice(self._doors)

    def _where(self, door: Door) -> str:
        return door.path.replace("ID", self._chance.choice(("1", "2", "3")))

    def _said(self, door: Door, body: bytes = b"", where: str | None = None, more: str = "", method: str = "") -> bytes:
        place = self._where(door) if where is None else where
        head = f"{method or door.method} {place} HTTP/1.1\r\nHost: daemon\r\n{more}Content-Length: {len(body)}\r\n\r\n"
        return head.encode("utf-8", "surrogateescape") + body

    def _body(self, door: Door) -> bytes:
        body = {name: self._chance.choice(self._values) for name in door.fields}
        return json.dumps(body).encode() if body else b""

    def _usual(self) -> bytes:
        door = self._door()
        return self._said(door, self._body(door))

    def _noise(self) -> bytes:
        return self._chance.randbytes(self._chance.choice((1, 10, 300, 3000)))

    def _half(self) -> bytes:
        data = self._usual()
        return data[: self._chance.randrange(len(data))]

    def _headers(self) -> bytes:
        line = self._chance.choice(("A: " + "b" * 100_000, "A" * 70_000 + ": b", "A: b\r\n" * 5000 + "C: d", ": ", "A"))
        odd = ("A: \0", "A: \udcff", "Content-Length: 5\r\nContent-Length: 6", "Transfer-Encoding: gzip", "Expect: 1")
        more = self._chance.choice((line, *odd, "Connection: upgrade\r\nUpgrade: websocket", "Cookie: =", "Range: -"))
        return self._said(self._door(), more=more + "\r\n")

    def _method(self) -> bytes:
        method = self._chance.choice(("PUT", "DELETE", "HEAD", "OPTIONS", "TRACE", "CONNECT", "get", "", "G\0T", "PRI"))
        return self._said(self._door(), b"{}", method=method)

    def _broken_json(self) -> bytes:
        door = self._door()
        data = bytearray(self._body(door) or b'{"inbox": "inbox"}')
        for _ in range(self._chance.choice((1, 3))):
            data[self._chance.randrange(len(data))] = self._chance.randrange(256)
        rubbish = (b"NaN", b"{", b'{"a": 1e999999}', b"\xff\xfe{\0}\0", b"\xef\xbb\xbf{}", b"1" * 5000, b'"\\ud800"')
        return self._said(door, self._chance.choice((bytes(data), bytes(data), *rubbish)))

    def _deep(self) -> bytes:
        depth = self._chance.choice((100, 2000, 15_000))
        door = self._door()
        name = self._chance.choice(door.fields or ("inbox",)).encode()
        opened, closed = self._chance.choice(((b"[", b"]"), (b'{"a":', b"}")))
        shut = self._chance.choice((b"", closed * depth))
        return self._said(door, (b'{"' + name + b'":' + opened * depth + b"1" + shut + b"}")[:LARGEST_BODY])

    def _wrong_field(self) -> bytes:
        door = self._chance.choice([door for door in self._doors if door.fields])
        return self._said(door, self._body(door))

    def _path(self) -> bytes:
        door = self._door()
        trick = self._chance.choice(TRICKS)
        names = (*door.query, "path", "nothing")
        where = self._chance.choice(
            (
                f"{self._where(door)}/{trick}",
                f"{self._where(door)}?{self._chance.choice(names)}={trick}",
                f"/{trick}",
                trick,
                f"http://[::{trick}",
                door.path.replace("ID", trick),
            )
        )
        return self._said(door, where=where.replace(" ", "%20"))

    def _pipelined(self) -> bytes:
        return b"".join(self._usual() for _ in range(self._chance.choice((2, 5, 40))))

    def _wrong_length(self) -> bytes:
        length = self._chance.choice(
            ("-1", "5", "99999999999999999999", "0x2", "2, 2", "", "\0", "18446744073709551615")
        )
        head = f"POST {self._where(self._door())} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n"
        return head.encode() + self._chance.choice((b"{}", b"", b"{" * 100))

    def _chunks(self) -> bytes:
        head = f"POST {self._where(self._door())} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
        sizes = (
            b"2\r\n{}\r\n0\r\n\r\n",
            b"zz\r\n{}\r\n",
            b"-1\r\n",
            b"ffffffffffffffff\r\n{}",
            b"2;" + b"a" * 9000 + b"\r\n{}",
        )
        bits = b"".join(b"1\r\n{\r\n" for _ in range(self._chance.choice((1, 3000))))
        return head + self._chance.choice((*sizes, bits, b"0\r\n" + b"A: b\r\n" * 3000, b"2\r\n{}", b"\r\n"))

    def _number(self) -> bytes:
        door = self._door()
        where = door.path.replace("ID", self._chance.choice(NUMBERS))
        query = "&".join(f"{name}={self._chance.choice(NUMBERS)}" for name in door.query)
        return self._said(door, self._body(door), (f"{where}?{query}" if query else where).replace(" ", "%20"))

    def _long(self) -> bytes:
        door = self._door()
        size = self._chance.choice((LARGEST_BODY - 1, LARGEST_BODY, LARGEST_BODY + 1, 300_000))
        name = self._chance.choice(door.fields or ("inbox",)).encode()
        return self._said(door, b'{"' + name + b'":"' + b"x" * (size - len(name) - 8) + b'"}')

    def _framing(self) -> bytes:
        data = self._usual()
        changes = (
            (b"\r\n", b"\n"),
            (b"\r\n", b"\r"),
            (b"HTTP/1.1", b"HTTP/0.9"),
            (b"HTTP/1.1", b"HTTP/2.0"),
            (b" ", b"\t"),
        )
        old, new = self._chance.choice((*changes, (b"HTTP/1.1", b"H"), (b": ", b""), (b"Host", b" Host"), (b"\r", b"")))
        return data.replace(old, new)
