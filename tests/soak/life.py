"""The daemon as a process: started again whenever it ends, as a service manager does it."""

import contextlib
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import psutil

from faceswapd.control.wire import messages
from faceswapd.ctl.client import Problem
from tests.soak.farm import Farm

AGAIN_SECONDS = 1.0  # before the next start, as a service manager waits
READY_SECONDS = 60.0
GONE_SECONDS = 10.0  # in which what a killed daemon leaves has ended
ANSWER_SECONDS = 30.0


@dataclass(slots=True)
class Lives:
    """One life after the other. `told` takes what must not be, as sentences."""

    farm: Farm
    told: list[str]
    counts: Counter[str] = field(default_factory=Counter)
    process: subprocess.Popen[bytes] | None = None
    number: int = 0
    started: float = 0.0  # on the steady clock
    ready: bool = False  # it has answered since its start
    frozen: bool = False
    excused: Callable[[], bool] = lambda: False  # whether the daemon may end by itself now
    _again_at: float = 0.0
    _leaving: list[tuple[float, list[psutil.Process]]] = field(default_factory=list)

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    @property
    def answers(self) -> bool:
        """Whether it can be asked now."""
        return self.alive and self.ready and not self.frozen

    def keep(self) -> None:
        """Start it when it is not there and its time has come; look whether the dead have left children."""
        self.keep_watch()
        if self.alive:
            if not self.ready and not self.frozen:
                self._look_whether_ready()
            return
        now = time.monotonic()
        if self.process is not None:
            self._ended(self.process.returncode)
            self.process, self._again_at = None, now + AGAIN_SECONDS
        if now >= self._again_at:
            self.start()

    def start(self) -> None:
        """Start it. `keep` finds out when it answers."""
        with self.farm.errors.open("ab") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.soak.skewed", "run", "--config", str(self.farm.config)],
                stdout=errors,
                stderr=errors,
                env=self.farm.environment(),
            )
        self.number += 1
        self.started, self.ready = time.monotonic(), False

    def _look_whether_ready(self) -> None:
        if isinstance(self.farm.client.get(messages.Jobs, "/api/jobs?limit=1", 1.0), messages.Jobs):
            self.ready = True
        elif time.monotonic() > self.started + READY_SECONDS:
            self.told.append(f"Life {self.number} did not answer within {READY_SECONDS:.0f} s of its start.")
            self.kill()

    def kill(self) -> None:
        """As the system does it. What it started must end by itself."""
        if self.process is None:
            return
        family = self.family()
        self.process.kill()
        self.process.wait()
        self._leaving.append((time.monotonic() + GONE_SECONDS, family))
        self.process, self._again_at = None, time.monotonic()

    def stop(self, *, insist: bool, seconds: float = 90.0) -> None:
        """By signal; with a second one where it is to stop at once."""
        if self.process is None:
            return
        family = self.family()
        self.process.send_signal(signal.SIGTERM)
        if insist:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(0.3)
            self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.told.append(f"Life {self.number} had not stopped {seconds:.0f} s after SIGTERM.")
            self.kill()
            return
        early = code == -signal.SIGTERM and not self.ready  # it had not begun to listen to signals
        if code and not early and not self.excused():
            self.told.append(f"Life {self.number} ended with exit code {code} when it was asked to stop.")
        self._leaving.append((time.monotonic() + 1.0, family))
        self.process, self._again_at = None, time.monotonic()

    def family(self) -> list[psutil.Process]:
        """All that it has started."""
        with contextlib.suppress(psutil.Error):
            if self.process is not None:
                return list(psutil.Process(self.process.pid).children(recursive=True))
        return []

    def left(self) -> list[str]:
        """All processes that belong to this farm, whoever their parent is by now."""
        mark = str(self.farm.folder / "run")
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if process.environ().get("XDG_RUNTIME_DIR") == mark:
                    found.append(f"{process.pid} {' '.join(process.cmdline())[:120]}")
        return found

    def status(self) -> messages.Status | None:
        """What the daemon says of itself; None, with a word about it, when it says nothing in time."""
        if not self.answers:
            return None
        answer = self.farm.client.get(messages.Status, "/api/status", ANSWER_SECONDS)
        if isinstance(answer, messages.Status):
            return answer
        self.unanswered(answer, "/api/status")
        return None

    def unanswered(self, problem: Problem, what: str) -> None:
        """A question without an answer is a fault, unless the daemon has ended or may have."""
        if self.alive and not self.frozen and not self.excused():
            self.told.append(f"{what} was not answered: {problem.sentence}")

    def _ended(self, code: int) -> None:
        self.counts["ended by itself"] += 1
        if not self.excused():
            self.told.append(f"Life {self.number} ended by itself with exit code {code}.")
        elif code == 78:
            self.told.append(f"Life {self.number} said that starting again would not help, when the disk was full.")

    def keep_watch(self) -> None:
        """Look whether the dead have left children."""
        now = time.monotonic()
        for due, family in [one for one in self._leaving if one[0] <= now]:
            self._leaving.remove((due, family))
            for process in family:
                if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                    self.told.append(f"Process {process.pid} outlived its daemon: {' '.join(process.cmdline())[:120]}.")
                    process.kill()
