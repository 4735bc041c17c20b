"""systemd's readiness protocol: READY, STATUS, WATCHDOG, STOPPING, as datagrams to NOTIFY_SOCKET."""

import asyncio
import contextlib
import os
import socket
from collections.abc import Callable

from faceswapd.runtime.health import beats as beating
from faceswapd.runtime.health.beats import Beats

LOOK_SECONDS = 1.0  # between two looks at the beats


def tell(*lines: str) -> None:
    """Tell the service manager. Harmless without one."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    # Nobody to tell is no reason to stop: the manager ends us itself if it misses us.
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as datagrams:
        datagrams.connect(address)
        datagrams.sendall("\n".join(lines).encode())


def watchdog_seconds() -> float | None:
    """How often the service manager wants to hear from us; None when it does not."""
    microseconds = os.environ.get("WATCHDOG_USEC")
    if not microseconds or os.environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    return int(microseconds) / 1e6


class LoopSilentError(Exception):
    """A loop has stopped beating: the daemon ends, and the service manager starts it again."""


async def watch(
    beats: Beats,
    status: Callable[[], str],
    excused: Callable[[], bool] = lambda: False,
    looked: Callable[[], None] = lambda: None,
) -> None:
    """Pass the loops' beats on to the service manager. Raises LoopSilentError when one has stopped. Time that is
    `excused` does not count: whoever waits for a slow disk is not stuck. `looked` hears of every look."""
    seconds = watchdog_seconds()
    every = min(LOOK_SECONDS, seconds / 3) if seconds else LOOK_SECONDS
    while True:
        looked()
        beats.look(counts=not excused())
        silent = beats.silent(beating.SILENT_SECONDS)
        if silent:
            raise LoopSilentError(f"stuck: {', '.join(silent)}")
        tell("WATCHDOG=1", f"STATUS={status()}")
        await asyncio.sleep(every)
