"""How much memory a child and all that it started held at most, where no control group counts it."""

import contextlib
from pathlib import Path

import psutil

RESET_PEAK = "5"  # what Linux takes in clear_refs: the peak is what is held now


def begin_peak(pid: int) -> None:
    """Measure the peak from here on, where the system can."""
    with contextlib.suppress(OSError):
        Path(f"/proc/{pid}/clear_refs").write_text(RESET_PEAK, encoding="ascii")


def peak(pid: int) -> int | None:
    """Bytes: the peaks of all that live now, added up. None where nothing can be told."""
    try:
        leader = psutil.Process(pid)
        family = [leader, *leader.children(recursive=True)]
    except psutil.Error:
        return None
    told = [held for one in family if (held := _peak(one)) is not None]
    return sum(told) if told else None


def _peak(process: psutil.Process) -> int | None:
    try:
        lines = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8", errors="replace").splitlines()
        return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")), None)
    except OSError:  # no /proc: what it holds now is the best that is known
        with contextlib.suppress(psutil.Error):
            return int(process.memory_info().rss)
    return None
