"""A loop that freezes, raises or blocks everything is noticed within ten seconds, and the daemon comes back whole."""

import json
import re
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from faceswapd.runtime.health.freezing import VARIABLE
from tests.acceptance.conftest import NewFarm
from tests.acceptance.farm import Farm, children, gone

NOTICED_SECONDS = 10.0
SLACK_SECONDS = 5.0  # for a machine that does other things, too
LOOPS = ("control", "inbox", "scheduler", "readings", "housekeeping", "beats")
USUAL = (("scheduler", "freeze"), ("inbox", "raise"), ("beats", "block"))
ALL = [(loop, how) for loop in LOOPS for how in ("freeze", "raise", "block")]


@dataclass
class Patient:
    """A daemon to which it happens when `trigger` is there."""

    farm: Farm
    loop: str
    how: str
    trigger: Path
    targets: list[Path]
    process: "subprocess.Popen[str]"

    @property
    def text(self) -> str:
        return (self.farm.folder / "state" / "logs" / "faceswapd.log").read_text(encoding="utf-8")


def patient(new_farm: NewFarm, media: Path, loop: str, how: str) -> Patient:
    farm = new_farm(name=f"{loop[:2]}-{how}")  # short: its socket's path has a limit
    trigger = farm.folder / "now"
    process = farm.start(**{VARIABLE: f"{loop}:{how}:{trigger}"})
    farm.until(lambda _: (farm.inbox / "alice").is_dir(), "the folder of the face")
    targets = [farm.drop(media / "clip.mp4"), farm.drop(media / "photo.jpg")]
    for target in targets:
        farm.job_of(target)
    return Patient(farm, loop, how, trigger, targets, process)


def breaks_and_comes_back(patients: list[Patient]) -> None:
    families = [children(one.process.pid) for one in patients]
    for one in patients:
        one.trigger.touch()
    since = time.monotonic()
    left = list(patients)
    while left:
        for one in [one for one in left if one.process.poll() is not None]:
            left.remove(one)
            seconds = time.monotonic() - since
            print(f"{one.loop} {one.how}: ended after {seconds:.1f} s, code {one.process.returncode}")  # noqa: T201
            assert one.process.returncode == 1
            assert seconds < NOTICED_SECONDS + SLACK_SECONDS
        assert time.monotonic() < since + 60, [one.loop for one in left]
        time.sleep(0.05)
    for one, family in zip(patients, families, strict=True):
        assert gone(family, 10), "no child outlives the daemon"
        said = [json.loads(line) for line in one.text.splitlines()]
        events = [line["event"] for line in said if line["level"] in ("error", "critical")]
        if one.how == "block":
            assert "the event loop stands still" in events
            assert "freezing.py" in one.text, "it is told where it stood"
        elif (one.loop, one.how) == ("beats", "freeze"):
            assert "nobody looks at the loops" in events
        else:
            assert "a loop failed" in events
        one.farm.start()
        for target in one.targets:
            job = one.farm.ended(target)
            assert (job.state, job.attempt) == ("succeeded", 1)
        outputs = sorted(path.name for path in one.farm.outbox.rglob("*") if path.is_file())
        assert outputs == ["clip.mp4", "photo.jpg"]


def test_what_freezes_raises_or_blocks_is_noticed_and_comes_back_whole(new_farm: NewFarm, media: Path) -> None:
    breaks_and_comes_back([patient(new_farm, media, loop, how) for loop, how in USUAL])


@pytest.mark.deep
@pytest.mark.parametrize("loop", LOOPS)
def test_every_loop_in_every_way(new_farm: NewFarm, media: Path, loop: str) -> None:
    breaks_and_comes_back([patient(new_farm, media, one, how) for one, how in ALL if one == loop])


def http(farm: Farm, route: str) -> tuple[int, Any]:
    """A bare question, as curl asks it."""
    import socket

    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        line.settimeout(20)
        line.connect(farm.client.path)
        line.sendall(f"GET {route} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: line.recv(65536), b""))
    found = re.match(rb"HTTP/1\.1 (\d+) ", answer)
    assert found, answer
    return int(found[1]), json.loads(answer.partition(b"\r\n\r\n")[2])


def test_readyz_follows_the_loops_and_the_end(farm: Farm, media: Path) -> None:
    assert http(farm, "/readyz") == (200, {"ready": True, "reasons": []})
    assert http(farm, "/healthz")[0] == 200
    farm.drop(media / "long.mp4")
    farm.until(lambda status: bool(status.running), "it runs")
    told = http(farm, "/api/health")[1]
    assert set(told["beats"]) >= {"control", "inbox", "scheduler", "readings", "housekeeping"}
    assert [folder["name"] for folder in told["reading"]["folders"]] == ["outbox", "scratch folder", "state folder"]
    assert [slot["jobs"] for slot in told["slots"]] == [[1]]
    assert (len(told["history"]), told["gate"]["open"]) == (1, True)
    assert http(farm, "/api/faces")[1]["faces"][0]["photos"]
    assert {preset["name"] for preset in http(farm, "/api/presets")[1]["presets"]} >= {"fast", "balanced", "best"}
    farm.processes[-1].send_signal(signal.SIGTERM)
    farm.until(lambda status: status.state == "draining", "draining")
    assert http(farm, "/readyz") == (503, {"ready": False, "reasons": ["The daemon is stopping."]})
    assert http(farm, "/healthz")[0] == 200


@pytest.mark.deep
def test_readyz_says_which_loop_is_stuck_before_the_daemon_ends(new_farm: NewFarm, media: Path) -> None:
    one = patient(new_farm, media, "scheduler", "freeze")
    one.trigger.touch()
    while (answer := http(one.farm, "/readyz"))[0] == 200:
        pass
    assert answer == (503, {"ready": False, "reasons": ["The loop `scheduler` does not answer."]})
    assert one.process.wait(30) == 1


@pytest.mark.deep
def test_a_process_that_stood_still_as_a_whole_is_not_stuck(farm: Farm, media: Path) -> None:
    process = farm.processes[-1]
    for _ in range(3):
        process.send_signal(signal.SIGSTOP)
        time.sleep(15)
        process.send_signal(signal.SIGCONT)
        assert http(farm, "/readyz") == (200, {"ready": True, "reasons": []})
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(12)
    assert farm.ended(farm.drop(media / "photo.jpg")).state == "succeeded"
