"""What an earlier life of the daemon left running is ended before anything new starts."""

import contextlib
import os
import signal
from collections.abc import Iterable

import psutil

from faceswapd.children.child import ChildId

WAIT_SECONDS = 5.0
CLOCK_SLACK = 0.05  # seconds; psutil tells start times in hundredths


def end_orphans(children: Iterable[ChildId]) -> list[ChildId]:
    """KILL the process group of each child that still runs, and of no stranger that got its pid since.

    Returns those that were ended. Blocks up to WAIT_SECONDS; call it in a thread.
    """
    ended: list[ChildId] = []
    processes: list[psutil.Process] = []
    for child in children:
        with contextlib.suppress(psutil.NoSuchProcess):
            process = psutil.Process(child.pid)
            if abs(process.create_time() - child.started) > CLOCK_SLACK:
                continue
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(child.pid, signal.SIGKILL)
                ended.append(child)
                processes.append(process)
    psutil.wait_procs(processes, timeout=WAIT_SECONDS)
    return ended
