"""Who belongs to a child, however far it has gone from it: its mark lies in the environment of all that descends.

A process group loses those that make a session of their own, a parent loses those whose parent has ended, and a pid
is used again. What stands in the environment of a process at its start stays with it, and no stranger has it.
"""

import contextlib
import os
import re
import signal
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Final

VARIABLE: Final = "FACESWAPD_KIN"  # FAMILY/CHILD: the daemon with its ledger, and one child of it
ENDING_SECONDS: Final = 5.0  # in which those that are killed are gone
PAUSE_SECONDS: Final = 0.01
LONGEST_MARK: Final = 9000  # bytes: a path of 4096 in hexadecimal digits, and a child's own part
LINUX: Final = sys.platform == "linux"


def family_of(ledger: Path) -> str:
    """The mark of all children of the daemon that holds a ledger, in every life of it."""
    return ledger.resolve().as_posix().encode(errors="surrogateescape").hex()


@contextlib.contextmanager
def family(mark: str) -> Iterator[None]:
    """All children that are started meanwhile are of this family."""
    before = os.environ.get(VARIABLE)
    os.environ[VARIABLE] = mark
    try:
        yield
    finally:
        if before is None:
            del os.environ[VARIABLE]
        else:
            os.environ[VARIABLE] = before


def new_mark() -> str:
    """The mark of a child that is about to start: below the family's."""
    return f"{os.environ.get(VARIABLE, '')}/{uuid.uuid4().hex}"


def is_mark_of_child(text: str) -> bool:
    """Whether a text that was kept in a file names one child: anything shorter would name all children of somebody."""
    return re.fullmatch(r"[^\0\n]*/[0-9a-f]{32}", text) is not None


def end_all(mark: str) -> list[int]:
    """KILL everything that bears this mark or one below it, but for the caller itself, and what it starts meanwhile.

    Returns the pids of those that were killed. Blocks until they are gone, at most ENDING_SECONDS.
    """
    killed: dict[int, None] = {}
    deadline = time.monotonic() + ENDING_SECONDS
    while True:
        found = [pid for pid in _bearing(mark) if _kill(pid, mark)]
        if not found or time.monotonic() > deadline:
            return list(killed)
        killed |= dict.fromkeys(found)
        time.sleep(PAUSE_SECONDS)


def _bearing(mark: str) -> Iterator[int]:
    """One that has ended and only waits to be buried has no environment any more."""
    me = os.getpid()
    return (pid for pid in _pids() if pid != me and _bears(pid, mark))


def _pids() -> list[int]:
    if LINUX:
        return [int(name) for name in os.listdir("/proc") if name.isdigit()]  # noqa: PTH208  the fastest way
    import psutil  # heavy for a child, which does this on Linux alone

    return psutil.pids()


def _bears(pid: int, mark: str) -> bool:
    value = _mark_of(pid)
    return value is not None and (value == mark or value.startswith(mark + "/"))


def _mark_of(pid: int) -> str | None:
    """None for one that has none, that is gone, or that is not ours to look at."""
    if LINUX:
        try:
            words = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        except OSError:
            return None
        name = f"{VARIABLE}=".encode()
        return next((word[len(name) :].decode() for word in words if word.startswith(name)), None)
    import psutil

    try:
        return psutil.Process(pid).environ().get(VARIABLE)
    except psutil.Error:
        return None


def _kill(pid: int, mark: str) -> bool:
    """Whether it was there to be killed. A handle sees to it that it is this one, and none that got its pid since."""
    with contextlib.suppress(OSError):
        if not LINUX:
            os.kill(pid, signal.SIGKILL)
            return True
        handle = os.pidfd_open(pid)
        try:
            if _bears(pid, mark):
                signal.pidfd_send_signal(handle, signal.SIGKILL)
                return True
        finally:
            os.close(handle)
    return False
