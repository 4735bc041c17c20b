"""`faceswapctl logs`."""

import json
from pathlib import Path

import pytest

from faceswapd.control.wire.log_messages import JobLog
from faceswapd.control.wire.messages import Error
from faceswapd.ctl import main
from tests.control.answering_daemon import Answers, listening
from tests.control.test_ctl_commands import _own_home, asked, path  # noqa: F401 - fixtures

Capture = pytest.CaptureFixture[str]
ROUTE = "GET /api/jobs/5/log"


def log(
    text: str, start: int = 0, state: str = "running", execution: int | None = 3, *, running: bool = True
) -> JobLog:
    return JobLog(state, execution, execution or 0, running, text, start, start + len(text))


def test_the_log_is_told_as_it_is(path: Path, capsys: Capture) -> None:  # noqa: F811
    assert asked(path, {ROUTE: log("-- starting\n\x1b[2Jboom\n")}, "logs", "#5") == (0, [(ROUTE, None)])
    assert capsys.readouterr() == ("-- starting\n\\x1b[2Jboom\n", "")
    asked(path, {ROUTE: log("boom\n", start=7)}, "logs", "5")
    assert capsys.readouterr().out == "... (what was said before is no longer kept)\nboom\n"


def test_where_nothing_is_known_that_is_said(path: Path, capsys: Capture) -> None:  # noqa: F811
    assert asked(path, {ROUTE: log("", state="queued", execution=None, running=False)}, "logs", "5")[0] == 0
    said = "faceswapctl: Nothing that job 5 said is known: it is queued. See `faceswapctl show 5`.\n"
    assert capsys.readouterr() == ("", said)
    assert asked(path, {ROUTE: (404, Error("There is no job 5."))}, "logs", "5", "-f")[0] == 1


def test_who_follows_hears_it_to_the_end_of_the_job(
    path: Path,  # noqa: F811
    capsys: Capture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("faceswapd.ctl.logs.BETWEEN_SECONDS", 0.01)
    answers: Answers = {
        ROUTE: [
            log("", state="queued", execution=None, running=False),
            log("one\n"),
            log("two\n", 4),
            b"",
            log("", 8, "queued", running=False),
            log("again\n", execution=4),
            log("done\n", 90, execution=4),
            log("", 95, "succeeded", execution=4, running=False),
        ]
    }
    code, questions = asked(path, answers, "logs", "-f", "5")
    told = capsys.readouterr()
    assert code == 0
    assert told.out.splitlines() == [
        "== attempt 3",
        "one",
        "two",
        "== attempt 4",
        "again",
        "... (what was said before is no longer kept)",
        "done",
    ]
    assert told.err.splitlines() == [
        "faceswapctl: The daemon is away. Waiting for it; Ctrl-C ends this.",
        "faceswapctl: The daemon is back.",
        "faceswapctl: Job 5 is succeeded.",
    ]
    assert [question.removeprefix(ROUTE) for question, _ in questions] == [
        *("", "", "?after=4&execution=3", "?after=8&execution=3", "?after=8&execution=3", "?after=8&execution=3"),
        *("?after=6&execution=4", "?after=95&execution=4"),
    ]


def test_with_json_each_piece_is_a_document(
    path: Path,  # noqa: F811
    capsys: Capture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("faceswapd.ctl.logs.BETWEEN_SECONDS", 0.01)
    pieces = [log("one\n"), log("", 4), log("two\n", 4, "failed", running=False)]
    with listening(path, {ROUTE: [*pieces]}):
        assert main(["--socket", str(path), "logs", "-f", "5", "--json"]) == 0
    assert [json.loads(line)["text"] for line in capsys.readouterr().out.splitlines()] == ["one\n", "two\n"]
