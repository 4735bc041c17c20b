import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from faceswapd.children.child import Child, ChildFailure
from tests.children.small_children import gone

LAUNCHER = (sys.executable, "-P", "-m", "faceswapd.children.launcher")


class Ear:
    """Collects what is written to stderr."""

    def __init__(self) -> None:
        self.heard = b""
        self.line = asyncio.Event()

    def __call__(self, data: bytes) -> None:
        self.heard += data
        if b"\n" in self.heard:
            self.line.set()


@pytest.fixture
async def ear() -> Ear:
    return Ear()


@pytest.fixture
async def launcher(ear: Ear) -> AsyncIterator[Child]:
    child = await Child.start(LAUNCHER, name="launcher", listener=ear)
    yield child
    await child.stop()


def question(code: str, folder: Path, **env: str) -> dict[str, Any]:
    return {"argv": [sys.executable, "-c", code], "cwd": str(folder), "env": env, "mark": "-- here --"}


async def test_it_runs_one_program_after_the_other(launcher: Child, ear: Ear, tmp_path: Path) -> None:
    code = "import os, sys; print(os.getcwd(), os.environ['WORD']); sys.exit(4)"
    assert (await launcher.ask("run", question(code, tmp_path, WORD="one")))["code"] == 4
    assert (await launcher.ask("run", question("print('second')", tmp_path)))["code"] == 0
    await launcher.stop()
    assert ear.heard.decode().split("\n-- here --\n") == [f"{tmp_path} one\n", "second\n", ""]


async def test_a_program_that_is_not_there_is_an_answer(launcher: Child, tmp_path: Path) -> None:
    asked = {**question("", tmp_path), "argv": ["/nowhere"]}
    with pytest.raises(ChildFailure) as caught:
        await launcher.ask("run", asked)
    assert caught.value.failure.category == "child_start"
    assert launcher.alive


STUBBORN = """
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print(os.getpid(), flush=True)
time.sleep(600)
"""


async def test_stopped_it_takes_the_program_along(launcher: Child, ear: Ear, tmp_path: Path) -> None:
    task = asyncio.create_task(launcher.ask("run", question(STUBBORN, tmp_path)))
    async with asyncio.timeout(20):
        await ear.line.wait()
    pid = int(ear.heard)
    assert psutil.pid_exists(pid)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert gone([pid], 5)
