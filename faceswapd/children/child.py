"""One operating-system child, seen from the daemon.

It runs in a session of its own; its stderr is always drained; it is ended by TERM, then KILL, to its whole
process group, and the ending survives a cancelled caller. The conversation is told in `serve.py`.
"""

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import psutil

from faceswapd.children import kin, memory
from faceswapd.children.control_group import Group, Groups
from faceswapd.children.shield import to_the_end
from faceswapd.children.surroundings import surroundings
from faceswapd.core.failures import Failure

START_SECONDS = 60.0  # from the start of a child to its "ready"
STOP_SECONDS = 3.0  # from TERM to KILL
LINE_LIMIT = 1 << 20  # bytes of one line; a longer one is rubbish
TAIL_LINES = 40  # of stderr, kept for the log
TAIL_WIDTH = 1000  # characters of each of them


@dataclass(frozen=True, slots=True)
class ChildId:
    """Who a child is, for certain: a pid alone is used again by the system."""

    pid: int
    started: float  # the process's start time, seconds since 1970, as psutil tells it


class ChildFailure(Exception):
    """The child could not answer; `failure` says why."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.sentence)
        self.failure = failure


class Child:
    """A child that answers one question at a time. Made by `Child.start`."""

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        name: str,
        mark: str,
        listener: Callable[[bytes], None] | None = None,
        group: Group | None = None,
    ) -> None:
        self._process = process
        self._group = group
        self._mark = mark
        self._name = name
        self._listener = listener
        self._tail: deque[str] = deque(maxlen=TAIL_LINES)
        self._number = 0
        self._drain = asyncio.create_task(self._drain_stderr(), name=f"stderr of {name}")
        try:
            started = psutil.Process(process.pid).create_time()
        except psutil.Error:  # it is gone already; the first question will say so
            started = 0.0
        self.identity = ChildId(process.pid, started)

    @classmethod
    async def start(
        cls,
        argv: Sequence[str],
        *,
        name: str,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        listener: Callable[[bytes], None] | None = None,
        ready_seconds: float = START_SECONDS,
        groups: Groups | None = None,
    ) -> Self:
        """Start a child and wait until it is ready. `listener` gets all that it writes to stderr, as it comes; with
        `groups` it has a control group of its own. Raises ChildFailure."""
        mark = kin.new_mark()
        try:
            process = await asyncio.create_subprocess_exec(
                *argv,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                start_new_session=True,
                env=surroundings(mark, env),
                cwd=cwd,
                limit=LINE_LIMIT,
            )
        except OSError as error:
            raise ChildFailure(
                Failure("child_start", f"The {name} could not be started: {error.strerror} ({argv[0]}).")
            ) from error
        group = None if groups is None else groups.new()
        if group is not None:
            group.take(process.pid)
        child = cls(process, name, mark, listener, group)
        try:
            async with asyncio.timeout(ready_seconds):
                if "ready" not in await child._message():
                    raise ChildFailure(Failure("child_rubbish", f"The {name} did not say that it is ready."))
        except TimeoutError:
            await child.stop()
            raise ChildFailure(
                Failure("child_start", f"The {name} was not ready after {ready_seconds:.0f} seconds.")
            ) from None
        except BaseException:
            await child.stop()
            raise
        return child

    @classmethod
    async def start_module(cls, module: str, *, name: str) -> Self:
        """Start one of our own modules in a fresh Python, with the single-threaded maths that leaves the
        cores to the slots' own threads. Raises ChildFailure."""
        return await cls.start([sys.executable, "-P", "-m", module], name=name, env={"OPENBLAS_NUM_THREADS": "1"})

    @property
    def alive(self) -> bool:
        """Whether the child still runs."""
        return self._process.returncode is None

    @property
    def exit_code(self) -> int | None:
        """How it ended, negative for a signal; None while it runs."""
        return self._process.returncode

    @property
    def tail(self) -> tuple[str, ...]:
        """The last lines that the child wrote to stderr."""
        return tuple(self._tail)

    def begin_peak(self) -> None:
        """Measure the peak of the memory from here on."""
        if self._group is not None and self._group.peak is not None:
            self._group.begin_peak()
        else:
            memory.begin_peak(self._process.pid)

    @property
    def peak_memory(self) -> int | None:
        """Bytes that it and all that it started held at most; None where nothing can be told any more."""
        counted = None if self._group is None else self._group.peak
        if counted is not None:
            return counted
        return memory.peak(self._process.pid) if self.alive else None

    async def ask(
        self,
        verb: str,
        args: Mapping[str, Any],
        on_progress: Callable[[Mapping[str, Any]], None] | None = None,
    ) -> Mapping[str, Any]:
        """Put one question and wait for its answer, handing on what comes before it.

        Raises ChildFailure: the child's own refusal (it lives on), or that it died or said rubbish (it is
        stopped). When the await is cancelled the child is stopped too, since it is in the middle of it.
        """
        self._number += 1
        answered = False
        try:
            assert self._process.stdin is not None
            question = json.dumps({"id": self._number, "verb": verb, "args": args}) + "\n"
            with contextlib.suppress(ConnectionError):  # a child that died is told by _message
                self._process.stdin.write(question.encode())
                await self._process.stdin.drain()
            while True:
                message = await self._message()
                if message.get("id") != self._number:
                    raise ChildFailure(Failure("child_rubbish", f"The {self._name} answered what nobody had asked."))
                if "result" in message:
                    result = self._part(message, "result")
                    answered = True
                    return result
                if "failure" in message:
                    failure = self._part(message, "failure")
                    answered = True
                    raise ChildFailure(Failure(str(failure.get("category")), str(failure.get("sentence"))))
                progress = self._part(message, "progress")
                if on_progress is not None:
                    on_progress(progress)
        finally:
            if not answered:
                await self.stop()

    async def stop(self) -> None:
        """TERM, then KILL, to the whole group; then KILL to those that had left it. Returns when all are gone. A
        cancelled caller waits for it too."""
        await to_the_end(self._stop())

    async def _stop(self) -> None:
        for number, seconds in ((signal.SIGTERM, STOP_SECONDS), (signal.SIGKILL, None)):
            if self._process.returncode is not None:
                break
            self._signal(number)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._process.wait()
        self._signal(signal.SIGKILL)  # what the leader left behind
        if self._group is not None:
            await asyncio.to_thread(self._group.end)
        await asyncio.to_thread(kin.end_all, self._mark)
        with contextlib.suppress(TimeoutError):  # somebody without our mark may hold stderr open
            async with asyncio.timeout(STOP_SECONDS):
                await asyncio.shield(self._drain)
        self._drain.cancel()

    def _signal(self, number: signal.Signals) -> None:
        # The group keeps the leader's pid until its last member is gone. A living process that has the pid after
        # the leader is gone is a stranger, and tells that no member is left.
        if self._process.returncode is not None and psutil.pid_exists(self._process.pid):
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)

    async def _message(self) -> Mapping[str, Any]:
        assert self._process.stdout is not None
        try:
            line = await self._process.stdout.readline()
        except ValueError:  # longer than LINE_LIMIT
            raise ChildFailure(Failure("child_rubbish", f"The {self._name} wrote a line without end.")) from None
        if not line and self._group is not None and self._group.memory_ran_out:
            raise ChildFailure(Failure("out_of_memory", f"The {self._name} needed more memory than it may have."))
        if not line:
            raise ChildFailure(Failure("child_died", f"The {self._name} {await self._epitaph()}."))
        try:
            return _mapping(json.loads(line))
        except (ValueError, RecursionError):
            raise ChildFailure(
                Failure("child_rubbish", f"The {self._name} wrote something that is no answer: {line[:60]!r}.")
            ) from None

    def _part(self, message: Mapping[str, Any], key: str) -> Mapping[str, Any]:
        try:
            return _mapping(message.get(key))
        except ValueError:
            raise ChildFailure(
                Failure(
                    "child_rubbish", f"The {self._name} gave a {key} that makes no sense: {message.get(key)!r:.60}."
                )
            ) from None

    async def _epitaph(self) -> str:
        try:
            async with asyncio.timeout(STOP_SECONDS):
                code = await self._process.wait()
        except TimeoutError:
            return "closed its answers and went on"
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_SECONDS):
                await asyncio.shield(self._drain)
        last = next((line for line in reversed(self._tail) if line.strip()), None)
        how = f"was ended by {_signal_name(-code)}" if code < 0 else f"ended with exit code {code}"
        return how if last is None else f"{how}, last words: {last.strip()[:200]}"

    async def _drain_stderr(self) -> None:
        """Read stderr to its end: a pipe that nobody reads stops the writer for ever."""
        assert self._process.stderr is not None
        rest = b""
        while data := await self._process.stderr.read(65536):
            if self._listener is not None:
                self._listener(data)
            *lines, rest = (rest + data).split(b"\n")
            self._tail.extend(_legible(line) for line in lines)
            rest = rest[-LINE_LIMIT:]
        if rest:
            self._tail.append(_legible(rest))


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # real-time signals have no names of their own
        return f"signal {number}"


def _legible(line: bytes) -> str:
    return line.decode(errors="replace")[:TAIL_WIDTH]


def _mapping(value: object) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"not an object: {value!r}")  # noqa: TRY004  a bad line, as json.loads would say it
    return value
