"""Notifications on the desktop, by a program of that name that writes down what it is told."""

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from faceswapd.core.failures import Failure
from faceswapd.core.retry import GiveUp
from faceswapd.ledger import claims, outcomes, standing
from faceswapd.ledger.connection import Ledger
from faceswapd.runtime.health.beats import Beats
from faceswapd.runtime.notifying.desktop import NOTICE, Desktop, command, summary
from faceswapd.runtime.notifying.notices import Notices
from tests.ledger.arrivals import NOW, RUNNER, admit, arrival, ran

SECONDS = 20.0
SHOWS = f"""#!{sys.executable} -SE
import json, os, socket, sys
with socket.create_connection(("127.0.0.1", int(os.environ["SHOWN"]))) as line:
    line.sendall(json.dumps(sys.argv[1:]).encode())
"""
FAILS = """#!/bin/sh
echo "first line" >&2
echo "Cannot autolaunch D-Bus" >&2
exit 1
"""


@dataclass
class Screen:
    """What is shown on it."""

    folder: Path
    ledger: Ledger
    notices: Notices = field(default_factory=Notices)
    came: "asyncio.Queue[list[str]]" = field(default_factory=asyncio.Queue)
    noticed: asyncio.Event = field(default_factory=asyncio.Event)

    def tell(self, key: str, sentence: str | None) -> None:
        self.notices.tell(key, sentence)
        self.noticed.set()

    def install(self, script: str) -> None:
        program = self.folder / "notify-send"
        program.write_text(script)
        program.chmod(0o755)

    async def hear(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.came.put_nowait(json.loads(await reader.read()))
        writer.close()

    async def shown(self) -> list[str]:
        """The arguments of the next notification."""
        async with asyncio.timeout(SECONDS):
            return await self.came.get()

    async def told(self) -> str:
        """The notice, as soon as there is one."""
        async with asyncio.timeout(SECONDS):
            await self.noticed.wait()
        self.noticed.clear()
        return self.notices.all[0]

    async def run(self, *ends: str) -> None:
        """All jobs that wait run, and end so."""
        for end in ends:
            ready = await claims.ready(self.ledger, (), 1)
            claim = await claims.claim(self.ledger, ready[0]["segment"], RUNNER, NOW)
            if end == "succeeded":
                await outcomes.succeed(self.ledger, ran(claim), "/outbox/1.mp4", "hash", NOW)
            else:
                failure = Failure("gpu_oom", "The GPU is full.")
                await outcomes.failed(self.ledger, ran(claim), failure, GiveUp(failure), NOW)


@pytest.fixture
async def screen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Screen]:
    monkeypatch.setenv("PATH", str(tmp_path))
    ledger = await Ledger.open(tmp_path / "ledger.sqlite3")
    await standing.begin(ledger, "a-boot", 1)
    screen = Screen(tmp_path, ledger)
    screen.install(SHOWS)
    server = await asyncio.start_server(screen.hear, "127.0.0.1", 0)
    monkeypatch.setenv("SHOWN", str(server.sockets[0].getsockname()[1]))
    desktop = Desktop(ledger, screen.tell, Beats(), "linux")
    await desktop.begin()
    running = asyncio.create_task(desktop.run())
    yield screen
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    server.close()
    await server.wait_closed()
    await ledger.close()


async def test_one_notification_tells_of_all_jobs_when_the_queue_is_empty(screen: Screen) -> None:
    await admit(screen.ledger, *(arrival(f"{number}.mp4") for number in range(4)))
    await screen.run("succeeded", "failed", "succeeded", "succeeded")
    assert await screen.shown() == ["--app-name=faceswapd", "--", "faceswapd", "3 jobs succeeded, 1 failed."]
    await admit(screen.ledger, arrival("later.mp4"))
    await screen.run("failed")
    assert (await screen.shown())[-1] == "1 job failed."
    assert screen.notices.all == ()


async def test_that_it_is_held_is_told_once_and_no_name_is_markup(screen: Screen) -> None:
    await standing.gate(screen.ledger, "The disk of <b>$(x)</b> & 'y' is full.", NOW)
    shown = await screen.shown()
    assert shown[-1] == "Nothing new starts: The disk of &lt;b&gt;$(x)&lt;/b&gt; &amp; 'y' is full."
    await standing.gate(screen.ledger, "The memory is short, too.", NOW)
    await standing.gate(screen.ledger, None, NOW)
    await standing.pause(screen.ledger, None, NOW)
    assert (await screen.shown())[-1] == "Nothing new starts: Somebody paused it."


async def test_a_program_that_lacks_or_fails_is_told_and_stops_nothing(screen: Screen) -> None:
    (screen.folder / "notify-send").unlink()
    await standing.gate(screen.ledger, "The disk is full.", NOW)
    told = await screen.told()
    assert told.startswith("Nothing is shown on the desktop: notify-send could not be started: No such file")
    assert told.endswith("Install it, or set `desktop = false` in [notify].")
    screen.notices.tell(NOTICE, None)
    screen.install(FAILS)
    await admit(screen.ledger, arrival("1.mp4"))
    await screen.run("succeeded")
    assert await screen.told() == "Nothing is shown on the desktop: notify-send says: Cannot autolaunch D-Bus"


def test_on_macos_a_text_is_an_argument_and_no_part_of_the_script() -> None:
    text = 'x" & (do shell script "touch /tmp/x") & "'
    argv = command("darwin", text)
    assert argv[0] == "osascript"
    assert argv[-2:] == ["faceswapd", text]
    assert not any("touch" in word for word in argv[:-1])


@pytest.mark.parametrize(
    ("succeeded", "failed", "text"),
    [
        (1, 0, "1 job succeeded."),
        (2, 0, "2 jobs succeeded."),
        (0, 1, "1 job failed."),
        (0, 2, "2 jobs failed."),
        (1, 1, "1 job succeeded, 1 failed."),
        (2, 1, "2 jobs succeeded, 1 failed."),
    ],
)
def test_what_is_said(succeeded: int, failed: int, text: str) -> None:
    assert summary(succeeded, failed) == text
