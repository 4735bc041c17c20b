"""Each command of faceswapctl against a server that answers with the wire's messages."""

import json
import os
import socket
from pathlib import Path
from typing import Any

import pytest

from faceswapd import __version__
from faceswapd.control.wire import address
from faceswapd.control.wire.job_messages import Explanation, Retried
from faceswapd.control.wire.ledger_messages import LedgerCheck
from faceswapd.control.wire.log_messages import JobLog
from faceswapd.control.wire.messages import Done, Error, Jobs, to_wire
from faceswapd.ctl import main
from faceswapd.ctl.client import BROKEN_OFF
from faceswapd.ctl.job_screens import jobs_table
from faceswapd.ctl.terminal import Terminal
from tests.control import samples
from tests.control.answering_daemon import Answers, listening

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in ("FACESWAPD_SOCKET", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TMPDIR", str(tmp_path))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "s"


def asked(path: Path, answers: Answers, *words: str) -> tuple[int, list[tuple[str, Any]]]:
    with listening(path, answers) as daemon:
        return main(["--socket", str(path), *words]), daemon.asked


JOB = samples.job(12, "succeeded", output="/out/a.mp4")
STATUS = samples.busy()
DETAIL = samples.detail(samples.FAILED[0])
EXPLANATION = Explanation("/in/a.mp4", "It gets alice.", "folder", "alice", "fast", JOB, ["1. sidecar: none"])
READ_ONLY = [
    (["status"], "GET /api/status", STATUS),
    (["jobs"], "GET /api/jobs", Jobs([JOB], 99)),
    (["show", "39"], "GET /api/jobs/39", DETAIL),
    (["explain", "a.mp4"], "GET /api/explain", EXPLANATION),
    (["logs", "39"], "GET /api/jobs/39/log", JobLog("failed", 3, 1, running=False, text="boom\n", start=0, next=5)),
    (["wait", "39"], "GET /api/jobs/39", DETAIL),
    (["pause"], "POST /api/pause", Done("Paused.")),
    (["resume", "rush"], "POST /api/resume", Done("Resumed.")),
    (["cancel", "3"], "POST /api/jobs/3/cancel", Done("Cancelled.")),
    (["priority", "5", "3"], "POST /api/jobs/3/priority", Done("It has the priority 5.")),
    (["retry", "3"], "POST /api/jobs/3/retry", Done("Queued.")),
    (["assign", "3", "bob"], "POST /api/jobs/3/assign", Done("Assigned.")),
    (["stop"], "POST /api/stop", Done("Draining.")),
]


@pytest.mark.parametrize(("words", "question", "message"), READ_ONLY, ids=[row[0][0] for row in READ_ONLY])
def test_json_is_the_wire_message_and_nothing_else(
    words: list[str], question: str, message: Any, path: Path, capsys: Capture
) -> None:
    asked(path, {question: message}, *words, "--json")
    said = capsys.readouterr()
    assert json.loads(said.out) == to_wire(message)
    assert said.out.count("\n") == 1
    assert said.out.isascii()
    assert said.err == ""


def test_socket_and_json_stand_before_or_after_the_command(path: Path, capsys: Capture) -> None:
    with listening(path, {"GET /api/jobs": Jobs([], 0)}):
        for words in (["--json", "--socket", str(path), "jobs"], ["jobs", "--socket", str(path), "--json"]):
            assert main(words) == 0
            assert json.loads(capsys.readouterr().out) == {"jobs": [], "total": 0, "next": None}


def test_jobs_asks_for_states_and_a_limit(path: Path, capsys: Capture) -> None:
    answers: Answers = {"GET /api/jobs": Jobs([JOB], 99)}
    _, questions = asked(path, answers, "jobs", "--state", "failed", "--state", "parked", "--limit", "7")
    assert questions[0][0] == "GET /api/jobs?state=failed&state=parked&limit=7"
    assert asked(path, answers, "jobs")[1][0][0] == "GET /api/jobs?limit=50"
    assert asked(path, answers, "jobs", "--json")[1][0][0] == "GET /api/jobs"


def test_jobs_asks_for_what_they_have_in_common(path: Path, capsys: Capture) -> None:
    words = ["--inbox", "main", "--face", "al ice", "--preset", "fast", "--category", "gpu_oom", "--text", "&é/\udcff"]
    _, questions = asked(path, {"GET /api/jobs": Jobs([JOB], 99, 12)}, "jobs", *words, "--before", "20")
    assert questions[0][0] == (
        "GET /api/jobs?inbox=main&face=al%20ice&preset=fast&category=gpu_oom&text=%26%C3%A9/%FF&limit=50&before=20"
    )
    assert capsys.readouterr().out.splitlines()[-1] == "older ones: --before 12"
    asked(path, {"GET /api/jobs": Jobs([JOB], 99)}, "jobs", "--before", "13")
    assert len(capsys.readouterr().out.splitlines()) == 2, "the oldest ones are here"
    asked(path, {"GET /api/jobs": Jobs([], 99)}, "jobs", "--before", "1")
    assert capsys.readouterr().out == "99 jobs, none older.\n"


LONG = samples.job(7, target="/in/" + "n" * 300, face="f" * 30, reason="r" * 300)


def test_jobs_is_a_table_that_fits() -> None:
    jobs = [*samples.RUNNING, *samples.FAILED, LONG._replace(face="photos-224c77409")]
    lines = [line.text for line in jobs_table(Jobs(jobs, 99), Terminal())]
    assert " own photos " in lines[5]
    assert lines[0].split() == ["ID", "STATE", "FACE", "TARGET", "PRESET", "PROGRESS", "REASON"]
    assert [line.split()[:2] for line in lines[1:6]] == [[str(job.id), job.state] for job in jobs]
    assert max(map(len, lines)) <= 80
    assert lines[-1] == "and 94 more; see them with --limit 99"


def test_jobs_that_a_program_reads_are_not_cut(path: Path, capsys: Capture) -> None:
    asked(path, {"GET /api/jobs": Jobs([LONG], 1)}, "jobs")
    row = capsys.readouterr().out.splitlines()[1].split()
    assert row == ["7", "queued", "f" * 30, "n" * 300, "balanced", "r" * 300]


def test_no_jobs(path: Path, capsys: Capture) -> None:
    asked(path, {"GET /api/jobs": Jobs([], 0)}, "jobs")
    assert capsys.readouterr().out == "No jobs.\n"


def test_show_tells_everything(path: Path, capsys: Capture) -> None:
    asked(path, {"GET /api/jobs/39": DETAIL}, "show", "39")
    text = capsys.readouterr().out
    for part in (
        "Job 39 is failed",
        "bob (the folder's name)",
        "The video ends in the middle of a frame.",
        "Copy the file again.",
        "failed after 10 s, 240 frames (24.0 a second): The child died.",
        "| boom",
        "admitted: found in the inbox",
    ):
        assert part in text


def test_explain_says_the_answer_first(path: Path, capsys: Capture) -> None:
    asked(path, {"GET /api/explain": EXPLANATION}, "explain", "a.mp4")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "It gets alice."
    assert "  job     12, succeeded" in lines


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("nowhere.mp4", "nowhere.mp4"),
        ("here.mp4", "{cwd}/here.mp4"),
        ("link.mp4", "{cwd}/link.mp4"),
        ("alice/b c.mp4", "alice/b%20c.mp4"),
        ("./alice/../b c.mp4", "{cwd}/b%20c.mp4"),
        ("/in/caf\u00e9&x=1.mp4", "/in/caf%C3%A9%26x%3D1.mp4"),
        ("/in/\udcff\n.mp4", "/in/%FF%0A.mp4"),
    ],
)
def test_how_a_path_is_sent(given: str, sent: str, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "cwd"
    folder.mkdir()
    (folder / "here.mp4").touch()
    (folder / "link.mp4").symlink_to("/dev/null")
    monkeypatch.chdir(folder)
    _, questions = asked(path, {"GET /api/explain": EXPLANATION}, "explain", "--", given)
    assert questions[0][0] == "GET /api/explain?path=" + sent.format(cwd=folder)


def test_assign_finds_the_parked_job_of_a_path(path: Path, capsys: Capture) -> None:
    found = Jobs([samples.job(8, "succeeded"), samples.job(9, "parked", face=None)], 2)
    answers: Answers = {"GET /api/find": found, "POST /api/jobs/9/assign": Done("clip.mp4 gets alice.")}
    code, questions = asked(path, answers, "assign", "clip.mp4", "alice")
    assert (code, capsys.readouterr().out) == (0, "clip.mp4 gets alice.\n")
    assert questions == [
        ("GET /api/find?path=clip.mp4", None),
        ("POST /api/jobs/9/assign", {"face": "alice"}),
    ]


def test_assign_gives_several_targets_one_face_and_goes_on_after_one_that_cannot_have_it(
    path: Path, capsys: Capture
) -> None:
    answers: Answers = {
        "GET /api/find?path=a.mp4": Jobs([samples.job(7, "parked", face=None)], 1),
        "GET /api/find?path=b.mp4": Jobs([samples.job(8, "succeeded")], 1),
        "GET /api/find?path=c.mp4": Jobs([samples.job(9, "parked", face=None)], 1),
        "POST /api/jobs/7/assign": Done("Job 7 is queued with the face 'alice'."),
        "POST /api/jobs/9/assign": Done("Job 9 is queued with the face 'alice'."),
    }
    code, questions = asked(path, answers, "assign", "a.mp4", "b.mp4", "c.mp4", "9", "a.mp4", "alice")
    said = capsys.readouterr()
    assert code == 1
    assert said.out == "Job 7 is queued with the face 'alice'.\nJob 9 is queued with the face 'alice'.\n"
    assert said.err.startswith("faceswapctl: No parked job of b.mp4: job 8 is succeeded")
    assert [question for question, _ in questions if question.startswith("POST")] == [
        "POST /api/jobs/7/assign",
        "POST /api/jobs/9/assign",
    ], "each job is ordered once"


def test_a_file_that_is_named_like_a_job_is_the_file(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "12").touch()
    _, questions = asked(path, {"GET /api/find": Jobs([], 0)}, "assign", "12", "alice")
    assert questions == [(f"GET /api/find?path={tmp_path}/12", None)]


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        (
            [samples.job(8, "parked", target="/a/x"), samples.job(9, "parked", target="/b/x")],
            "Several parked jobs are called x: 8 (/a/x), 9 (/b/x). Give one ID instead.",
        ),
        ([samples.job(8, "running")], "No parked job of x: job 8 is running with the face alice."),
        ([], "No job of x is known."),
    ],
)
def test_assign_never_guesses(found: list[Any], sentence: str, path: Path, capsys: Capture) -> None:
    code, questions = asked(path, {"GET /api/find": Jobs(found, len(found))}, "assign", "x", "alice")
    assert code == 1
    assert capsys.readouterr().err.startswith(f"faceswapctl: {sentence}")
    assert len(questions) == 1


def test_one_refusal_does_not_keep_the_other_jobs_from_the_order(path: Path, capsys: Capture) -> None:
    answers: Answers = {
        "POST /api/jobs/1/cancel": Done("Job 1 is cancelled."),
        "POST /api/jobs/2/cancel": (409, Error("Job 2 has succeeded.", "Delete the output by hand.")),
        "POST /api/jobs/3/cancel": Done("Job 3 is being stopped."),
    }
    code, _ = asked(path, answers, "cancel", "1", "2", "3")
    said = capsys.readouterr()
    assert code == 1
    assert said.out == "Job 1 is cancelled.\nJob 3 is being stopped.\n"
    assert said.err == "faceswapctl: Job 2 has succeeded. Delete the output by hand.\n"


def test_pause_says_what_goes_on(path: Path, capsys: Capture) -> None:
    answers: Answers = {"POST /api/pause": Done("Paused."), "GET /api/status": STATUS}
    _, questions = asked(path, answers, "pause")
    assert questions[0] == ("POST /api/pause", {})
    assert capsys.readouterr().out.splitlines() == [
        "Paused.",
        "Job 41 (clip-41.mp4) goes on: 50 %.",
        "Job 42 (clip-42.mp4) goes on: 0 %.",
    ]
    _, questions = asked(path, answers, "pause", "rush")
    assert questions[0] == ("POST /api/pause", {"inbox": "rush"})


def test_an_unknown_job_is_the_daemons_sentence(path: Path, capsys: Capture) -> None:
    code, _ = asked(path, {"GET /api/jobs/5": (404, Error("There is no job 5."))}, "show", "5")
    assert (code, *capsys.readouterr()) == (1, "", "faceswapctl: There is no job 5.\n")


@pytest.mark.parametrize(
    "words",
    [
        ["status"],
        ["jobs", "--json"],
        ["cancel", "1", "2"],
        ["assign", "x", "y"],
        ["show", "1", "2"],
        ["events"],
        ["logs", "1", "-f"],
        ["events", "-f", "--since", "2h", "3"],
        ["priority", "-5", "1", "2"],
    ],
)
def test_no_daemon_is_one_line_with_the_command_that_starts_it(words: list[str], path: Path, capsys: Capture) -> None:
    code = main([*words, "--socket", str(path)])
    said = capsys.readouterr()
    assert (code, said.out, said.err.count("\n")) == (3, "", 1)
    assert "The daemon is not running" in said.err
    assert "faceswapd init && faceswapd run --config" in said.err


def test_a_socket_that_nobody_listens_on(path: Path, capsys: Capture) -> None:
    with socket.socket(socket.AF_UNIX) as left_behind:
        left_behind.bind(str(path))
    assert main(["--socket", str(path), "status"]) == 3
    assert "The daemon is not running" in capsys.readouterr().err


def test_the_start_command_fits_the_socket(tmp_path: Path, capsys: Capture) -> None:
    own = tmp_path / "my swaps"
    (own / "state").mkdir(parents=True)
    (own / "config.toml").touch()
    main(["--socket", str(own / "state" / "control.sock"), "status"])
    assert f"Start it: faceswapd run --config '{own}/config.toml'" in capsys.readouterr().err
    unit = tmp_path / "home" / ".config" / "systemd" / "user" / "faceswapd.service"
    unit.parent.mkdir(parents=True)
    unit.touch()
    main(["status"])
    assert "Start it: systemctl --user start faceswapd" in capsys.readouterr().err


OK = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    "rubbish",
    [
        b"",
        b"SSH-2.0-OpenSSH_9.9\r\n",
        OK + b"\r\n",
        OK + b"\r\nnot json",
        OK + b"\r\n[1, 2]",
        OK + b'\r\n{"jobs": [], "total": NaN}',
        OK + b"\r\n" + b"[" * 100_000,
        OK + b"\r\n\xff\xfe{}",
        OK + b"Content-Length: 100\r\n\r\n{}",
        OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 500 Internal Server Error\r\n\r\nInternal Server Error",
        b"HTTP/1.1 404 Not Found\r\n\r\n{}",
    ],
)
def test_rubbish_is_one_sentence(rubbish: bytes, path: Path, capsys: Capture) -> None:
    code, _ = asked(path, {"GET /api/jobs": rubbish}, "jobs")
    said = capsys.readouterr()
    assert (code, said.out, said.err.count("\n")) == (3, "", 1)
    assert said.err.startswith("faceswapctl: ")


def test_an_answer_that_is_broken_off_says_that_the_daemon_ends(path: Path, capsys: Capture) -> None:
    broken_off = b"HTTP/1.1 500 Internal Server Error\r\n\r\nInternal Server Error"
    assert asked(path, {"GET /api/jobs": broken_off}, "jobs")[0] == 3
    assert capsys.readouterr().err == f"faceswapctl: {BROKEN_OFF}\n"


def test_a_chunked_answer_is_understood(path: Path, capsys: Capture) -> None:
    chunks = OK + b'Transfer-Encoding: chunked\r\n\r\n6\r\n{"text\r\n9;x=y\r\n": "Yes"}\r\n0\r\n\r\n'
    assert asked(path, {"POST /api/stop": chunks}, "stop")[0] == 0
    assert capsys.readouterr().out == "Yes\n"


def test_what_a_daemon_says_is_harmless(path: Path, capsys: Capture) -> None:
    asked(path, {"POST /api/stop": Done("\x1b[2Jgone\u202e")}, "stop")
    asked(path, {"POST /api/stop": (409, Error("no\r\x1b[31m"))}, "stop")
    assert capsys.readouterr() == ("\\x1b[2Jgone\\u202e\n", "faceswapctl: no\\r\\x1b[31m\n")


def test_a_socket_path_over_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    deep = tmp_path / ("a" * 90) / ("b" * 90)
    deep.mkdir(parents=True)
    assert len(str(deep)) > address.LIMIT
    monkeypatch.chdir(deep)
    with listening(Path("s"), {"POST /api/stop": Done("Draining.")}):
        assert main(["--socket", str(deep / "s"), "stop"]) == 0
        monkeypatch.chdir("/")
        if Path("/proc/self/fd").exists():
            assert main(["--socket", str(deep / "s"), "stop"]) == 0
        monkeypatch.chdir(deep)


def test_a_socket_that_the_daemon_had_to_move(tmp_path: Path, capsys: Capture) -> None:
    deep = tmp_path / ("a" * 90) / "control.sock"
    runtime = address.runtime_folder()
    runtime.mkdir(mode=0o700)
    with listening(address.place_for(deep), {"POST /api/stop": Done("Draining.")}):
        assert main(["--socket", str(deep), "stop"]) == 0
        runtime.chmod(0o777)
        assert main(["--socket", str(deep), "stop"]) == 3


def test_the_socket_is_found_without_being_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: Path, capsys: Capture
) -> None:
    runtime = tmp_path / f"faceswapd-{os.getuid()}"
    runtime.mkdir(mode=0o700)
    (runtime / "control.sock").symlink_to(path)
    with listening(path, {"POST /api/stop": Done("Draining.")}) as daemon:
        assert main(["stop"]) == 0
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
        runtime.rename(tmp_path / "faceswapd")
        assert main(["stop"]) == 0
        (tmp_path / "faceswapd").chmod(0o755)  # anybody may have put that link there
        assert main(["stop"]) == 3
        monkeypatch.setenv("FACESWAPD_SOCKET", str(path))
        assert main(["stop"]) == 0
        assert main(["stop", "--socket", str(tmp_path / "other")]) == 3
        assert len(daemon.asked) == 3


def test_the_runtime_folder_is_made_by_nobody_who_asks_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert address.runtime_folder() == tmp_path / f"faceswapd-{os.getuid()}"
    assert not address.is_private(address.runtime_folder())
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setenv("TMPDIR", str(tmp_path / "missing"))
    assert address.runtime_folder() == Path("/tmp", f"faceswapd-{os.getuid()}")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    assert address.runtime_folder() == tmp_path / "faceswapd"


@pytest.mark.parametrize(
    "words",
    [[], ["fly"], ["show"], ["logs"], ["logs", "1-2"],
     ["show", "twelve"], ["jobs", "--state", "happy"], ["jobs", "--limit", "0"],
     ["cancel"], ["wait", "1", "--timeout", "soon"], ["assign", "a.mp4"], ["show", "1" * 30]],
)  # fmt: skip
def test_wrong_usage_is_2(words: list[str], capsys: Capture) -> None:
    assert main(words) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "usage: faceswapctl" in said.err


def test_help_documents_the_exit_codes(capsys: Capture) -> None:
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    assert "exit codes:" in text
    assert all(f"\n  {code}  " in text for code in range(5))
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"faceswapctl {__version__}\n"


def test_all_failed_jobs_are_retried_by_one_question(path: Path, capsys: Capture) -> None:
    answers: Answers = {"POST /api/retry": Retried(3, 1, "3 failed jobs wait again.")}
    assert asked(path, answers, "retry", "--category", "gpu_oom") == (0, [("POST /api/retry", {"category": "gpu_oom"})])
    assert asked(path, answers, "retry", "--failed") == (0, [("POST /api/retry", {})])
    assert capsys.readouterr().out == "3 failed jobs wait again.\n" * 2
    assert asked(path, answers, "retry", "--failed", "--json")[0] == 0
    assert json.loads(capsys.readouterr().out)["left_out"] == 1


def test_a_backup_is_asked_for_by_its_absolute_path(
    path: Path, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    answers: Answers = {"POST /api/ledger/backup": Done("Copied.")}
    code, questions = asked(path, answers, "ledger", "backup", "copy")
    assert (code, questions) == (0, [("POST /api/ledger/backup", {"path": str(tmp_path / "copy")})])
    assert capsys.readouterr().out == "Copied.\n"


@pytest.mark.parametrize(("problems", "code"), [([], 0), (["Without any segment: job 1."], 1)])
def test_a_check_ends_well_only_when_nothing_is_wrong(
    path: Path, capsys: Capture, problems: list[str], code: int
) -> None:
    answers: Answers = {"GET /api/ledger/check": LedgerCheck(problems, 1, 4096, "The result.")}
    assert asked(path, answers, "ledger", "check")[0] == code
    assert capsys.readouterr().out.splitlines() == [*problems, "The result."]
