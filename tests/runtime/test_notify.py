import asyncio
import contextlib
import os
import socket
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from faceswapd.runtime.health import beats as beating
from faceswapd.runtime.health import notify
from faceswapd.runtime.health.beats import Beats


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """A service manager that listens."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(10)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        yield listening


def test_it_tells_the_service_manager(manager: socket.socket) -> None:
    notify.tell("READY=1", "STATUS=2 running, held: ☃")
    assert manager.recv(4096).decode() == "READY=1\nSTATUS=2 running, held: ☃"


def test_an_abstract_address_is_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"faceswapd-{uuid.uuid4()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        try:
            listening.bind(f"\0{name}")
        except OSError:
            pytest.skip("only Linux has abstract addresses")
        monkeypatch.setenv("NOTIFY_SOCKET", f"@{name}")
        notify.tell("STOPPING=1")
        listening.settimeout(10)
        assert listening.recv(4096) == b"STOPPING=1"


def test_without_a_service_manager_nothing_happens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    notify.tell("READY=1")
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "gone"))  # it was there once
    notify.tell("READY=1")


@pytest.mark.parametrize(
    ("variables", "seconds"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "30000000"}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
    ],
)
def test_the_watchdog_is_ours_when_it_is_meant_for_us(
    variables: dict[str, str], seconds: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("WATCHDOG_USEC", "WATCHDOG_PID"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert notify.watchdog_seconds() == seconds


async def test_while_the_loops_beat_the_service_manager_hears_of_it(
    manager: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "30000")
    monkeypatch.delenv("WATCHDOG_PID", raising=False)
    beats = Beats()
    beats.beat("inbox")
    watching = asyncio.create_task(notify.watch(beats, lambda: "all is well"))
    for _ in range(3):
        heard = await asyncio.to_thread(manager.recv, 4096)
        assert heard == b"WATCHDOG=1\nSTATUS=all is well"
    watching.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await watching


async def test_a_loop_that_has_stopped_beating_ends_the_daemon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beating, "SILENT_SECONDS", 0.0)
    monkeypatch.setattr(notify, "LOOK_SECONDS", 0.01)
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    beats = Beats()
    for loop in ("scheduler", "inbox"):
        beats.beat(loop)
    with pytest.raises(notify.LoopSilentError, match="stuck: inbox, scheduler"):
        await notify.watch(beats, lambda: "")


async def test_time_that_is_excused_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beating, "SILENT_SECONDS", 0.0)
    monkeypatch.setattr(notify, "LOOK_SECONDS", 0.01)
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    beats = Beats()
    beats.beat("inbox")
    asked = 0

    def slow_disk() -> bool:
        nonlocal asked
        asked += 1
        return asked < 20

    with pytest.raises(notify.LoopSilentError, match="stuck: inbox"):
        await notify.watch(beats, lambda: "", slow_disk)
    assert asked >= 20


def test_a_look_that_comes_late_counts_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process was stopped for an hour: nobody was silent for it."""
    now = [0.0]
    monkeypatch.setattr("faceswapd.runtime.health.beats.time.monotonic", lambda: now[0])
    beats = Beats()
    beats.beat("inbox")
    now[0] = 3600.0
    beats.look()
    assert beats.silent(beating.LONGEST_STEP) == ()
    assert beats.silent(1.0) == ("inbox",)
