"""What happens to machines, and is over again after some seconds."""

import contextlib
import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import psutil

from tests.soak.dice import Dice
from tests.soak.farm import Farm
from tests.soak.life import Lives
from tests.soak.skewed import set_clock

FAULTS = (
    "oom_cuda",
    "oom_python",
    "traceback",
    "killed",
    "segfault",
    "hang",
    "hang_pipe",
    "ignore_term",
    "exit0_nothing",
    "truncated_output",
    "disk_full_output",
    "disk_full_temp",
    "disk_full",
    "nsfw",
    "no_face",
    "nothing_swapped",
    "model_load",
    "rubbish",
    "rubbish_on_stdout",
    "dies_at_import",
    "provider_fallback",
    "memory_growth",
)
CLOCKS = (0.0, 7.0, -7.0, 90.0, -90.0, 3600.0, -3600.0, 2 * 86400.0, -2 * 86400.0)  # seconds that it is wrong
AFTERMATH = 15.0  # seconds after a full disk in which a daemon may still end because of it


@dataclass(slots=True)
class Damage:
    """All that is done to the daemon."""

    farm: Farm
    lives: Lives
    dice: Dice
    later: Callable[[float, Callable[[], None]], None]
    counts: Counter[str] = field(default_factory=Counter)
    excused: list[tuple[int, int]] = field(default_factory=list)  # what was said with a full disk: places on stderr
    _full_until: float = 0.0
    _fault: bool = False
    _model: bool = False

    def disk_is_full(self) -> bool:
        """Now, or a moment ago."""
        return time.monotonic() < self._full_until

    def restart(self) -> None:
        if self.lives.frozen:
            return
        how = self.dice.one(["drain", "drain", "two signals", "kill -9", "kill -9"])
        self.counts[f"stop: {how}"] += 1
        if how == "kill -9":
            self.lives.kill()
        else:
            self.lives.stop(insist=how == "two signals")

    def kill_child(self) -> None:
        family = self.lives.family()
        if family:
            with contextlib.suppress(psutil.Error):
                self.dice.one(sorted(family, key=lambda one: one.pid)).kill()
                self.counts["kill -9 of a child"] += 1

    def fault(self) -> None:
        """The engine misbehaves for some seconds. It reads its wishes when it starts."""
        if self._fault:
            return
        self._fault = True
        self.farm.wish(self.dice.one(FAULTS))
        self._restart_engine()
        self.counts["fault of the engine"] += 1
        self.later(self.dice.between(2, 8), self.mend)

    def mend(self) -> None:
        self.farm.wish(None)
        self._restart_engine()
        self._fault = False

    def _restart_engine(self) -> None:
        for one in self.lives.family():
            with contextlib.suppress(psutil.Error):
                said = " ".join(one.cmdline())
                if "driver.py" in said or str(self.farm.root) in said:
                    one.kill()

    def model(self) -> None:
        """A model file is away for some seconds."""
        path = self.farm.root / ".assets" / "models" / "arcface_w600k_r50.onnx"
        if self._model:
            return
        self._model = True
        away = path.with_suffix(".away")
        path.rename(away)
        self._restart_engine()
        self.counts["model away"] += 1

        def back() -> None:
            away.rename(path)
            self._model = False

        self.later(self.dice.between(2, 8), back)

    def full_disk(self) -> None:
        """The disk is full to the last byte, or so full that nothing new should start."""
        if not self.farm.small_disk or self.disk_is_full():
            return
        wholly = self.dice.chance(0.5)
        seconds = self.dice.between(2, 8)
        self._full_until = time.monotonic() + seconds + AFTERMATH
        began = self.farm.errors.stat().st_size
        self.later(seconds + AFTERMATH, lambda: self.excused.append((began, self.farm.errors.stat().st_size)))
        filler = self.farm.aside / "filler"
        self.later(seconds, lambda: filler.unlink(missing_ok=True))
        with filler.open("wb", buffering=0) as file:
            free = os.statvfs(self.farm.folder)
            left = 0 if wholly else 12 << 20
            with contextlib.suppress(OSError):
                os.posix_fallocate(file.fileno(), 0, max(1, free.f_bavail * free.f_frsize - left))
            if wholly:  # what was given back meanwhile
                with contextlib.suppress(OSError):
                    file.seek(0, os.SEEK_END)
                    while file.write(b"\0" * 4096):
                        pass
        self.counts["disk full" if wholly else "disk nearly full"] += 1

    def jump(self) -> None:
        set_clock(self.farm.clock, self.dice.one(CLOCKS))
        self.counts["clock jump"] += 1

    def suspend(self) -> None:
        """The machine sleeps: all stand still, and find another time when they go on."""
        if not self.lives.answers or self.lives.process is None:
            return
        stopped = [psutil.Process(self.lives.process.pid), *self.lives.family()]
        seconds = self.dice.between(1, 6)
        for one in stopped:
            with contextlib.suppress(psutil.Error):
                one.send_signal(signal.SIGSTOP)
        self.lives.frozen = True
        self.counts["suspend"] += 1

        def resume() -> None:
            set_clock(self.farm.clock, self.dice.one(CLOCKS))
            for one in stopped:
                with contextlib.suppress(psutil.Error):
                    one.send_signal(signal.SIGCONT)
            self.lives.frozen = False

        self.later(seconds, resume)
