"""A real ledger, real folders and a real examiner, whose child reads text instead of media."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from faceswapd.core.job import State
from faceswapd.core.target import Facts, Kind
from faceswapd.ledger import admission, reports
from faceswapd.ledger.admission import Arrival
from faceswapd.ledger.connection import Ledger
from faceswapd.ledger.records import ExecutionRecord, JobRecord
from faceswapd.media.examiner import Examiner
from faceswapd.media.mender import Mender
from faceswapd.runtime.health.beats import Beats
from faceswapd.runtime.health.readings import Readings
from faceswapd.runtime.intake.listing import signature_of
from faceswapd.runtime.jobs.course import Slot, Workshop
from faceswapd.runtime.jobs.outbox import digest
from faceswapd.runtime.jobs.scheduler import Scheduler
from faceswapd.runtime.notifying.notices import Notices
from faceswapd.settings import Settings
from faceswapd.settings.schema import LimitSettings, RetrySettings, TimeoutSettings
from tests.runtime.fake_engine import FakeEngine, Run

NOW = 1_763_816_400.0
SECONDS = 20.0  # for anything that a test waits for
CHILD = (sys.executable, str(Path(__file__).with_name("reading_child.py")))
NO_LIMITS = LimitSettings.model_validate(dict.fromkeys(LimitSettings.model_fields, 0))


def settings_for(folder: Path, **given: Any) -> Settings:
    """Settings with all folders below this one, no limits, and quick retries."""
    names = ("faces", "outbox", "failed", "done", "state")
    usual: dict[str, Any] = {name: folder / name for name in names}
    usual["inbox"] = ({"path": folder / "inbox", "name": "inbox"},)
    usual |= {"limits": NO_LIMITS, "retry": RetrySettings(attempts=2, first=0.05, factor=1.0), "grace": 600.0}
    made = Settings(**{**usual, **given})
    for place in (*(usual[name] for name in names), *(inbox.path for inbox in made.inbox)):
        place.mkdir(exist_ok=True)
    return made


def timeouts(*, no_progress: float = 600.0, wall: float = 600.0) -> TimeoutSettings:
    """Time limits smaller than a configuration may ask for."""
    return TimeoutSettings.model_construct(
        first_output=no_progress,
        no_progress=no_progress,
        download=600.0,
        wall=wall,
        wall_per_frame=0.0,
        wall_factor=10.0,
    )


def names(folder: Path) -> list[str]:
    """What lies in a folder."""
    return sorted(path.name for path in folder.iterdir())


@dataclass
class Workplace:
    """All that executions work with."""

    settings: Settings
    ledger: Ledger
    examiner: Examiner
    photos: tuple[Path, ...]
    bench: "asyncio.Queue[Run]" = field(default_factory=asyncio.Queue)
    beats: Beats = field(default_factory=Beats)
    mender: Mender = field(default_factory=Mender)
    notices: Notices = field(default_factory=Notices)
    people: dict[str, tuple[Path, ...]] = field(default_factory=dict)  # photos of those who have others than all

    @property
    def inbox(self) -> Path:
        return self.settings.inbox[0].path

    async def drop(self, name: str, content: str | None = None, **given: Any) -> int:
        """Put a file into the inbox and admit it."""
        target = self.inbox / name
        target.parent.mkdir(exist_ok=True)
        target.write_text(f"content of {name}" if content is None else content, encoding="utf-8")
        return await self.admit(target, **given)

    async def admit(self, target: Path, **given: Any) -> int:
        signature, content = signature_of(str(target)), digest(target)
        assert signature is not None
        assert content is not None
        usual: dict[str, Any] = {
            "target": str(target),
            "relative": target.relative_to(self.inbox).as_posix(),
            "signature": signature,
            "kind": Kind.VIDEO,
            "inbox": self.settings.inbox[0].name,
            "preset": "balanced",
            "priority": 0,
            "afterwards": "keep",
            "facts": Facts(Kind.VIDEO, content, signature.size, 64, 48, 10, 1.0, 0, 0),
            "face": "alice",
            "rule": "it is the only face",
        }
        (admitted,) = await admission.admit(self.ledger, [Arrival(**{**usual, **given})], NOW)
        return admitted.job

    async def job(self, number: int) -> JobRecord:
        found = await reports.job(self.ledger, number)
        assert found is not None
        return found

    async def executions(self, number: int) -> list[ExecutionRecord]:
        return await reports.executions(self.ledger, number)

    async def until(self, number: int, *states: State) -> JobRecord:
        """The job as soon as it is in one of these states."""
        async with asyncio.timeout(SECONDS):
            while True:
                rung = self.ledger.bell.count
                job = await self.job(number)
                if job.state in states:
                    return job
                await self.ledger.bell.after(rung)

    async def begun(self) -> Run:
        """The next run that an engine begins."""
        async with asyncio.timeout(SECONDS):
            return await self.bench.get()

    def engines(self, count: int = 1) -> list[FakeEngine]:
        return [FakeEngine(self.bench) for _ in range(count)]

    def shop(self) -> Workshop:
        photos = lambda face, _bundle: self.people.get(face, self.photos)  # noqa: E731
        return Workshop(self.settings, self.ledger, self.examiner, self.mender, photos, self.notices.tell)

    def readings(self) -> Readings:
        return Readings(self.settings, self.ledger, lambda: (), self.beats)


@dataclass
class Shift:
    """A scheduler that runs."""

    scheduler: Scheduler
    task: "asyncio.Task[None]"
    readings: Readings

    async def drained(self) -> None:
        async with asyncio.timeout(SECONDS):
            await self.task


@contextlib.asynccontextmanager
async def shift(place: Workplace, engines: Sequence[FakeEngine] | None = None) -> AsyncIterator[Shift]:
    """A scheduler at work; what still runs at the end is stopped."""
    used = place.engines() if engines is None else engines
    slots = [Slot(number, "CPU", engine) for number, engine in enumerate(used, start=1)]
    readings = place.readings()
    scheduler = Scheduler(place.shop(), slots, readings, place.beats, "a-boot")
    made = Shift(scheduler, asyncio.create_task(scheduler.run()), readings)
    try:
        yield made
    finally:
        scheduler.drain()
        scheduler.drain()
        await made.drained()
