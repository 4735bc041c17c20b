"""The daemon's side of examining files: one warm, limited child that opens them instead of us."""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from faceswapd.children.child import Child, ChildFailure
from faceswapd.children.keeper import Keeper
from faceswapd.core.failures import Failure
from faceswapd.core.target import Facts, Proof, Thumbnail, Unreadable
from faceswapd.media.answers import Answer, from_wire

NAME: Final = "media examiner"
MODULE: Final = "faceswapd.media.child"
BASE_SECONDS: Final = 30.0  # for any file
READ_RATE: Final = 20_000_000  # bytes per second that even a slow disk and a hash give
DECODE_RATE: Final = 10.0  # pictures per second that even a slow machine decodes


class _OvertimeError(Exception):
    """The child used up its time on one question."""


class _UnansweredError(Exception):
    """The child gave no answer about this file; `failure` says why."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.sentence)
        self.failure = failure


class _DiedError(_UnansweredError):
    """The child ended, or talked rubbish, in the middle of the question."""


class Examiner:
    """Answers questions about files, one at a time, in a child that is started at the first one.

    A bad file gets an answer that says so, whatever it does to the child. Only an environment in which the
    child cannot start raises ChildFailure.
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

    async def probe(self, path: Path) -> Facts | Unreadable:
        """Read the whole file. Raises ChildFailure where no child can be started."""
        try:
            answer = await self._ask("probe", {"path": str(path)}, await _reading(path))
        except _OvertimeError as error:
            return Unreadable(f"The file could not be read: {error}.")
        except _UnansweredError as error:
            if error.failure.category == "out_of_memory":
                return Unreadable("The file needs more memory to be read than a file is given.")
            return Unreadable(f"The file is damaged: {_lower(error.failure.sentence)} It was read twice.")
        assert isinstance(answer, Facts | Unreadable)
        return answer

    async def verify(self, target: Path, output: Path, facts: Facts) -> Proof | Failure:
        """Whether the output is whole. Raises ChildFailure where no child can be started."""
        seconds = await _reading(target) + await _reading(output) + facts.frames / DECODE_RATE
        question = {"target": str(target), "output": str(output), "facts": asdict(facts)}
        try:
            answer = await self._ask("verify", question, seconds)
        except _OvertimeError as error:
            return Failure("output_damaged", f"The output could not be checked: {error}.")
        except _UnansweredError as error:
            if error.failure.category == "out_of_memory":
                return error.failure
            return Failure("output_damaged", f"The output could not be checked: {_lower(error.failure.sentence)}")
        assert isinstance(answer, Proof | Failure)
        return answer

    async def thumbnail(self, path: Path, device: int, inode: int) -> Thumbnail | Unreadable:
        """A small picture of the file, if it still is the one with these numbers. Raises ChildFailure where no child
        can be started."""
        question = {"path": str(path), "device": device, "inode": inode}
        try:
            answer = await self._ask("thumbnail", question, await _reading(path))
        except (_OvertimeError, _UnansweredError):
            return Unreadable("No picture could be made of the file.")
        assert isinstance(answer, Thumbnail | Unreadable)
        return answer

    async def close(self) -> None:
        """End the child and wait until it is gone. A question that is being asked is answered first."""
        await self._keeper.close()

    async def _ask(self, verb: str, question: Mapping[str, Any], seconds: float) -> Answer:
        """Raises ChildFailure (no child), _OvertimeError, or _UnansweredError after the last try."""
        async with self._keeper:
            with contextlib.suppress(_DiedError):
                return await self._ask_once(verb, question, self._base_seconds + seconds)
            # Once more: a child can be ended for somebody else's sake (a machine out of memory).
            return await self._ask_once(verb, question, self._base_seconds + seconds)

    async def _ask_once(self, verb: str, question: Mapping[str, Any], seconds: float) -> Answer:
        child = await self._keeper.ready()
        start = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(seconds) as limit:

                def extend(progress: Mapping[str, Any]) -> None:
                    nonlocal seconds
                    seconds += progress["pictures"] / DECODE_RATE
                    limit.reschedule(start + seconds)

                return from_wire(await child.ask(verb, question, extend))
        except TimeoutError:
            raise _OvertimeError(f"it was given {seconds:.0f} seconds, which was not enough") from None
        except ChildFailure as failed:
            if failed.failure.category in ("child_died", "child_rubbish"):
                raise _DiedError(failed.failure) from failed
            await child.stop()  # it ran out of memory: what is left of it may be in pieces
            raise _UnansweredError(failed.failure) from failed
        except (ValueError, KeyError, TypeError) as error:  # an answer in no shape that is known
            await child.stop()
            raise _DiedError(Failure("child_rubbish", f"The {NAME} gave an answer without sense.")) from error


async def _reading(path: Path) -> float:
    """Seconds that reading this file may take; 0 for one that is not there, which the child will tell."""
    try:
        status = await asyncio.to_thread(path.stat)
    except OSError:
        return 0.0
    return status.st_size / READ_RATE


def _lower(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]
