"""The daemon's side of the preview engine. Light: it decodes nothing."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

import psutil

from faceswapd.children.child import Child, ChildFailure, ChildId
from faceswapd.children.control_group import Groups
from faceswapd.core.failures import Failure
from faceswapd.core.preflight import Weakness
from faceswapd.engines.engine import EngineFailure, Output, Progress, Report, Say, Work, unheard

NAME: Final = "preview"
CHILD: Final = (sys.executable, "-P", "-m", "faceswapd.engines.preview.child")
ENVIRONMENT: Final = {
    "OPENBLAS_NUM_THREADS": "1",
    "OPENCV_IO_MAX_IMAGE_PIXELS": "200000000",  # more is refused before it is decoded
}
LONGEST_LINE: Final = 1000  # bytes of what the child says; the rest of the line is dropped
MEMORY_LIMIT: Final = 1_500_000_000  # bytes that a child may keep between two runs


class PreviewEngine:
    """The engine of one slot, with one warm child."""

    def __init__(
        self, argv: Sequence[str] | None = None, *, memory_limit: int = MEMORY_LIMIT, groups: Groups | None = None
    ) -> None:
        self._groups = groups
        self._peak: int | None = None
        self._argv = CHILD if argv is None else tuple(argv)
        self._memory_limit = memory_limit
        self._child: Child | None = None
        self._say: Say = unheard
        self._rest = b""  # of a line without its end

    @property
    def name(self) -> str:
        """The engine's name."""
        return NAME

    weaknesses: frozenset[Weakness] = frozenset()  # it was written to bear them
    credit: str | None = None  # it burns its own words into each picture
    room = 1
    ahead = 0
    has_ladder = False
    frames_on_disk = False
    remarks: tuple[str, ...] = ()

    @property
    def child(self) -> ChildId | None:
        """The child that runs now or waits warm."""
        return self._child.identity if self._child is not None and self._child.alive else None

    @property
    def tail(self) -> tuple[str, ...]:
        """The last lines that the child wrote to stderr."""
        return () if self._child is None else self._child.tail

    @property
    def peak_memory(self) -> int | None:
        """Bytes that the child held at most in the last run."""
        return self._peak

    async def start(self) -> ChildId:
        """Make the child ready. Raises EngineFailure."""
        return (await self._ready()).identity

    async def run(self, work: Work, report: Report) -> Output:
        """Swap. Raises EngineFailure; cancelling stops the child."""
        self._say, self._rest = work.say, b""
        child = await self._ready()
        child.begin_peak()
        try:
            answer = await child.ask("swap", _question(work), lambda message: report(_progress(message)))
            output = _output(answer)
        except ChildFailure as error:
            raise EngineFailure(error.failure) from error
        except ValueError as error:  # what it said is no sensible message
            await self.close()
            raise EngineFailure(
                Failure("child_rubbish", f"The preview engine gave no sensible answer: {error}.")
            ) from error
        finally:
            self._peak = child.peak_memory
            self._say = unheard
        await self._recycle()
        return output

    async def close(self) -> None:
        """End the warm child."""
        child, self._child = self._child, None
        if child is not None:
            await child.stop()

    async def _ready(self) -> Child:
        if self._child is None or not self._child.alive:
            await self.close()
            try:
                self._child = await Child.start(
                    self._argv, name="preview engine", env=ENVIRONMENT, listener=self._hear, groups=self._groups
                )
            except ChildFailure as error:
                raise EngineFailure(error.failure) from error
        return self._child

    def _hear(self, data: bytes) -> None:
        *lines, rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._say(line[:LONGEST_LINE].decode(errors="replace"))
        self._rest = rest[:LONGEST_LINE]

    async def _recycle(self) -> None:
        """End a child that has grown; the next run starts a fresh one."""
        if self._child is None:
            return
        try:
            used = psutil.Process(self._child.identity.pid).memory_info().rss
        except psutil.Error:
            return  # it is gone, which the next run notices
        if used > self._memory_limit:
            await self.close()


def _question(work: Work) -> Mapping[str, Any]:
    return {
        "sources": [str(path) for path in work.sources],
        "target": str(work.target),
        "output": str(work.output),
        "preset": work.preset,
        "kind": work.facts.kind.value,
        "width": work.facts.width,
        "height": work.facts.height,
        "frames": work.facts.frames,
        "person": None if work.person is None else {**asdict(work.person), "shown": str(work.person.shown)},
    }


def _progress(message: Mapping[str, Any]) -> Progress:
    return Progress(str(message.get("phase")), _count(message, "done"), _count(message, "total"))


def _output(answer: Mapping[str, Any]) -> Output:
    seconds = answer.get("seconds")
    if not isinstance(seconds, (int, float)):
        raise ValueError(f"seconds={seconds!r}")  # noqa: TRY004  no caller's mistake
    return Output(_count(answer, "frames"), _count(answer, "faces"), float(seconds))


def _count(message: Mapping[str, Any], name: str) -> int:
    value = message.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"{name}={value!r}")
    return value
