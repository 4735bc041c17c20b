"""A daemon that dies where a test wants it, and is started again."""

import contextlib
import os
import random
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from faceswapd.faults import VARIABLE
from tests.acceptance.rounds import Rounds, Want

REQUEUED_SECONDS = 5.0  # from a start to where everything waits again
AT_ONCE = 25  # kills between two audits


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

    def killed_at_random(self, kills: int) -> str:
        """Kill the daemon so often, with work in flight and while it starts; all must end well, and nothing be left
        anywhere. Returns the figures in a sentence."""
        rounds, chance = self.rounds, random.Random(4)
        own_temp = rounds.farm.folder / "tmp"
        own_temp.mkdir()
        self.environment |= {"FACESWAPD_ENGINE__SLOTS": "2", "TMPDIR": str(own_temp)}
        for kill in range(1, kills + 1):
            self._kill_once(chance.uniform(0, 1.5), starting=kill % 5 == 0, video=kill % 3 == 0)
            assert rounds.nobody_left(), f"kill {kill}: a child outlived the daemon"
            if kill % AT_ONCE == 0:
                self.again()
                assert rounds.drive([want for want in rounds.wants if not want.done] or rounds.wants[-8:])
                rounds.settled()
                rounds.farm.stop()
        self.again()
        rounds.settled()
        aside, cut_off = rounds.interrupted(), rounds.released()
        assert max(self.starts) < REQUEUED_SECONDS, f"{max(self.starts):.2f} s for a start"
        assert cut_off > kills / 10, "work was in flight"
        rounds.farm.stop()
        self._nothing_left(own_temp)
        return (
            f"{kills} kills: {len(rounds.wants)} targets, {cut_off} executions cut off, {aside} set aside after three "
            f"interruptions and retried, slowest start {max(self.starts):.2f} s"
        )

    def _kill_once(self, moment: float, *, starting: bool, video: bool) -> None:
        """So many seconds after it was started, or after it was ready."""
        rounds = self.rounds
        if sum(not want.done for want in rounds.wants) < 8:
            rounds.drop(video=video)
        if starting:
            process = rounds.farm.launch(**self.environment)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.communicate(timeout=moment)
            process.kill()
            process.communicate()
            return
        self.again()
        ends = time.monotonic() + moment
        while time.monotonic() < ends:
            rounds.step([want for want in rounds.wants if not want.done])
        rounds.farm.processes[-1].kill()
        rounds.farm.processes[-1].wait()

    def _nothing_left(self, own_temp: Path) -> None:
        """A daemon that has ended leaves its ledger and its log, and nothing in any temporary place."""
        state = self.rounds.farm.folder / "state"
        left = [path.relative_to(state) for path in state.rglob("*") if path.is_file()]
        known = ("ledger.sqlite3", "ledger.lock", "machine-boot", "faceswapd.log")
        assert [path for path in left if path.name not in known and path.parts[0] != "facefusion"] == []
        assert list(own_temp.iterdir()) == []
        scratch = Path(self.environment["FACESWAPD_SCRATCH"])
        assert list(scratch.parent.rglob("*")) == [scratch]


@contextmanager
def elsewhere() -> Iterator[Path]:
    """A folder on another file system than the tests' own, where there is one."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None) as folder:
        yield Path(folder)
