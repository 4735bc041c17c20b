"""A large upload: what it costs the daemon in memory while it comes, over the TCP port as a browser would send it."""

import contextlib
import http.client
import json
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import psutil

from benchmarks.figure import Figure
from benchmarks.real_daemon import Running, own_folder, running
from faceswapd.cli.place import CONFIG
from faceswapd.control.wire.login_messages import Link
from faceswapd.ctl.client import Problem
from faceswapd.media.drawn import write_portrait
from faceswapd.media.drawn_scene import write_scene_video

SIZE: Final = 2_000_000_000
PIECE: Final = 1 << 20
BOUNDARY: Final = "a-boundary"
SETTINGS: Final = "\n[http]\nenabled = true\nport = 0\n"


def measure() -> list[Figure]:
    """A video with two gigabytes behind its end, which every player leaves unread."""
    with own_folder() as folder:
        if shutil.disk_usage(folder).free < 3 * SIZE:
            raise RuntimeError(f"{3 * SIZE / 1e9:.0f} GB of free disk are wanted for it")
        config = folder / CONFIG
        config.write_text(config.read_text(encoding="utf-8") + SETTINGS, encoding="utf-8")
        video = folder / "clip.mp4"
        write_scene_video(video, [11], 320, 180, 1.0, 25)
        portrait = folder / "face.png"
        write_portrait(portrait, 4, 256)
        with running(folder) as daemon:
            _send(daemon, portrait, video.read_bytes(), 0)  # whatever is loaded at the first time is loaded now
            before = psutil.Process(daemon.pid).memory_info().rss
            with _watched(daemon.pid) as highest:
                started = time.monotonic()
                _send(daemon, portrait, video.read_bytes(), SIZE)
                spent = time.monotonic() - started
    grown = (max(highest) - before) / 1e6
    return [
        Figure(
            "memory that an upload of 2 GB takes",
            f"{grown:.1f} MB ({SIZE / spent / 1e6:.0f} MB/s)",
            "< 40 MB",
            grown < 40,
        )
    ]


@contextlib.contextmanager
def _watched(pid: int) -> Iterator[list[int]]:
    """What the daemon holds, a hundred times a second."""
    held, over = [psutil.Process(pid).memory_info().rss], threading.Event()

    def look() -> None:
        while not over.wait(0.01):
            held.append(psutil.Process(pid).memory_info().rss)

    looking = threading.Thread(target=look)
    looking.start()
    try:
        yield held
    finally:
        over.set()
        looking.join()


def _send(daemon: Running, portrait: Path, video: bytes, more: int) -> None:
    """Raises RuntimeError where it is refused."""
    link = daemon.client.post(Link, "/api/login-links", {})
    if isinstance(link, Problem):
        raise RuntimeError(str(link))  # noqa: TRY004  what is wrong is the daemon
    place = link.url.removeprefix("http://").partition("/")[0]
    head, end = _part("target", "clip.mp4"), f"\r\n--{BOUNDARY}--\r\n".encode()
    photo = _part("source", "face.png") + portrait.read_bytes() + b"\r\n"
    # A box of the kind `free`: what stands in it is nothing.
    box = (more + 16).to_bytes(8, "big")
    behind = b"\0\0\0\1free" + box if more else b""
    length = len(photo) + len(head) + len(video) + len(behind) + more + len(end)
    line = http.client.HTTPConnection(place, timeout=300)
    line.putrequest("POST", "/api/process")
    line.putheader("Authorization", f"Bearer {(daemon.folder / 'state' / 'token').read_text().strip()}")
    line.putheader("Content-Type", f"multipart/form-data; boundary={BOUNDARY}")
    line.putheader("Content-Length", str(length))
    line.endheaders()
    for data in (photo, head, video, behind):
        line.send(data)
    nothing = bytes(PIECE)
    for sent in range(0, more, PIECE):
        line.send(nothing[: min(PIECE, more - sent)])
    line.send(end)
    answer = line.getresponse()
    said = answer.read()
    if answer.status not in (200, 202):
        raise RuntimeError(f"{answer.status}: {json.loads(said)}"[:200])
    line.close()


def _part(name: str, file: str) -> bytes:
    return f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"; filename="{file}"\r\n\r\n'.encode()
