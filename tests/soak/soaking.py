"""One soak: everything at random for some time, then everything is mended, and the books are closed."""

import heapq
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tests.soak.balance import Balance, Books
from tests.soak.book import Book
from tests.soak.damage import Damage
from tests.soak.dice import Dice, Habit
from tests.soak.drops import Drops
from tests.soak.farm import INBOXES, Farm
from tests.soak.life import Lives
from tests.soak.orders import Orders
from tests.soak.readings import Growth, Sample, growth, sample

TICK_SECONDS = 0.1
TOLD_SECONDS = 60.0  # between two lines of progress
SAMPLE_SECONDS = 2.0
STORM = 0.4  # the part of the time in which the daemon is stopped and killed: after it comes one long life
MOST_WAITING = 60  # jobs; more are not dropped until there are fewer
END_SECONDS = 300.0  # in which all that is left ends
PATIENCE = 14.0  # seconds for which the daemon waits for the rest of a file that never becomes whole, and a few
RETRIED = 0.5  # the part of what has failed that is asked for again when all is mended


@dataclass(frozen=True, slots=True)
class Report:
    """What happened, and what must not have."""

    seed: int
    seconds: float
    lives: int
    drops: Counter[str]
    orders: Counter[str]
    damage: Counter[str]
    balance: Balance
    growth: Growth | None
    retried: int  # when all was mended
    log_bytes: int
    told: list[str]
    skipped: list[str]  # what this machine could not do


@dataclass(slots=True)
class Soaking:
    """All that takes part."""

    farm: Farm
    seed: int
    dice: Dice
    say: Callable[[str], None]
    told: list[str] = field(default_factory=list)
    book: Book = field(default_factory=Book)
    samples: list[Sample] = field(default_factory=list)
    _later: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    _number: int = 0
    _shown: int = 0  # complaints that were printed

    def run(self, seconds: float, storm: float = STORM) -> Report:
        """Soak for so long, mend, close the books."""
        started = time.monotonic()
        lives = Lives(self.farm, self.told)
        drops = Drops(self.farm, self.book, self.dice)
        orders = Orders(lives, self.book, self.dice, drops, self.later)
        damage = Damage(self.farm, lives, self.dice, self.later)
        lives.excused = damage.disk_is_full
        try:
            lives.start()
            self._until_it_answers(lives)
            self._storm(seconds, storm * seconds, lives, drops, orders, damage)
            retried = self._mend(lives, drops, orders, damage)
            self._stop(lives)
        finally:
            lives.kill()
        balance = Books(self.farm, self.book).close()
        measured = growth(self.samples)
        self.told += balance.told + ([] if measured is None else measured.complaints()) + self._said(damage.excused)
        logs = sum(path.stat().st_size for path in (self.farm.folder / "state" / "logs").glob("*"))
        if logs > 40 << 20:
            self.told.append(f"The logs hold {logs} bytes.")
        skipped = [] if self.farm.small_disk else ["full disks: no small disk can be mounted here (that needs root)"]
        return Report(
            self.seed,
            time.monotonic() - started,
            lives.number,
            drops.counts,
            orders.counts,
            damage.counts + lives.counts,
            balance,
            measured,
            retried,
            logs,
            self.told,
            skipped,
        )

    def later(self, seconds: float, act: Callable[[], None]) -> None:
        """Do something after some seconds."""
        self._number += 1
        heapq.heappush(self._later, (time.monotonic() + seconds, self._number, act))

    def _storm(self, seconds: float, storm: float, lives: Lives, drops: Drops, orders: Orders, damage: Damage) -> None:
        squeeze = max(0.15, min(1.0, seconds / 240))  # a short soak does all of it, too
        habits = [
            Habit("drop", 0.6, drops.drop),
            Habit("rename", 15, drops.rename),
            Habit("cancel", 6, orders.cancel),
            Habit("retry", 6, orders.retry),
            Habit("assign", 8, orders.assign),
            Habit("pause", 40, orders.pause),
            Habit("replace a running target", 15, orders.replace_running),
            Habit("remove a queued target", 15, orders.remove_queued),
            Habit("tidy", 20, orders.tidy),
            Habit("look", 3, orders.look),
            Habit("restart", 25, damage.restart, stormy=True),
            Habit("kill a child", 15, damage.kill_child),
            Habit("fault", 20, damage.fault),
            Habit("model", 70, damage.model),
            Habit("full disk", 40, damage.full_disk, stormy=True),
            Habit("jump", 20, damage.jump),
            Habit("suspend", 40, damage.suspend),
        ]
        began = now = time.monotonic()
        for habit in habits:
            habit.due = began + self.dice.wait(habit.mean * squeeze)
        told_at, sampled_at = began + TOLD_SECONDS, began
        crowded = False
        while (now := time.monotonic()) < began + seconds:
            stormy = now < began + storm
            drops.unfinished = now < began + seconds - PATIENCE
            self._due(now)
            lives.keep()
            drops.write_on()
            if now >= sampled_at:
                sampled_at = now + SAMPLE_SECONDS
                self._sample(lives)
                status = lives.status()
                crowded = status is not None and status.counts["queued"] > MOST_WAITING
            for habit in habits:
                if now >= habit.due and (stormy or not habit.stormy):
                    habit.due = time.monotonic() + self.dice.wait(habit.mean * squeeze)
                    if not (crowded and habit.name == "drop"):
                        self._try(habit.act, damage)
            if now >= told_at:
                told_at += TOLD_SECONDS
                self._progress(now - began, lives)
            time.sleep(TICK_SECONDS)

    def _try(self, act: Callable[[], None], damage: Damage) -> None:
        """What people do fails, too, where the disk is full."""
        try:
            act()
        except OSError:
            if not damage.disk_is_full():
                raise

    def _mend(self, lives: Lives, drops: Drops, orders: Orders, damage: Damage) -> int:
        """All is well again, and everything ends. Returns how many failed jobs were asked for again."""
        while self._later:
            self._due(float("inf"))
        damage.mend()
        self._until_it_answers(lives)
        drops.write_on(all_of_it=True)
        for inbox in (None, *INBOXES):
            orders.resume(inbox)
        self._wait(lives, "all that was dropped has ended")
        failed = [job for job in orders.jobs("failed") if self.dice.chance(RETRIED)]
        for job in failed:
            orders.retry_job(job.id)
        if failed:
            self._wait(lives, "all that was asked for again has ended")
        return len(failed)

    def _until_it_answers(self, lives: Lives) -> None:
        while not lives.answers:
            lives.keep()
            time.sleep(TICK_SECONDS)

    def _wait(self, lives: Lives, what: str) -> None:
        ends = time.monotonic() + END_SECONDS
        quiet = 0
        while time.monotonic() < ends:
            self._due(time.monotonic())
            lives.keep()
            status = lives.status()
            busy = status is None or status.arriving or status.counts["queued"] or status.counts["running"]
            quiet = 0 if busy else quiet + 1
            if quiet >= 15:  # longer than a file settles
                return
            time.sleep(TICK_SECONDS)
        self.told.append(f"It did not come about in {END_SECONDS:.0f} s that {what}: {lives.status()}")

    def _stop(self, lives: Lives) -> None:
        lives.stop(insist=False)
        time.sleep(1.5)
        lives.keep_watch()
        self.told += [f"left: {one}" for one in lives.left()]

    def _due(self, now: float) -> None:
        while self._later and self._later[0][0] <= now:
            heapq.heappop(self._later)[2]()

    def _sample(self, lives: Lives) -> None:
        if lives.answers and lives.process is not None:
            found = sample(lives.process.pid, lives.number, time.monotonic() - lives.started)
            if found is not None:
                self.samples.append(found)

    def _progress(self, seconds: float, lives: Lives) -> None:
        status = lives.status()
        counts = "the daemon is away" if status is None else ", ".join(f"{v} {k}" for k, v in status.counts.items())
        memory = f"{self.samples[-1].memory / 1e6:.0f} MB" if self.samples else "?"
        self.say(f"{seconds:5.0f} s: {len(self.book)} dropped; {counts}; life {lives.number}, {memory}")
        for complaint in self.told[self._shown :]:
            self.say(f"WRONG: {complaint}")
        self._shown = len(self.told)

    def _said(self, spans: Sequence[tuple[int, int]]) -> list[str]:
        """What no daemon should say; with a full disk it may say why it ends."""
        said = self.farm.errors.read_bytes()
        for begin, end in reversed(spans):
            said = said[:begin] + said[end:]
        count = Counter({mark: said.count(mark.encode()) for mark in ("Traceback", "an error of faceswapd itself")})
        return [f"The daemon's log says {number} times {mark!r}: see daemon.txt." for mark, number in (+count).items()]
