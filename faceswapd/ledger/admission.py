"""A target becomes a job: once, however often and wherever it is dropped."""

import os
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from faceswapd.core.failures import FINAL
from faceswapd.core.intake import Signature, fold
from faceswapd.core.job import Event, Parked, State
from faceswapd.core.target import Facts, Kind
from faceswapd.core.wish import NOTHING, Wish
from faceswapd.ledger.connection import Ledger
from faceswapd.ledger.history import note, notes
from faceswapd.ledger.records import Options, destination, marks, options_text, sources, text, wish_text


@dataclass(frozen=True, slots=True)
class Arrival:
    """A settled file of an inbox, probed and paired."""

    target: str  # absolute
    relative: str  # below its inbox
    signature: Signature
    kind: Kind
    inbox: str
    preset: str
    priority: int
    afterwards: str
    facts: Facts | None
    face: str | None = None
    bundle: str | None = None
    rule: str | None = None
    parked: Parked | None = None
    reason: str | None = None  # why it is parked
    options: Options = ()  # laid over the preset's
    wish: Wish = NOTHING  # trim, output, passes, not_before
    sidecar: str = ""  # all that was said about it beside its place, as one text


class Outcome(StrEnum):
    """What became of an arrival."""

    QUEUED = "queued"
    PARKED = "parked"
    AGAIN = "again"  # its failed or cancelled job is queued again
    DUPLICATE = "duplicate"  # a job for the same content, face and preset is there already
    OUTPUT = "output"  # it is a result of ours


@dataclass(frozen=True, slots=True)
class Admitted:
    """The answer to one arrival."""

    outcome: Outcome
    job: int
    freed: tuple[str, ...] = ()  # copies for which a job did that is withdrawn: they are new from now on
    was: str | None = None  # where the target of a job that waits again lay below its inbox until now


@dataclass(frozen=True, slots=True)
class Sighting:
    """A file that has been dealt with."""

    target: str
    signature: Signature
    job: int | None
    note: str | None
    sidecar: str = ""  # what was said about it when it was taken


def fingerprint(
    content: str,
    face: str,
    preset: str,
    bundle: str | None = None,
    options: Options = (),
    wish: Wish = NOTHING,
) -> str:
    """What makes two drops one job. Bundles of one name in two inboxes are two faces. When and under which name a
    result is wanted changes nothing about it."""
    usual = f"{content}/{fold(face) if bundle is None else bundle}/{preset}"
    asked = [options_text(options), wish_text(Wish(trim=wish.trim, passes=wish.passes))]
    return text("/".join([usual, *filter(None, asked)]))


async def admit(ledger: Ledger, arrivals: Sequence[Arrival], now: float) -> list[Admitted]:
    """Make jobs of all arrivals under one durable commit; the answers are in their order."""

    def unit(connection: sqlite3.Connection) -> list[Admitted]:
        decided: list[Admitted] = []
        for arrival in arrivals:  # one after the other: a later one may withdraw the job that did for an earlier one
            admitted, words = _decide(connection, arrival, now)
            decided.append(admitted)
            _sight(connection, arrival, admitted.job, words)
        notes(
            connection,
            now,
            [
                (admitted.job, "parked", arrival.reason or "")
                if admitted.outcome is Outcome.PARKED
                else (admitted.job, "queued", arrival.rule or "")
                for arrival, admitted in zip(arrivals, decided, strict=True)
                if admitted.outcome in (Outcome.PARKED, Outcome.QUEUED)
            ],
        )
        return decided

    return await ledger.write(unit)


def _sight(connection: sqlite3.Connection, arrival: Arrival, job: int, words: str | None) -> None:
    """The file has been dealt with, as it is now."""
    connection.execute(
        """INSERT OR REPLACE INTO sightings (target, inode, size, modified, job, note, sidecar)
           VALUES (?, ?, ?, ?, ?, ?, ?)""",
        (
            os.fsencode(arrival.target),
            arrival.signature.inode,
            arrival.signature.size,
            arrival.signature.modified,
            job,
            words,
            text(arrival.sidecar),
        ),
    )


# All that is known of an arrival, by three indexes in one go.
_SEEN = "id, state, fingerprint, target, relative, inbox, category, content FROM jobs"
_KNOWN = f"""
SELECT 'waiting' AS part, {_SEEN} WHERE target = ? AND state IN ('parked', 'queued') AND inbox <> ''
UNION ALL
SELECT * FROM (SELECT 'output', {_SEEN} WHERE output_content = ? LIMIT 1)
UNION ALL
SELECT 'same', {_SEEN} WHERE fingerprint = ?
"""


def _decide(connection: sqlite3.Connection, arrival: Arrival, now: float) -> tuple[Admitted, str | None]:
    mine = fingerprint_of(arrival)
    content = None if arrival.facts is None else arrival.facts.content
    known = list(connection.execute(_KNOWN, (os.fsencode(arrival.target), content, mine)))
    freed: list[str] = []
    for row in known:  # what still waits for the content that this path had before, or for what was asked of it then
        if row["part"] == "waiting" and (mine is None or row["fingerprint"] != mine):
            same_file = content is not None and row["content"] == content
            reason = "Something else is asked of it since." if same_file else "The file has changed since."
            if not _goes_on(connection, row["id"], arrival.target, now):
                withdraw(connection, row["id"], reason, now)
                freed += _free_twins(connection, row["id"], arrival.target)
    parts = {row["part"]: row for row in known}
    if output := parts.get("output"):
        words = f"It is the result of job {output['id']}, and is not swapped again."
        return Admitted(Outcome.OUTPUT, output["id"], freed=tuple(freed)), words
    if same := parts.get("same"):
        answer, told = _known(connection, arrival, same, now)
        return replace(answer, freed=tuple(freed)), told
    job = insert(connection, arrival, mine, now)
    return Admitted(Outcome.PARKED if mine is None else Outcome.QUEUED, job, freed=tuple(freed)), None


def _free_twins(connection: sqlite3.Connection, job: int, target: str) -> list[str]:
    """Copies of a file for which its job, withdrawn now, did as well: they are new from now on, and need their own."""
    rows = connection.execute(
        "DELETE FROM sightings WHERE job = ? AND target <> ? RETURNING target", (job, os.fsencode(target))
    )
    return [os.fsdecode(row["target"]) for row in rows]


def _goes_on(connection: sqlite3.Connection, job: int, target: str, now: float) -> bool:
    """A job whose file in an inbox is gone goes on with another one that was submitted, if it does for one."""
    row = connection.execute(
        "SELECT target, relative FROM submissions WHERE job = ? AND target <> ? ORDER BY at DESC, target LIMIT 1",
        (job, os.fsencode(target)),
    ).fetchone()
    if row is None:
        return False
    move_to(connection, job, Place(os.fsdecode(row["target"]), os.fsdecode(row["relative"])), now)
    return True


@dataclass(frozen=True, slots=True)
class Place:
    """A file for which a job does, and what becomes of it. One that was submitted lies in no inbox."""

    target: str
    relative: str
    inbox: str = ""
    afterwards: str = "keep"


def move_to(connection: sqlite3.Connection, job: int, place: Place, now: float) -> None:
    """A job goes on with another file of the same content."""
    connection.execute(
        "UPDATE jobs SET target = ?, relative = ?, inbox = ?, afterwards = ? WHERE id = ?",
        (os.fsencode(place.target), os.fsencode(place.relative), place.inbox, place.afterwards, job),
    )
    follow_job(connection, job)
    note(connection, now, job, "moved", f"it goes on with the same content in {place.target}")


def withdraw(connection: sqlite3.Connection, job: int, reason: str, now: float) -> None:
    """Cancel a parked or queued job, within the caller's unit of work. It keeps its fingerprint: should the same
    content return, it is the same job again."""
    for table, key, also in (("jobs", "id", ", parked = NULL"), ("segments", "job", ", not_before = NULL")):
        connection.execute(
            f"UPDATE {table} SET state = ?{also} WHERE {key} = ? AND {sources(Event.CANCEL)} AND state <> 'running'",
            (destination(Event.CANCEL), job),
        )
    connection.execute("UPDATE jobs SET reason = ?, finished_at = ? WHERE id = ?", (reason, now, job))
    note(connection, now, job, "cancelled", reason)


def _known(
    connection: sqlite3.Connection, arrival: Arrival, row: sqlite3.Row, now: float
) -> tuple[Admitted, str | None]:
    """The same content, face and preset again. Dropping a file whose job has failed or was cancelled asks for it
    again; one that waits goes over to another inbox; any other drop adds nothing."""
    job, state, target = row["id"], State(row["state"]), os.fsencode(arrival.target)
    taken = row["inbox"] != "" and (row["inbox"] != arrival.inbox or row["target"] == target)
    newer = state is State.QUEUED and taken  # one that was submitted stays with what was submitted
    if row["category"] not in FINAL and (
        newer or state in (State.FAILED, State.CANCELLED)
    ):  # the newer place is the surer one, and the newer word counts
        connection.execute(
            """UPDATE jobs SET target = ?, relative = ?, inbox = ?, priority = ?, afterwards = ?, rule = ?, wish = ?
               WHERE id = ?""",
            (
                target,
                os.fsencode(arrival.relative),
                arrival.inbox,
                arrival.priority,
                arrival.afterwards,
                arrival.rule,
                wish_text(arrival.wish),
                job,
            ),
        )
        follow_job(connection, job)
        start_not_before(connection, job, arrival.wish.not_before)
    if requeue_rows(connection, job, now, "dropped again"):
        start_not_before(connection, job, arrival.wish.not_before)
        return Admitted(Outcome.AGAIN, job, was=os.fsdecode(row["relative"])), None
    if row["category"] in FINAL:
        return Admitted(Outcome.DUPLICATE, job), f"It is the target of job {job}, which was declined for good."
    if row["target"] == target:  # its own file, touched
        return Admitted(Outcome.DUPLICATE, job), None
    return (
        Admitted(Outcome.DUPLICATE, job),
        f"It has the same content, face and preset as job {job}: one job does for both.",
    )


def start_not_before(connection: sqlite3.Connection, job: int, moment: float | None) -> None:
    """A job that has not been tried yet starts when it is asked to; one that has waits for its next attempt."""
    connection.execute(
        "UPDATE segments SET not_before = ? WHERE job = ? AND state = 'queued' AND attempt = 0",
        (moment, job),
    )


def requeue_rows(connection: sqlite3.Connection, job: int, now: float, why: str) -> bool:
    """A failed or cancelled job waits again, as if new. False: its state does not allow it, or it failed for good."""
    cursor = connection.execute(
        f"""UPDATE jobs SET state = ?, category = NULL, reason = NULL, finished_at = NULL, started_at = NULL,
            cancel_requested_at = NULL WHERE id = ? AND {sources(Event.REQUEUE)} AND fingerprint IS NOT NULL
            AND coalesce(category, '') NOT IN ({marks(FINAL)})""",
        (destination(Event.REQUEUE), job, *FINAL),
    )
    if cursor.rowcount != 1:
        return False
    connection.execute(
        """UPDATE segments SET state = ?, attempt = 0, interruptions = 0, not_before = NULL, progress = 0, phase = NULL,
           rung = 0 WHERE job = ?""",
        (destination(Event.REQUEUE), job),
    )
    note(connection, now, job, "queued", why)
    return True


def follow_job(connection: sqlite3.Connection, job: int) -> None:
    """Segments carry their job's inbox and priority for the claim: bring them in line."""
    connection.execute(
        """UPDATE segments SET inbox = jobs.inbox, priority = jobs.priority FROM jobs
           WHERE jobs.id = segments.job AND segments.job = ?""",
        (job,),
    )


def insert(connection: sqlite3.Connection, arrival: Arrival, mine: str | None, now: float) -> int:
    """A new job, parked where it has no fingerprint."""
    facts = arrival.facts
    state = State.PARKED if mine is None else State.QUEUED
    ((job,),) = connection.execute(
        """INSERT INTO jobs (state, kind, inbox, target, relative, face, bundle, preset, priority, afterwards, rule,
               fingerprint, content, size, width, height, frames, duration, rotation, audio, parked, reason, created_at,
               options, wish)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id""",
        (
            state,
            arrival.kind,
            arrival.inbox,
            os.fsencode(arrival.target),
            os.fsencode(arrival.relative),
            None if arrival.face is None else text(arrival.face),
            None if arrival.bundle is None else os.fsencode(arrival.bundle),
            arrival.preset,
            arrival.priority,
            arrival.afterwards,
            arrival.rule,
            mine,
            *(
                (None, arrival.signature.size, 0, 0, 0, None, 0, 0)
                if facts is None
                else (
                    facts.content,
                    facts.size,
                    facts.width,
                    facts.height,
                    facts.frames,
                    facts.duration,
                    facts.rotation,
                    facts.audio,
                )
            ),
            arrival.parked,
            None if arrival.reason is None else text(arrival.reason),
            now,
            options_text(arrival.options),
            wish_text(arrival.wish),
        ),
    )
    connection.execute(
        "INSERT INTO segments (job, number, state, inbox, priority, not_before) VALUES (?, 0, ?, ?, ?, ?)",
        (job, state, arrival.inbox, arrival.priority, arrival.wish.not_before),
    )
    return int(job)


def fingerprint_of(arrival: Arrival) -> str | None:
    """What makes it one job with others; None where it is parked."""
    if arrival.parked is not None:
        return None
    assert arrival.facts is not None
    assert arrival.face is not None
    return fingerprint(
        arrival.facts.content, arrival.face, arrival.preset, arrival.bundle, arrival.options, arrival.wish
    )


async def sightings(ledger: Ledger) -> list[Sighting]:
    """Every file that has been dealt with and was still there when last looked."""
    return [_sighting(row) for row in await ledger.rows(_SIGHTINGS)]


async def sightings_of(ledger: Ledger, targets: Sequence[str]) -> list[Sighting]:
    """What is known of these files."""
    found = [await ledger.row(f"{_SIGHTINGS} WHERE target = ?", (os.fsencode(target),)) for target in targets]
    return [_sighting(row) for row in found if row is not None]


_SIGHTINGS = "SELECT target, inode, size, modified, job, note, sidecar FROM sightings"


def _sighting(row: sqlite3.Row) -> Sighting:
    return Sighting(
        os.fsdecode(row["target"]),
        Signature(row["inode"], row["size"], row["modified"]),
        row["job"],
        row["note"],
        row["sidecar"],
    )


async def hear(ledger: Ledger, words: Mapping[str, str]) -> None:
    """What is said of these files now, where that asks nothing new of them."""

    def unit(connection: sqlite3.Connection) -> None:
        connection.executemany(
            "UPDATE sightings SET sidecar = ? WHERE target = ?",
            [(text(said), os.fsencode(target)) for target, said in words.items()],
        )

    if words:
        await ledger.write(unit)


_WAITING = "SELECT id FROM jobs WHERE target = ? AND state IN ('parked', 'queued') AND inbox <> ''"


async def forget(ledger: Ledger, targets: Iterable[str], now: float, reason: str) -> list[str]:
    """These files are gone: what still waits for them is taken back, and should they return they are new.

    Returns every file that is new from now on. These are more than `targets` where another copy of a file that was
    taken away is still there: until now one job did for both, and now the other one needs it.
    """

    def unit(connection: sqlite3.Connection) -> list[str]:
        forgotten = []
        for target in targets:
            forgotten.append(target)
            connection.execute("DELETE FROM sightings WHERE target = ?", (os.fsencode(target),))
            for row in connection.execute(_WAITING, (os.fsencode(target),)).fetchall():
                if _goes_on(connection, row["id"], target, now):
                    continue
                withdraw(connection, row["id"], reason, now)
                twins = connection.execute("DELETE FROM sightings WHERE job = ? RETURNING target", (row["id"],))
                forgotten += [os.fsdecode(twin["target"]) for twin in twins]
        return forgotten

    return await ledger.write(unit)
