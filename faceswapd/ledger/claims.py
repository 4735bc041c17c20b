"""What could start, the claim of it, and what an earlier life of the daemon left claimed."""

import os
import sqlite3
from collections.abc import Collection
from dataclasses import dataclass
from sqlite3 import Row

from faceswapd.core.job import Event, IllegalTransition, State
from faceswapd.core.plan import Ready
from faceswapd.ledger.connection import Ledger, Reads
from faceswapd.ledger.history import note
from faceswapd.ledger.records import JOB_COLUMNS, SEGMENT_COLUMNS, JobRecord, destination, facts_of, sources, wish_of

# The inboxes that have something ready, one step of the index each: the rows between are not read.
_INBOXES = """
WITH RECURSIVE names (inbox) AS (
    SELECT min(inbox) FROM segments WHERE state = 'queued' AND not_before IS NULL
    UNION ALL
    SELECT (SELECT min(inbox) FROM segments WHERE state = 'queued' AND not_before IS NULL AND inbox > names.inbox)
    FROM names WHERE names.inbox IS NOT NULL
)
SELECT inbox FROM names WHERE inbox IS NOT NULL
"""

_READY = """
SELECT segments.id AS segment, segments.job, segments.priority, segments.rung, jobs.face, jobs.preset, jobs.kind,
    jobs.content, jobs.size, jobs.width, jobs.height, jobs.frames, jobs.duration, jobs.rotation, jobs.audio,
    jobs.wish
FROM segments INDEXED BY segments_ready JOIN jobs ON jobs.id = segments.job
WHERE segments.state = 'queued' AND segments.not_before IS NULL AND segments.inbox = ?
ORDER BY segments.priority DESC, segments.job, segments.number LIMIT ?
"""


@dataclass(frozen=True, slots=True)
class Queue:
    """The head of the queue."""

    ready: tuple[Ready, ...]  # by priority, then age
    next_due: float | None  # when the next waiting retry may start
    cancels: frozenset[int]  # running segments that somebody wants to have stopped


@dataclass(frozen=True, slots=True)
class Runner:
    """Who runs an execution: the daemon's life, its slot, and what swaps there."""

    boot: str
    slot: int
    engine: str
    device: str


@dataclass(frozen=True, slots=True)
class Claim:
    """A segment that is ours to run."""

    execution: int
    job: JobRecord


@dataclass(frozen=True, slots=True)
class Leftover:
    """An execution that an earlier life of the daemon did not end."""

    execution: int
    segment: int
    job: int
    pid: int | None
    pid_started: float | None
    publishing: str | None  # where its output was about to appear
    publishing_content: str | None


async def wake_due(ledger: Ledger, now: float) -> None:
    """Retries whose time has come join those that are ready. Writes only when there is one."""
    if await ledger.row("SELECT 1 FROM segments WHERE state = 'queued' AND not_before <= ? LIMIT 1", (now,)):

        def unit(connection: sqlite3.Connection) -> None:
            connection.execute(
                "UPDATE segments SET not_before = NULL WHERE state = 'queued' AND not_before <= ?", (now,)
            )

        await ledger.write(unit, durable=False)


async def wake_overdue(ledger: Ledger, latest: float) -> None:
    """No retry waits longer than until `latest`: one that does was given its time by a clock that was ahead. What
    somebody wants to be done later, and has not been tried yet, keeps its time."""

    def unit(connection: sqlite3.Connection) -> None:
        connection.execute(
            """UPDATE segments SET not_before = NULL WHERE state = 'queued' AND not_before > ?
               AND (SELECT category FROM jobs WHERE jobs.id = segments.job) IS NOT NULL""",
            (latest,),
        )

    await ledger.write(unit, durable=False)


async def queue(ledger: Ledger, paused: Collection[str], limit: int) -> Queue:
    """The first `limit` segments that could start, without those of paused inboxes."""
    heads = await ready(ledger, paused, limit)
    due = await ledger.row(
        "SELECT min(not_before) AS at FROM segments WHERE state = 'queued' AND not_before IS NOT NULL"
    )
    cancels = await ledger.rows(
        """SELECT segments.id FROM jobs INDEXED BY jobs_cancel CROSS JOIN segments ON segments.job = jobs.id
           WHERE jobs.state = 'running' AND jobs.cancel_requested_at IS NOT NULL AND segments.state = 'running'"""
    )
    return Queue(
        tuple(
            Ready(
                row["segment"],
                row["job"],
                row["face"],
                row["preset"],
                row["priority"],
                facts=facts_of(row),
                rung=row["rung"],
                wish=wish_of(row["wish"]),
            )
            for row in heads
        ),
        None if due is None else due["at"],
        frozenset(row["id"] for row in cancels),
    )


async def ready(ledger: Reads, paused: Collection[str], limit: int) -> list[Row]:
    """The head of the queue over all inboxes but the paused ones, in its true order."""
    heads = [
        row
        for name in await ledger.rows(_INBOXES)
        if name["inbox"] not in paused
        for row in await ledger.rows(_READY, (name["inbox"], limit))
    ]
    return sorted(heads, key=lambda row: (-row["priority"], row["job"], row["segment"]))[:limit]


async def claim(ledger: Ledger, segment: int, runner: Runner, now: float) -> Claim:
    """Take a queued segment for a slot. Raises IllegalTransition when somebody was first.

    The power may take a claim away, and then nobody ran it: `child_known`, which comes before the first frame, is
    durable and takes the claim along.
    """

    def unit(connection: sqlite3.Connection) -> Claim:
        mine = connection.execute(
            f"""UPDATE segments SET state = ?, attempt = attempt + 1, progress = 0, phase = NULL, not_before = NULL
                WHERE id = ? AND {sources(Event.CLAIM)} RETURNING job, {SEGMENT_COLUMNS}""",
            (destination(Event.CLAIM), segment),
        ).fetchone()
        if mine is None:
            raise _somebody_was_first(connection, segment)
        job, attempt = mine["job"], mine["attempt"]
        (whole,) = connection.execute(
            f"""UPDATE jobs SET state = ?, started_at = ?, category = NULL, reason = NULL
                WHERE id = ? AND {sources(Event.CLAIM)} RETURNING {JOB_COLUMNS}""",
            (destination(Event.CLAIM), now, job),
        )
        ((execution,),) = connection.execute(
            """INSERT INTO executions (segment, attempt, boot, slot, engine, device, kind, preset, started_at)
               VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id""",
            (
                segment,
                attempt,
                runner.boot,
                runner.slot,
                runner.engine,
                runner.device,
                whole["kind"],
                whole["preset"],
                now,
            ),
        )
        note(connection, now, job, "started", f"attempt {attempt} on slot {runner.slot} ({runner.engine})")
        return Claim(execution, JobRecord.of({**dict(whole), **dict(mine)}))

    return await ledger.write(unit, durable=False)


def _somebody_was_first(connection: sqlite3.Connection, segment: int) -> IllegalTransition:
    row = connection.execute("SELECT job, state FROM segments WHERE id = ?", (segment,)).fetchone()
    job, state = (0, None) if row is None else (row["job"], State(row["state"]))
    return IllegalTransition(job, state, Event.CLAIM)


async def leftovers(ledger: Ledger) -> list[Leftover]:
    """Executions that are open although no daemon runs them. Asked once, at the start."""
    return [
        Leftover(
            row["id"],
            row["segment"],
            row["job"],
            row["pid"],
            row["pid_started"],
            None if row["publishing"] is None else os.fsdecode(row["publishing"]),
            row["publishing_content"],
        )
        for row in await ledger.rows(
            """SELECT executions.id, executions.segment, segments.job, executions.pid, executions.pid_started,
                      executions.publishing, executions.publishing_content
               FROM executions JOIN segments ON segments.id = executions.segment WHERE executions.finished_at IS NULL"""
        )
    ]
