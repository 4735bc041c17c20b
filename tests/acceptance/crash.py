"""A daemon that dies where a test wants it, and is started again."""

import os
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from faceswapd.faults import VARIABLE
from tests.acceptance.rounds import Rounds, Want


@dataclass
class Crash:
    """One farm whose daemon dies again and again."""

    rounds: Rounds
    environment: dict[str, str] = field(default_factory=dict)
    starts: list[float] = field(default_factory=list)  # seconds from each start to where everything waits again

    def at(self, point: str, *, video: bool = True) -> None:
        """Let the daemon die at a point while a round is under way; start it again; all must end well."""
        wants = self.rounds.drop(video=video)
        self.start(point)
        assert not self.rounds.drive(wants), f"{point} was never reached"
        self.recovers(point, wants)

    def start(self, point: str | None = None, **environment: str) -> None:
        armed = {} if point is None else {VARIABLE: point}
        self.rounds.farm.start(**{**self.environment, **environment, **armed})

    def died(self, point: str) -> None:
        """It died by itself, and its children with it."""
        assert self.rounds.farm.processes[-1].wait(30) == -signal.SIGKILL, point
        assert self.rounds.nobody_left(), f"{point}: a child outlived the daemon"

    def recovers(self, point: str, wants: list[Want], between: Callable[[], None] = lambda: None) -> None:
        """It is dead, is started again, and all comes to its end."""
        self.died(point)
        between()
        self.again()
        assert self.rounds.drive(wants)
        self.rounds.settled()

    def again(self) -> None:
        started = time.monotonic()
        self.start()
        self.starts.append(time.monotonic() - started)
        assert self.rounds.farm.processes[-1].poll() is None


@contextmanager
def elsewhere() -> Iterator[Path]:
    """A folder on another file system than the tests' own, where there is one."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None) as folder:
        yield Path(folder)
