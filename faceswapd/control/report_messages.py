"""What GET /api/report says."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DayLine:
    """One day in the machine's own time zone."""

    day: str  # 2026-11-29
    succeeded: int = 0
    failed: int = 0
    cancelled: int = 0
    frames: int = 0  # of what succeeded
    video: float = 0.0  # seconds of video that succeeded
    busy: float = 0.0  # seconds that executions ran, whatever came of them


@dataclass(frozen=True, slots=True)
class SpeedLine:
    """How fast one sort of work was."""

    engine: str
    preset: str
    device: str
    kind: str  # image or video
    executions: int  # that succeeded
    frames: int
    seconds: float  # spent on the frames
    frames_per_second: float | None


@dataclass(frozen=True, slots=True)
class FailureLine:
    """Why jobs failed. A job that was tried again by hand and failed again counts again."""

    category: str
    jobs: int
    sentence: str
    advice: str


@dataclass(frozen=True, slots=True)
class SlotUse:
    """How much of the time a slot had work."""

    slot: int
    device: str
    busy: float  # seconds
    share: float  # of the time since the report begins, or the first job was made; from 0 to 1


@dataclass(frozen=True, slots=True)
class Report:
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
    speeds: list[SpeedLine]
    by_day: list[DayLine]  # each day, oldest first, also those on which nothing was done
    failures: list[FailureLine]  # the most frequent first
    slots: list[SlotUse]
