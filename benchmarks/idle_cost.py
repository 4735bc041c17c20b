"""What a daemon costs that has nothing to do."""

import time

import psutil

from benchmarks.figure import Figure
from benchmarks.real_daemon import own_folder, running

QUIET_SECONDS = 5.0  # for what is done once at the start
SECONDS = 30.0


def measure() -> list[Figure]:
    """Memory and processor time of the daemon's own process; its children are told beside it."""
    with own_folder() as folder, running(folder) as daemon:
        process = psutil.Process(daemon.pid)
        time.sleep(QUIET_SECONDS)
        started, before = time.monotonic(), process.cpu_times()
        time.sleep(SECONDS)
        after, seconds = process.cpu_times(), time.monotonic() - started
        memory = process.memory_info().rss / 1e6
        children = [child.memory_info().rss / 1e6 for child in process.children(recursive=True)]
    use = 100 * (after.user + after.system - before.user - before.system) / seconds
    beside = f"{len(children)} children: {sum(children):.0f} MB" if children else "no children"
    return [
        Figure("idle daemon, resident memory", f"{memory:.0f} MB ({beside})", "< 80 MB", memory < 80),
        Figure(f"idle daemon, processor over {SECONDS:.0f} s", f"{use:.2f} % of a core", "< 0.5 %", use < 0.5),
    ]
