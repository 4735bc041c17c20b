"""Before the ledger is opened: is it whole, and does the log beside it belong to it? Nothing is changed in a file that
is not."""

import contextlib
import sqlite3
import time
from pathlib import Path

LARGE_BYTES = 256_000_000  # a larger one takes seconds to look through, and is only after an end that was not clean
_WRITE_VERSION = 18  # where the header tells whether the file is written by way of a log: 2


class DamagedLedgerError(Exception):
    """Pages of the file make no sense."""


def examine(path: Path) -> None:
    """Look whether the file is whole. Raises DamagedLedgerError, and sqlite3.DatabaseError for what is no ledger."""
    if not path.stat().st_size:
        return
    with contextlib.closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as ledger:
        if path.stat().st_size > LARGE_BYTES and _ended_cleanly(ledger):
            return
        try:
            (said,) = ledger.execute("PRAGMA quick_check(1)").fetchone()
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_CORRUPT:
                raise
            said = str(error)
    if said != "ok":
        raise DamagedLedgerError(" ".join(said.split())[:200])


def _ended_cleanly(ledger: sqlite3.Connection) -> bool:
    row = ledger.execute("SELECT stopped_at FROM daemon").fetchone()
    return row is not None and row[0] is not None


def set_strange_log_aside(path: Path) -> None:
    """A ledger that is in use says in its header that a log belongs to it; a backup does not say so. So a log that
    lies beside a file without that mark was left by another ledger, which the backup has replaced: read into this one
    it would destroy it."""
    log = path.with_name(f"{path.name}-wal")
    with path.open("rb") as file:
        header = file.read(_WRITE_VERSION + 1)
    if len(header) <= _WRITE_VERSION or header[_WRITE_VERSION] == 2:
        return
    with contextlib.suppress(FileNotFoundError):
        if log.stat().st_size:
            log.rename(log.with_name(f"{log.name}.of-another-{time.time_ns()}"))
        path.with_name(f"{path.name}-shm").unlink()
