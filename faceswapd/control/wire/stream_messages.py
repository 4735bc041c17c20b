"""What stands in the stream beside the events."""

from collections.abc import Sequence
from typing import NamedTuple


class Hello(NamedTuple):
    """The first message of each stream. After a `missed`, what was known before it must be asked for anew."""

    last: int  # the event after which the stream goes on
    missed: bool = False  # whether events are gone that followed the one that was named


class Course(NamedTuple):
    """A job that runs."""

    id: int
    progress: float  # 0.0 to 1.0
    phase: str | None
    remaining: float | None  # seconds


class Progress(NamedTuple):
    """All that run, at most once a second, and only when it is not what was told before."""

    jobs: Sequence[Course]
