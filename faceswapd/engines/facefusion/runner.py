"""A child that runs FaceFusion's command lines, one after the other, and hands on what they write.

Warm, it is our driver inside FaceFusion's own Python, and FaceFusion stays loaded. Cold, it is our launcher, which
starts FaceFusion anew for each command line. Both speak the same lines.
"""

import asyncio
import contextlib
import sys
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psutil

from faceswapd.children.child import Child, ChildFailure, ChildId
from faceswapd.children.control_group import Groups
from faceswapd.core.failures import Failure
from faceswapd.engines.facefusion.installation import Installation

DRIVER: Final = Path(__file__).with_name("driver.py")
LAUNCHER: Final = (sys.executable, "-P", "-m", "faceswapd.children.launcher")
READY_SECONDS: Final = 120.0  # a cold disk takes its time over FaceFusion's libraries
MARK_SECONDS: Final = 5.0  # from the answer to the end of what was written before it
# Refused at once: FaceFusion asks three hosts before each start whether they answer. Only set once nothing is missing.
OFFLINE: Final = {"https_proxy": "http://127.0.0.1:9", "http_proxy": "http://127.0.0.1:9"}

Hear = Callable[[bytes], None]


@dataclass(frozen=True, slots=True)
class Stamp:
    """How a file looks without reading it."""

    path: Path
    size: int
    modified: int  # nanoseconds
    inode: int


@dataclass(frozen=True, slots=True)
class Ran:
    """How one command line ended."""

    code: int | None  # None: it is not known
    inner: int | None  # what FaceFusion's step returned, where the driver could see it
    seconds: float
    error: str | None = None  # an exception that FaceFusion let go
    died: Failure | None = None  # the child itself ended, or spoke rubbish


class Runner:
    """One child of one kind. It is started when it is needed."""

    def __init__(
        self,
        installation: Installation,
        *,
        warm: bool,
        env: Mapping[str, str] | None = None,
        groups: Groups | None = None,
    ) -> None:
        """`env` is laid over the installation's own."""
        self._groups = groups
        self.peak_memory: int | None = None  # bytes, of the last command line
        self.installation = installation
        self.warm = warm
        self._env = {**OFFLINE, **dict(installation.env), **(env or {})}
        self._child: Child | None = None
        self._hear: Hear | None = None
        self._mark = b""
        self._last = b""
        self._marked = asyncio.Event()
        self._turn = asyncio.Lock()
        self._starting = asyncio.Lock()  # the next run is made ready while one ends
        self._over = False  # it was ended: what runs still is the last

    @property
    def child(self) -> ChildId | None:
        """The child that runs now or waits."""
        return self._child.identity if self._child is not None and self._child.alive else None

    async def start(self) -> ChildId:
        """Make the child ready. Raises ChildFailure."""
        async with self._starting:
            return await self._started()

    async def _started(self) -> ChildId:
        if self._child is None or not self._child.alive:
            await self.close()
            argv = (str(self.installation.python), str(DRIVER)) if self.warm else LAUNCHER
            self._child = await Child.start(
                argv,
                name="driver of FaceFusion" if self.warm else "launcher of FaceFusion",
                env=self._env,
                cwd=self.installation.root if self.warm else None,
                listener=self._listen,
                ready_seconds=READY_SECONDS,
                groups=self._groups,
            )
        return self._child.identity

    async def run(self, arguments: tuple[str, ...], hear: Hear, proved: Sequence[Stamp] = ()) -> Ran:
        """Run one command line (without the program's name), after those that were asked for before it; `hear` gets its
        stderr as it comes. `proved` are model files that need not be summed up again. When the await is cancelled, the
        child and all that it started are gone. Raises ChildFailure where no child can be started."""
        async with self._turn:
            try:
                return await self._run(arguments, hear, proved)
            finally:
                if self._over:
                    await self.close()

    async def _run(self, arguments: tuple[str, ...], hear: Hear, proved: Sequence[Stamp]) -> Ran:
        await self.start()
        child = self._child  # ours to the end: `close` may take it away meanwhile
        assert child is not None
        mark = f"-- {uuid.uuid4().hex} --"
        self._mark, self._last, self._hear = mark.encode(), b"", hear
        self._marked.clear()
        child.begin_peak()
        try:
            answer = await child.ask("run", self._question(arguments, mark, proved))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(MARK_SECONDS):
                    await self._marked.wait()
            ran = _ran(answer)
        except ChildFailure as error:
            ran = Ran(child.exit_code, None, 0.0, died=error.failure)
        except (ValueError, TypeError) as error:
            rubbish = Failure("child_rubbish", f"FaceFusion's driver gave no sensible answer: {error}.")
            ran = Ran(None, None, 0.0, died=rubbish)
        finally:
            self._hear = None
            self.peak_memory = child.peak_memory
        if ran.died is not None or ran.error is not None:
            await child.stop()  # what the broken job left behind in it must not meet the next one
        return ran

    def memory(self) -> int:
        """Bytes that the child holds; 0 where there is none."""
        if self._child is None or not self._child.alive:
            return 0
        try:
            return int(psutil.Process(self._child.identity.pid).memory_info().rss)
        except psutil.Error:
            return 0

    async def retire(self) -> None:
        """End the child for good, as soon as it has done what it was asked."""
        self._over = True
        async with self._turn:
            await self.close()

    async def end(self) -> None:
        """End the child for good, now."""
        self._over = True
        await self.close()

    async def close(self) -> None:
        """End the child; the next run starts another one."""
        child, self._child = self._child, None
        if child is not None:
            await child.stop()

    def _question(self, arguments: tuple[str, ...], mark: str, proved: Sequence[Stamp]) -> dict[str, Any]:
        if self.warm:
            known = [[str(one.path), one.size, one.modified, one.inode] for one in proved]
            return {"argv": list(arguments), "mark": mark, "proved": known}
        installation = self.installation
        return {
            "argv": list(installation.argv(*arguments)),
            "cwd": str(installation.root),
            "env": {},
            "mark": mark,
        }

    def _listen(self, data: bytes) -> None:
        """Hand on what is written, up to the mark, which may come in two pieces."""
        seen = self._last + data
        at = seen.find(self._mark) if self._mark else -1
        if at >= 0:
            data = data[: max(0, at - len(self._last))]
            self._marked.set()
        self._last = seen[-len(self._mark) :]
        if self._hear is not None and data:
            self._hear(data)


def _ran(answer: Mapping[str, Any]) -> Ran:
    code, inner, error = answer["code"], answer.get("inner"), answer.get("error")
    if not isinstance(code, int) or not isinstance(inner, int | None) or not isinstance(error, str | None):
        raise ValueError(f"{dict(answer)!r:.120}")  # noqa: TRY004  what a child says is no caller's mistake
    return Ran(code, inner, float(answer["seconds"]), error)
