"""What holds for every command: a daemon that is not running, colours, and what a terminal takes."""

import os
import pty
import subprocess
from pathlib import Path

import pytest

from faceswapd.control.wire.event_messages import Events
from faceswapd.control.wire.job_messages import Event
from faceswapd.control.wire.log_messages import JobLog
from faceswapd.control.wire.messages import Jobs
from faceswapd.ctl import main
from faceswapd.ctl.commands import COMMANDS
from tests.control import samples
from tests.control.answering_daemon import Answers, listening
from tests.control.test_ctl_commands import _own_home, path  # noqa: F401 - fixtures
from tests.control.test_ctl_process import CHECKOUT, COMMAND

Capture = pytest.CaptureFixture[str]

USUAL: dict[str, list[str]] = {  # how each command is asked that asks the daemon
    "status": [],
    "jobs": [],
    "show": ["1"],
    "logs": ["1"],
    "events": [],
    "wait": ["1"],
    "watch": [],
    "explain": ["a.mp4"],
    "assign": ["a.mp4", "alice"],
    "submit": ["/a.mp4"],
    "pause": [],
    "resume": [],
    "cancel": ["1"],
    "priority": ["5", "1"],
    "retry": ["1"],
    "models": [],
    "ledger": ["check"],
    "faces": [],
    "inboxes": [],
    "presets": [],
    "report": [],
    "webhook": [],
    "open": [],
    "stop": [],
}


def test_every_command_says_in_one_line_that_the_daemon_is_not_running(
    path: Path,  # noqa: F811
    capsys: Capture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("faceswapd.ctl.waiting.AWAY_SECONDS", 0.0)
    assert set(USUAL) == set(COMMANDS) - {"completion", "doctor"}  # which ask nobody
    for command, words in USUAL.items():
        code = main(["--socket", str(path), command, *words])
        said = capsys.readouterr()
        assert (command, code, said.out) == (command, 3, "")
        first, *more = said.err.splitlines()
        assert "The daemon is not running" in first, command
        assert "Start it: faceswapd init && faceswapd run" in first, command
        assert command == "submit" or more == [], command


DETAIL = samples.detail(samples.FAILED[0])
ANSWERS: Answers = {
    "GET /api/status": samples.busy(),
    "GET /api/jobs": Jobs(samples.FAILED, 2),
    "GET /api/jobs/39": DETAIL,
    "GET /api/events": Events([Event(1, samples.NOW, "failed", 39, "It died.")], 1, 1),
    "GET /api/jobs/39/log": JobLog("failed", 1, 1, running=False, text="-- swapping\n", start=0, next=12),
}


@pytest.mark.parametrize(("given", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)])
def test_colours_are_for_terminals_alone_that_want_them(
    path: Path,  # noqa: F811
    given: dict[str, str],
    *,
    coloured: bool,
) -> None:
    env = {name: value for name, value in os.environ.items() if name != "NO_COLOR"} | {"TERM": "xterm"} | given
    with listening(path, ANSWERS):
        commands = (["events"], ["jobs"], ["status"], ["show", "39"], ["logs", "39"])
        for words in commands if coloured else commands[:1]:  # one function paints all of them
            ours, theirs = pty.openpty()
            command = [*COMMAND, "--socket", str(path), *words]
            done = subprocess.run(command, cwd=CHECKOUT, env=env, stdout=theirs, stderr=subprocess.PIPE, timeout=60)
            os.close(theirs)
            shown = os.read(ours, 1 << 16)
            os.close(ours)
            assert (done.returncode, done.stderr) == (0, b"")
            assert (b"\x1b[" in shown) is coloured, words
