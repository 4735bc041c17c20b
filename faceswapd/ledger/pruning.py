"""The ledger is kept small: what nobody asks for any more goes, a little at a time, so that nobody waits for it.

Jobs stay: as long as there is one, the same content is not swapped again. Of each of their segments the newest
execution stays, too, which is what `show` and the time left ask for; only its log goes.
"""

import sqlite3
import time
from collections.abc import Callable

from faceswapd.core.job import ENDED
from faceswapd.ledger.connection import Ledger

WRITE_SECONDS = 0.01  # that one batch should take
FEWEST, MOST = 50, 5_000  # rows that one batch looks at
WORTH_BYTES = 4_000_000  # free space below this is not worth to be given back,
WORTH_PART = 0.2  # and no smaller part of the file,
LARGEST_BYTES = 512_000_000  # and a larger file would be locked for long: its free space is used again by itself
_ENDED = ", ".join(f"'{state}'" for state in sorted(ENDED))

_EVENTS = f"""
DELETE FROM events WHERE id > ? AND id <= ? AND at < ? AND (
    job IS NULL OR EXISTS (SELECT 1 FROM jobs WHERE jobs.id = events.job AND jobs.state IN ({_ENDED}))
)
"""
_OLD = f"""
id > ? AND id <= ? AND finished_at < ?
AND EXISTS (
    SELECT 1 FROM segments JOIN jobs ON jobs.id = segments.job
    WHERE segments.id = executions.segment AND jobs.state IN ({_ENDED})
)
"""
_EXECUTIONS = f"""
DELETE FROM executions WHERE {_OLD}
AND EXISTS (SELECT 1 FROM executions AS newer WHERE newer.segment = executions.segment AND newer.id > executions.id)
"""
_LOGS = f"UPDATE executions SET log = NULL WHERE {_OLD} AND log IS NOT NULL"


class Pruning:
    """Goes once through the events, and once through the executions, from the oldest on."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._through = {"events": 0, "executions": 0}  # how far it is, by id
        self._batch = 500

    async def events(self, before: float) -> int | None:
        """Take a batch of events of before that time away. How many went; None when there are no more to look at."""
        return await self._step("events", (_EVENTS,), before)

    async def executions(self, before: float) -> int | None:
        """The same with executions, and with the logs of those that stay."""
        return await self._step("executions", (_EXECUTIONS, _LOGS), before)

    async def _step(self, table: str, statements: tuple[str, ...], before: float) -> int | None:
        row = await self._ledger.row(f"SELECT max(id) AS id FROM {table}")
        last = 0 if row is None else row["id"] or 0
        start = self._through[table]
        if start >= last:
            return None
        through = min(last, start + self._batch)
        gone = await self._write(
            lambda connection: sum(connection.execute(sql, (start, through, before)).rowcount for sql in statements)
        )
        self._through[table] = through
        return gone

    async def _write(self, unit: Callable[[sqlite3.Connection], int]) -> int:
        """Write, and make the next batch larger or smaller, so that the writer is never held for long."""

        def timed(connection: sqlite3.Connection) -> tuple[int, float]:
            begun = time.perf_counter()
            return unit(connection), time.perf_counter() - begun

        gone, seconds = await self._ledger.write(timed, durable=False, ring=False)
        fitting = int(self._batch * max(0.25, min(2.0, WRITE_SECONDS / max(seconds, 1e-6))))
        self._batch = max(FEWEST, min(MOST, fitting))
        return gone


async def worthwhile(ledger: Ledger) -> bool:
    """Whether the file has so much free space that it is worth to be written anew."""
    row = await ledger.row(
        """SELECT freelist_count AS free, page_count AS pages, page_size AS size
           FROM pragma_freelist_count, pragma_page_count, pragma_page_size"""
    )
    if row is None:
        return False
    free, whole = row["free"] * row["size"], row["pages"] * row["size"]
    return bool(free > WORTH_BYTES and free > WORTH_PART * whole and whole < LARGEST_BYTES)


async def compact(ledger: Ledger) -> None:
    """Write the file anew, without its free space. The writer waits meanwhile: some seconds for hundreds of MB."""
    await ledger.maintain("VACUUM")


async def tidy(ledger: Ledger) -> None:
    """Let SQLite see to its statistics, and give the write-ahead log's space back."""
    await ledger.maintain("PRAGMA analysis_limit = 400", "PRAGMA optimize", "PRAGMA wal_checkpoint(TRUNCATE)")
