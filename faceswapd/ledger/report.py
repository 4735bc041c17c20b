"""What was done: the days' counts that the ledger keeps by triggers, and what else reports and lists ask."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from faceswapd.core.intake import fold
from faceswapd.core.job import State
from faceswapd.core.target import Kind
from faceswapd.ledger.connection import Reads

WAITS_LOOKED_AT = 2000  # executions, the newest ones; of these the first attempts count


@dataclass(frozen=True, slots=True)
class EndedJobs:
    """Jobs that ended on one day."""

    day: str  # 2026-11-29, in the machine's own time zone
    state: State
    jobs: int
    video: float  # seconds of video


@dataclass(frozen=True, slots=True)
class EndedExecutions:
    """Executions of one sort that ended on one day, or on any."""

    day: str  # '' where it is any
    outcome: str
    category: str  # of the failure; '': none
    engine: str
    device: str
    preset: str
    kind: Kind
    slot: int
    executions: int
    frames: int
    seconds: float  # spent on the frames
    busy: float  # seconds from start to end


@dataclass(frozen=True, slots=True)
class OpenExecution:
    """One that runs now."""

    slot: int
    device: str
    started_at: float


async def ended_jobs(ledger: Reads, first: str) -> list[EndedJobs]:
    """By day, from the day `first` on."""
    rows = await ledger.rows(
        """SELECT day, state, sum(jobs) AS jobs, sum(video) AS video FROM ended_jobs WHERE day >= ?
           GROUP BY day, state ORDER BY day""",
        (first,),
    )
    return [EndedJobs(row["day"], State(row["state"]), row["jobs"], row["video"]) for row in rows]


_EXECUTIONS = "SELECT * FROM ended_executions WHERE day >= ? ORDER BY day"
_ALL_EXECUTIONS = """
SELECT '' AS day, outcome, category, engine, device, preset, kind, slot, sum(executions) AS executions,
    sum(frames) AS frames, sum(seconds) AS seconds, sum(busy) AS busy
FROM ended_executions GROUP BY outcome, category, engine, device, preset, kind, slot
"""


async def ended_executions(ledger: Reads, first: str) -> list[EndedExecutions]:
    """By day and sort, from the day `first` on."""
    return [_ended(row) for row in await ledger.rows(_EXECUTIONS, (first,))]


async def all_executions(ledger: Reads) -> list[EndedExecutions]:
    """All that ever ended, by sort."""
    return [_ended(row) for row in await ledger.rows(_ALL_EXECUTIONS)]


def _ended(row: sqlite3.Row) -> EndedExecutions:
    return EndedExecutions(
        day=row["day"],
        outcome=row["outcome"],
        category=row["category"],
        engine=row["engine"],
        device=row["device"],
        preset=row["preset"],
        kind=Kind(row["kind"]),
        slot=row["slot"],
        executions=row["executions"],
        frames=row["frames"],
        seconds=row["seconds"],
        busy=row["busy"],
    )


async def open_executions(ledger: Reads) -> list[OpenExecution]:
    """What runs now."""
    rows = await ledger.rows(
        "SELECT slot, device, started_at FROM executions INDEXED BY executions_open WHERE finished_at IS NULL"
    )
    return [OpenExecution(row["slot"], row["device"], row["started_at"]) for row in rows]


async def first_job_at(ledger: Reads) -> float | None:
    """When the oldest job was made, seconds since 1970."""
    row = await ledger.row("SELECT created_at FROM jobs ORDER BY id LIMIT 1")
    return None if row is None else float(row["created_at"])


# Since it was last put into the queue: when it was made, retried by hand, or given back at the daemon's end.
WAIT = """executions.started_at - coalesce(
    (SELECT max(at) FROM events WHERE events.job = segments.job AND kind IN ('queued', 'released')
        AND at <= executions.started_at), jobs.created_at)"""


async def waits(ledger: Reads, since: float) -> Sequence[float]:
    """Seconds that jobs waited in the queue before their first attempt began, of the newest that began after a time."""
    rows = await ledger.rows(
        f"""SELECT {WAIT} AS seconds FROM executions
            CROSS JOIN segments ON segments.id = executions.segment CROSS JOIN jobs ON jobs.id = segments.job
            WHERE executions.id > (SELECT max(id) FROM executions) - ?
                AND executions.attempt = 1 AND executions.started_at >= ?""",
        (WAITS_LOOKED_AT, since),
    )
    return [max(0.0, row["seconds"]) for row in rows]


async def failed_by_category(ledger: Reads) -> dict[str, int]:
    """Jobs that have failed and were not tried again, by category."""
    rows = await ledger.rows(
        """SELECT coalesce(category, 'unknown') AS about, count(*) AS jobs
           FROM jobs INDEXED BY jobs_failed_by_category WHERE state = 'failed' GROUP BY category"""
    )
    return {row["about"]: row["jobs"] for row in rows}


async def jobs_of_faces(ledger: Reads) -> dict[str, dict[State, int]]:
    """Jobs by folded name of their face and by state."""
    rows = await ledger.rows(
        "SELECT face, state, count(*) AS jobs FROM jobs WHERE face IS NOT NULL GROUP BY face, state"
    )
    found: dict[str, dict[State, int]] = {}
    for row in rows:
        of_face = found.setdefault(fold(row["face"]), {})
        state = State(row["state"])
        of_face[state] = of_face.get(state, 0) + row["jobs"]
    return found
