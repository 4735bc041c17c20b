"""An engine whose every run is ended by the test."""

import asyncio
from dataclasses import dataclass, field

from faceswapd.children.child import ChildId
from faceswapd.core.failures import Failure
from faceswapd.core.preflight import Weakness
from faceswapd.engines.engine import EngineFailure, Output, Progress, Report, Work


@dataclass
class Run:
    """One run that has begun."""

    work: Work
    report: Report
    seconds: float = 0.5  # that it says it spent on the frames
    end: "asyncio.Future[bytes]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def progress(self, done: int) -> None:
        self.report(Progress("swapping", done, self.work.facts.frames))

    def succeed(self, made: bytes = b"swapped") -> None:
        self.end.set_result(made)

    def fail(self, category: str) -> None:
        self.break_down(EngineFailure(Failure(category, f"It is a case of {category}.")))

    def break_down(self, error: Exception) -> None:
        self.end.set_exception(error)


class FakeEngine:
    """One slot's engine. All of them put their runs on one bench."""

    name = "fake"
    tail = ("its last words",)
    weaknesses: frozenset[Weakness] = frozenset()
    credit: str | None = None
    room = 1
    ahead = 0
    has_ladder = False
    frames_on_disk = False
    remarks: tuple[str, ...] = ()
    peak_memory = 1_000_000

    def __init__(self, bench: "asyncio.Queue[Run]") -> None:
        self._bench = bench
        self.child: ChildId | None = None
        self.closed = asyncio.Event()

    async def start(self) -> ChildId | None:
        return self.child

    async def run(self, work: Work, report: Report) -> Output:
        run = Run(work, report)
        await self._bench.put(run)
        work.output.write_bytes(await run.end)
        return Output(work.facts.frames, work.facts.frames, run.seconds)

    async def close(self) -> None:
        self.child = None
        self.closed.set()
