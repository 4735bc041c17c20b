"""`faceswapctl events`."""

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from faceswapd.control.wire.event_messages import Events
from faceswapd.control.wire.job_messages import Event
from faceswapd.control.wire.messages import Error, to_wire
from faceswapd.control.wire.stream_messages import Hello
from faceswapd.ctl import main
from faceswapd.ctl.events import ANOTHER, AWAY, BACK, MISSED, PIECE
from faceswapd.ctl.plain import clock
from faceswapd.ctl.since import since
from tests.control.answering_daemon import Answers, listening
from tests.control.samples import NOW
from tests.control.test_ctl_commands import _own_home, asked, path  # noqa: F401 - fixtures
from tests.control.test_ctl_process import CHECKOUT, COMMAND, stream

Capture = pytest.CaptureFixture[str]
QUEUED = Event(7, NOW, "queued", 12, "found in the inbox")
PAUSED = Event(8, NOW + 60, "paused", None, "by hand\x1b[2J")


def test_events_are_a_line_each(path: Path, capsys: Capture) -> None:  # noqa: F811
    code, questions = asked(path, {"GET /api/events": Events([QUEUED, PAUSED], 1, 8)}, "events")
    assert (code, questions) == (0, [("GET /api/events?limit=50", None)])
    assert capsys.readouterr() == (
        f"{clock(NOW)}  job 12     queued: found in the inbox\n{clock(NOW + 60)}  daemon     paused: by hand\\x1b[2J\n",
        "",
    )


def test_with_json_each_event_is_a_document(path: Path, capsys: Capture) -> None:  # noqa: F811
    asked(path, {"GET /api/events": Events([QUEUED, PAUSED], 1, 8)}, "events", "--json")
    lines = capsys.readouterr().out.splitlines()
    assert [json.loads(line) for line in lines] == [to_wire(QUEUED), to_wire(PAUSED)]


def test_all_since_a_time_are_fetched_in_pieces(path: Path, capsys: Capture) -> None:  # noqa: F811
    many = [Event(number, NOW, "test", 3, str(number)) for number in range(1, PIECE + 2)]
    answers = {"GET /api/events": [Events(many[:PIECE], 1, PIECE + 1), Events(many[PIECE:], 1, PIECE + 1)]}
    begun = time.time()
    code, questions = asked(path, {**answers}, "events", "--since", "2h", "3-4", "9")
    assert code == 0
    assert len(capsys.readouterr().out.splitlines()) == PIECE + 1
    named = re.fullmatch(r"GET /api/events\?since=([0-9.]+)&limit=1000&job=3&job=4&job=9", questions[0][0])
    assert named
    assert begun - 7201 < float(named[1]) < time.time() - 7199
    assert questions[1][0] == f"GET /api/events?after={PIECE}&limit=1000&job=3&job=4&job=9"


def test_an_unknown_job_is_the_daemons_sentence(path: Path, capsys: Capture) -> None:  # noqa: F811
    answer = (404, Error("There is no job 5.", "The nearest is 4."))
    assert asked(path, {"GET /api/events": answer}, "events", "5", "-f")[0] == 1
    assert capsys.readouterr() == ("", "faceswapctl: There is no job 5. The nearest is 4.\n")


@pytest.mark.parametrize(
    "words", [["--since", "soon"], ["--since", "2h", "--limit", "3"], ["1-101"], ["--limit", "0"], ["x"]]
)
def test_wrong_usage(words: list[str], path: Path, capsys: Capture) -> None:  # noqa: F811
    assert main(["--socket", str(path), "events", *words]) == 2
    assert capsys.readouterr().out == ""


def test_who_follows_is_told_on_over_a_restart_and_loses_nothing(path: Path) -> None:  # noqa: F811
    def one(number: int, job: int | None = None) -> Event:
        return Event(number, NOW, "test", job, f"event {number}")

    earlier: Answers = {"GET /api/events": Events([one(5, 3)], 1, 5), "GET /api/stream": stream(one(6, 3), one(7))}
    with listening(path, earlier) as first:
        following = subprocess.Popen(
            [*COMMAND, "--socket", path, "events", "-f", "3", "4"],
            cwd=CHECKOUT,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert following.stdout is not None
        assert following.stderr is not None
        told = [following.stdout.readline() for _ in range(2)]
        while len(first.asked) < 2:
            os.sched_yield()
    said = [following.stderr.readline()]
    with listening(path, {"GET /api/stream": stream(one(10, 4), hello=Hello(9, missed=True))}) as second:
        told += [following.stdout.readline()]
        said += [following.stderr.readline() for _ in range(2)]
    said += [following.stderr.readline()]
    with listening(path, {"GET /api/stream": stream(one(3, 3), hello=Hello(2, missed=True))}) as third:
        told += [following.stdout.readline()]
        said += [following.stderr.readline() for _ in range(2)]
        following.send_signal(signal.SIGINT)
        assert following.wait(30) == 0
    assert following.stderr.read() == ""
    following.stdout.close()
    following.stderr.close()
    assert [line.rpartition(": ")[2] for line in told] == [f"event {n}\n" for n in (5, 6, 10, 3)]
    assert said == [f"faceswapctl: {sentence}\n" for sentence in (AWAY, BACK, MISSED, AWAY, BACK, ANOTHER)]
    assert [question for question, _ in first.asked] == [
        "GET /api/events?limit=50&job=3&job=4",
        "GET /api/stream?after=5",
    ]
    assert second.asked[0][0] == "GET /api/stream?after=7", "those of other jobs count, too"
    assert third.asked[0][0] == "GET /api/stream?after=10"


def test_who_follows_is_told_why_he_may_not(path: Path, capsys: Capture) -> None:  # noqa: F811
    full = (503, Error("500 listen already.", "Try again in a moment."))
    assert asked(path, {"GET /api/events": Events([], 0, 0), "GET /api/stream": full}, "events", "-f")[0] == 1
    assert capsys.readouterr() == ("", "faceswapctl: 500 listen already. Try again in a moment.\n")


def local(*parts: int) -> float:
    year, month, day, hour, minute, second = (*parts, *[0] * (6 - len(parts)))
    return datetime(year, month, day, hour, minute, second).timestamp()  # noqa: DTZ001  local is meant


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("30s", lambda now: now - 30),
        ("5m", lambda now: now - 300),
        ("2h", lambda now: now - 7200),
        ("3d", lambda now: now - 259200),
        ("1w", lambda now: now - 604800),
        ("999999999w", lambda _: 0.0),
        ("2026-03-04", lambda _: local(2026, 3, 4)),
        ("2026-03-04T05:06:07", lambda _: local(2026, 3, 4, 5, 6, 7)),
        ("2026-03-04 05:06", lambda _: local(2026, 3, 4, 5, 6)),
        ("2026-03-04T05:06:07+00:00", lambda _: 1772600767.0),
        ("11:30", lambda _: local(2026, 3, 10, 11, 30)),
        ("12:00:00", lambda _: local(2026, 3, 10, 12)),
        ("12:01", lambda _: local(2026, 3, 9, 12, 1)),
    ],
)
def test_a_time_is_understood(text: str, at: Callable[[float], float]) -> None:
    noon = local(2026, 3, 10, 12)
    assert since(text, noon) == at(noon)


@pytest.mark.parametrize(
    "text", ["", "2", "h", "2 h", "-2h", "25:00", "noon", "2026-13-01", "1" * 30 + "s", "٢h", "12"]
)
def test_what_is_no_time_is_told_with_what_is(text: str) -> None:
    with pytest.raises(ValueError, match="is no time: write 2h"):
        since(text)
