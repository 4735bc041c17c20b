"""The ledger's file: opened, locked, and written by one connection alone."""

import asyncio
import contextlib
import copy
import errno
import fcntl
import os
import sqlite3
import time
from collections.abc import Callable, Coroutine, Iterable
from pathlib import Path
from typing import Any, Protocol, Self, TypeVar

import aiosqlite

from faceswapd import faults
from faceswapd.ledger.bell import Bell
from faceswapd.ledger.migration import NewerLedgerError, migrate
from faceswapd.ledger.opening import DamagedLedgerError, examine, set_strange_log_aside

T = TypeVar("T")
C = TypeVar("C", bound=aiosqlite.Connection)

BUSY_MS = 5000
CACHE_KIB = 4096
FULL_SECONDS = 1.0  # between two tries while the disk is full
FULL = frozenset({errno.ENOSPC, errno.EDQUOT})  # of a disk
_FULL = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE})


class LedgerError(Exception):
    """The ledger cannot be used; the text says why and what to do. `passing`: that may end by itself, as a full disk
    does."""

    def __init__(self, text: str, *, passing: bool = False) -> None:
        super().__init__(text)
        self.passing = passing


class LedgerFullError(Exception):
    """The ledger's disk has no space left. Nothing is lost: what could not be written has not happened."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"The disk of the ledger is full: {path}. Make space there.")


class _Timed(aiosqlite.Connection):
    """A connection that tells since when its thread is at work."""

    since: float | None = None  # on the monotonic clock; None: it has nothing to do

    async def timed(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run a function on the connection's thread."""

        def told() -> T:
            self.since = time.monotonic()
            try:
                return work(self._conn)
            finally:
                self.since = None

        return await self._execute(told)  # type: ignore[no-untyped-call,no-any-return]

    async def fetch(self, sql: str, values: Iterable[Any]) -> list[sqlite3.Row]:
        """All rows of a query."""
        return await self.timed(lambda connection: connection.execute(sql, tuple(values)).fetchall())


class _Writer(_Timed):
    """The connection that writes. A whole unit of work goes to its thread in one piece: a way there and back for each
    statement would cost ten times what SQLite does."""

    durable: bool | None = None  # how it commits; None: not known. Its thread's own
    full = False  # its disk: the last unit could not be written
    patient = True  # whoever may wait for space waits

    async def unit(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run a function on the connection's thread. A cancelled caller waits for its end."""
        running: asyncio.Future[T] = asyncio.ensure_future(self.timed(work))
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            await asyncio.wait([running])
            raise


class Reads(Protocol):
    """What a question to the ledger needs of it."""

    async def rows(self, sql: str, values: Iterable[Any] = ()) -> list[sqlite3.Row]:
        """Read."""

    async def row(self, sql: str, values: Iterable[Any] = ()) -> sqlite3.Row | None:
        """Read the first row, or None."""


class _Sitting:
    """Answers at once, on the reader's own thread."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    async def rows(self, sql: str, values: Iterable[Any] = ()) -> list[sqlite3.Row]:
        return self._connection.execute(sql, tuple(values)).fetchall()

    async def row(self, sql: str, values: Iterable[Any] = ()) -> sqlite3.Row | None:
        rows = await self.rows(sql, values)
        return rows[0] if rows else None


class Ledger:
    """An open ledger. Its bell rings after every commit."""

    def __init__(self, path: Path, writer: _Writer, reader: _Timed, lock: int) -> None:
        self.path = path
        self._writer = writer
        self._reader = reader
        self._lock = lock
        self.bell = Bell()
        self._waits = True
        self.while_full: Callable[[], None] = lambda: None  # called again and again while writing waits for space

    @classmethod
    async def open(cls, path: Path) -> Self:
        """Open or make the ledger, and bring its schema up to date. Raises LedgerError: another daemon has it,
        it is of a newer version, or it is no ledger."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock = _lock(path)
            _touch(path, lock)
        except OSError as error:
            if error.errno in FULL:
                raise LedgerFullError(path) from error
            raise LedgerError(
                f"The ledger {path} cannot be opened: {error.strerror}. "
                "Give this user the right to write into its folder."
            ) from error
        opened: list[aiosqlite.Connection] = []
        try:
            await asyncio.to_thread(set_strange_log_aside, path)
            await asyncio.to_thread(examine, path)
            writer = await _connect(path, _Writer)
            opened.append(writer)
            await writer.execute("PRAGMA journal_mode = WAL")
            await migrate(writer, path)
            reader = await _connect(path, _Timed)
            opened.append(reader)
            await reader.execute("PRAGMA query_only = ON")
        except BaseException as error:
            for connection in opened:
                await connection.close()
            os.close(lock)
            if isinstance(error, NewerLedgerError):
                raise LedgerError(str(error)) from None
            if isinstance(error, sqlite3.OperationalError) and error.sqlite_errorcode in _FULL:
                raise LedgerFullError(path) from error
            if isinstance(error, DamagedLedgerError):
                raise LedgerError(f"The ledger {path} is damaged: {error}. {_NEW}") from None
            if isinstance(error, sqlite3.DatabaseError):
                sentence = f"The ledger {path} cannot be used: {error}. {_remedy(error)}"
                raise LedgerError(sentence, passing=_is_passing(error)) from error
            raise
        return cls(path, writer, reader, lock)

    async def write(self, work: Callable[[sqlite3.Connection], T], *, durable: bool = True, ring: bool = True) -> T:
        """One unit of work, on the writer's own thread: all of it, or nothing.

        Durable work is on the disk when this ends; other work may be lost with the machine's power, and never with
        the daemon. A caller that is cancelled does not cut it in two: it happens as a whole all the same, and has
        happened when the cancel comes out of here. `work` does nothing but SQL; what it raises takes everything
        back and is raised here. Without `ring` the bell is silent: nobody waits for what changes.

        While the ledger's disk is full it waits and tries again; a cancel then ends the wait, and nothing has happened.
        Raises LedgerFullError where nobody shall wait.
        """
        loop = asyncio.get_running_loop()

        def unit(connection: sqlite3.Connection) -> T:
            if durable is not self._writer.durable:
                connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
                self._writer.durable = durable
            try:
                connection.execute("BEGIN IMMEDIATE")  # one that is broken off may have begun all the same
                result = work(connection)
                faults.writing("before", work)
                connection.execute("COMMIT")
                faults.writing("after", work)
            except BaseException:
                with contextlib.suppress(sqlite3.OperationalError):  # what failed may have ended it already
                    connection.execute("ROLLBACK")
                raise
            if ring:
                loop.call_soon_threadsafe(self.bell.ring)
            return result

        while True:
            try:
                result = await self._writer.unit(unit)
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode not in _FULL:
                    raise
                self._writer.full = True
                if not (self._waits and self._writer.patient):
                    raise LedgerFullError(self.path) from error
            else:
                self._writer.full = False
                return result
            self.while_full()
            await asyncio.sleep(FULL_SECONDS)

    @property
    def full(self) -> bool:
        """Whether its disk was full at the last write."""
        return self._writer.full

    def without_waiting(self) -> Self:
        """The same ledger for those who shall be told at once that its disk is full."""
        same = copy.copy(self)
        same._waits = False  # noqa: SLF001  its own kind
        return same

    def hurry(self) -> None:
        """From now on nobody waits for space any more."""
        self._writer.patient = False

    async def rows(self, sql: str, values: Iterable[Any] = ()) -> list[sqlite3.Row]:
        """Read, beside the writer."""
        return await self._reader.fetch(sql, values)

    async def row(self, sql: str, values: Iterable[Any] = ()) -> sqlite3.Row | None:
        """Read the first row, or None."""
        rows = await self.rows(sql, values)
        return rows[0] if rows else None

    async def together(self, read: Callable[[Reads], Coroutine[Any, Any, T]]) -> T:
        """Carry out a coroutine that waits for nothing but its questions to the ledger, all of it on the reader's own
        thread. A way there and back for each question takes longer than the question, and beside busy children each
        way waits for a processor."""

        def work(connection: sqlite3.Connection) -> T:
            asking = read(_Sitting(connection))
            try:
                asking.send(None)
            except StopIteration as end:
                answer: T = end.value
                return answer
            finally:
                asking.close()
            raise RuntimeError("it waits for something else than the ledger")

        return await self._reader.timed(work)

    async def maintain(self, *statements: str) -> None:
        """Statements that stand in no transaction, on the writer's own thread. One that finds the file in use, or no
        space for its work, is left for another time."""

        def work(connection: sqlite3.Connection) -> None:
            connection.execute("PRAGMA busy_timeout = 0")  # the writer waits for no reader
            try:
                for statement in statements:
                    with contextlib.suppress(sqlite3.OperationalError):
                        connection.execute(statement).fetchall()
            finally:
                connection.execute(f"PRAGMA busy_timeout = {BUSY_MS}")

        await self._writer.unit(work)

    def busy(self) -> float:
        """Seconds that the longest piece of work under way has taken by now. A disk that is slow, and not whoever
        waits for it, is to blame for a long one."""
        begun = [since for since in (self._writer.since, self._reader.since) if since is not None]
        return time.monotonic() - min(begun) if begun else 0.0

    async def close(self) -> None:
        """Close the file and let the next daemon have it."""
        try:
            await self._reader.close()
        finally:
            try:
                await self._writer.close()
            finally:
                os.close(self._lock)


def _touch(path: Path, lock: int) -> None:
    """See that the file can be written, and is nobody else's to read; SQLite would not say what is wrong."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError:
        os.close(lock)
        raise


def _is_passing(error: sqlite3.DatabaseError) -> bool:
    """A full disk is told in many ways; some of them are errors of the shared memory that cannot be made."""
    return error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)


_NEW = "If there is a backup of it, put that in its place. Move it away to begin a new one."


def _remedy(error: sqlite3.DatabaseError) -> str:
    if error.sqlite_errorcode in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
        return _NEW
    return "Look whether its disk has space and this user may write there."


async def _connect(path: Path, kind: type[C]) -> C:
    connection = kind(lambda: sqlite3.connect(path, isolation_level=None), iter_chunk_size=64)
    await connection
    connection.row_factory = sqlite3.Row
    try:
        for pragma in (
            f"busy_timeout = {BUSY_MS}",
            "foreign_keys = ON",
            "synchronous = NORMAL",
            f"cache_size = -{CACHE_KIB}",
        ):
            await connection.execute(f"PRAGMA {pragma}")
    except BaseException:  # its thread would keep the whole program from ending
        await connection.close()
        raise
    return connection


def _lock(path: Path) -> int:
    """The lock that one daemon holds for its life; it ends with the process, however that ends."""
    name = path.with_suffix(".lock")
    lock = os.open(name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        pid = os.read(lock, 32).decode(errors="replace").strip() or "unknown"
        os.close(lock)
        raise LedgerError(
            f"Another faceswapd (pid {pid}) already works on the ledger {path}. Use `faceswapctl status` to see it, "
            "or `faceswapctl stop` to end it."
        ) from None
    except OSError:  # a file system without locks
        os.close(lock)
        raise
    os.truncate(lock, 0)
    os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
    return lock
