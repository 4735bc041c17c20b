"""The daemon is killed, stopped, paused and started again: nothing lost, nothing twice."""

import signal
import time
from pathlib import Path

import pytest

from tests.acceptance.conftest import NewFarm
from tests.acceptance.farm import Farm, children, gone


def running(farm: Farm, target: Path) -> int:
    """Wait until a target's job runs and shows progress."""
    number = farm.job_of(target).id
    farm.until(lambda status: any(job.id == number and job.progress > 0 for job in status.running), "it runs")
    return number


def test_killed_in_the_middle_and_started_again(farm: Farm, media: Path) -> None:
    targets = [farm.drop(media / "long.mp4"), farm.drop(media / "photo.jpg"), farm.drop(media / "clip.mp4")]
    number = running(farm, targets[0])
    family = children(farm.processes[-1].pid)
    farm.kill()
    assert gone(family, 10), "no child outlives the daemon"
    farm.start()
    jobs = [farm.ended(target) for target in targets]
    assert [job.state for job in jobs] == ["succeeded"] * 3
    assert jobs[0].id == number
    assert jobs[0].attempt == 1, "an interruption spends no attempt"
    files = sorted(path.name for path in farm.outbox.rglob("*") if path.is_file())
    assert files == ["clip.mp4", "long.mp4", "photo.jpg"]
    scratch = farm.folder / "state" / "scratch"
    farm.until(lambda _: not list(scratch.iterdir()), "the scratch folders are removed")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_one_who_asks_again_and_again_does_not_cut_the_end_short(farm: Farm, number: signal.Signals) -> None:
    process = farm.processes[-1]
    while process.poll() is None:
        process.send_signal(number)
        time.sleep(0.001)
    assert process.returncode == 0
    assert sqlite_files(farm) == ["ledger.sqlite3"], "the ledger was closed"


def sqlite_files(farm: Farm) -> list[str]:
    """What lies of the ledger: its journal is gone when it was closed."""
    return sorted(path.name for path in (farm.folder / "state").glob("ledger.sqlite3*"))


def test_the_third_crash_in_the_same_job_sets_it_aside(farm: Farm, media: Path) -> None:
    target = farm.drop(media / "long.mp4")
    for _ in range(3):
        running(farm, target)
        farm.kill()
        farm.start()
    job = farm.ended(target)
    assert (job.state, job.category) == ("failed", "interrupted")
    assert farm.status().state == "running"


def test_the_first_signal_drains(farm: Farm, media: Path) -> None:
    target = farm.drop(media / "long.mp4")
    running(farm, target)
    waits = farm.job_of(farm.drop(media / "clip.mp4"))
    farm.processes[-1].send_signal(signal.SIGTERM)
    farm.until(lambda status: status.state == "draining", "draining")
    assert farm.ended(target).state in ("running", "succeeded"), "the socket answers while it drains"
    assert farm.processes[-1].wait(60) == 0
    farm.start()
    detail = farm.ctl_json("show", str(farm.ended(target).id))
    assert [one["outcome"] for one in detail["executions"]] == ["succeeded"]
    assert farm.ended(farm.inbox / "alice" / "clip.mp4").id == waits.id


def test_the_second_signal_stops_at_once_and_loses_nothing(farm: Farm, media: Path) -> None:
    target = farm.drop(media / "long.mp4")
    running(farm, target)
    family = children(farm.processes[-1].pid)
    farm.processes[-1].send_signal(signal.SIGTERM)
    farm.until(lambda status: status.state == "draining", "draining")
    assert farm.stop() == 0
    assert gone(family, 1)
    farm.start()
    job = farm.ended(target)
    assert (job.state, job.attempt) == ("succeeded", 1)


def test_stop_by_faceswapctl(farm: Farm) -> None:
    assert "stops" in farm.ctl("stop")
    assert farm.processes[-1].wait(20) == 0
    assert "not running" in farm.ctl("status", code=3)


def test_cancel_of_a_running_job_leaves_nothing(farm: Farm, media: Path) -> None:
    target = farm.drop(media / "long.mp4")
    number = running(farm, target)
    farm.ctl("cancel", str(number))
    assert farm.ended(target).state == "cancelled"
    farm.until(lambda status: not status.running, "it ended")
    assert not list(farm.outbox.rglob("*.mp4"))
    assert "cancelled" in farm.ctl("wait", str(number), code=1)
    farm.ctl("retry", str(number))
    assert farm.ended(target).state == "succeeded"


def test_pause_of_an_inbox_survives_a_restart(farm: Farm, media: Path) -> None:
    assert "nothing new starts" in farm.ctl("pause", "inbox")
    farm.stop()
    farm.start()
    target = farm.drop(media / "photo.jpg")
    assert "paused" in (farm.job_of(target).reason or "")
    assert farm.status().inboxes[0].paused
    farm.ctl("resume", "inbox")
    assert farm.ended(target).state == "succeeded"
    assert "no inbox 'nonsense'" in farm.ctl("pause", "nonsense", code=1)


@pytest.mark.parametrize("number", [pytest.param(signal.SIGKILL, marks=pytest.mark.deep), signal.SIGSEGV])
def test_a_child_that_dies_is_tried_again(new_farm: NewFarm, media: Path, number: int) -> None:
    farm = new_farm("[retry]\nfirst = 0.1\n")
    farm.start()
    target = farm.drop(media / "long.mp4")
    running(farm, target)
    for child in children(farm.processes[-1].pid):
        if "preview" in " ".join(child.cmdline()):
            child.send_signal(number)
    job = farm.ended(target)
    assert (job.state, job.attempt) == ("succeeded", 2)
    assert "was ended by SIG" in farm.ctl("show", str(job.id))


def test_a_child_that_hangs_is_ended(new_farm: NewFarm, media: Path) -> None:
    farm = new_farm("[timeouts]\nno_progress = 2\n[retry]\nfirst = 0.1\n")
    farm.start()
    target = farm.drop(media / "long.mp4")
    running(farm, target)
    for child in children(farm.processes[-1].pid):
        if "preview" in " ".join(child.cmdline()):
            child.suspend()
    job = farm.ended(target)
    assert (job.state, job.attempt) == ("succeeded", 2)
    assert "no progress for 2 seconds" in farm.ctl("show", str(job.id))


def test_a_crash_between_publishing_and_recording_publishes_once(farm: Farm, media: Path) -> None:
    """The ledger is put back to the moment before the record; the file lies in the outbox already."""
    import sqlite3

    job = farm.ended(farm.drop(media / "photo.jpg"))
    farm.stop()
    ledger = sqlite3.connect(farm.folder / "state" / "ledger.sqlite3")
    with ledger:
        ledger.execute("UPDATE executions SET finished_at = NULL, outcome = NULL")
        ledger.execute("UPDATE jobs SET state = 'running', output = NULL, output_content = NULL, finished_at = NULL")
        ledger.execute("UPDATE segments SET state = 'running'")
    ledger.close()
    farm.start()
    detail = farm.ctl_json("show", str(job.id))
    assert detail["job"]["state"] == "succeeded"
    assert detail["job"]["output"] == job.output
    assert len(list(farm.outbox.rglob("*.jpg"))) == 1


def test_wait_returns_when_the_job_has_ended(farm: Farm, media: Path) -> None:
    number = farm.job_of(farm.drop(media / "clip.mp4")).id
    started = time.monotonic()
    assert "succeeded" in farm.ctl("wait", str(number))
    assert time.monotonic() - started < 50
    assert "There is no job 999" in farm.ctl("show", "999", code=1)
