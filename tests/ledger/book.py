"""What the ledger should say: a plain model of jobs, files and executions, moved by the table in core.job alone."""

from collections import Counter
from dataclasses import dataclass, field, replace

from faceswapd.core.failures import FINAL
from faceswapd.core.job import MAX_INTERRUPTIONS, TRANSITIONS, Event, State
from faceswapd.ledger.admission import Admitted, Outcome
from faceswapd.ledger.submission import Taken

Key = tuple[str, str, str]  # content, face, preset
RESULT = "/o.mp4"  # where every output lies


@dataclass
class Entry:
    """One job."""

    state: State
    target: str
    inbox: str  # empty: it was submitted
    priority: int
    preset: str
    content: str | None  # None: unreadable
    face: str | None = None
    key: Key | None = None  # None while it has no face
    attempt: int = 0
    interruptions: int = 0
    not_before: float | None = None
    asked: bool = False  # somebody wants to have it stopped
    category: str | None = None  # of its last failure
    result: str | None = None  # the output's content
    execution: int | None = None  # the open one

    @property
    def final(self) -> bool:
        """Declined for good."""
        return self.category in FINAL

    def allows(self, event: Event) -> bool:
        """Whether the table has this move."""
        return self.state in TRANSITIONS[event].sources

    def move(self, event: Event) -> None:
        """Carry it out."""
        assert self.allows(event)
        self.state = TRANSITIONS[event].destination


@dataclass(frozen=True)
class Drop:
    """A file that is dropped."""

    target: str
    inbox: str
    priority: int
    preset: str
    content: str | None
    face: str | None
    not_before: float | None = None

    @property
    def key(self) -> Key | None:
        """What makes two drops one job."""
        return None if self.content is None or self.face is None else (self.content, self.face, self.preset)


@dataclass
class Book:
    """All jobs by number, and of each file that was dealt with, which job it has."""

    jobs: dict[int, Entry] = field(default_factory=dict)
    files: dict[str, int] = field(default_factory=dict)
    submitted: dict[tuple[str, int], float] = field(default_factory=dict)  # by file and job, and when
    paused: set[str | None] = field(default_factory=set)  # inboxes; None: the daemon

    def with_key(self, key: Key | None) -> int | None:
        """The job that does this already."""
        return next((number for number, one in self.jobs.items() if key is not None and one.key == key), None)

    def admit(self, drop: Drop) -> Admitted:
        """What a drop becomes."""
        freed: list[str] = []
        for number, one in self.jobs.items():
            other = one.inbox and one.target == drop.target and (drop.key is None or one.key != drop.key)
            if other and not self._goes_on(number) and _withdraw(one):
                freed += [path for path, job in self.files.items() if job == number and path != drop.target]
        for path in freed:
            del self.files[path]
        answer = replace(self._decided(drop), freed=tuple(sorted(freed)))
        self.files[drop.target] = answer.job
        return answer

    def _decided(self, drop: Drop) -> Admitted:
        ours = {number for number, one in self.jobs.items() if drop.content and one.result == drop.content}
        if ours:
            return Admitted(Outcome.OUTPUT, min(ours))
        number = self.with_key(drop.key)
        if number is not None:
            was = self.jobs[number].target.rpartition("/")[2]
            outcome = _again(drop, self.jobs[number])
            return Admitted(outcome, number, was=was if outcome is Outcome.AGAIN else None)
        number = max(self.jobs, default=0) + 1
        state = State.PARKED if drop.key is None else State.QUEUED
        self.jobs[number] = Entry(
            *(state, drop.target, drop.inbox, drop.priority, drop.preset, drop.content),
            face=drop.face if drop.key else None,
            key=drop.key,
            not_before=drop.not_before,
        )
        return Admitted(Outcome.PARKED if drop.key is None else Outcome.QUEUED, number)

    def forget(self, target: str) -> None:
        """A file is gone."""
        self.files.pop(target, None)
        for number, one in self.jobs.items():
            if one.inbox and one.target == target and not self._goes_on(number) and _withdraw(one):
                self.files = {path: job for path, job in self.files.items() if job != number}

    def _goes_on(self, number: int) -> bool:
        """With the file that was submitted last, if it waits and does for one."""
        one = self.jobs[number]
        others = [
            (-at, target) for (target, job), at in self.submitted.items() if job == number and target != one.target
        ]
        if one.state is not State.QUEUED or not others:
            return False
        one.target, one.inbox = min(others)[1], ""
        return True

    def submit(self, drop: Drop, now: float) -> Taken:
        """What a file that is handed over becomes."""
        ours = [number for number, one in self.jobs.items() if one.result == drop.content]
        if ours:
            return Taken(Outcome.OUTPUT, ours[0], State.SUCCEEDED, RESULT)
        number = self.with_key(drop.key)
        if number is None:
            number = max(self.jobs, default=0) + 1
            self.jobs[number] = Entry(
                *(State.QUEUED, drop.target, "", drop.priority, drop.preset, drop.content),
                face=drop.face,
                key=drop.key,
                not_before=drop.not_before,
            )
            taken = Taken(Outcome.QUEUED, number)
        else:
            taken = _submitted_again(drop, number, self.jobs[number])
        self.submitted[drop.target, number] = now
        return taken

    def copies(self, number: int) -> set[str]:
        """The other files for which a job does."""
        return {
            *(target for target, job in self.submitted if job == number),
            *(target for target, job in self.files.items() if job == number),
        } - {self.jobs[number].target}

    def assign(self, number: int, face: str, preset: str) -> int:
        """A parked job gets a face; returns the job that does it."""
        one = self.jobs[number]
        assert one.content is not None
        key = (one.content, face, preset)
        other = self.with_key(key)
        if other is None:
            one.move(Event.ASSIGN)
            one.face, one.preset, one.key = face, preset, key
            return number
        _withdraw(one)
        if one.target in self.files:
            self.files[one.target] = other
        twin = self.jobs[other]
        if requeue(twin):
            twin.target, twin.inbox, twin.priority = one.target, one.inbox, one.priority
        return other

    def can_be_assigned(self, number: int) -> bool:
        """Whether only the face is lacking."""
        one = self.jobs.get(number)
        return one is not None and one.allows(Event.ASSIGN) and one.content is not None

    def ready(self) -> list[int]:
        """What could start, in its order."""
        there = [
            number
            for number, one in self.jobs.items()
            if one.state is State.QUEUED and one.not_before is None and one.inbox not in self.paused
        ]
        return sorted(there, key=lambda number: (-self.jobs[number].priority, number))

    def counts(self) -> Counter[tuple[str, str]]:
        """Jobs by state and preset."""
        return Counter((str(one.state), one.preset) for one in self.jobs.values())


def _again(drop: Drop, one: Entry) -> Outcome:
    """The same is asked again."""
    taken = one.inbox != "" and (one.inbox != drop.inbox or one.target == drop.target)
    newer = one.state is State.QUEUED and taken
    if not one.final and (newer or one.allows(Event.REQUEUE)):
        one.target, one.inbox, one.priority = drop.target, drop.inbox, drop.priority
        if newer and one.attempt == 0:
            one.not_before = drop.not_before
    if not requeue(one):
        return Outcome.DUPLICATE
    one.not_before = drop.not_before
    return Outcome.AGAIN


def _submitted_again(drop: Drop, number: int, one: Entry) -> Taken:
    """There is a job for it."""
    state = one.state
    if requeue(one):
        one.target, one.inbox, one.priority, one.not_before = drop.target, "", drop.priority, drop.not_before
        return Taken(Outcome.AGAIN, number, state)
    if state is State.QUEUED and not one.inbox:
        one.priority = drop.priority or one.priority  # 0 says nothing
        if one.attempt == 0 and drop.not_before is not None:
            one.not_before = drop.not_before
    return Taken(Outcome.DUPLICATE, number, state, RESULT if one.result else None, final=one.final)


def requeue(one: Entry) -> bool:
    """As if new; False where it may not."""
    if not one.allows(Event.REQUEUE) or one.key is None or one.final:
        return False
    one.move(Event.REQUEUE)
    one.attempt = one.interruptions = 0
    one.not_before, one.category, one.asked = None, None, False
    return True


def _withdraw(one: Entry) -> bool:
    """Cancel what waits."""
    if one.state not in (State.PARKED, State.QUEUED):
        return False
    one.move(Event.CANCEL)
    one.not_before = None
    return True


def cancel(one: Entry) -> None:
    """Cancel it, or ask for it."""
    if not _withdraw(one):
        one.asked = True


def claim(one: Entry, execution: int) -> None:
    """A slot takes it."""
    one.move(Event.CLAIM)
    one.attempt, one.not_before, one.execution, one.category = one.attempt + 1, None, execution, None


def end(one: Entry, event: Event) -> None:
    """Its execution ends."""
    one.move(event)
    one.execution = None


def release(one: Entry, *, crashed: bool) -> Event:
    """The daemon stopped or died; returns what comes of it."""
    if one.asked:
        return Event.CANCEL
    one.interruptions += crashed
    return Event.FAIL if crashed and one.interruptions >= MAX_INTERRUPTIONS else Event.RELEASE
