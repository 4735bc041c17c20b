"""The resource ladder: how an execution is made smaller when the machine was too small for it.

Seeds of the rungs: what FaceFusion's users arrived at (fewer threads first, then a smaller boost, then frames on
disk instead of in memory, then parts of the video).
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Rung:
    """One rung. The higher, the less memory, and the slower."""

    number: int
    about: str  # for people
    strict: bool = False  # models are dropped after each step
    thread_divisor: int = 1  # threads are divided by this, never below 1; 0: one thread
    smaller_boost: bool = False  # the swapper's pixel boost one step down
    disk: bool = False  # frames go through the disk instead of the memory
    part_seconds: float | None = None  # the video is done in parts of this length


RUNGS: Final = (
    Rung(0, "as configured"),
    Rung(1, "strict memory and half the threads", strict=True, thread_divisor=2),
    Rung(2, "one thread and a smaller boost", strict=True, thread_divisor=0, smaller_boost=True),
    Rung(3, "one thread, with frames on disk", strict=True, thread_divisor=0, smaller_boost=True, disk=True),
    Rung(
        4,
        "one thread, with frames on disk, in parts of 10 seconds",
        strict=True,
        thread_divisor=0,
        smaller_boost=True,
        disk=True,
        part_seconds=10.0,
    ),
)


def rung(number: int) -> Rung:
    """The rung of this number; beyond the last, the last."""
    return RUNGS[max(0, min(number, len(RUNGS) - 1))]


def next_rung(number: int) -> int | None:
    """One rung higher; None at the top."""
    return number + 1 if number + 1 < len(RUNGS) else None


def bucket(width: int, height: int) -> str:
    """The class of resolution that a rung is remembered for, by the shorter side in pixels."""
    shorter = min(width, height)
    return next((name for limit, name in _BUCKETS if shorter <= limit), "8K")


_BUCKETS: Final = ((480, "480p"), (720, "720p"), (1080, "1080p"), (1440, "1440p"), (2160, "4K"))
