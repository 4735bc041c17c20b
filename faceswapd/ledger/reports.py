"""What status, jobs and show read."""

import json
import os
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from faceswapd.core.eta import Past, Pile, Sort
from faceswapd.core.job import Parked, State
from faceswapd.core.target import Kind
from faceswapd.ledger import claims
from faceswapd.ledger.connection import Reads
from faceswapd.ledger.records import (
    JOB_COLUMNS,
    SEGMENT_COLUMNS,
    EventRecord,
    ExecutionRecord,
    JobRecord,
    marks,
    records_of,
    text,
)

_JOBS = f"SELECT {JOB_COLUMNS}, {SEGMENT_COLUMNS} FROM jobs JOIN segments ON segments.job = jobs.id"
SPEED_SAMPLES = 20


@dataclass(frozen=True, slots=True)
class Count:
    """Jobs in one state."""

    jobs: int
    frames: int


async def is_output(ledger: Reads, place: str, content: str) -> bool:
    """Whether a job is recorded whose output, of this content, lies in this place."""
    return bool(
        await ledger.rows(
            "SELECT 1 FROM jobs WHERE output_content = ? AND output = ? LIMIT 1", (content, os.fsencode(place))
        )
    )


async def counts(ledger: Reads) -> dict[State, Count]:
    """Jobs and frames by state."""
    rows = await ledger.rows("SELECT state, sum(jobs) AS jobs, sum(frames) AS frames FROM job_counts GROUP BY state")
    known = {State(row["state"]): Count(row["jobs"], row["frames"]) for row in rows}
    return {state: known.get(state, Count(0, 0)) for state in State}


async def piles(ledger: Reads) -> list[Pile]:
    """What waits in the queue, by its sort."""
    rows = await ledger.rows("SELECT kind, preset, jobs, frames FROM job_counts WHERE state = 'queued' AND jobs > 0")
    return [Pile(Sort(Kind(row["kind"]), row["preset"]), row["jobs"], row["frames"]) for row in rows]


async def job(ledger: Reads, number: int) -> JobRecord | None:
    """One job."""
    row = await ledger.row(f"{_JOBS} WHERE jobs.id = ?", (number,))
    return None if row is None else JobRecord.of(row)


async def nearest(ledger: Reads, number: int) -> int | None:
    """The id nearest to one that does not exist."""
    row = await ledger.row(
        """SELECT id FROM (SELECT * FROM (SELECT id FROM jobs WHERE id <= ? ORDER BY id DESC LIMIT 1) UNION ALL
                           SELECT * FROM (SELECT id FROM jobs WHERE id >= ? ORDER BY id LIMIT 1))
           ORDER BY abs(id - ?) LIMIT 1""",
        (number, number, number),
    )
    return None if row is None else int(row["id"])


async def jobs(ledger: Reads, states: Sequence[State], limit: int) -> list[JobRecord]:
    """Jobs in these states (none: in all), newest first."""
    if not states:
        return records_of(await ledger.rows(f"{_JOBS} ORDER BY jobs.id DESC LIMIT ?", (limit,)))
    found = [  # one step of the index for each state: all of them in one query would be sorted as a whole
        row
        for state in dict.fromkeys(states)
        for row in await ledger.rows(f"{_JOBS} WHERE jobs.state = ? ORDER BY jobs.id DESC LIMIT ?", (state, limit))
    ]
    return sorted(records_of(found), key=lambda one: -one.id)[:limit]


async def waiting(ledger: Reads, limit: int) -> list[JobRecord]:
    """The head of the queue in its true order: by priority, then age, over all inboxes; then the retries by their
    time."""
    segments = [row["segment"] for row in await claims.ready(ledger, (), limit)]
    due = await ledger.rows(
        "SELECT id FROM segments WHERE state = 'queued' AND not_before IS NOT NULL ORDER BY not_before LIMIT ?",
        (limit - len(segments),),
    )
    segments += [row["id"] for row in due]
    rows = await ledger.rows(f"{_JOBS} WHERE segments.id IN ({marks(segments)})", segments)
    return sorted(records_of(rows), key=lambda one: segments.index(one.segment))


async def last_failed(ledger: Reads, limit: int) -> list[JobRecord]:
    """What failed last, the latest first."""
    rows = await ledger.rows(
        f"""{_JOBS} WHERE jobs.id IN (SELECT id FROM jobs INDEXED BY jobs_failed WHERE state = 'failed'
            ORDER BY finished_at DESC, id DESC LIMIT ?) ORDER BY jobs.finished_at DESC, jobs.id DESC""",
        (limit,),
    )
    return records_of(rows)


async def failed_categories(ledger: Reads) -> dict[str, int]:
    """How many jobs have failed, by category."""
    rows = await ledger.rows(
        "SELECT category, count(*) AS jobs FROM jobs WHERE state = 'failed' GROUP BY category ORDER BY category"
    )
    return {row["category"] or "unknown": row["jobs"] for row in rows}


async def last_ended(ledger: Reads, limit: int) -> list[JobRecord]:
    """The jobs of the last executions that ended, each once."""
    rows = await ledger.rows(
        f"""{_JOBS} WHERE segments.id IN (SELECT segment FROM executions WHERE finished_at IS NOT NULL
            ORDER BY id DESC LIMIT ?)""",
        (limit,),
    )
    return records_of(rows)


async def unsettled(ledger: Reads) -> list[JobRecord]:
    """What succeeded and whose target is to go, but was there when its inbox was last looked at."""
    rows = await ledger.rows(
        f"""SELECT {JOB_COLUMNS}, {SEGMENT_COLUMNS} FROM sightings CROSS JOIN jobs ON jobs.id = sightings.job
            JOIN segments ON segments.job = jobs.id
            WHERE jobs.state = 'succeeded' AND jobs.afterwards <> 'keep' AND jobs.target = sightings.target"""
    )
    return records_of(rows)


async def of_target(ledger: Reads, target: str) -> list[JobRecord]:
    """The jobs of a file, newest first."""
    return records_of(await ledger.rows(f"{_JOBS} WHERE jobs.target = ? ORDER BY jobs.id DESC", (os.fsencode(target),)))


async def parked_needing_face(ledger: Reads) -> list[JobRecord]:
    """Every parked job that only lacks its face."""
    return await parked(ledger, Parked.NEEDS_FACE)


async def parked(ledger: Reads, why: Parked) -> list[JobRecord]:
    """Every job that is parked for one reason."""
    return records_of(
        await ledger.rows(f"{_JOBS} WHERE jobs.state = 'parked' AND jobs.parked = ? ORDER BY jobs.id", (why,))
    )


async def unfinished_targets(ledger: Reads, inbox: str) -> list[str]:
    """The targets of an inbox that wait or are swapped now."""
    rows = await ledger.rows(
        "SELECT target FROM jobs WHERE state IN ('parked', 'queued', 'running') AND inbox = ?", (text(inbox),)
    )
    return [os.fsdecode(row["target"]) for row in rows]


async def waiting_of(ledger: Reads, numbers: Sequence[int]) -> frozenset[int]:
    """Which of these jobs are parked or queued."""
    rows = await ledger.rows(
        "SELECT id FROM jobs WHERE id IN (SELECT value FROM json_each(?)) AND state IN ('parked', 'queued')",
        (json.dumps(numbers),),
    )
    return frozenset(row["id"] for row in rows)


async def executions(ledger: Reads, number: int) -> list[ExecutionRecord]:
    """The executions of a job, oldest first."""
    rows = await ledger.rows(
        """SELECT executions.id, executions.attempt, engine, started_at, finished_at, outcome, sentence, frames,
                  seconds, log FROM executions JOIN segments ON segments.id = executions.segment
           WHERE segments.job = ? ORDER BY executions.id""",
        (number,),
    )
    return [ExecutionRecord(*row) for row in rows]


async def was_swapped(ledger: Reads, content: str) -> bool:
    """Whether a job with this target, by its BLAKE2b-256, has succeeded."""
    # A fingerprint begins with the content and a slash, so that its index serves this, too.
    row = await ledger.row(
        "SELECT 1 FROM jobs WHERE fingerprint > ? AND fingerprint < ? AND state = 'succeeded' LIMIT 1",
        (f"{content}/", f"{content}0"),
    )
    return row is not None


async def events_of(ledger: Reads, number: int, limit: int) -> list[EventRecord]:
    """The last events of a job, oldest first."""
    rows = await ledger.rows(
        "SELECT id, at, job, kind, text FROM events WHERE job = ? ORDER BY id DESC LIMIT ?", (number, limit)
    )
    return [EventRecord(*row) for row in reversed(rows)]


_PAST = """
SELECT sorts.kind, sorts.preset, frames, seconds, finished_at - started_at AS whole
FROM ({sorts}) AS sorts
CROSS JOIN executions ON executions.id IN (
    SELECT id FROM executions INDEXED BY executions_speed
    WHERE engine = ? AND kind = sorts.kind AND preset = sorts.preset AND outcome = 'succeeded'
    ORDER BY id DESC LIMIT ?
)
WHERE frames > 0 AND seconds > 0
"""
_SORTS_AT_WORK = "SELECT DISTINCT kind, preset FROM job_counts WHERE state IN ('queued', 'running') AND jobs > 0"
_SORTS_ASKED = "SELECT value ->> 0 AS kind, value ->> 1 AS preset FROM json_each(?)"


async def past(ledger: Reads, engine: str) -> list[Past]:
    """The last executions of an engine that succeeded, of each sort that waits or runs now; for the time left."""
    return _pasts(await ledger.rows(_PAST.format(sorts=_SORTS_AT_WORK), (engine, SPEED_SAMPLES)))


async def past_of(ledger: Reads, engine: str, sorts: Iterable[Sort]) -> list[Past]:
    """The same of these sorts."""
    asked = json.dumps([(sort.kind, sort.preset) for sort in sorts])
    return _pasts(await ledger.rows(_PAST.format(sorts=_SORTS_ASKED), (asked, engine, SPEED_SAMPLES)))


def _pasts(rows: Iterable[sqlite3.Row]) -> list[Past]:
    return [Past(Sort(Kind(row["kind"]), row["preset"]), row["frames"], row["seconds"], row["whole"]) for row in rows]
