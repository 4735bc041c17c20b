"""How faceswapctl listens: whatever comes, in whatever pieces."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from faceswapd.control.wire.job_messages import Event
from faceswapd.control.wire.messages import to_wire
from faceswapd.control.wire.stream_messages import Course, Hello, Progress
from faceswapd.ctl import stream as streams
from faceswapd.ctl.client import UNREACHABLE, Client, Problem
from faceswapd.ctl.stream import Stream
from tests.control.answering_daemon import Telling, listening
from tests.control.samples import NOW

EVENT = Event(8, NOW, "queued", 12, "found in the inbox: é\n\nid: 9")
PROGRESS = Progress([Course(12, 0.5, "swap", None)])
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "s"


@pytest.fixture
def listener(path: Path) -> Iterator[Stream]:
    with Stream(Client(str(path)), 7) as stream:
        yield stream


def block(kind: str, said: object) -> bytes:
    return f"id: 1\nevent: {kind}\ndata: {json.dumps(to_wire(said))}\n\n".encode()


TOLD = b"retry: 1000\n\n" + block("hello", Hello(7)) + b": all is well\n\n" + block("queued", EVENT)
TOLD += block("progress", PROGRESS)


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_what_is_told_comes_in_pieces_of_any_size(path: Path, listener: Stream, size: int) -> None:
    telling = Telling()
    for place in range(0, len(TOLD), size):
        telling.pieces.put(TOLD[place : place + size])
    with listening(path, {"GET /api/stream": telling}) as daemon:
        assert listener.connect() == Hello(7)
        assert listener.next(10) == EVENT
        assert listener.next(10) == PROGRESS
        assert listener.next(0) is None
        assert listener.next(0.05) is None
        telling.pieces.put(None)
        assert isinstance(listener.next(10), Problem)
        assert not listener.connected
        listener.connect()
    assert [question for question, _ in daemon.asked] == ["GET /api/stream?after=7", "GET /api/stream?after=8"]


def test_a_stream_may_come_as_one_piece_without_a_frame(path: Path, listener: Stream) -> None:
    with listening(path, {"GET /api/stream": HEAD + TOLD}):
        assert listener.connect() == Hello(7)
        assert [listener.next(10) for _ in range(2)] == [EVENT, PROGRESS]
        problem = listener.next(10)
    assert isinstance(problem, Problem)
    assert problem.code == UNREACHABLE


@pytest.mark.parametrize(
    "rubbish",
    [
        b"",
        b"rubbish",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n",
        HEAD + block("queued", EVENT),
        HEAD + b"event: hello\ndata: {\n\n",
        HEAD + b"event: hello\ndata: [7]\n\n",
        HEAD + b"event: hello\ndata: {}\n\n",
        HEAD + b"event: \xff\ndata: {}\n\n",
        HEAD + b"data: " + b"[" * 100_000 + b"\n\n",
        b"HTTP/1.1 500 Internal Server Error\r\n\r\nrubbish",
    ],
)
def test_rubbish_is_a_problem(path: Path, listener: Stream, rubbish: bytes) -> None:
    with listening(path, {"GET /api/stream": rubbish}):
        problem = listener.connect()
    assert isinstance(problem, Problem)
    assert problem.code == UNREACHABLE
    assert not listener.connected


def test_a_daemon_that_says_nothing_for_a_minute_hangs(
    path: Path, listener: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    telling = Telling()
    telling.tell("hello", Hello(7))
    with listening(path, {"GET /api/stream": telling}):
        assert listener.connect() == Hello(7)
        monkeypatch.setattr(streams, "SILENT_SECONDS", 0.05)
        while (said := listener.next(0.02)) is None:
            pass
        assert said == Problem(streams.HANGS, UNREACHABLE)
        assert not listener.connected
