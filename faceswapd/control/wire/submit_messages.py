"""What becomes of files that are handed over. Standard library only."""

from collections.abc import Sequence
from typing import NamedTuple


class Offer(NamedTuple):
    """A submitted target with one face and one preset."""

    face: str
    preset: str
    outcome: str  # queued, again, duplicate, output, declined; on a dry run what it would be
    job: int | None  # None: on a dry run, a new one
    text: str  # what became of it, in a few words
    key: str  # what makes two offers one job
    seconds: float | None  # that a new job takes alone, about; None: not known


class Submission(NamedTuple):
    """What became of a submitted target."""

    target: str
    problem: str | None  # why it cannot be taken, one sentence
    kind: str = ""  # image or video
    frames: int = 0
    duration: float | None = None  # seconds; None for an image
    offers: Sequence[Offer] = ()


class Submitted(NamedTuple):
    """POST /api/submit."""

    submissions: Sequence[Submission]
    undone: Sequence[str]  # targets that were not looked at yet: ask for them again
    not_before: float | None  # as it was understood
    slots: int
    queue_seconds_left: float | None  # of what waits and runs now; None: not known, or nothing does
