"""What a child may use of the machine. The child sets this on itself before it opens a hostile file."""

import contextlib
import ctypes
import os
import resource
import signal
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

NICE = 15  # children give way to the desktop and to the daemon
NICER = 19  # and those that only look at files to those that swap
OOM_SCORE = 500  # a machine out of memory ends a child first, never the daemon
PARENT_DEATH_SIGNAL = 1  # of Linux's prctl
AGAIN_SECONDS = 0.11  # the kernel takes one word about a session in 0.1 s, of the whole machine
PATIENCE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Limits:
    """Upper bounds for one child."""

    memory: int  # bytes of address space
    file: int | None = None  # bytes of one written file; 0: the child writes no file; None: not limited
    files: int = 256  # open files
    nice: int = NICE  # how far it gives way


def apply(limits: Limits) -> None:
    """Put the limits on this process, and make it give way. For good: a child cannot raise them again."""
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_NOFILE, limits.files)
    if sys.platform == "linux":  # macOS accepts RLIMIT_AS and then refuses ordinary allocations
        _limit(resource.RLIMIT_AS, limits.memory)
    if limits.file is not None:
        _limit(resource.RLIMIT_FSIZE, limits.file)
    give_way(limits.nice)


def give_way(nice: int = NICE) -> None:
    """Let the desktop and the daemon go first, and let a machine out of memory end this process before them.

    When the daemon dies, a process that somebody has stopped goes on, so that it notices and ends with all that it
    started. Killed by the kernel instead, it would leave that running.
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(PARENT_DEATH_SIGNAL, signal.SIGCONT)
    with contextlib.suppress(OSError):
        os.nice(max(0, nice - os.nice(0)))
        if os.getsid(0) == os.getpid():  # else it is the session of whoever started this, such as a terminal's
            _let_session_give_way("self", os.nice(0))
    with contextlib.suppress(OSError):  # no such file on macOS
        Path("/proc/self/oom_score_adj").write_text(str(OOM_SCORE), encoding="ascii")


def make_give_way(group: int) -> None:
    """The same for a program of another's making, by the number of its process group, as soon as it has started."""
    with contextlib.suppress(OSError):
        nice = max(NICE, os.getpriority(os.PRIO_PROCESS, 0))
        os.setpriority(os.PRIO_PGRP, group, nice)
        _let_session_give_way(str(group), nice)
    with contextlib.suppress(OSError):
        Path(f"/proc/{group}/oom_score_adj").write_text(str(OOM_SCORE), encoding="ascii")


def _let_session_give_way(process: str, nice: int) -> None:
    """Linux shares the processors out among sessions first (sched(7), autogroup), and niceness counts within one; each
    child has its own, which would get as much as the daemon or the desktop. Elsewhere there is no such file, and
    niceness is enough."""
    try:
        session = os.open(f"/proc/{process}/autogroup", os.O_WRONLY | os.O_CLOEXEC)
    except OSError:
        return
    words = str(nice).encode("ascii")
    if _heard(session, words):
        os.close(session)
    else:
        threading.Thread(target=_insist, args=(session, words), daemon=True, name="autogroup").start()


def _insist(session: int, words: bytes) -> None:
    ends = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < ends:
        time.sleep(AGAIN_SECONDS)
        if _heard(session, words):
            break
    os.close(session)


def _heard(session: int, words: bytes) -> bool:
    """False: it is to be said again."""
    try:
        os.write(session, words)
    except BlockingIOError:
        return False
    except OSError:  # its process has ended, or the kernel does not do it
        return True
    return True


def _limit(which: int, value: int) -> None:
    hard = resource.getrlimit(which)[1]
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    resource.setrlimit(which, (value, value))
