"""How records become what a client sees: each line with the reason why it waits."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from faceswapd.control.live import InboxLive, Live
from faceswapd.control.wire import messages
from faceswapd.core import eta
from faceswapd.core.failures import Failure
from faceswapd.core.job import Parked, State
from faceswapd.core.wish import frames_of, told
from faceswapd.ledger import reports, standing
from faceswapd.ledger.connection import Reads
from faceswapd.ledger.records import JobRecord

SHOWN = 5  # lines of each list in status
SEND_AGAIN: Final = (
    "Send the target again with a photo that shows the whole face from the front, with some space around it."
)


def state_of(live: Live, paused: bool) -> tuple[str, str | None]:  # noqa: FBT001
    """The daemon's state in one word, and why nothing new starts in one sentence."""
    if live.draining:
        return "draining", "The daemon is stopping: what runs may end, nothing new starts."
    if paused:
        return "paused", "The daemon is paused. `faceswapctl resume` lets it go on."
    if live.breaker.failure is not None:
        failure = live.breaker.failure
        seconds = max(0.0, live.breaker.probe_at - time.monotonic())
        when = f"One job tries again in {seconds:.0f} s." if seconds else "One job tries whether it is mended."
        return "held", f"{failure.sentence} {failure.advice} {when}"
    if not live.gate.open:
        details = " ".join(f"{held.reason} ({held.reading}, limit {held.limit})" for held in live.gate.held)
        return "held", details
    return "running", None


@dataclass(frozen=True, slots=True)
class View:
    """What a line about a job depends on beside its record."""

    live: Live
    pauses: standing.Pauses
    why: str | None
    speeds: Mapping[eta.Sort, eta.Speed]

    @classmethod
    async def of(cls, ledger: Reads, live: Live) -> "View":
        """The view at this moment."""
        pauses = await standing.pauses(ledger)
        speeds = eta.learn(await reports.past(ledger, live.engine))
        return cls(live, pauses, state_of(live, pauses.daemon)[1], speeds)

    def show(self, job: JobRecord) -> messages.Job:
        """One line."""
        course = next((course for course in self.live.courses if course.job == job.id), None)
        frames = frames_of(job.facts, job.wish)
        speed = self.speeds.get(eta.Sort(job.kind, job.preset))
        left = None if course is None else eta.left(course.progress, course.elapsed, frames, speed)
        return messages.Job(
            id=job.id,
            state=str(job.state),
            face=job.face,
            target=job.target,
            output=job.output,
            preset=job.preset,
            priority=job.priority,
            attempt=job.attempt,
            progress=job.progress if course is None else course.progress,
            reason=self._reason(job),
            inbox=job.inbox,
            kind=str(job.kind),
            category=None if job.state is State.CANCELLED else job.category or job.parked,
            advice=self._advice(job),
            phase=job.phase if course is None else course.phase,
            seconds_left=left,
            frames=frames or None,
            created_at=job.created_at,
            started_at=job.started_at,
            finished_at=job.finished_at,
            not_before=job.not_before,
            cancel_requested=job.cancel_requested_at is not None and job.state is State.RUNNING,
        )

    def _reason(self, job: JobRecord) -> str | None:
        if job.state is not State.QUEUED:
            return job.reason
        if job.not_before is not None and job.reason is None:
            return f"{messages.WISHED} {day_of(job.not_before)}."
        if job.not_before is not None:
            return f"{job.reason} It is tried again in {max(0.0, job.not_before - time.time()):.0f} s."
        return self._held(job) or ("It waits for a free slot." if self.live.courses else "It starts in a moment.")

    def _held(self, job: JobRecord) -> str | None:
        """What keeps a job that could start."""
        if self.why is not None:
            return self.why
        if job.inbox in self.pauses.inboxes:
            return f"The inbox '{job.inbox}' is paused. `faceswapctl resume {job.inbox}` lets it go on."
        if self.live.faces_problem is not None:
            return faces_told(self.live)
        away = next((_problem(inbox) for inbox in self.live.inboxes if inbox.name == job.inbox), None)
        return away or self.live.short.get(job.id)

    def _advice(self, job: JobRecord) -> str | None:
        if job.state is State.FAILED and job.category is not None:
            again = messages.must_be_sent_again(job.face, job.category)
            return SEND_AGAIN if again else Failure(job.category, "").advice
        match job.parked:
            case Parked.NEEDS_FACE:
                return "Move it into the folder with the person's name, or use `faceswapctl assign`."
            case Parked.INCOMPLETE:
                return "Copy the file again. It is taken by itself when it is whole."
            case Parked.UNREADABLE:
                return "Replace the file by a video or an image that plays, or take it out of the inbox."
            case Parked.MISTAKEN:
                return "Mend the file that is named. The target is taken by itself then."
        return None


def asked_of(job: JobRecord) -> tuple[str, ...]:
    """What is asked of a job beyond its face and its preset, one thing a line."""
    wish = replace(job.wish, options=job.options)
    later = () if wish.not_before is None else (f"not before {day_of(wish.not_before)}",)
    return (*told(wish), *later)


def day_of(moment: float) -> str:
    """A moment as people here say it: 22:00 (tomorrow)."""
    when, today = datetime.fromtimestamp(moment), datetime.fromtimestamp(time.time())  # noqa: DTZ006  local
    days = (when.date() - today.date()).days
    if days in _DAYS:
        return f"{when:%H:%M} ({_DAYS[days]})"
    return f"{when:%Y-%m-%d %H:%M}"


_DAYS: Final = {-1: "yesterday", 0: "today", 1: "tomorrow"}


def first_of(inboxes: Sequence[InboxLive], of: Callable[[InboxLive], Mapping[str, str]]) -> list[messages.Skipped]:
    """The first few of what all inboxes tell in one way."""
    found = [messages.Skipped(path, reason) for inbox in inboxes for path, reason in sorted(of(inbox).items())]
    return found[:SHOWN]


def faces_told(live: Live) -> str | None:
    """What is wrong with the faces folder, in a sentence."""
    return None if live.faces_problem is None else f"The faces folder {live.faces_problem}."


def _problem(inbox: InboxLive) -> str | None:
    return None if inbox.problem is None else f"The inbox {inbox.path} {inbox.problem}."


def inbox_line(inbox: InboxLive, paused: frozenset[str]) -> messages.Inbox:
    """One inbox."""
    return messages.Inbox(
        name=inbox.name,
        path=inbox.path,
        preset=inbox.preset,
        priority=inbox.priority,
        paused=inbox.name in paused,
        problem=_problem(inbox),
        arriving=len(inbox.arriving),
        watching=str(inbox.watching.how),
        watching_why=inbox.watching.why,
        file_system=inbox.watching.kind or None,
        remarks=list(inbox.remarks),
    )


def readings_of(live: Live) -> dict[str, float]:
    """What was read last; empty before the first reading."""
    reading = live.reading
    if reading is None:
        return {}
    free = [folder.free for folder in reading.folders if folder.free is not None]
    return {
        "cpu_percent_of_others": reading.cpu_percent,
        "load_per_core": reading.load_per_core,
        "memory_free": float(reading.memory_free),
        "disk_free": float(min(free, default=0)),
    }
