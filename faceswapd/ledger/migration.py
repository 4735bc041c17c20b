"""The schema, brought up to date one numbered file at a time."""

import re
import sqlite3
from importlib import resources
from pathlib import Path

import aiosqlite


class NewerLedgerError(Exception):
    """The ledger was written by a newer faceswapd."""


def migrations() -> dict[int, str]:
    """The SQL of each migration, by number."""
    folder = resources.files("faceswapd.ledger") / "migrations"
    return {
        int(match[1]): file.read_text(encoding="utf-8")
        for file in sorted(folder.iterdir(), key=lambda file: file.name)
        if (match := re.fullmatch(r"(\d{4})_\w+\.sql", file.name))
    }


async def migrate(connection: aiosqlite.Connection, path: Path) -> None:
    """Run what is missing, each file as one transaction. Raises NewerLedgerError."""
    async with connection.execute("PRAGMA user_version") as cursor:
        row = await cursor.fetchone()
    version = int(row[0]) if row else 0
    steps = migrations()
    if version > max(steps):
        raise NewerLedgerError(
            f"The ledger {path} is of version {version}, and this faceswapd knows versions up to {max(steps)}. "
            "Start the newer faceswapd that wrote it, or move the ledger away."
        )
    # With foreign keys on, a table that is made anew would take the rows that point to it along.
    await connection.execute("PRAGMA foreign_keys = OFF")
    try:
        for number in sorted(steps):
            if number > version:
                await _run(connection, number, steps[number])
    finally:
        await connection.execute("PRAGMA foreign_keys = ON")


async def _run(connection: aiosqlite.Connection, number: int, sql: str) -> None:
    try:
        await connection.executescript(f"BEGIN IMMEDIATE;\n{sql}\nPRAGMA user_version = {number};\nCOMMIT;")
    except sqlite3.Error:
        await connection.rollback()
        raise
