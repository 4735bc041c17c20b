"""The route by which files are handed over: a real server, a real ledger, and a child that reads text."""

import asyncio
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from faceswapd.control.routes import submit_handlers
from faceswapd.control.routes.submit_handlers import MOST_NAMES, MOST_TARGETS
from faceswapd.control.wire import messages
from faceswapd.control.wire.submit_messages import Offer, Submission, Submitted
from faceswapd.ledger import reports, submission
from tests.control.serving import Control

ROUTE = "/api/submit"


def write(folder: Path, name: str, content: str = "film") -> str:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(content, encoding="utf-8")
    return str(folder / name)


async def submit(control: Control, targets: Sequence[str], **more: Any) -> Submitted:
    status, said = await control.ask(ROUTE, "POST", {"targets": targets, **more})
    assert status == 200, said
    return messages.from_wire(Submitted, said)


def problems(answer: Submitted) -> dict[str, str | None]:
    return {Path(one.target).name: one.problem for one in answer.submissions}


async def test_a_file_anywhere_becomes_a_job_and_a_second_time_the_same(
    control: Control,
    tmp_path: Path,
) -> None:
    target = write(tmp_path / "clips", "clip.mp4")
    dry = await submit(control, [target], dry_run=True)
    assert [(offer.job, offer.text, offer.seconds) for offer in dry.submissions[0].offers] == [
        (None, "a new job", None)
    ]
    assert await reports.job(control.ledger, 3) is None
    first, second = [await submit(control, [target]) for _ in range(2)]
    (offer,) = first.submissions[0].offers
    assert offer == Offer("alice", "balanced", "queued", 3, "new job 3", dry.submissions[0].offers[0].key, None)
    assert first.submissions == [Submission(target, None, "video", 10, 1.0, [offer])]
    (offer,) = second.submissions[0].offers
    assert (offer.outcome, offer.job, offer.text) == ("duplicate", 3, "the same as job 3, which is queued")
    _, listed = await control.ask("/api/jobs/3")
    assert (listed["job"]["inbox"], listed["rule"]) == ("", "it was submitted without a face, and it is the only face")


async def test_what_is_no_target_is_said_and_the_rest_is_taken(control: Control, tmp_path: Path) -> None:
    clips = tmp_path / "clips"
    good = write(clips, "clip.mp4")
    os.mkfifo(clips / "pipe.mp4")
    (clips / "folder.mp4").mkdir()
    (clips / "link.mp4").symlink_to(good)
    targets = [
        *(str(clips / name) for name in ("none.mp4", "pipe.mp4", "folder.mp4", "link.mp4", "x" * 300 + ".mp4")),
        *(write(clips, "notes.txt"), write(clips, "empty.mp4", ""), write(clips, "bad.mp4", "unreadable"), good),
    ]
    with (clips / "busy.mp4").open("w", encoding="utf-8") as busy:
        busy.write("half a film")
        busy.flush()
        answer = await submit(control, [*targets, busy.name])
    said = problems(answer)
    assert said.pop("clip.mp4") is None
    assert said.pop("x" * 300 + ".mp4") == "It cannot be looked at: File name too long."
    assert said == {
        "none.mp4": "There is no such file.",
        "pipe.mp4": "It is a pipe, a socket or a device, and no file.",
        "folder.mp4": "It is a folder: name the files in it.",
        "link.mp4": "It is a link, and no file.",
        "notes.txt": "It is neither a video nor an image that can be swapped, by its name's ending.",
        "empty.mp4": "It is empty.",
        "bad.mp4": "It is no video.",
        "busy.mp4": "It is still open in another program that writes to it: submit it again when it is complete.",
    }
    assert answer.undone == []


async def test_a_file_that_takes_long_is_asked_for_again_and_holds_nothing_up(
    control: Control,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    os.mkfifo(tmp_path / "gate")
    first, second = write(tmp_path / "clips", "a.mp4"), write(tmp_path / "clips", "c.mp4", "another film")
    await submit(control, [first])  # the child is warm now, and this one known
    monkeypatch.setattr(submit_handlers, "LOOK_SECONDS", 1.0)
    long = write(tmp_path / "clips", "b.mp4", f"wait for {tmp_path / 'gate'}")
    answer = await submit(control, [first, long, second])
    assert ([one.target for one in answer.submissions], answer.undone) == ([first], [long, second])
    begun = time.monotonic()
    assert await control.well()
    assert time.monotonic() - begun < 2
    monkeypatch.setattr(submit_handlers, "LOOK_SECONDS", 10.0)
    _, answer = await asyncio.gather(
        asyncio.to_thread((tmp_path / "gate").write_text, "on"),  # as soon as somebody reads
        submit(control, answer.undone),
    )
    assert (problems(answer), answer.undone) == ({"b.mp4": None, "c.mp4": None}, [])


async def test_one_who_hangs_up_is_not_waited_for_and_loses_nothing(
    control: Control,
    tmp_path: Path,
) -> None:
    os.mkfifo(tmp_path / "gate")
    long = write(tmp_path / "clips", "b.mp4", f"wait for {tmp_path / 'gate'}")
    _, writer = await asyncio.open_unix_connection(control.path)
    body = f'{{"targets": ["{long}"]}}'
    writer.write(f"POST {ROUTE} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
    assert await control.well()
    (answering,) = [task for task in asyncio.all_tasks() if task.get_name().startswith("answer to")]
    writer.close()
    await asyncio.wait([answering], timeout=10)
    assert answering.done()
    _, answer = await asyncio.gather(
        asyncio.to_thread((tmp_path / "gate").write_text, "on"),  # as soon as somebody reads
        submit(control, [long]),
    )
    assert answer.submissions[0].offers[0].text == "new job 3"


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        (None, 400, "The request lacks `targets`."),
        ({"targets": []}, 400, "The request names no target."),
        ({"targets": "/a.mp4"}, 400, "`targets` is no list."),
        ({"targets": [1]}, 400, "`targets` is no text."),
        ({"targets": ["a.mp4"]}, 400, "A target is named by its absolute path."),
        ({"targets": ["/a\0.mp4"]}, 400, "A target is named by its absolute path."),
        ({"targets": ["/\ud800.mp4"]}, 400, "A target is named by its absolute path."),
        ({"targets": ["/a.mp4"] * (MOST_TARGETS + 1)}, 400, "`targets` names more than 100."),
        ({"targets": ["/a.mp4"], "faces": ["x"] * (MOST_NAMES + 1)}, 400, "`faces` names more than 500."),
        ({"targets": ["/a.mp4"], "faces": {"alice": 1}}, 400, "`faces` is no list."),
        ({"targets": ["/a.mp4"], "matrix": "yes"}, 400, "`matrix` is no truth value."),
        ({"targets": ["/a.mp4"], "dry_run": 1}, 400, "`dry_run` is no truth value."),
        ({"targets": ["/a.mp4"], "faces": ["\ud800"]}, 400, "submit: face = "),
        ({"targets": ["/a.mp4"], "faces": ["alise"]}, 400, 'submit: face = "alise": there is no such face; did you me'),
        ({"targets": ["/a.mp4"], "presets": ["x" * 60_000]}, 400, "submit: preset = "),
        ({"targets": ["/a.mp4"], "priority": 1 << 70}, 400, "submit: priority = "),
        ({"targets": ["/a.mp4"], "priority": [[]]}, 400, "`priority` is no whole number."),
        ({"targets": ["/a.mp4"], "not_before": "9" * 400}, 400, "submit: not_before = "),
        ({"targets": ["/a.mp4"], "not_before": {"a": 1}}, 400, "`not_before` is no number."),
    ],
)
async def test_a_wrong_request_is_refused_with_its_reason(
    control: Control,
    body: object,
    status: int,
    error: str,
) -> None:
    said = await control.ask(ROUTE, "POST", body)
    refusal = messages.from_wire(messages.Error, said[1])
    assert (said[0], refusal.error[: len(error)]) == (status, error)
    assert len(refusal.error) < 300
    assert await control.well()


async def test_explain_says_when_and_with_what_a_file_was_submitted(
    control: Control,
    tmp_path: Path,
) -> None:
    target = write(tmp_path / "clips", "clip.mp4")
    (tmp_path / "way").symlink_to(tmp_path / "clips")
    await submit(control, [target])
    for path in (target, str(tmp_path / "way" / "clip.mp4")):
        _, said = await control.ask(f"/api/explain?path={quote(path)}")
        assert said["sentence"].startswith("It was submitted at ")
        assert said["sentence"].endswith("(today) with the face 'alice' and the preset 'balanced': job 3, queued.")
        assert (said["face"], said["preset"], said["job"]["id"]) == ("alice", "balanced", 3)
    assert len(await submission.of_target(control.ledger, target)) == 1


async def test_a_file_of_an_inbox_that_was_submitted_too_has_both_told(control: Control) -> None:
    target = write(control.path.parent / "inbox", "1.mp4")
    await submit(control, [target])
    _, said = await control.ask(f"/api/explain?path={quote(target)}")
    assert said["sentence"] == "It is job 1, queued. It got the face 'alice': it is the only face."
    assert len(said["said"]) == 1
    assert said["said"][0].endswith("with the face 'alice' and the preset 'balanced': job 3, queued.")
