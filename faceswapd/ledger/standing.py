"""What outlives the daemon beside the jobs: its own row, pauses, the faces that were seen."""

import asyncio
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

from faceswapd.core.intake import fold
from faceswapd.ledger.connection import Ledger, Reads
from faceswapd.ledger.history import note
from faceswapd.ledger.records import text


@dataclass(frozen=True, slots=True)
class FaceRecord:
    """A face as it was last seen."""

    name: str
    photos: int
    problem: str | None  # why it cannot be used


async def begin(ledger: Ledger, boot: str, pid: int) -> bool:
    """Sign in. Returns whether the life before this one ended cleanly (or there was none)."""

    def unit(connection: sqlite3.Connection) -> bool:
        before = connection.execute("SELECT stopped_at FROM daemon WHERE id = 1").fetchone()
        connection.execute(
            """INSERT INTO daemon (id, boot, pid) VALUES (1, ?, ?)
               ON CONFLICT (id) DO UPDATE
               SET boot = excluded.boot, pid = excluded.pid, gate = NULL, breaker = NULL,
                   stopped_at = NULL""",
            (boot, pid),
        )
        return before is None or before["stopped_at"] is not None

    return await ledger.write(unit)


async def end(ledger: Ledger, now: float) -> None:
    """Sign out."""

    def unit(connection: sqlite3.Connection) -> None:
        connection.execute("UPDATE daemon SET stopped_at = ? WHERE id = 1", (now,))

    await ledger.write(unit)


async def answers(ledger: Ledger, seconds: float) -> bool:
    """Whether the ledger answers a small question within this time."""
    try:
        async with asyncio.timeout(seconds):
            return await ledger.row("SELECT boot FROM daemon WHERE id = 1") is not None
    except (TimeoutError, sqlite3.Error):
        return False


async def pause(ledger: Ledger, inbox: str | None, now: float) -> None:
    """Nothing new of an inbox starts, or nothing at all; survives a restart."""

    def unit(connection: sqlite3.Connection) -> None:
        if inbox is None:
            connection.execute("UPDATE daemon SET paused_at = coalesce(paused_at, ?) WHERE id = 1", (now,))
        else:
            connection.execute(
                "INSERT INTO paused_inboxes (inbox, paused_at) VALUES (?, ?) ON CONFLICT (inbox) DO NOTHING",
                (inbox, now),
            )
        note(connection, now, None, "paused", inbox or "the daemon")

    await ledger.write(unit)


async def resume(ledger: Ledger, inbox: str | None, now: float) -> None:
    """Take a pause back."""

    def unit(connection: sqlite3.Connection) -> None:
        if inbox is None:
            connection.execute("UPDATE daemon SET paused_at = NULL WHERE id = 1")
        else:
            connection.execute("DELETE FROM paused_inboxes WHERE inbox = ?", (inbox,))
        note(connection, now, None, "resumed", inbox or "the daemon")

    await ledger.write(unit)


@dataclass(frozen=True, slots=True)
class Pauses:
    """What is paused."""

    daemon: bool
    inboxes: frozenset[str]
    since: float | None = None  # the daemon, seconds since 1970


async def pauses(ledger: Reads) -> Pauses:
    """What is paused now."""
    row = await ledger.row("SELECT paused_at FROM daemon WHERE id = 1")
    inboxes = await ledger.rows("SELECT inbox FROM paused_inboxes")
    since = None if row is None else row["paused_at"]
    return Pauses(since is not None, frozenset(one["inbox"] for one in inboxes), since)


async def gate(ledger: Ledger, why: str | None, now: float) -> None:
    """Keep why the gate is closed (None: it is open), and note the change."""

    def unit(connection: sqlite3.Connection) -> None:
        connection.execute("UPDATE daemon SET gate = ? WHERE id = 1", (why,))
        note(connection, now, None, "held" if why else "open", why or "the gate is open again")

    await ledger.write(unit, durable=False)


async def breaker(ledger: Ledger, why: str | None, now: float) -> None:
    """Keep why the breaker holds the queue (None: it does not), and note the change."""

    def unit(connection: sqlite3.Connection) -> None:
        connection.execute("UPDATE daemon SET breaker = ? WHERE id = 1", (None if why is None else text(why),))
        note(connection, now, None, "held" if why else "open", why or "the surroundings are mended")

    await ledger.write(unit, durable=False)


async def see_faces(ledger: Ledger, faces: Iterable[FaceRecord], now: float) -> None:
    """Keep the faces that are there. One that is gone stays known, with its problem."""

    def unit(connection: sqlite3.Connection) -> None:
        connection.execute("UPDATE faces SET photos = 0, problem = 'is gone from the faces folder'")
        for face in faces:
            _drop_other_spellings(connection, text(face.name))
            connection.execute(
                """INSERT INTO faces (name, photos, problem, seen_at) VALUES (?, ?, ?, ?) ON CONFLICT (name)
                   DO UPDATE SET photos = excluded.photos, problem = excluded.problem, seen_at = excluded.seen_at""",
                (text(face.name), face.photos, face.problem, now),
            )

    await ledger.write(unit, durable=False)


async def forget_face(ledger: Ledger, name: str) -> None:
    """A face that was taken out by order is not missed."""

    def unit(connection: sqlite3.Connection) -> None:
        _drop_other_spellings(connection, text(name))
        connection.execute("DELETE FROM faces WHERE name = ?", (text(name),))

    await ledger.write(unit, durable=False)


def _drop_other_spellings(connection: sqlite3.Connection, name: str) -> None:
    """A face whose folder was renamed from `alice` to `Alice` is still the same one."""
    for row in connection.execute("SELECT name FROM faces WHERE name <> ?", (name,)).fetchall():
        if fold(row["name"]) == fold(name):
            connection.execute("DELETE FROM faces WHERE name = ?", (row["name"],))


async def faces(ledger: Reads) -> list[FaceRecord]:
    """All faces that were ever seen, by name."""
    return [
        FaceRecord(row["name"], row["photos"], row["problem"])
        for row in await ledger.rows("SELECT name, photos, problem FROM faces ORDER BY name")
    ]
