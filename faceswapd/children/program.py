"""A program that is started with arguments and runs to its end, for those that do not speak our lines."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from faceswapd.children import kin
from faceswapd.children.child import STOP_SECONDS
from faceswapd.children.limits import make_give_way
from faceswapd.children.shield import to_the_end
from faceswapd.children.surroundings import surroundings
from faceswapd.core.failures import Failure

KEPT = 4 << 20  # bytes of each stream that are kept, the last ones


class ProgramError(Exception):
    """The program could not be started, or took too long; `failure` says why."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.sentence)
        self.failure = failure


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended and what it said."""

    code: int  # negative: the number of the signal that ended it
    out: str
    err: str


async def run(
    argv: Sequence[str],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    seconds: float | None = None,
    before_start: Callable[[str], None] | None = None,
    on_error_output: Callable[[bytes], None] | None = None,
) -> Ended:
    """Run to the end, in a session of its own, with nothing on stdin and both streams drained. It gives way as a child
    of our own making does (children/limits).

    `env` is laid over our own. `before_start` is told the mark that it and all that it starts bear (children/kin): who
    keeps the mark can end them even if we are killed in the moment of their start. After `seconds`, or when the await
    is cancelled, the whole process group gets TERM and then KILL, and is gone when this returns. Raises ProgramError:
    `child_start` where it cannot be started, `stalled` after the time.
    """
    mark = kin.new_mark()
    if before_start is not None:
        before_start(mark)
    try:
        process = await asyncio.create_subprocess_exec(
            *argv,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
            cwd=cwd,
            env=surroundings(mark, env),
        )
    except OSError as error:
        raise ProgramError(
            Failure("child_start", f"{argv[0]} could not be started: {error.strerror or error}.")
        ) from error
    make_give_way(process.pid)
    assert process.stdout is not None
    assert process.stderr is not None
    out = asyncio.create_task(_drain(process.stdout), name=f"stdout of {argv[0]}")
    err = asyncio.create_task(_drain(process.stderr, on_error_output), name=f"stderr of {argv[0]}")
    try:
        async with asyncio.timeout(seconds):
            code = await process.wait()
    except TimeoutError:
        raise ProgramError(Failure("stalled", f"{argv[0]} had not ended after {seconds:.0f} seconds.")) from None
    finally:
        await to_the_end(_end(process, mark, out, err))
    return Ended(code, out.result().decode(errors="replace"), err.result().decode(errors="replace"))


async def _drain(stream: asyncio.StreamReader, hand_on: Callable[[bytes], None] | None = None) -> bytes:
    kept = b""
    while data := await stream.read(65536):
        if hand_on is not None:
            hand_on(data)
        kept = (kept + data)[-KEPT:]
    return kept


async def _end(process: asyncio.subprocess.Process, mark: str, *drains: "asyncio.Task[bytes]") -> None:
    for number, seconds in ((signal.SIGTERM, STOP_SECONDS), (signal.SIGKILL, None)):
        if process.returncode is not None:
            break
        _signal(process.pid, number)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await process.wait()
    if not psutil.pid_exists(process.pid):  # a living process with its pid is a stranger, and no member is left
        _signal(process.pid, signal.SIGKILL)
    await asyncio.to_thread(kin.end_all, mark)
    done, late = await asyncio.wait(drains, timeout=STOP_SECONDS)
    for drain in late:  # somebody without our mark holds the stream open
        drain.cancel()
    if late:
        await asyncio.wait(late)
    del done


def _signal(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)
