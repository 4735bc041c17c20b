"""The outbox of the webhooks: which events are to be told to whom, and what became of it."""

import sqlite3
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from faceswapd.core.webhook import STATES, JobTold, event_of, payload, reason_of
from faceswapd.ledger.connection import Ledger
from faceswapd.ledger.records import marks, text

MOST_EVENTS = 500  # that one unit of work makes into deliveries
MOST_PRUNED = 500  # likewise

_HEADS = """
SELECT id, webhook, message, at, payload, attempt FROM deliveries
WHERE webhook = ? AND state = 'waiting' AND not_before <= ? AND NOT EXISTS (
    SELECT 1 FROM deliveries AS earlier
    WHERE earlier.webhook = deliveries.webhook AND earlier.job = deliveries.job AND earlier.state = 'waiting'
        AND earlier.id < deliveries.id
)
ORDER BY not_before, id LIMIT ?
"""
_EVENTS = """
SELECT events.id, events.at, events.job, events.kind, events.text, jobs.state, jobs.inbox, jobs.relative, jobs.face,
    jobs.preset, jobs.category, jobs.parked, jobs.output
FROM events LEFT JOIN jobs ON jobs.id = events.job
WHERE events.id > ? ORDER BY events.id LIMIT ?
"""
_EXPLAINED = ("job.failed", "job.parked", "job.cancelled")  # the line of the history is the reason


@dataclass(frozen=True, slots=True)
class Delivery:
    """Something that is to be sent."""

    id: int
    webhook: str
    message: str  # the webhook-id
    at: float  # when it happened
    payload: str
    attempt: int  # tries so far


@dataclass(frozen=True, slots=True)
class Tally:
    """How a webhook has got on so far."""

    waiting: int
    delivered: int
    given_up: int
    last_error: str | None
    last_error_at: float | None
    last_success_at: float | None


async def know(ledger: Ledger, names: Collection[str], now: float, latest: float) -> Mapping[str, int]:
    """Know these webhooks and no others. A new one begins with what happens from now on; one that is gone takes what
    was to be sent along: returns how much that was, by name. Nothing waits longer than until `latest`: what does was
    given its time by a clock that was ahead."""
    known = {row["name"] for row in await ledger.rows("SELECT name FROM webhooks")}
    if not known and not names:
        return {}

    def unit(connection: sqlite3.Connection) -> dict[str, int]:
        dropped: dict[str, int] = {}
        for name in known - set(names):
            ((dropped[name],),) = connection.execute(
                "SELECT count(*) FROM deliveries WHERE webhook = ? AND state = 'waiting'", (name,)
            ).fetchall()
            connection.execute("DELETE FROM webhooks WHERE name = ?", (name,))
        for name in names:
            connection.execute(
                """INSERT INTO webhooks (name, seen) VALUES (?, (SELECT coalesce(max(id), 0) FROM events))
                   ON CONFLICT (name) DO NOTHING""",
                (name,),
            )
            connection.execute(
                "UPDATE deliveries SET not_before = ? WHERE webhook = ? AND state = 'waiting' AND not_before > ?",
                (now, name, latest),
            )
        return dropped

    return await ledger.write(unit)


async def tallies(ledger: Ledger) -> Mapping[str, Tally]:
    """How each webhook has got on, by name."""
    rows = await ledger.rows(
        """SELECT (SELECT count(*) FROM deliveries WHERE webhook = webhooks.name AND state = 'waiting') AS waiting,
                  name, delivered, given_up, last_error, last_error_at, last_success_at FROM webhooks"""
    )
    return {
        row["name"]: Tally(
            row["waiting"],
            row["delivered"],
            row["given_up"],
            row["last_error"],
            row["last_error_at"],
            row["last_success_at"],
        )
        for row in rows
    }


async def fill(ledger: Ledger, wanted: Mapping[str, Collection[str]]) -> Mapping[str, int] | None:
    """Make the next events into deliveries: for each webhook those that it wants. How many came to each; None when
    there is no further event."""
    names = tuple(wanted)
    behind = await ledger.row(
        f"SELECT 1 FROM webhooks WHERE name IN ({marks(wanted)}) AND seen < (SELECT max(id) FROM events) LIMIT 1",
        names,
    )
    if behind is None:
        return None

    def unit(connection: sqlite3.Connection) -> dict[str, int]:
        seen = {
            row["name"]: row["seen"]
            for row in connection.execute(
                f"SELECT name, seen FROM webhooks WHERE name IN ({marks(wanted)})", (*wanted,)
            )
        }
        made = dict.fromkeys(seen, 0)
        last = min(seen.values())
        for row in connection.execute(_EVENTS, (last, MOST_EVENTS)).fetchall():
            last = row["id"]
            event = event_of(row["kind"], row["text"], of_job=row["job"] is not None)
            if event is None:
                continue
            for name in (one for one in seen if seen[one] < last and event in wanted[one]):
                _add(connection, name, event, row)
                made[name] += 1
        connection.execute(
            f"UPDATE webhooks SET seen = ? WHERE seen < ? AND name IN ({marks(wanted)})", (last, last, *names)
        )
        return made

    # Nobody is woken: who sends is the one who asks. Should the power take it away, the events are still unread.
    return await ledger.write(unit, durable=False, ring=False)


def _add(connection: sqlite3.Connection, webhook: str, event: str, row: sqlite3.Row) -> None:
    content = payload(event, row["at"], reason_of(row["kind"], row["text"]), _told(event, row))
    connection.execute(
        """INSERT INTO deliveries (webhook, message, event, job, type, payload, at, not_before)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?)""",
        (webhook, f"msg_{uuid.uuid4().hex}", row["id"], row["job"] or 0, event, content, row["at"], row["at"]),
    )


def _told(event: str, row: sqlite3.Row) -> JobTold | None:
    """The job as it was when this happened to it, as far as the ledger still knows it."""
    if row["job"] is None:
        return None
    state = STATES[event]
    return JobTold(
        id=row["job"],
        state=state,
        inbox=row["inbox"],
        target=row["relative"].decode(errors="replace"),
        face=row["face"],
        preset=row["preset"],
        category=(row["category"] or row["parked"]) if row["state"] == state and event in _EXPLAINED else None,
        reason=row["text"] if event in _EXPLAINED else None,
        output=None
        if event != "job.succeeded" or row["output"] is None
        else PurePosixPath(row["output"].decode(errors="replace")).name,
    )


async def due(ledger: Ledger, webhook: str, now: float, limit: int) -> Sequence[Delivery]:
    """What may be sent now, the oldest first: of each job, and of the daemon's own, no more than one."""
    return [Delivery(*row) for row in await ledger.rows(_HEADS, (webhook, now, limit))]


async def next_due(ledger: Ledger, webhook: str, now: float) -> float | None:
    """When the next one that waits for its time may be sent."""
    row = await ledger.row(
        "SELECT min(not_before) AS at FROM deliveries WHERE webhook = ? AND state = 'waiting' AND not_before > ?",
        (webhook, now),
    )
    return None if row is None else row["at"]


async def delivered(ledger: Ledger, delivery: Delivery, now: float) -> None:
    """It was taken."""

    def unit(connection: sqlite3.Connection) -> None:
        _end(connection, delivery.id, "delivered", None, now)
        connection.execute(
            "UPDATE webhooks SET delivered = delivered + 1, last_success_at = ? WHERE name = ?", (now, delivery.webhook)
        )

    await ledger.write(unit, durable=False, ring=False)


async def not_taken(ledger: Ledger, delivery: Delivery, error: str, again: float | None, now: float) -> None:
    """It was not taken. It is sent `again` at that time; None: it is given up."""

    def unit(connection: sqlite3.Connection) -> None:
        if again is None:
            _end(connection, delivery.id, "given_up", error, now)
        else:
            connection.execute(
                """UPDATE deliveries SET attempt = attempt + 1, not_before = ?, last_error = ?
                   WHERE id = ? AND state = 'waiting'""",
                (again, text(error), delivery.id),
            )
        _blame(connection, delivery.webhook, error, now, 1 if again is None else 0)

    await ledger.write(unit, durable=False, ring=False)


async def give_up(ledger: Ledger, webhook: str, error: str, now: float) -> None:
    """Nothing of what waits is sent to a webhook any more."""

    def unit(connection: sqlite3.Connection) -> None:
        gone = connection.execute(
            """UPDATE deliveries SET state = 'given_up', finished_at = ?, last_error = ?
               WHERE webhook = ? AND state = 'waiting'""",
            (now, text(error), webhook),
        ).rowcount
        _blame(connection, webhook, error, now, gone)

    await ledger.write(unit, ring=False)


def _end(connection: sqlite3.Connection, delivery: int, state: str, error: str | None, now: float) -> None:
    connection.execute(
        """UPDATE deliveries SET state = ?, attempt = attempt + 1, finished_at = ?, last_error = ?
           WHERE id = ? AND state = 'waiting'""",
        (state, now, None if error is None else text(error), delivery),
    )


def _blame(connection: sqlite3.Connection, webhook: str, error: str, now: float, given_up: int) -> None:
    connection.execute(
        "UPDATE webhooks SET last_error = ?, last_error_at = ?, given_up = given_up + ? WHERE name = ?",
        (text(error), now, given_up, webhook),
    )


async def prune(ledger: Ledger, before: float) -> int | None:
    """Take a batch of what ended before that time away. How many went; None when there are no more."""
    if await ledger.row("SELECT 1 FROM deliveries WHERE finished_at < ? LIMIT 1", (before,)) is None:
        return None

    def unit(connection: sqlite3.Connection) -> int:
        return connection.execute(
            "DELETE FROM deliveries WHERE id IN (SELECT id FROM deliveries WHERE finished_at < ? LIMIT ?)",
            (before, MOST_PRUNED),
        ).rowcount

    return await ledger.write(unit, durable=False, ring=False)
