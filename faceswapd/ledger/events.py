"""The events table, read on from where one was.

Its ids only grow and are never used twice, so that the last one seen is all that a reader must remember. Events are
pruned with their age; a reader who was away for longer than that has missed some, and can tell: `first` is later.
"""

import json
from collections.abc import Sequence

from faceswapd.ledger.connection import Ledger
from faceswapd.ledger.records import EventRecord

_COLUMNS = "id, at, job, kind, text"
_OF = "job IN (SELECT value FROM json_each(?))"


async def after(ledger: Ledger, last: int, limit: int, job: int | None = None) -> Sequence[EventRecord]:
    """What followed the event `last` (0: from the first on), oldest first; of one job, where one is named."""
    if job is None:
        rows = await ledger.rows(f"SELECT {_COLUMNS} FROM events WHERE id > ? ORDER BY id LIMIT ?", (last, limit))
    else:
        rows = await ledger.rows(
            f"SELECT {_COLUMNS} FROM events WHERE job = ? AND id > ? ORDER BY id LIMIT ?", (job, last, limit)
        )
    return [EventRecord(*row) for row in rows]


async def of_jobs(ledger: Ledger, last: int, limit: int, jobs: Sequence[int]) -> Sequence[EventRecord]:
    """The same, of several jobs (none: of all)."""
    if not jobs:
        return await after(ledger, last, limit)
    rows = await ledger.rows(
        f"SELECT {_COLUMNS} FROM events WHERE {_OF} AND id > ? ORDER BY id LIMIT ?", (json.dumps(jobs), last, limit)
    )
    return [EventRecord(*row) for row in rows]


async def latest(ledger: Ledger, limit: int, jobs: Sequence[int]) -> Sequence[EventRecord]:
    """The last events of some jobs (none: of all), oldest first."""
    condition, values = (f"WHERE {_OF}", [json.dumps(jobs)]) if jobs else ("", [])
    rows = await ledger.rows(f"SELECT {_COLUMNS} FROM events {condition} ORDER BY id DESC LIMIT ?", (*values, limit))
    return [EventRecord(*row) for row in reversed(rows)]


async def ends(ledger: Ledger) -> tuple[int, int]:
    """The ids of the first and the last event that the ledger holds; (0, 0) where it holds none."""
    row = await ledger.row("SELECT coalesce(min(id), 0) AS first, coalesce(max(id), 0) AS last FROM events")
    assert row is not None
    return row["first"], row["last"]


async def before(ledger: Ledger, at: float) -> int:
    """The id of the last event that is older than a time (seconds since 1970); 0 where none is."""
    # Times almost grow with the ids, but a clock may be set back: the last one in the order of ids counts.
    low, high = await ends(ledger)
    low -= 1
    while low < high:  # halves of the ids; no index on the times is worth its writes
        middle = (low + high + 1) // 2
        row = await ledger.row("SELECT id, at FROM events WHERE id <= ? ORDER BY id DESC LIMIT 1", (middle,))
        if row is None or row["at"] < at:
            low = middle
        else:
            high = min(middle - 1, row["id"] - 1)
    return max(low, 0)
