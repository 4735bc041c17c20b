"""What a child may use of the machine. The child sets this on itself before it opens a hostile file."""

import contextlib
import ctypes
import os
import resource
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

NICE = 10  # children give way to the desktop and to the daemon
NICER = 15  # and those that only look at files to those that swap
OOM_SCORE = 500  # a machine out of memory ends a child first, never the daemon
PARENT_DEATH_SIGNAL = 1  # of Linux's prctl


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
    with contextlib.suppress(OSError):  # no such file on macOS
        Path("/proc/self/oom_score_adj").write_text(str(OOM_SCORE), encoding="ascii")


def make_give_way(group: int) -> None:
    """The same for a program of another's making, by the number of its process group, as soon as it has started."""
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PGRP, group, max(NICE, os.getpriority(os.PRIO_PROCESS, 0)))
    with contextlib.suppress(OSError):
        Path(f"/proc/{group}/oom_score_adj").write_text(str(OOM_SCORE), encoding="ascii")


def _limit(which: int, value: int) -> None:
    hard = resource.getrlimit(which)[1]
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    resource.setrlimit(which, (value, value))
