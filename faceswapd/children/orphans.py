"""What an earlier life of the daemon left running is ended before anything new starts."""

import contextlib
import os
import signal
from collections.abc import Iterable
from pathlib import Path

import psutil

from faceswapd.children import kin
from faceswapd.children.child import ChildId

WAIT_SECONDS = 5.0
CLOCK_SLACK = 0.05  # seconds; psutil tells start times in hundredths
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def end_orphans(children: Iterable[ChildId], family: str | None = None) -> list[int]:
    """KILL all that bears the family's mark, and the process group of each child that still runs, and of no stranger
    that got its pid since.

    The mark finds whoever was never written down, whose leader is gone, or who left the group, and a child whose start
    time reads differently since the clock was set. A group without its leader and without the mark may be anybody's:
    the number of a group is used again like a pid. Returns the pids of those that were ended. Blocks up to twice
    WAIT_SECONDS; call it in a thread.
    """
    ended: list[int] = []
    processes: list[psutil.Process] = []
    for child in children:
        with contextlib.suppress(psutil.NoSuchProcess):
            process = psutil.Process(child.pid)
            if abs(process.create_time() - child.started) > CLOCK_SLACK:
                continue
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(child.pid, signal.SIGKILL)
                ended.append(child.pid)
                processes.append(process)
    if family is not None:
        ended += [pid for pid in kin.end_all(family) if pid not in ended]
    psutil.wait_procs(processes, timeout=WAIT_SECONDS)
    return ended


def machine_boot() -> str | None:
    """Which life of the machine this is; None where the system does not tell. A pid of another one means nothing."""
    try:
        return BOOT_ID.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return None
