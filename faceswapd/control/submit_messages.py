"""What becomes of files that are handed over. Standard library only."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Offer:
    """A submitted target with one face and one preset."""

    face: str
    preset: str
    outcome: str  # queued, again, duplicate, output, declined; on a dry run what it would be
    job: int | None  # None: on a dry run, a new one
    text: str  # what became of it, in a few words
    key: str  # what makes two offers one job
    seconds: float | None  # that a new job takes alone, about; None: not known


@dataclass(frozen=True)
class Submission:
    """What became of a submitted target."""

    target: str
    problem: str | None  # why it cannot be taken, one sentence
    kind: str = ""  # image or video
    frames: int = 0
    duration: float | None = None  # seconds; None for an image
    offers: list[Offer] = field(default_factory=list)


@dataclass(frozen=True)
class Submitted:
    """POST /api/submit."""

    submissions: list[Submission]
    undone: list[str]  # targets that were not looked at yet: ask for them again
    not_before: float | None  # as it was understood
    slots: int
    queue_seconds_left: float | None  # of what waits and runs now; None: not known, or nothing does
