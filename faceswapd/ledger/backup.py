"""A whole copy of the ledger, made while it is in use."""

import asyncio
import contextlib
import os
import sqlite3
from pathlib import Path

from faceswapd.ledger.connection import Ledger

PART = ".part"  # behind the name of a copy that is not whole yet


class BackupRefused(Exception):
    """The copy cannot be made there; the text says why."""


async def backup(ledger: Ledger, place: Path) -> int:
    """Copy the ledger to a new file, which is whole and on the disk when this ends. Returns its size in bytes.

    Writers go on meanwhile; the copy is of one moment, and no file is ever replaced. Raises BackupRefused.
    """
    return await asyncio.to_thread(_backup, ledger.path, place)


def _backup(ledger: Path, place: Path) -> int:
    try:
        str(place).encode()
    except UnicodeEncodeError:
        raise BackupRefused("The name of a backup must be UTF-8.") from None
    if os.path.lexists(place):
        raise BackupRefused(f"{place} is there already, and nothing is ever overwritten.")
    part = place.with_name(place.name + PART)
    try:
        os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        raise BackupRefused(f"{part} is there already: another backup is being made, or was broken off.") from None
    except OSError as error:
        raise BackupRefused(f"{part} cannot be written: {error.strerror}.") from error
    try:
        _copy(ledger, part)
        with part.open("rb") as whole:
            os.fsync(whole.fileno())
        _put_in(part, place)
        return place.stat().st_size
    except sqlite3.Error as error:
        raise BackupRefused(f"The ledger could not be copied to {place}: {error}.") from error
    except OSError as error:
        raise BackupRefused(f"{place} cannot be written: {error.strerror}.") from error
    finally:
        part.unlink(missing_ok=True)


def _copy(ledger: Path, part: Path) -> None:
    with contextlib.closing(sqlite3.connect(ledger, isolation_level=None)) as source:
        source.execute("PRAGMA query_only = OFF")
        source.execute("VACUUM INTO ?", (str(part),))
    with contextlib.closing(sqlite3.connect(part)) as copy:
        (said,) = copy.execute("PRAGMA quick_check(1)").fetchone()
    if said != "ok":
        raise BackupRefused(f"The copy is not whole: {said}. `faceswapctl ledger check` looks at the ledger.")


def _put_in(part: Path, place: Path) -> None:
    """One step that replaces nothing."""
    try:
        os.link(part, place)
    except FileExistsError:
        raise BackupRefused(f"{place} is there already, and nothing is ever overwritten.") from None
    except OSError:  # a file system without hard links: an empty file of our own holds the name
        os.close(os.open(place, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600))
        part.replace(place)
    with contextlib.suppress(OSError):  # not every file system syncs folders
        folder = os.open(place.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
