"""What is said of one job, or of one file. Standard library only."""

from collections.abc import Sequence
from typing import NamedTuple

from faceswapd.control.wire.messages import Job


class Event(NamedTuple):
    """One line of a job's history."""

    id: int
    at: float
    kind: str
    job: int | None
    text: str


class Execution(NamedTuple):
    """One run of a segment of a job."""

    attempt: int
    engine: str
    started_at: float
    finished_at: float | None
    outcome: str | None
    sentence: str | None
    frames: int | None
    seconds: float | None
    log: Sequence[str] = ()


class JobDetail(NamedTuple):
    """GET /api/jobs/ID."""

    job: Job
    rule: str | None  # which rule gave it its face
    executions: Sequence[Execution]
    events: Sequence[Event]
    asked: Sequence[str] = ()  # what is asked beyond the face and the preset


class Explanation(NamedTuple):
    """GET /api/explain: what is known of a path and which rule matched."""

    path: str
    sentence: str  # the answer in one sentence
    rule: str | None
    face: str | None
    preset: str | None
    job: Job | None
    considered: Sequence[str]  # the rules in order, each with what it found
    said: Sequence[str] = ()  # what its sidecar and the defaults of its folders say


class Retried(NamedTuple):
    """POST /api/retry."""

    queued: int  # jobs that wait again
    left_out: int  # jobs that were declined for good
    text: str  # what happened, in one or two sentences
