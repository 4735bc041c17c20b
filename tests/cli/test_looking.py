"""Looking ends in bounded time, and one look that fails hides nothing of the others."""

import asyncio
import os
from collections.abc import Iterable
from functools import partial
from pathlib import Path

from faceswapd.cli.looking import Look, aside, look_at_all
from faceswapd.core.checkup import Finding, Level, ok, problem, summary, warning


async def fine() -> Iterable[Finding]:
    return [ok("one", "It is well.")]


async def broken() -> Iterable[Finding]:
    raise ValueError("seven")


def test_a_look_that_fails_is_a_finding() -> None:
    seen = asyncio.run(look_at_all([Look("two", 5, broken), Look("one", 5, fine)]))
    assert [finding.about for finding in seen.findings] == ["two", "one"]
    assert "ValueError: seven" in seen.findings[0].sentence
    assert not seen.stuck


def test_a_thread_that_the_system_holds_is_not_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    def read() -> list[Finding]:
        with pipe.open("rb") as stream:
            return [ok("pipe", str(stream.read()))]

    seen = asyncio.run(look_at_all([Look("pipe", 0.2, partial(aside, read)), Look("one", 5, fine)]))
    assert [finding.level for finding in seen.findings] == [Level.PROBLEM, Level.OK]
    assert seen.stuck
    os.close(os.open(pipe, os.O_WRONLY))  # lets the thread go


def test_what_is_done_aside_comes_back_with_its_error() -> None:
    async def both() -> str:
        assert await aside(lambda: 7) == 7
        try:
            await aside(lambda: int("seven"))
        except ValueError as error:
            return str(error)
        return "nothing was raised"

    assert "seven" in asyncio.run(both())


def test_the_summary_counts() -> None:
    findings = [ok("a", "."), warning("b", "."), problem("c", "."), problem("d", ".")]
    assert summary(findings) == "2 problems, 1 warning, 1 ok."
    assert summary([]) == "Nothing was looked at."
