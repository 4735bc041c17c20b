"""How long jobs waited and executions ran since the daemon started, for the metrics.

The ids of executions only grow, so that whoever asks reads on from the last one that was seen; what still ran then is
looked at again. Nothing is done for it while jobs run, and pruning, which takes only what is old, takes nothing back.
"""

import asyncio
import json
import sqlite3
from bisect import bisect_left
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Self

from faceswapd.core.target import Kind
from faceswapd.ledger.connection import Ledger, Reads
from faceswapd.ledger.report import WAIT

BOUNDS: Final = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, 7200.0, 21600.0, 86400.0)
RECENT: Final = 20  # executions whose speed counts
BATCH: Final = 2000  # rows that are read at once


_EXECUTIONS: Final = f"""SELECT executions.id, executions.attempt, outcome, executions.started_at,
        executions.finished_at, executions.preset, device, executions.kind, executions.frames, seconds, {WAIT} AS waited
    FROM executions CROSS JOIN segments ON segments.id = executions.segment
    CROSS JOIN jobs ON jobs.id = segments.job
    WHERE {{which}} ORDER BY executions.id LIMIT {BATCH}"""


class Histogram:
    """Numbers, counted by the smallest bound that is not below them; the last count is of what is above all."""

    def __init__(self) -> None:
        self.counts = [0] * (len(BOUNDS) + 1)
        self.sum = 0.0

    def note(self, seconds: float) -> None:
        """Count one. A clock that was set back makes none negative."""
        self.counts[bisect_left(BOUNDS, seconds)] += 1
        self.sum += max(0.0, seconds)


@dataclass(frozen=True, slots=True)
class Tally:
    """What was counted up to now."""

    since: float  # seconds since 1970
    queue: Histogram = field(default_factory=Histogram)  # seconds in the queue before first attempts
    runs: dict[str, Histogram] = field(default_factory=dict)  # seconds from start to end, by outcome
    speeds: dict[tuple[str, str], float] = field(default_factory=dict)  # frames a second, by preset and device


class Tallies:
    """Reads on whenever it is asked."""

    def __init__(self, ledger: Ledger, last: int, since: float) -> None:
        self._ledger = ledger
        self._last = last
        self._open: set[int] = set()
        self._reading = asyncio.Lock()  # two who ask at once must not count one execution twice
        self._tally = Tally(since)
        self._recent: dict[tuple[str, str], deque[tuple[int, float]]] = {}

    @classmethod
    async def begin(cls, ledger: Ledger, now: float) -> Self:
        """Count what starts from now on."""
        row = await ledger.row("SELECT coalesce(max(id), 0) AS id FROM executions")
        return cls(ledger, 0 if row is None else row["id"], now)

    async def read(self) -> Tally:
        """Everything up to now."""
        async with self._reading:
            while True:
                begun, started = await self._ledger.together(self._news)
                for row in begun:
                    self._ended(row)
                for row in started:
                    self._last = row["id"]
                    self._open.add(row["id"])
                    if row["attempt"] == 1:
                        self._tally.queue.note(row["waited"])
                    self._ended(row)
                if len(started) < BATCH:
                    return self._tally

    async def _news(self, reads: Reads) -> tuple[Sequence[sqlite3.Row], Sequence[sqlite3.Row]]:
        """What ran when it was looked at last, and the next of what has started since."""
        still = json.dumps(sorted(self._open))
        return (
            await reads.rows(_EXECUTIONS.format(which="executions.id IN (SELECT value FROM json_each(?))"), (still,)),
            await reads.rows(_EXECUTIONS.format(which="executions.id > ?"), (self._last,)),
        )

    def _ended(self, row: sqlite3.Row) -> None:
        """Count an execution that has ended by now."""
        if row["outcome"] is None:
            return
        self._open.discard(row["id"])
        self._tally.runs.setdefault(row["outcome"], Histogram()).note(row["finished_at"] - row["started_at"])
        # An image is one frame, of whose speed nobody thinks in frames a second.
        if row["outcome"] == "succeeded" and row["kind"] == Kind.VIDEO and row["frames"] and row["seconds"]:
            sort = (row["preset"], row["device"])
            recent = self._recent.setdefault(sort, deque(maxlen=RECENT))
            recent.append((row["frames"], row["seconds"]))
            self._tally.speeds[sort] = sum(frames for frames, _ in recent) / sum(seconds for _, seconds in recent)
