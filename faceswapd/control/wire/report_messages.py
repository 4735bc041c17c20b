"""What GET /api/report says."""

from collections.abc import Sequence
from typing import NamedTuple


class DayLine(NamedTuple):
    """One day in the machine's own time zone."""

    day: str  # 2026-11-29
    succeeded: int = 0
    failed: int = 0
    cancelled: int = 0
    frames: int = 0  # of what succeeded
    video: float = 0.0  # seconds of video that succeeded
    busy: float = 0.0  # seconds that executions ran, whatever came of them


class SpeedLine(NamedTuple):
    """How fast one sort of work was."""

    engine: str
    preset: str
    device: str
    kind: str  # image or video
    executions: int  # that succeeded
    frames: int
    seconds: float  # spent on the frames
    frames_per_second: float | None


class FailureLine(NamedTuple):
    """Why jobs failed. A job that was tried again by hand and failed again counts again."""

    category: str
    jobs: int
    sentence: str
    advice: str


class SlotUse(NamedTuple):
    """How much of the time a slot had work."""

    slot: int
    device: str
    busy: float  # seconds
    share: float  # of the time since the report begins, or the first job was made; from 0 to 1


class Report(NamedTuple):
    """GET /api/report: what was done today and on the days before."""

    days: int
    since: float  # where the first day begins
    until: float
    succeeded: int
    failed: int
    cancelled: int
    frames: int  # of what succeeded
    video: float  # seconds of video that succeeded; of a trimmed one its whole length
    busy: float  # seconds that executions ran, whatever came of them
    seconds: float  # of these, spent on the frames of what succeeded
    retried: int  # executions that failed and were tried again by themselves
    wait: float | None  # seconds, the median, from the queue to the first attempt; None: nothing began
    speeds: Sequence[SpeedLine]
    by_day: Sequence[DayLine]  # each day, oldest first, also those on which nothing was done
    failures: Sequence[FailureLine]  # the most frequent first
    slots: Sequence[SlotUse]
