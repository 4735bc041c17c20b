"""faceswapctl as a process: what it imports, waits for, redraws, and how it ends."""

import json
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from faceswapd.control.wire.job_messages import Event
from faceswapd.control.wire.messages import Done, Error, Jobs
from faceswapd.control.wire.stream_messages import Hello, Progress
from faceswapd.ctl import main
from tests.control import samples
from tests.control.answering_daemon import Answers, Telling, listening

Capture = pytest.CaptureFixture[str]
COMMAND = [sys.executable, "-m", "faceswapd.ctl"]
CHECKOUT = Path(__file__).parents[2]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "s"


def ran(path: Path, *words: str, **given: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, "--socket", str(path), *words], cwd=CHECKOUT, text=True, capture_output=True, timeout=60, **given
    )


def test_only_the_standard_library_is_loaded(path: Path) -> None:
    script = "import sys; from faceswapd.ctl import main; main(); print(*sys.modules, file=sys.stderr)"
    with listening(path, {"GET /api/status": samples.busy()}):
        done = subprocess.run(
            [sys.executable, "-c", script, "--socket", str(path), "status"],
            cwd=CHECKOUT,
            text=True,
            capture_output=True,
            timeout=60,
        )
    assert done.returncode == 0
    loaded = done.stderr.split()
    own = {name for name in loaded if name.startswith("faceswapd")}
    assert {name for name in own if not name.startswith("faceswapd.ctl")} == {
        "faceswapd",
        "faceswapd.control",
        "faceswapd.control.wire",
        "faceswapd.control.wire.messages",
    }
    tops = {name.partition(".")[0] for name in loaded} - {"__main__", "faceswapd", "_distutils_hack", "sitecustomize"}
    assert {name for name in tops if name not in sys.stdlib_module_names} == set()
    # Each of these costs milliseconds that `status` does not have.
    assert not {"http.client", "email", "asyncio", "pathlib", "tempfile", "subprocess", "unicodedata"} & set(loaded)


def test_the_screen_of_a_process_is_plain(path: Path) -> None:
    with listening(path, {"GET /api/status": samples.busy()}):
        done = ran(path, "status", env={**os.environ, "TERM": "xterm-256color"})
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("faceswapd 0.1.0 is running (up 2 h 5 min, pid 4711).\n")
    assert "\x1b" not in done.stdout


def test_a_terminal_that_knows_only_ascii(path: Path) -> None:
    status = samples.status(running=[samples.job(1, "running", target="/in/視頻é.mp4")])
    with listening(path, {"GET /api/status": status}):
        done = ran(path, "status", env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert (done.returncode, done.stderr) == (0, "")
    assert "\\u8996\\u983b\\xe9.mp4" in done.stdout


def test_a_broken_pipe_is_quiet(path: Path) -> None:
    jobs = Jobs([samples.job(number, reason="r" * 200) for number in range(5000)], 5000)
    with listening(path, {"GET /api/jobs": jobs}):
        done = subprocess.run(
            ["bash", "-c", '"$@" | head -1; echo "${PIPESTATUS[0]}"', "bash", *COMMAND, "--socket", path, "jobs"],
            cwd=CHECKOUT,
            text=True,
            capture_output=True,
            timeout=60,
        )
    assert done.stderr == ""
    assert done.stdout.splitlines()[0].startswith("  ID  STATE")
    assert done.stdout.splitlines()[1] == "141"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_is_one_sentence(path: Path) -> None:
    with listening(path, {"GET /api/status": samples.busy()}), Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*COMMAND, "--socket", path, "status"], cwd=CHECKOUT, text=True, stdout=full, stderr=subprocess.PIPE
        )
    assert done.returncode == 1
    assert done.stderr == "faceswapctl: The output cannot be written: No space left on device.\n"


RUNS = samples.detail(samples.job(5, "running"))
ENDS = samples.detail(samples.job(5, "succeeded", output="/out/clip.mp4"))


def stream(*said: object, hello: Hello = Hello(7)) -> Telling:  # noqa: B008 - nobody changes it
    """Greets, and tells of what is given: events, or other messages."""
    telling = Telling()
    for one in (hello, *said):
        telling.tell(one.kind if isinstance(one, Event) else type(one).__name__.lower(), one)
    return telling


OF_ANOTHER = Event(8, samples.NOW, "succeeded", 4, "")
OF_THIS = Event(9, samples.NOW, "succeeded", 5, "")


def test_wait_ends_with_the_job(path: Path, capsys: Capture) -> None:
    answers: Answers = {
        "GET /api/stream": lambda: stream(OF_ANOTHER, Progress([]), OF_THIS),
        "GET /api/jobs/5": [RUNS, ENDS],
        "GET /api/jobs/6": samples.detail(samples.job(6, "failed", reason="no face")),
        "GET /api/jobs/7": (404, Error("There is no job 7.")),
    }
    with listening(path, answers) as daemon:
        assert main(["--socket", str(path), "wait", "5"]) == 0
        assert main(["--socket", str(path), "wait", "7", "6", "5"]) == 1
    first = ["GET /api/stream", "GET /api/jobs/5", "GET /api/jobs/5"]
    assert [question for question, _ in daemon.asked] == [
        *first, "GET /api/stream", "GET /api/jobs/7", "GET /api/jobs/6", "GET /api/jobs/5"
    ]  # fmt: skip
    said = capsys.readouterr()
    assert said.out.splitlines() == [
        "Job 5 (clip-5.mp4): succeeded, the result is /out/clip.mp4",
        "Job 6 (clip-6.mp4): failed. no face. Again: faceswapctl retry 6",
        "Job 5 (clip-5.mp4): succeeded, the result is /out/clip.mp4",
    ]
    assert said.err == "faceswapctl: There is no job 7.\n"


def test_wait_does_not_wait_for_what_waits_for_a_person(path: Path, capsys: Capture) -> None:
    with listening(path, {"GET /api/jobs/38": samples.detail(samples.PARKED[0])}):
        assert main(["--socket", str(path), "wait", "38"]) == 1
    assert "Settle it: faceswapctl assign 38 FACE" in capsys.readouterr().out


def test_wait_gives_up_in_time(path: Path, capsys: Capture) -> None:
    with listening(path, {"GET /api/jobs/5": RUNS, "GET /api/stream": stream(OF_ANOTHER)}):
        assert main(["--socket", str(path), "wait", "5", "--timeout", "0.2"]) == 4
    assert "Job 5 has not ended in time: it is running." in capsys.readouterr().err


def test_wait_gives_up_in_time_on_a_daemon_that_is_away(path: Path, capsys: Capture) -> None:
    assert main(["--socket", str(path), "wait", "5", "--timeout", "0.2"]) == 3
    assert "The daemon is not running" in capsys.readouterr().err


def test_wait_ends_when_the_daemon_is_gone_for_good(
    path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, seconds in (("AWAY_SECONDS", 0.3), ("TOLD_SECONDS", 0.1), ("BETWEEN_SECONDS", 0.05)):
        monkeypatch.setattr(f"faceswapd.ctl.waiting.{name}", seconds)
    with listening(path, {"GET /api/jobs/5": [RUNS, b""], "GET /api/stream": [stream(OF_THIS), b""]}):
        assert main(["--socket", str(path), "wait", "5", "6"]) == 3
    assert capsys.readouterr().err.splitlines() == [
        "faceswapctl: The daemon is away. It is given 0 s more to come back.",
        "faceswapctl: The daemon broke the connection off (it ended without an answer).",
    ]
    assert main(["--socket", str(path), "wait", "5"]) == 3
    assert "The daemon is not running" in capsys.readouterr().err


def test_wait_ends_with_a_job_that_is_cancelled_or_cleared_away(path: Path, capsys: Capture) -> None:
    gone = (404, Error("There is no job 5.", "The nearest is 4."))
    for last, said in ((samples.detail(samples.job(5, "cancelled")), "Job 5 (clip-5.mp4): cancelled."), (gone, "")):
        with listening(path, {"GET /api/jobs/5": [RUNS, RUNS, last], "GET /api/stream": stream(OF_THIS, OF_THIS)}):
            assert main(["--socket", str(path), "wait", "5"]) == 1
        assert capsys.readouterr().out.strip() == said


def test_wait_survives_a_restart_of_the_daemon(path: Path) -> None:
    with listening(path, {"GET /api/jobs/5": RUNS, "GET /api/stream": stream()}) as daemon:
        waiting = subprocess.Popen(
            [*COMMAND, "--socket", path, "wait", "5"], cwd=CHECKOUT, text=True, stdout=subprocess.PIPE
        )
        asked_twice(daemon.asked)
    with listening(path, {"GET /api/jobs/5": ENDS, "GET /api/stream": stream()}):
        said, _ = waiting.communicate(timeout=30)
    assert (waiting.returncode, said) == (0, "Job 5 (clip-5.mp4): succeeded, the result is /out/clip.mp4\n")


def asked_twice(asked: list[Any]) -> None:
    deadline = time.monotonic() + 30
    while len(asked) < 2 and time.monotonic() < deadline:
        os.sched_yield()
    assert len(asked) >= 2


def test_watch_on_no_terminal_is_a_line_for_each_change(path: Path) -> None:
    busy = samples.status(running=[samples.job(5, "running")], counts={"running": 1})
    paused = samples.status(state="paused", why="by ann", counts={"succeeded": 1})
    told: Answers = {"GET /api/status": [busy, paused], "GET /api/jobs/5": ENDS, "GET /api/stream": stream()}
    telling = told["GET /api/stream"]
    assert isinstance(telling, Telling)
    with listening(path, told):
        watching = subprocess.Popen(
            [*COMMAND, "--socket", path, "watch"], cwd=CHECKOUT, text=True, stdout=subprocess.PIPE
        )
        assert watching.stdout is not None
        lines = [watching.stdout.readline()[21:].rstrip("\n") for _ in range(3)]
        telling.tell("succeeded", OF_THIS)
        lines += [watching.stdout.readline()[21:].rstrip("\n") for _ in range(2)]
    away = watching.stdout.readline()[21:].rstrip("\n")
    with listening(path, {"GET /api/status": paused}):
        back = watching.stdout.readline()[21:].rstrip("\n")
    watching.send_signal(signal.SIGINT)
    assert watching.wait(30) == 0
    watching.stdout.close()
    assert lines == [
        "faceswapd 0.1.0 is running",
        "1 running",
        "Job 5 (clip-5.mp4): running.",
        "faceswapd 0.1.0 is paused: by ann",
        "Job 5 (clip-5.mp4): succeeded, the result is /out/clip.mp4",
    ]
    assert away == "The daemon is away. Waiting for it; Ctrl-C ends this."
    assert back == "The daemon is back."


def test_watch_with_json_is_a_document_a_second(path: Path) -> None:
    with listening(path, {"GET /api/status": samples.status()}):
        watching = subprocess.Popen(
            [*COMMAND, "--socket", path, "watch", "--json"], cwd=CHECKOUT, text=True, stdout=subprocess.PIPE
        )
        assert watching.stdout is not None
        documents = [json.loads(watching.stdout.readline()) for _ in range(2)]
        watching.send_signal(signal.SIGINT)
        assert watching.wait(30) == 0
        watching.stdout.close()
    assert [document["state"] for document in documents] == ["running", "running"]


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_watch_gives_the_terminal_back(path: Path, ending: signal.Signals) -> None:
    ours, theirs = pty.openpty()
    shown = b""
    with listening(path, {"GET /api/status": samples.busy()}):
        watching = subprocess.Popen(
            [*COMMAND, "--socket", path, "watch"],
            cwd=CHECKOUT,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={**os.environ, "TERM": "xterm"},
        )
        os.close(theirs)
        while shown.count(b"holiday.mp4") < 2:
            shown += os.read(ours, 65536)
        watching.send_signal(ending)
        while not shown.endswith(b"\x1b[?25h\x1b[?1049l"):
            shown += os.read(ours, 65536)
        assert watching.wait(30) == 0
    os.close(ours)
    assert shown.startswith(b"\x1b[?1049h\x1b[?25l\x1b[H")
    assert b"\x1b[1mRunning\x1b[0m\x1b[K\r\n" in shown


def test_watch_without_a_daemon_is_a_problem(path: Path, capsys: Capture) -> None:
    assert main(["--socket", str(path), "watch"]) == 3
    assert "The daemon is not running" in capsys.readouterr().err


def test_ctrl_c_is_quiet(path: Path) -> None:
    with listening(path, {"GET /api/jobs/5": RUNS, "GET /api/stream": stream()}) as daemon:
        waiting = subprocess.Popen(
            [*COMMAND, "--socket", path, "wait", "5"], cwd=CHECKOUT, text=True, stderr=subprocess.PIPE
        )
        asked_twice(daemon.asked)
        waiting.send_signal(signal.SIGINT)
        _, said = waiting.communicate(timeout=30)
    assert (waiting.returncode, said) == (130, "")


def test_a_stop_says_which(path: Path) -> None:
    answers: Answers = {"POST /api/stop": [Done("Draining."), Done("Stopping at once.")]}
    with listening(path, answers):
        assert ran(path, "stop").stdout == "Draining.\n"
        assert ran(path, "stop").stdout == "Stopping at once.\n"


def test_the_doctor_looks_at_the_daemon_that_is_meant(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("outbox = 7\n", encoding="utf-8")
    done = ran(tmp_path / "state" / "control.sock", "doctor", "--json")
    assert done.returncode == 1
    assert str(tmp_path / "config.toml") in json.dumps(json.loads(done.stdout))


def test_ctrl_c_in_generated_code_ends_as_quietly_as_elsewhere(tmp_path: Path) -> None:
    """Where a class is being made, say: `python -m` would end itself by the signal, although it was caught."""
    script = (
        "import sys, faceswapd.ctl, faceswapd.ctl.commands as commands\n"
        "commands.run = lambda _: exec('raise KeyboardInterrupt')\n"
        "sys.exit(faceswapd.ctl.main([]))\n"
    )
    (tmp_path / "asking.py").write_text(script, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{CHECKOUT}"}
    done = subprocess.run([sys.executable, "-m", "asking"], env=environment, capture_output=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (130, b"", b"")
