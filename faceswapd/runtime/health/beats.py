"""Each loop shows that it lives. One that does not is found out by whoever looks at the beats.

The clock here goes on only by being looked at, and by no more than a step for each look: time in which the whole
process stood still (a suspended machine, SIGSTOP, a debugger) is nobody's silence.
"""

import time

BEAT_SECONDS = 2.5  # a loop shows that it lives at least this often
STALE_SECONDS = 5.0  # then the daemon is not ready
SILENT_SECONDS = 7.5  # and then the loop is stuck. With the time between two looks it is noticed within ten seconds
LONGEST_STEP = 1.25  # seconds by which one look moves the clock at most: a look is due each second


class Beats:
    """When each loop last showed that it lives."""

    def __init__(self) -> None:
        self._clock = 0.0
        self._looked_at = time.monotonic()
        self._last: dict[str, float] = {}

    def beat(self, loop: str) -> None:
        """A loop lives."""
        self._last[loop] = self._clock

    def look(self, *, counts: bool = True) -> None:
        """Move the clock on. Where this time does not count, it stands still."""
        now = time.monotonic()
        if counts:
            self._clock += min(now - self._looked_at, LONGEST_STEP)
        self._looked_at = now

    def forgive(self) -> None:
        """What keeps all loops waiting is known: none is stuck for that."""
        for loop in self._last:
            self.beat(loop)

    def ages(self) -> dict[str, float]:
        """Seconds since each loop last showed that it lives, on this clock."""
        return {loop: self._clock - at for loop, at in sorted(self._last.items())}

    def silent(self, seconds: float) -> tuple[str, ...]:
        """The loops that have not beaten for so long."""
        return tuple(sorted(loop for loop, at in self._last.items() if self._clock - at > seconds))
