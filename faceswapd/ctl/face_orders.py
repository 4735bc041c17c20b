"""`faceswapctl faces add` and `faces remove`: photos are sent, a few megabytes at a time, and persons taken out."""

import os
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import quote

from faceswapd.control.wire.face_messages import FaceAdded, FaceRemoved
from faceswapd.ctl.client import REFUSED, Client, Problem
from faceswapd.ctl.output import complain, complain_of, print_json
from faceswapd.ctl.plain import clean
from faceswapd.ctl.terminal import Line, Terminal

USAGE: Final = 2
ANSWER_SECONDS: Final = 300.0  # each photo is looked at before the answer comes
PIECE: Final = 1 << 20  # bytes
MEDIA_TYPE: Final = "multipart/form-data; boundary="


def carry_out(client: Client, arguments: Namespace, terminal: Terminal) -> int:
    """Give one of the two orders."""
    if arguments.name is None:
        complain(f"`faces {arguments.action}` wants the face's name.")
        return USAGE
    route = f"/api/faces/{quote(arguments.name, safe='')}"
    answer: FaceAdded | FaceRemoved | Problem
    if arguments.action == "remove":
        if arguments.photos:
            complain("`faces remove` takes a name only: it takes the whole face out.")
            return USAGE
        answer = client.delete(FaceRemoved, route)
    else:
        if not arguments.photos:
            complain("`faces add` wants photos after the name.")
            return USAGE
        unread = next(filter(None, map(_problem_of, arguments.photos)), None)
        if unread is not None:
            complain(unread)
            return REFUSED
        form = _Form("photo", arguments.photos)
        answer = client.send(FaceAdded, route, form.media_type, form.length, form.pieces(), ANSWER_SECONDS)
    if isinstance(answer, Problem):
        return complain_of(answer)
    if arguments.json:
        print_json(answer)
    else:
        terminal.show([Line(clean(answer.text))])
    return 0


def _problem_of(path: str) -> str | None:
    try:
        with Path(path).open("rb"):
            return None
    except OSError as error:
        return f"{path}: It cannot be read: {error.strerror}."


class _Form:
    """Files as a form, made while it is sent. A file that grows meanwhile is cut where it ended before."""

    def __init__(self, name: str, paths: list[str]) -> None:
        boundary = f"faceswapctl-{os.urandom(16).hex()}"
        self.media_type = f"{MEDIA_TYPE}{boundary}"
        self._parts = [(path, Path(path).stat().st_size, _head(boundary, name, path)) for path in paths]
        self._end = f"--{boundary}--\r\n".encode()
        self.length = sum(size + len(head) + 2 for _, size, head in self._parts) + len(self._end)

    def pieces(self) -> Iterator[bytes]:
        """All of it. Raises OSError."""
        for path, size, head in self._parts:
            yield head
            with Path(path).open("rb") as file:
                left = size
                while left and (data := file.read(min(PIECE, left))):
                    left -= len(data)
                    yield data
            if left:
                raise OSError(0, f"{path} became shorter while it was sent")
            yield b"\r\n"
        yield self._end


def _head(boundary: str, name: str, path: str) -> bytes:
    file = Path(path).name.replace('"', "_").replace("\r", "_").replace("\n", "_").replace("\\", "_")
    said = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="{file}"\r\n\r\n'
    return said.encode("utf-8", "replace")
