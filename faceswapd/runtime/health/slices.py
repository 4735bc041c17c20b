"""Short slices: the daemon's threads are let in at once beside busy children, and do not keep a processor for long.

A thread that wakes up is let in before one that works only where its own slice is the shorter one (Linux 6.12 on,
EEVDF); else it waits for the clock's next tick, four milliseconds on many machines, once for each thread that an answer
needs. Older kernels, and other systems, leave all as it was.
"""

import ctypes
import os
import platform
import sys
from typing import Final

from faceswapd.ledger.connection import Ledger, Reads

NANOSECONDS: Final = 100_000  # the shortest that the kernel knows
_SET_ATTRIBUTES: Final = {"x86_64": 314, "aarch64": 274}  # sched_setattr, as asm/unistd.h has it
_RESET_ON_FORK: Final = 1  # what is started has the usual slices


class _Attributes(ctypes.Structure):
    """`struct sched_attr` of linux/sched/types.h, as sched_setattr(2) tells it."""

    _fields_ = (
        ("size", ctypes.c_uint32),
        ("policy", ctypes.c_uint32),
        ("flags", ctypes.c_uint64),
        ("nice", ctypes.c_int32),
        ("priority", ctypes.c_uint32),
        ("runtime", ctypes.c_uint64),
        ("deadline", ctypes.c_uint64),
        ("period", ctypes.c_uint64),
    )


async def shorten_all(ledger: Ledger) -> None:
    """Those of the calling thread, and of the one that reads the ledger: what an answer waits for."""

    async def there(_: Reads) -> None:
        shorten()

    shorten()
    await ledger.together(there)


def shorten() -> bool:
    """Give the calling thread short slices; threads and processes that it starts have the usual ones. False: the system
    does not do it, or somebody has chosen how this thread is scheduled."""
    call = _SET_ATTRIBUTES.get(platform.machine())
    if sys.platform != "linux" or call is None or os.sched_getscheduler(0) & ~os.SCHED_RESET_ON_FORK:
        return False
    wanted = _Attributes(
        size=ctypes.sizeof(_Attributes),
        policy=os.SCHED_OTHER,
        flags=_RESET_ON_FORK,
        nice=os.getpriority(os.PRIO_PROCESS, 0),
        runtime=NANOSECONDS,
    )
    return bool(ctypes.CDLL(None).syscall(call, 0, ctypes.byref(wanted), 0) == 0)
