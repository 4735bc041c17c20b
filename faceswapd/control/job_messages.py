"""What is said of one job, or of one file. Standard library only."""

from dataclasses import dataclass, field

from faceswapd.control.messages import Job


@dataclass(frozen=True)
class Event:
    """One line of a job's history."""

    id: int
    at: float
    kind: str
    job: int | None
    text: str


@dataclass(frozen=True)
class Execution:
    """One run of a segment of a job."""

    attempt: int
    engine: str
    started_at: float
    finished_at: float | None
    outcome: str | None
    sentence: str | None
    frames: int | None
    seconds: float | None
    log: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class JobDetail:
    """GET /api/jobs/ID."""

    job: Job
    rule: str | None  # which rule gave it its face
    executions: list[Execution]
    events: list[Event]
    asked: list[str] = field(default_factory=list)  # what is asked beyond the face and the preset


@dataclass(frozen=True)
class Explanation:
    """GET /api/explain: what is known of a path and which rule matched."""

    path: str
    sentence: str  # the answer in one sentence
    rule: str | None
    face: str | None
    preset: str | None
    job: Job | None
    considered: list[str]  # the rules in order, each with what it found
    said: list[str] = field(default_factory=list)  # what its sidecar and the defaults of its folders say


@dataclass(frozen=True)
class Retried:
    """POST /api/retry."""

    queued: int  # jobs that wait again
    left_out: int  # jobs that were declined for good
    text: str  # what happened, in one or two sentences
