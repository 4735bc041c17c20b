"""Several jobs for one FaceFusion: a job file for each, run by its own `job-run-all`.

No internals of FaceFusion are touched, and its start and its models are paid once for all of them. One job that is
refused costs the others nothing; one that takes the process down is told apart from those behind it, which go into
the next batch.
"""

import asyncio
import os
import re
import shutil
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from faceswapd.children.child import ChildFailure
from faceswapd.core.failures import Failure
from faceswapd.engines.facefusion.hearing import Hearing
from faceswapd.engines.facefusion.runner import Ran, Runner

Ready = Callable[[], Awaitable[Runner]]  # the runner that is in use, with its child

GATHER_SECONDS: Final = 0.2  # that a batch waits for further jobs
ENDED: Final = Failure("child_died", "FaceFusion ended in the middle of the job.")
_STEP: Final = re.compile(rb"\[FACEFUSION\.CORE\] processing step \d", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class JobFile:
    """One job, as `job-run-all` takes it."""

    text: str  # JSON
    process: tuple[str, ...]  # arguments of the whole process; jobs of one batch have the same
    folder: Path  # where the batch may work


@dataclass(slots=True, eq=False)
class _Entry:
    """One job that waits for its batch, or is in it."""

    file: JobFile
    hearing: Hearing
    number: str = field(default_factory=lambda: uuid.uuid4().hex)  # FaceFusion's job id: letters, digits and "-" only
    round: "_Round | None" = None  # in which it is
    again: bool = False  # it was in a round that ended before any job was begun
    done: "asyncio.Future[Ran]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Batch:
    """Gathers runs, and carries them out together."""

    def __init__(self) -> None:
        self._waiting: list[_Entry] = []
        self._task: asyncio.Task[None] | None = None

    async def run(self, ready: Ready, file: JobFile, hearing: Hearing) -> Ran:
        """Run one job in a batch with others, on the runner that is in use when its turn comes. Cancelled before its
        turn, it is taken out; cancelled in the middle of it, the process is ended, and the others begin anew."""
        entry = _Entry(file, hearing)
        self._waiting.append(entry)
        hearing.waits()
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._carry_out(ready), name="batch of FaceFusion")
        try:
            return await entry.done
        except asyncio.CancelledError:
            if entry.round is not None:
                await entry.round.cancel(entry)
            elif entry in self._waiting:
                self._waiting.remove(entry)
            raise

    async def _carry_out(self, ready: Ready) -> None:
        """One round after the other, until nothing waits."""
        await asyncio.sleep(GATHER_SECONDS)
        while self._waiting:
            process = self._waiting[0].file.process
            mine = [entry for entry in self._waiting if entry.file.process == process]
            self._waiting = [entry for entry in self._waiting if entry.file.process != process]
            try:
                left = await _Round(mine, await ready()).run()
            except Exception as error:  # noqa: BLE001  it is raised where the jobs are awaited
                for entry in mine:
                    if not entry.done.done():
                        entry.done.set_exception(error)
                continue
            self._waiting = [*left, *self._waiting]


class _Round:
    """One `job-run-all`."""

    def __init__(self, entries: list[_Entry], runner: Runner) -> None:
        self._entries = entries
        for entry in entries:
            entry.round = self
        self._runner = runner
        self._folder = entries[0].file.folder / f"execution-batch-{uuid.uuid4().hex}"
        self._turn = -1  # whose stderr it is that comes
        self._rest = b""

    async def run(self) -> list[_Entry]:
        """Returns those that were not begun: they wait for the next round."""
        try:
            return await self._run()
        finally:
            await asyncio.to_thread(shutil.rmtree, self._folder, True)

    async def _run(self) -> list[_Entry]:
        await asyncio.to_thread(self._write)
        arguments = (
            "job-run-all",
            *("--jobs-path", str(self._folder / "jobs"), "--temp-path", str(self._folder / "temp")),
            *self._entries[0].file.process,
        )
        try:
            ran = await self._runner.run(arguments, self._hear)
        except ChildFailure as error:
            ran = Ran(None, None, 0.0, died=error.failure)
        if self._turn < 0:
            return self._none_begun(ran)
        left = [entry for entry in self._entries if not self._settle(entry, ran)]
        for entry in left:
            entry.round = None
        return left

    def _none_begun(self, ran: Ran) -> list[_Entry]:
        """Not one job was begun: it is not the jobs' fault. When the process died they are tried once more."""
        left = []
        for entry in self._entries:
            if ran.died is None:
                self._end(entry, self._refused(entry, ran))
            elif entry.again:
                self._end(entry, ran)
            elif not entry.done.done():
                entry.again, entry.round = True, None
                left.append(entry)
        return left

    def _write(self) -> None:
        for state in ("drafted", "queued", "completed", "failed"):
            (self._folder / "jobs" / state).mkdir(parents=True, mode=0o700)
        for place, entry in enumerate(self._entries):
            path = self._place(entry, "queued")
            path.write_text(entry.file.text, encoding="utf-8")
            os.utime(path, (place + 1, place + 1))  # FaceFusion goes by the files' times

    def _place(self, entry: _Entry, state: str) -> Path:
        return self._folder / "jobs" / state / f"{entry.number}.json"

    def _hear(self, data: bytes) -> None:
        """Hand each job what FaceFusion says in its turn, line by line."""
        *lines, self._rest = re.split(rb"(?<=[\r\n])", self._rest + data)
        for line in lines:
            if _STEP.search(line):
                if self._turn >= 0:
                    self._settle(self._entries[self._turn], None)
                self._turn = self._next()
            if self._turn >= 0:
                self._entries[self._turn].hearing(line)
        for entry in self._entries[self._turn + 1 :]:
            entry.hearing.waits()

    def _next(self) -> int:
        """Whose turn it is: a job that was taken out has no file any more."""
        return next(
            (
                place
                for place in range(self._turn + 1, len(self._entries))
                if self._place(self._entries[place], "queued").exists()
            ),
            self._turn,
        )

    def _settle(self, entry: _Entry, ran: Ran | None) -> bool:
        """Whether a job has ended; `ran` tells how the process did, None while it runs."""
        if entry.done.done():
            return True
        for state, code in (("completed", 0), ("failed", 1)):
            if self._place(entry, state).exists():
                self._end(entry, Ran(code, None, 0.0))
                return True
        if ran is not None and self._entries.index(entry) == self._turn:  # in the middle of which the process ended
            self._end(entry, Ran(ran.code or None, None, 0.0, ran.error, ran.died or ENDED))
            return True
        return False

    @staticmethod
    def _refused(entry: _Entry, ran: Ran) -> Ran:
        """FaceFusion ended without beginning any job: what it said is each one's."""
        return Ran(
            ran.code,
            None,
            ran.seconds,
            died=Failure("child_start", "FaceFusion did not begin any job of the batch: " + _last_words(entry)),
        )

    @staticmethod
    def _end(entry: _Entry, ran: Ran) -> None:
        if not entry.done.done():
            entry.done.set_result(ran)

    async def cancel(self, entry: _Entry) -> None:
        """Take a job out. One that is being done takes the process with it."""
        if self._entries.index(entry) == self._turn:
            await self._runner.close()
        else:
            self._place(entry, "queued").unlink(missing_ok=True)


def _last_words(entry: _Entry) -> str:
    return next(iter(reversed(entry.hearing.transcript.tail)), "it said nothing.")
