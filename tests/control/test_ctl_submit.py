"""`faceswapctl submit` against a server that answers with the wire's messages."""

import json
from pathlib import Path
from typing import Any

import pytest

from faceswapd.control.wire.messages import Error, to_wire
from faceswapd.control.wire.submit_messages import Offer, Submission, Submitted
from faceswapd.ctl import main
from tests.control import samples
from tests.control.answering_daemon import Answers, listening
from tests.control.test_ctl_commands import _own_home, asked, path  # noqa: F401  fixtures

Capture = pytest.CaptureFixture[str]
ROUTE = "POST /api/submit"


def offer(job: int | None, outcome: str = "queued", text: str = "", **given: Any) -> Offer:
    values: dict[str, Any] = {
        "face": "alice",
        "preset": "balanced",
        "outcome": outcome,
        "job": job,
        "text": text or f"new job {job}",
        "key": f"key {job}",
        "seconds": None,
    }
    return Offer(**{**values, **given})


def answer(*submissions: Submission, undone: list[str] | None = None, **given: Any) -> Submitted:
    values: dict[str, Any] = {"not_before": None, "slots": 1, "queue_seconds_left": None}
    return Submitted(list(submissions), undone or [], **{**values, **given})


def taken(target: str, *offers: Offer) -> Submission:
    return Submission(target, None, "video", 100, 4.0, list(offers))


def test_each_file_is_said_and_what_cannot_be_taken_keeps_no_other_from_it(
    path: Path,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Capture,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "link.mp4").symlink_to("b.mp4")
    a, b, c = (str(tmp_path / name) for name in ("a.mp4", "b.mp4", "c.mp4"))
    said = answer(
        taken(a, offer(1), offer(2, face="bob")),
        Submission(b, "There is no such file."),
        taken(c, offer(3, "output", "it is the result of job 3, and is not swapped again")),
    )
    words = ["submit", "--face", "alice", "--face", "bob", "--priority", "-5", "--", "a.mp4", "link.mp4", "b.mp4", c]
    code, questions = asked(path, {ROUTE: said}, *words)
    shown = capsys.readouterr()
    assert code == 1
    assert shown.out == "a.mp4: new job 1 (alice, balanced)\na.mp4: new job 2 (bob, balanced)\n"
    assert shown.err.splitlines() == [
        "faceswapctl: link.mp4: There is no such file.",
        f"faceswapctl: {c}: it is the result of job 3, and is not swapped again.",
    ]
    assert questions == [
        (
            ROUTE,
            {
                "faces": ["alice", "bob"],
                "presets": [],
                "matrix": False,
                "priority": -5,
                "not_before": None,
                "dry_run": False,
                "targets": [a, b, c],
            },
        )
    ], "a file that is named twice is one"


def test_many_files_are_handed_over_in_batches_and_what_was_not_done_is_asked_for_again(
    path: Path,  # noqa: F811
    capsys: Capture,
) -> None:
    targets = [f"/clips/{number}.mp4" for number in range(60)]
    batches = iter(
        [
            answer(*(taken(one, offer(1)) for one in targets[:20]), undone=targets[20:25], not_before=77.0),
            answer(*(taken(one, offer(1)) for one in targets[20:45]), not_before=77.0),
            answer(*(taken(one, offer(1)) for one in targets[45:]), not_before=77.0),
        ]
    )
    code, questions = asked(path, {ROUTE: lambda: next(batches)}, "submit", "--not-before", "22:00", *targets)
    assert code == 0
    assert capsys.readouterr().out.count("new job") == 60
    assert [body["targets"] for _, body in questions] == [targets[:25], targets[20:45], targets[45:]]
    assert [body["not_before"] for _, body in questions] == ["22:00", 77.0, 77.0], "one moment for all of them"


def test_no_request_is_longer_than_the_daemon_takes(path: Path, capsys: Capture) -> None:  # noqa: F811
    targets = [f"/{number}/" + "\udcff" * 3000 for number in range(5)]
    batches: list[list[str]] = []
    with listening(path, {}) as daemon:

        def hear() -> Submitted:
            batches.append(daemon.asked[-1][1]["targets"])
            return answer(*(taken(one, offer(1)) for one in batches[-1]))

        daemon.answers[ROUTE] = hear
        assert main(["--socket", str(path), "submit", *targets]) == 0
    assert [one for batch in batches for one in batch] == targets
    assert max(len(json.dumps(batch)) for batch in batches) < 60_000
    capsys.readouterr()


def test_a_daemon_that_goes_away_in_the_middle_is_said_with_what_to_do(
    path: Path,  # noqa: F811
    capsys: Capture,
) -> None:
    targets = [f"/clips/{number}.mp4" for number in range(30)]
    batches: Answers = {ROUTE: [answer(*(taken(one, offer(1)) for one in targets[:25])), b""]}
    code, _ = asked(path, batches, "submit", *targets)
    assert code == 3
    assert capsys.readouterr().err.splitlines()[-1] == (
        "faceswapctl: 25 of 30 files are handed over; the same command again goes on with the rest."
    )


def test_a_mistake_is_said_once(path: Path, capsys: Capture) -> None:  # noqa: F811
    code, questions = asked(path, {ROUTE: (400, Error("submit: face: no such face."))}, "submit", "/a.mp4", "/b.mp4")
    assert (code, len(questions)) == (1, 1)
    assert capsys.readouterr().err == "faceswapctl: submit: face: no such face.\n"


TWO_OF_THREE = (
    "3 jobs of 1 file: 2 to do, 1 there already or the same as another.",
    "They have 200 frames to swap, 8 s of video.",
)


@pytest.mark.parametrize(
    ("offers", "lines"),
    [
        (
            [offer(None, key="a", seconds=60.0), offer(None, key="b", seconds=180.0), offer(7, "duplicate")],
            [
                *TWO_OF_THREE,
                "They take about 3 min, after about 2 min of what waits and runs already, if nothing holds them.",
            ],
        ),
        (
            [offer(None, key="a", seconds=60.0), offer(None, key="a", seconds=60.0), offer(None, key="b")],
            [*TWO_OF_THREE, "How long they take is not known: no job of their kind and preset was done before."],
        ),
        ([offer(7, "duplicate")], ["1 job of 1 file: 0 to do, 1 there already or the same as another."]),
    ],
)
def test_a_dry_run_tells_how_many_and_how_long(
    offers: list[Offer],
    lines: list[str],
    path: Path,  # noqa: F811
    capsys: Capture,
) -> None:
    said = answer(taken("/a.mp4", *offers), slots=2, queue_seconds_left=120.0)
    code, questions = asked(path, {ROUTE: said}, "submit", "--dry-run", "/a.mp4")
    assert code == 0
    assert capsys.readouterr().out.splitlines() == [*lines, "Nothing was written: this was a dry run."]
    assert questions[0][1]["dry_run"] is True


def test_a_dry_run_counts_no_file_that_cannot_be_taken(path: Path, capsys: Capture) -> None:  # noqa: F811
    said = answer(taken("/a.mp4", offer(None, key="a")), Submission("/b.mp4", "There is no such file."))
    code, _ = asked(path, {ROUTE: said}, "submit", "--dry-run", "/a.mp4", "/b.mp4")
    told = capsys.readouterr()
    assert (code, told.err) == (1, "faceswapctl: /b.mp4: There is no such file.\n")
    assert told.out.startswith("1 job of 1 file: 1 to do.\n")


def test_json_is_all_answers_as_one(path: Path, capsys: Capture) -> None:  # noqa: F811
    targets = [f"/clips/{number}.mp4" for number in range(30)]
    batches = [answer(*(taken(one, offer(1)) for one in some)) for some in (targets[:25], targets[25:])]
    code, _ = asked(path, {ROUTE: [*batches]}, "submit", "--json", *targets)
    assert code == 0
    assert json.loads(capsys.readouterr().out) == to_wire(answer(*(taken(one, offer(1)) for one in targets)))


def test_wait_returns_when_all_have_ended_and_tells_how(path: Path, capsys: Capture) -> None:  # noqa: F811
    good = samples.detail(samples.job(1, "succeeded", output="/out/a.mp4"))
    bad = samples.detail(samples.job(2, "cancelled"))
    said = answer(taken("/a.mp4", offer(1), offer(2), offer(1, "duplicate", "the same as job 1, which is queued")))
    answers: Answers = {ROUTE: said, "GET /api/jobs/1": good, "GET /api/jobs/2": bad}
    code, _ = asked(path, answers, "submit", "--wait", "/a.mp4")
    assert code == 1
    assert capsys.readouterr().out.splitlines()[-2:] == [
        "Job 1 (clip-1.mp4): succeeded, the result is /out/a.mp4",
        "Job 2 (clip-2.mp4): cancelled.",
    ]


@pytest.mark.parametrize(
    "words", [[], ["a.mp4", "--dry-run", "--wait"], ["a.mp4", "--priority", "high"], ["a.mp4", "--priority", "--5"]]
)
def test_wrong_usage(words: list[str], path: Path, capsys: Capture) -> None:  # noqa: F811
    assert main(["--socket", str(path), "submit", *words]) == 2
    capsys.readouterr()
