"""A real HTTP server with model files, that can also be slow, cut off, stand still, lie, or know nothing."""

import re
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from faceswapd.engines.facefusion.models import ModelFile


@dataclass
class Weights:
    """The files by the path they are asked by, and how each request for one goes, in turn; the rest goes well.

    `404`, `503`: that answer. `cut:N`: N bytes, then the connection is gone. `still:N`: N bytes, then nothing more
    until `go_on`. `wrong`: other bytes. `huge`: says that it is larger than any disk.
    """

    port: int = 0
    files: dict[str, bytes] = field(default_factory=dict)
    ways: dict[str, list[str]] = field(default_factory=dict)
    asked: list[tuple[str, str, int]] = field(default_factory=list)  # method, path, from which byte on
    ranges: bool = True
    go_on: threading.Event = field(default_factory=threading.Event)
    reached: threading.Event = field(default_factory=threading.Event)  # somebody stands still

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def model(self, folder: Path, name: str, content: bytes, *hosts: str) -> ModelFile:
        """A model that lies on this server (below each of `hosts`) and not yet on the disk."""
        places = [f"{host}/{name}" for host in hosts or ("",)]
        for place in places:
            self.files[f"{place if place.startswith('/') else '/' + place}.onnx"] = content
            self.files[f"{place if place.startswith('/') else '/' + place}.hash"] = crc(content).encode()
        urls = tuple(f"{self.address}/{place.lstrip('/')}" for place in places)
        return ModelFile(
            name=name,
            path=folder / f"{name}.onnx",
            hash_path=folder / f"{name}.hash",
            urls=tuple(f"{url}.onnx" for url in urls),
            hash_urls=tuple(f"{url}.hash" for url in urls),
            needed_by="face_swapper",
        )

    def fetched(self, path: str) -> list[int]:
        """From which bytes on a file was asked for, in turn."""
        return [start for method, asked, start in self.asked if (method, asked) == ("GET", path)]


def crc(content: bytes) -> str:
    return format(zlib.crc32(content), "08x")


def _handler(weights: Weights) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            way = weights.ways.get(self.path, [])[:1]
            self._answer(0, size=10**17 if way == ["huge"] else None)

        def do_GET(self) -> None:
            asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
            start = int(asked[1]) if asked else 0
            ways = weights.ways.get(self.path, [])
            way, _, number = (ways.pop(0) if ways else "").partition(":")
            content = self._answer(start, int(way) if way.isdigit() else 0)
            if way == "wrong":
                content = bytes(255 - byte for byte in content)
            self.wfile.write(content[: int(number)] if number else content)
            if way == "still":
                self.wfile.flush()
                weights.reached.set()
                weights.go_on.wait(30)

        def _answer(self, start: int, refusal: int = 0, size: int | None = None) -> bytes:
            """Send the headers; what follows them is returned."""
            weights.asked.append((self.command, self.path, start))
            content = weights.files.get(self.path)
            if content is None or refusal or (start and start >= len(content)):
                self.send_error(refusal or (404 if content is None else 416))
                return b""
            ranged = start > 0 and weights.ranges
            sent = content[start:] if ranged else content
            self.send_response(206 if ranged else 200)
            self.send_header("Content-Length", str(len(sent) if size is None else size))
            if ranged:
                self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
            self.end_headers()
            return sent

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
            pass

    return Handler


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that has gone away is no news."""


@contextmanager
def serving() -> Iterator[Weights]:
    """The server, until the block ends."""
    weights = Weights()
    with _Server(("127.0.0.1", 0), _handler(weights)) as server:
        weights.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield weights
        finally:
            weights.go_on.set()
            server.shutdown()
            thread.join()
