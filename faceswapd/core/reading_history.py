"""The last day of readings, one a minute at most: a ring of numbers that never grows."""

import math
from array import array
from collections.abc import Iterator
from dataclasses import astuple, dataclass, fields
from typing import Final

MINUTE: Final = 60.0  # seconds between two points at least
MOST: Final = 24 * 60  # points


@dataclass(frozen=True, slots=True)
class Point:
    """One minute. None: it was not known."""

    at: float  # seconds since 1970
    cpu_percent: float | None = None  # of all cores, used by everybody
    cpu_percent_of_others: float | None = None  # by everybody but our own children
    load_per_core: float | None = None
    memory_free: float | None = None  # bytes
    swap_used: float | None = None  # bytes
    disk_free: float | None = None  # bytes, on the fullest of our disks
    gpu_free: float | None = None  # bytes, on the fullest GPU
    temperature: float | None = None  # degrees Celsius
    frames_per_second: float | None = None  # of all that ran
    queued: float | None = None  # jobs


class ReadingHistory:
    """Keeps MOST points, 130 KB. What a ring forgets is the oldest."""

    def __init__(self) -> None:
        width = len(fields(Point))
        self._numbers = array("d", bytes(8 * width * MOST))
        self._width = width
        self._next = 0  # the place of the next point
        self._held = 0
        self._last = -math.inf

    def due(self, at: float) -> bool:
        """Whether a point at this time would be kept. A clock that was set back makes none wait."""
        return not 0 <= at - self._last < MINUTE

    def note(self, point: Point) -> None:
        """Keep a point, if one is due."""
        if not self.due(point.at):
            return
        start = self._next * self._width
        numbers = (math.nan if number is None else float(number) for number in astuple(point))
        self._numbers[start : start + self._width] = array("d", numbers)
        self._next = (self._next + 1) % MOST
        self._held = min(self._held + 1, MOST)
        self._last = point.at

    def since(self, at: float) -> Iterator[Point]:
        """The points that are no older, in the order in which they came."""
        for place in range(self._next - self._held, self._next):
            start = place % MOST * self._width
            if self._numbers[start] >= at:
                first, *rest = self._numbers[start : start + self._width]
                yield Point(first, *(None if math.isnan(number) else number for number in rest))
