"""GET /api/report, and what faceswapctl shows of it."""

import json
import time
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from faceswapd.control.routes.report_routes import made
from faceswapd.control.wire import messages
from faceswapd.control.wire.report_messages import DayLine, FailureLine, Report, SlotUse, SpeedLine
from faceswapd.core.catalogue import CATALOGUE
from faceswapd.core.failures import Failure
from faceswapd.core.retry import GiveUp
from faceswapd.ctl import main
from faceswapd.ctl.report import report_screen
from faceswapd.ctl.terminal import Terminal
from faceswapd.ledger import outcomes
from faceswapd.ledger.outcomes import Spent
from tests.control.answering_daemon import listening
from tests.control.serving import Control
from tests.ledger.arrivals import admit, arrival, claim, ran

DAY = 86400.0
# Tomorrow's: the fixture's jobs are made this moment, before it whenever this runs.
NOON = datetime.fromtimestamp(time.time() + DAY).replace(hour=12, minute=0, second=0).timestamp()  # noqa: DTZ006


async def test_what_was_done_is_told_by_day_and_by_sort(control: Control) -> None:
    ledger = control.ledger
    for number, at in enumerate((NOON - DAY, NOON - DAY, NOON)):
        (job,) = await admit(ledger, arrival(f"alice/{number}.mp4"), now=at - 30)
        run = ran(await claim(ledger, job, at))
        await outcomes.succeed(ledger, run, f"/o/{number}", f"{number}", at + 50, Spent(100, 40.0))
    (job,) = await admit(ledger, arrival("alice/bad.mp4"), now=NOON - 10)
    failure = Failure("no_target_face", "No face was found in bad.mp4.")
    await outcomes.failed(ledger, ran(await claim(ledger, job, NOON)), failure, GiveUp(failure), NOON + 7)
    (job,) = await admit(ledger, arrival("alice/now.mp4"), now=NOON)
    await claim(ledger, job, NOON + 20)
    told = await made(control.house.ledger, 3, NOON + 60)
    assert (told.succeeded, told.failed, told.cancelled, told.frames, told.video) == (3, 1, 0, 300, 12.0)
    assert (told.busy, told.seconds, told.retried, told.wait) == (157.0, 120.0, 0, 30.0)
    before, yesterday, today = told.by_day
    assert before == DayLine(before.day)
    assert (yesterday.succeeded, yesterday.frames, yesterday.video, yesterday.busy) == (2, 200, 8.0, 100.0)
    assert (today.succeeded, today.failed, today.busy) == (1, 1, 57.0)
    assert today.day == f"{datetime.fromtimestamp(NOON):%Y-%m-%d}"  # noqa: DTZ006
    assert told.speeds == [SpeedLine("preview", "balanced", "CPU", "video", 3, 300, 120.0, 2.5)]
    known = CATALOGUE["no_target_face"]
    assert told.failures == [FailureLine("no_target_face", 1, known.sentence, known.advice)]
    (slot,) = told.slots
    assert (slot.slot, slot.device, slot.busy) == (1, "CPU", 157.0 + 40.0)
    assert 0 < slot.share < 0.01


async def test_the_days_are_those_of_this_place_and_bounded(control: Control) -> None:
    told = await made(control.house.ledger, 366, NOON)
    first = datetime.fromtimestamp(NOON) - timedelta(days=365)  # noqa: DTZ006
    assert (told.by_day[0].day, len(told.by_day)) == (f"{first:%Y-%m-%d}", 366)
    assert told.since == first.replace(hour=0, minute=0, second=0, microsecond=0).timestamp()
    for days in (0, 367):
        status, said = await control.ask(f"/api/report?days={days}")
        assert (status, said["error"]) == (400, "A report is of 1 to 366 days.")


REPORT = Report(
    days=2,
    since=NOON - DAY,
    until=NOON,
    succeeded=1234,
    failed=2,
    cancelled=0,
    frames=120_000,
    video=5400.0,
    busy=7200.0,
    seconds=6000.0,
    retried=1,
    wait=12.0,
    speeds=[
        SpeedLine("facefusion", "best", "GPU 0", "video", 1230, 119_000, 5000.0, 23.8),
        SpeedLine("facefusion", "best", "GPU 0", "image", 4, 4, 0.0, None),
    ],
    by_day=[DayLine("2026-11-28"), DayLine("2026-11-29", 1234, 2, 0, 120_000, 5400.0, 7200.0)],
    failures=[FailureLine("no_target_face", 2, "No face was found in the target.", "Take another video.")],
    slots=[SlotUse(1, "GPU 0", 7200.0, 0.0833)],
)


def test_the_screen() -> None:
    assert [line.text for line in report_screen(REPORT, Terminal(width=120))] == [
        "The last 2 days: 1,234 jobs succeeded, 2 failed, 1 attempt tried again by itself.",
        "120,000 frames, 1 h 30 min of video; the engine worked for 2 h.",
        "Half of the jobs waited less than 12 s in the queue.",
        "",
        "ENGINE      PRESET  DEVICE  KIND    JOBS   FRAMES  FRAMES/S",
        "facefusion  best    GPU 0   video  1,230  119,000      23.8",
        "facefusion  best    GPU 0   image      4        4         -",
        "",
        "DAY         SUCCEEDED  FAILED  CANCELLED   FRAMES       VIDEO  WORKED",
        "2026-11-28          0       0          0        0         0 s     0 s",
        "2026-11-29      1,234       2          0  120,000  1 h 30 min     2 h",
        "",
        "SLOT  DEVICE  WORKED  OF THE TIME",
        "   1  GPU 0      2 h          8 %",
        "",
        "2 jobs failed, no_target_face: No face was found in the target.",
        "  Take another video.",
    ]
    narrow = report_screen(REPORT, Terminal(width=40))
    assert max(len(line.text) for line in narrow[3:]) <= 40


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with listening(tmp_path / "s", {"GET /api/report": REPORT}) as daemon:
        assert main(["--socket", str(tmp_path / "s"), "report"]) == 0
        assert "1,234 jobs succeeded" in capsys.readouterr().out
        assert main(["--socket", str(tmp_path / "s"), "report", "--days", "2", "--json"]) == 0
        assert json.loads(capsys.readouterr().out) == messages.to_wire(REPORT)
        assert main(["--socket", str(tmp_path / "s"), "report", "--days", "0"]) == 2
    assert [question for question, _ in daemon.asked] == ["GET /api/report", "GET /api/report?days=2"]
