"""Memory, descriptors and threads of the daemon, and whether they grow."""

import contextlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import linear_regression, median

import psutil

from faceswapd.daemon import THREADS

MOST_GROWTH = 5.0  # per cent of the memory of a life that has warmed up
MOST_MORE = 4  # descriptors and threads, between medians: how many are open changes with what runs
OWN_THREADS = 12  # beside the pool for what blocks, which fills up by and by: of the ledger, the watches, the watchdog
LONG_LIFE = 600.0  # seconds; a shorter one is still warming up


@dataclass(frozen=True, slots=True)
class Sample:
    """One look at the daemon."""

    life: int
    age: float  # seconds
    memory: int  # bytes, resident
    descriptors: int
    threads: int


@dataclass(frozen=True, slots=True)
class Growth:
    """The longest life, from when it was warm to its end."""

    seconds: float
    memory: tuple[float, float]  # MB, warm and at the end
    descriptors: tuple[float, float]
    threads: tuple[float, float]
    slope: float  # MB for an hour, of a line through all from when it was warm

    @property
    def percent(self) -> float:
        return 100 * (self.memory[1] / self.memory[0] - 1)

    @property
    def long(self) -> bool:
        return self.seconds >= LONG_LIFE

    def complaints(self) -> list[str]:
        """What must not be, as sentences. A short life says nothing about its memory."""
        told = []
        if self.long and self.percent > MOST_GROWTH:
            told.append(f"The daemon's memory grew by {self.percent:.1f} % in {self.seconds:.0f} s.")
        for name, (warm, end) in (("descriptors", self.descriptors), ("threads", self.threads)):
            full = THREADS + OWN_THREADS if name == "threads" else 0
            if self.long and end > max(warm + MOST_MORE, full):
                told.append(f"The daemon's {name} grew from {warm:.0f} to {end:.0f} in {self.seconds:.0f} s.")
        return told


def sample(pid: int, life: int, age: float) -> Sample | None:
    """Look at a process; None when it is gone."""
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        with process.oneshot():
            return Sample(life, age, process.memory_info().rss, process.num_fds(), process.num_threads())
    return None


def growth(samples: Sequence[Sample]) -> Growth | None:
    """Of the longest life: from three tenths to a half of it against the last fifth. None: it was too short.

    Until then SQLite fills its caches (4 MB for each of two connections) with a ledger that begins empty."""
    lives: dict[int, list[Sample]] = defaultdict(list)
    for one in samples:
        lives[one.life].append(one)
    longest = max(lives.values(), key=lambda life: life[-1].age, default=[])
    end = longest[-1].age if longest else 0.0
    warm = [one for one in longest if 0.3 * end <= one.age <= 0.5 * end]
    last = [one for one in longest if one.age >= 0.8 * end]
    if len(warm) < 2 or len(last) < 2:
        return None
    line = [one for one in longest if one.age >= 0.3 * end]
    slope = linear_regression([one.age for one in line], [one.memory / 1e6 for one in line]).slope * 3600

    def both(what: str) -> tuple[float, float]:
        return median(getattr(one, what) for one in warm), median(getattr(one, what) for one in last)

    memory = both("memory")
    return Growth(end, (memory[0] / 1e6, memory[1] / 1e6), both("descriptors"), both("threads"), slope)
