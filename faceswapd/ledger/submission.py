"""Files that somebody hands over, wherever they lie: each becomes a job with each face and preset, and none twice.

A job that is made so belongs to no inbox, and what an inbox does with its files does not concern it.
"""

import os
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from faceswapd.core.failures import FINAL
from faceswapd.core.intake import Signature
from faceswapd.core.job import State
from faceswapd.core.target import Facts
from faceswapd.core.wish import Wish
from faceswapd.ledger.admission import (
    Arrival,
    Outcome,
    Place,
    fingerprint_of,
    insert,
    move_to,
    requeue_rows,
    start_not_before,
)
from faceswapd.ledger.connection import Ledger
from faceswapd.ledger.history import note
from faceswapd.ledger.records import JobRecord, facts_of, wish_of, wish_text


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one file with one face and one preset, or would become of it."""

    outcome: Outcome
    job: int | None  # None: it would be a new one
    state: State = State.QUEUED  # of a job that is there already
    output: str | None = None  # of a job that has succeeded
    final: bool = False  # it was declined for good


@dataclass(frozen=True, slots=True)
class Submission:
    """A file that was handed over, and a job that does for it."""

    job: int
    at: float  # when it was submitted last


_ALIKE: Final = """
SELECT * FROM (SELECT 'output' AS part, id, state, inbox, category, output, wish FROM jobs
               WHERE output_content = ? LIMIT 1)
UNION ALL
SELECT 'same', id, state, inbox, category, output, wish FROM jobs WHERE fingerprint = ?
"""


async def submit(ledger: Ledger, offers: Sequence[Arrival], now: float) -> list[Taken]:
    """Make jobs of all offers under one durable commit; the answers are in their order. None of them is parked."""

    def unit(connection: sqlite3.Connection) -> list[Taken]:
        return [_take(connection, offer, now) for offer in offers]

    return await ledger.write(unit)


async def foresee(ledger: Ledger, offers: Sequence[Arrival]) -> list[Taken]:
    """What `submit` would answer, as far as it does not depend on the offers themselves. Writes nothing."""
    return [_known(await ledger.rows(_ALIKE, _keys(offer))) for offer in offers]


def _keys(offer: Arrival) -> tuple[str | None, str | None]:
    return (None if offer.facts is None else offer.facts.content, fingerprint_of(offer))


def _known(rows: Sequence[sqlite3.Row]) -> Taken:
    parts: Mapping[str, Any] = {row["part"]: row for row in rows}
    row = parts.get("output") or parts.get("same")
    if row is None:
        return Taken(Outcome.QUEUED, None)
    state = State(row["state"])
    output = None if row["output"] is None else os.fsdecode(row["output"])
    final = row["category"] in FINAL
    if "output" in parts:
        outcome = Outcome.OUTPUT
    else:
        again = state in (State.FAILED, State.CANCELLED) and not final
        outcome = Outcome.AGAIN if again else Outcome.DUPLICATE
    return Taken(outcome, row["id"], state, output, final)


def _take(connection: sqlite3.Connection, offer: Arrival, now: float) -> Taken:
    rows = connection.execute(_ALIKE, _keys(offer)).fetchall()
    taken = _known(rows)
    job = taken.job
    match taken.outcome:
        case Outcome.OUTPUT:
            return taken
        case Outcome.AGAIN:
            assert job is not None
            _again(connection, job, offer, now)
        case Outcome.DUPLICATE:
            assert job is not None
            if taken.state is State.QUEUED and rows[0]["inbox"] == "":
                _hear(connection, job, offer, wish_of(rows[0]["wish"]))
        case _:
            job = insert(connection, offer, fingerprint_of(offer), now)
            note(connection, now, job, "queued", offer.rule or "")
            taken = replace(taken, job=job)
    connection.execute(
        """INSERT OR REPLACE INTO submissions (target, job, inode, size, modified, relative, at)
           VALUES (?, ?, ?, ?, ?, ?, ?)""",
        (
            os.fsencode(offer.target),
            job,
            offer.signature.inode,
            offer.signature.size,
            offer.signature.modified,
            os.fsencode(offer.relative),
            now,
        ),
    )
    return taken


def _again(connection: sqlite3.Connection, job: int, offer: Arrival, now: float) -> None:
    """Its failed or cancelled job waits again, for this file: its own may be gone."""
    move_to(connection, job, Place(offer.target, offer.relative), now)
    connection.execute(
        "UPDATE jobs SET priority = ?, rule = ?, wish = ? WHERE id = ?",
        (offer.priority, offer.rule, wish_text(offer.wish), job),
    )
    connection.execute("UPDATE segments SET priority = ? WHERE job = ?", (offer.priority, job))
    requeue_rows(connection, job, now, "submitted again")
    start_not_before(connection, job, offer.wish.not_before)


def _hear(connection: sqlite3.Connection, job: int, offer: Arrival, before: Wish) -> None:
    """Of a submitted job that still waits the newer word counts, where one is said."""
    if offer.wish.priority is not None:
        for table, key in (("jobs", "id"), ("segments", "job")):
            connection.execute(f"UPDATE {table} SET priority = ? WHERE {key} = ?", (offer.wish.priority, job))
    if offer.wish.not_before is not None:
        said = wish_text(replace(before, not_before=offer.wish.not_before))
        connection.execute("UPDATE jobs SET wish = ? WHERE id = ?", (said, job))
        start_not_before(connection, job, offer.wish.not_before)


async def facts_known(ledger: Ledger, target: str, signature: Signature) -> Facts | None:
    """What was read of a file when it was submitted before, if it is the same as then."""
    row = await ledger.row(
        """SELECT jobs.* FROM submissions JOIN jobs ON jobs.id = submissions.job
           WHERE submissions.target = ? AND submissions.inode = ? AND submissions.size = ? AND submissions.modified = ?
           LIMIT 1""",
        (os.fsencode(target), signature.inode, signature.size, signature.modified),
    )
    return None if row is None else facts_of(row)


async def of_target(ledger: Ledger, target: str) -> list[Submission]:
    """The jobs that do for a file that was submitted, newest first."""
    rows = await ledger.rows(
        "SELECT job, at FROM submissions WHERE target = ? ORDER BY job DESC", (os.fsencode(target),)
    )
    return [Submission(row["job"], row["at"]) for row in rows]


def _looks(job: JobRecord) -> tuple[str, str, tuple[Any, ...]]:
    """Where it is kept what a job's target was like: the table, the condition, and its values."""
    target = os.fsencode(job.target)
    if job.inbox:
        return "sightings", "target = ?", (target,)
    return "submissions", "target = ? AND job = ?", (target, job.id)


async def signature_taken(ledger: Ledger, job: JobRecord) -> Signature | None:
    """What a job's target was like when it was taken; None where nobody knows any more."""
    table, condition, values = _looks(job)
    row = await ledger.row(f"SELECT inode, size, modified FROM {table} WHERE {condition}", values)
    return None if row is None else Signature(row["inode"], row["size"], row["modified"])


async def is_anothers(ledger: Ledger, job: JobRecord) -> bool:
    """Whether the file in the place of a job's target was taken anew meanwhile, for another job."""
    if not job.inbox:
        return False
    row = await ledger.row("SELECT job FROM sightings WHERE target = ?", (os.fsencode(job.target),))
    return row is not None and row["job"] not in (None, job.id)


@dataclass(frozen=True, slots=True)
class Copy:
    """Another file for which a job does, as it was when it was taken."""

    target: str
    signature: Signature
    relative: str | None  # None: it was found in an inbox


async def copies(ledger: Ledger, job: JobRecord) -> list[Copy]:
    """The other files for which a job does, those that were submitted first."""
    rows = await ledger.rows(
        """SELECT target, inode, size, modified, relative FROM submissions WHERE job = ?
           UNION ALL
           SELECT target, inode, size, modified, NULL FROM sightings WHERE job = ?""",
        (job.id, job.id),
    )
    return [
        Copy(
            os.fsdecode(row["target"]),
            Signature(row["inode"], row["size"], row["modified"]),
            None if row["relative"] is None else os.fsdecode(row["relative"]),
        )
        for row in rows
        if row["target"] != os.fsencode(job.target)
    ]


async def go_over(ledger: Ledger, job: int, place: Place, now: float) -> None:
    """A job that runs goes on with another file of the same content: its own is gone."""

    def unit(connection: sqlite3.Connection) -> None:
        move_to(connection, job, place, now)

    await ledger.write(unit)


async def touched(ledger: Ledger, job: JobRecord, signature: Signature) -> None:
    """A job's target looks different, and was found to be the same: it is known by its new looks from now on."""
    table, condition, values = _looks(job)

    def unit(connection: sqlite3.Connection) -> None:
        connection.execute(
            f"UPDATE {table} SET inode = ?, size = ?, modified = ? WHERE {condition}",
            (signature.inode, signature.size, signature.modified, *values),
        )

    await ledger.write(unit)
