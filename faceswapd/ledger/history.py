"""The events table: append-only, one plain line for each thing that happened."""

import sqlite3
from collections.abc import Iterable

from faceswapd.ledger.records import text


def note(connection: sqlite3.Connection, at: float, job: int | None, kind: str, words: str) -> None:
    """Add a line, within the caller's unit of work."""
    connection.execute("INSERT INTO events (at, job, kind, text) VALUES (?, ?, ?, ?)", (at, job, kind, text(words)))


def notes(connection: sqlite3.Connection, at: float, lines: Iterable[tuple[int, str, str]]) -> None:
    """Add a line for each of several jobs: job, kind, words."""
    connection.executemany(
        "INSERT INTO events (at, job, kind, text) VALUES (?, ?, ?, ?)",
        [(at, job, kind, text(words)) for job, kind, words in lines],
    )
