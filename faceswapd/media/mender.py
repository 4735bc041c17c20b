"""The daemon's side of mending: one warm, limited child that makes of a target what an engine can bear, and of
what the engine made the output."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from faceswapd.children.child import Child, ChildFailure
from faceswapd.children.keeper import Keeper
from faceswapd.core.failures import Failure
from faceswapd.core.preflight import Weakness
from faceswapd.core.target import Facts, Finished, Marks, Prepared, Trimmed
from faceswapd.core.wish import Trim
from faceswapd.media.answers import Answer, from_wire

NAME: Final = "media mender"
MODULE: Final = "faceswapd.media.mending_child"
BASE_SECONDS: Final = 60.0  # for any file, and from one word of progress to the next
COPY_RATE: Final = 5_000_000  # bytes per second that even a slow disk reads and writes
PICTURE_RATE: Final = 5.0  # pictures per second that even a slow machine decodes and codes

Report = Callable[[int, int], None]  # is told a few times a second how much is done, of how much


class Mender:
    """Trims and prepares targets and finishes outputs, one at a time, in a child that is started at the first question.

    A bad file gets a Failure, whatever it does to the child. Only an environment in which the child cannot
    start raises ChildFailure. Cancelling ends the child in the middle of its work.
    """

    def __init__(
        self,
        *,
        idle_seconds: float = 60.0,
        base_seconds: float = BASE_SECONDS,
        argv: Sequence[str] | None = None,
    ) -> None:
        """`idle_seconds` after the last answer the child is ended; `argv` starts another child than ours."""
        self._base_seconds = base_seconds
        self._keeper = Keeper(NAME, MODULE, idle_seconds=idle_seconds, argv=argv)

    @property
    def child(self) -> Child | None:
        """The warm child; None before the first question and after an idle time."""
        return self._keeper.child

    async def warm(self) -> None:
        """Start the child before the first question, which then does not wait for it."""
        with contextlib.suppress(ChildFailure):  # the first question tells it
            async with self._keeper:
                await self._keeper.ready()

    async def trim(self, target: Path, folder: Path, facts: Facts, wanted: Trim, report: Report) -> Trimmed | Failure:
        """Write the wanted part of a video into `folder`. Raises ChildFailure where no child can be started."""
        question = {"target": str(target), "folder": str(folder), "facts": asdict(facts), "trim": asdict(wanted)}
        answer = await self._ask("trim", question, await _seconds([target], facts), report)
        assert isinstance(answer, Trimmed | Failure)
        return answer

    async def prepare(
        self, target: Path, folder: Path, facts: Facts, weaknesses: frozenset[Weakness], report: Report
    ) -> Prepared | Failure:
        """Write into `folder` what an engine with these weaknesses shall get; the target itself where it can
        bear it. Raises ChildFailure where no child can be started."""
        question = {
            "target": str(target),
            "folder": str(folder),
            "facts": asdict(facts),
            "weaknesses": sorted(weaknesses),
        }
        answer = await self._ask("prepare", question, await _seconds([target], facts), report)
        assert isinstance(answer, Prepared | Failure)
        return answer

    async def finish(
        self,
        target: Path,
        prepared: Path,
        parts: Sequence[Path],
        output: Path,
        facts: Facts,
        marks: Marks | None,
        report: Report,
    ) -> Finished | Failure:
        """Write the output of what the engine made, in `parts` in their order, and of all else that the target
        has. `marks` say in its metadata what it is. Raises ChildFailure where no child can be started."""
        question = {
            "target": str(target),
            "prepared": str(prepared),
            "parts": [str(part) for part in parts],
            "output": str(output),
            "facts": asdict(facts),
            "marks": None if marks is None else asdict(marks),
        }
        answer = await self._ask("finish", question, await _seconds([target, prepared, *parts], facts), report)
        assert isinstance(answer, Finished | Failure)
        return answer

    async def close(self) -> None:
        """End the child and wait until it is gone. A question that is being asked is answered first."""
        await self._keeper.close()

    async def _ask(self, verb: str, question: Mapping[str, Any], seconds: float, report: Report) -> Answer:
        """Raises ChildFailure where no child can be started."""
        async with self._keeper:
            answer = await self._ask_once(verb, question, seconds, report)
            if isinstance(answer, Failure) and answer.category in ("child_died", "child_rubbish"):
                # Once more: a child can be ended for somebody else's sake (a machine out of memory).
                answer = await self._ask_once(verb, question, seconds, report)
            return answer

    async def _ask_once(self, verb: str, question: Mapping[str, Any], seconds: float, report: Report) -> Answer:
        child = await self._keeper.ready()
        clock, furthest = asyncio.get_running_loop().time, 0
        try:
            async with asyncio.timeout(self._base_seconds + seconds) as limit:

                def progress(message: Mapping[str, Any]) -> None:
                    nonlocal furthest
                    done, total = int(message["done"]), int(message["total"])
                    report(done, total)
                    end = limit.when()
                    if done > furthest and end is not None:
                        furthest = done
                        limit.reschedule(max(end, clock() + self._base_seconds))

                return from_wire(await child.ask(verb, question, progress))
        except TimeoutError:
            return Failure("stalled", f"The {NAME} made no progress with the file for too long.")
        except ChildFailure as failed:
            if failed.failure.category == "out_of_memory":
                await child.stop()  # what is left of it may be in pieces
            return failed.failure
        except (ValueError, KeyError, TypeError):  # an answer in no shape that is known
            await child.stop()
            return Failure("child_rubbish", f"The {NAME} gave an answer without sense.")


async def _seconds(paths: Sequence[Path], facts: Facts) -> float:
    """How long a file may take; the child tells of files that are not there."""
    size = 0
    for path in paths:
        with contextlib.suppress(OSError):
            size += (await asyncio.to_thread(path.stat)).st_size
    return size / COPY_RATE + facts.frames / PICTURE_RATE
