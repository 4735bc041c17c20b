"""Random days of a real ledger, held against a book that is the table of states and little else.

Some writes are broken off in the middle, and some days the daemon is killed: what was written then is what counts.
"""

import asyncio
import contextlib
import shutil
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from faceswapd.core.failures import FINAL, Failure
from faceswapd.core.job import TRANSITIONS, Event, IllegalTransition, State
from faceswapd.core.retry import GiveUp, TryAgain
from faceswapd.ledger import admission, claims, outcomes, reports, standing, submission
from faceswapd.ledger.admission import Place
from faceswapd.ledger.connection import Ledger
from faceswapd.ledger.outcomes import Assignment, Ran
from tests.ledger.arrivals import RUNNER
from tests.ledger.book import RESULT, Book, Drop, cancel, claim, end, release, requeue
from tests.ledger.drops import DROPS, OFFERS, arrived

DIED = Failure("child_died", "The engine's child ended.")
DECLINED = Failure(min(FINAL), "It was declined.")
MOVES = {(source, one.destination) for one in TRANSITIONS.values() for source in one.sources}
MEMORY = Path("/dev/shm")  # a disk whose fsync costs nothing
FEW, MANY = 25, 10_000


class Days(RuleBasedStateMachine):
    """Each rule does one thing to the ledger and the same to the book."""

    fresh: Path  # a ledger without jobs
    days = 0
    moves: ClassVar[Counter[tuple[State, State]]] = Counter()  # that were seen
    broken = 0  # writes that were broken off

    def __init__(self) -> None:
        super().__init__()
        type(self).days += 1
        self.loop = asyncio.new_event_loop()
        self.folder = tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None)
        self.lives = 0
        self.book = Book()
        self.old: list[Ran] = []  # every execution there ever was
        self.states: dict[int, State] = {}  # before the last step
        self.events: list[tuple[Any, ...]] = []
        self.fuse: int | None = None  # after how many of SQLite's steps the next write breaks off
        self.now = 0.0
        self.live(self.fresh)

    def live(self, before: Path) -> None:
        """A life of the daemon, on what the one before left."""
        self.lives += 1
        folder = Path(self.folder.name) / f"life-{self.lives}"
        shutil.copytree(before, folder)
        self.ledger = self.do(Ledger.open(folder / "ledger.sqlite3"))
        self.do(standing.begin(self.ledger, f"boot-{self.lives}", 1))
        self.reader = sqlite3.connect(self.ledger.path, isolation_level=None)

    def close(self) -> Path:
        self.reader.close()
        self.do(self.ledger.close())
        return Path(self.ledger.path.parent)

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(work)

    def teardown(self) -> None:
        rows = self.rows("SELECT id, at, job, kind, text FROM events ORDER BY id")
        self.close()  # before anything is judged: its threads would keep the tests from ending
        self.loop.close()
        self.folder.cleanup()
        assert rows[: len(self.events)] == self.events, "what was said once is said for good"

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self.reader.execute(sql).fetchall()

    def any_job(self, data: st.DataObject) -> int:
        return data.draw(st.sampled_from(sorted(self.book.jobs) or [1]))

    @contextlib.contextmanager
    def breaking(self) -> Iterator[None]:
        """Where a fuse burns, the write in here is broken off after so many steps."""
        left, self.fuse = self.fuse, None
        if left is None:
            yield
            return

        def burn() -> int:
            nonlocal left
            assert left is not None
            left -= 1
            type(self).broken += left == -1
            return left == -1  # once

        def hear(statement: str) -> None:
            nonlocal left
            if statement == "ROLLBACK":  # what takes it all back is not broken off as well
                left = 1 << 60

        self.do(self.ledger._writer.unit(lambda connection: _listening(connection, burn, hear)))
        try:
            yield
        finally:
            self.do(self.ledger._writer.unit(lambda connection: _listening(connection, None, None)))

    def move(self, work: Coroutine[Any, Any, Any], *, allowed: bool, what: Event) -> bool:
        """Do it. The ledger must refuse exactly what the table does; False where nothing may have happened."""
        try:
            with self.breaking():
                self.do(work)
        except IllegalTransition:
            assert not allowed, f"{what} was refused"
            return False
        except sqlite3.OperationalError as error:
            if str(error) != "interrupted":
                raise
            return False
        assert allowed, f"{what} was carried out"
        return True

    # What comes in

    @rule(drops=st.lists(DROPS, min_size=1, max_size=3, unique_by=lambda drop: drop.target))
    def drop(self, drops: list[Drop]) -> None:
        with self.breaking(), contextlib.suppress(sqlite3.OperationalError):
            answers = self.do(admission.admit(self.ledger, [arrived(drop) for drop in drops], self.now))
            answers = [replace(answer, freed=tuple(sorted(answer.freed))) for answer in answers]
            assert answers == [self.book.admit(drop) for drop in drops]

    @rule(offers=st.lists(OFFERS, min_size=1, max_size=3))
    def submit(self, offers: list[Drop]) -> None:
        with self.breaking(), contextlib.suppress(sqlite3.OperationalError):
            answers = self.do(submission.submit(self.ledger, [arrived(offer) for offer in offers], self.now))
            assert answers == [self.book.submit(offer, self.now) for offer in offers]

    @rule(data=st.data())
    def the_target_of_a_running_job_is_gone_and_a_copy_is_there(self, data: st.DataObject) -> None:
        running = [number for number, one in self.book.jobs.items() if one.state is State.RUNNING]
        if not running:
            return
        job = data.draw(st.sampled_from(running))
        record = self.do(reports.job(self.ledger, job))
        assert record is not None
        there = {copy.target for copy in self.do(submission.copies(self.ledger, record))}
        assert there == self.book.copies(job)
        if there:
            target = data.draw(st.sampled_from(sorted(there)))
            place = Place(target, target.rpartition("/")[2], "main" if target.startswith("/in/") else "")
            self.do(submission.go_over(self.ledger, job, place, self.now))
            one = self.book.jobs[job]
            one.target, one.inbox = place.target, place.inbox

    @rule(gone=st.lists(st.sampled_from([f"/in/{name}.mp4" for name in "abcde"]), min_size=1, max_size=2))
    def forget(self, gone: list[str]) -> None:
        with self.breaking(), contextlib.suppress(sqlite3.OperationalError):
            self.do(admission.forget(self.ledger, gone, self.now, "It is gone."))
            for target in gone:
                self.book.forget(target)

    @rule(data=st.data(), face=st.sampled_from(["alice", "bob"]), preset=st.sampled_from(["balanced", "best"]))
    def assign(self, data: st.DataObject, face: str, preset: str) -> None:
        job = self.any_job(data)
        work = outcomes.assign(self.ledger, job, Assignment(face, "by hand", preset), self.now)
        if self.move(work, allowed=self.book.can_be_assigned(job), what=Event.ASSIGN):
            self.book.assign(job, face, preset)

    # What runs

    @rule(racers=st.integers(1, 3), data=st.data())
    def claim(self, racers: int, data: st.DataObject) -> None:
        queue = self.do(claims.queue(self.ledger, [one for one in self.book.paused if one], 100))
        assert [one.job for one in queue.ready] == self.book.ready()
        job = data.draw(st.sampled_from([*(self.book.ready()[:1] * 3), self.any_job(data)]))
        one = self.book.jobs.get(job)
        segment = self.segment(job)

        async def race() -> list[Any]:
            works = (claims.claim(self.ledger, segment, RUNNER, self.now) for _ in range(racers))
            return await asyncio.gather(*works, return_exceptions=True)

        with self.breaking():
            answers = self.do(race())
        won = [answer for answer in answers if isinstance(answer, claims.Claim)]
        broken = any(isinstance(answer, sqlite3.OperationalError) for answer in answers)
        assert len(won) == (one is not None and one.allows(Event.CLAIM)) or (broken and not won)
        if won and one is not None:
            claim(one, won[0].execution)
            self.old.append(Ran(won[0].execution, segment, job))

    def segment(self, job: int) -> int:
        return int((self.rows(f"SELECT id FROM segments WHERE job = {job}") or [(0,)])[0][0])

    @rule(data=st.data(), how=st.sampled_from(["succeed", "fail", "decline", "retry", "stop", "crash", "cancel"]))
    def end(self, data: st.DataObject, how: str) -> None:
        if not self.old:
            return
        current = [ran for ran in self.old if self.book.jobs[ran.job].execution == ran.execution]
        self.finish(data.draw(st.sampled_from(current * 3 + self.old)), how)

    def finish(self, ran: Ran, how: str) -> None:
        one, ledger, now = self.book.jobs[ran.job], self.ledger, self.now
        current = one.execution == ran.execution
        kept = one.interruptions
        failure = DECLINED if how == "decline" else DIED
        match how:
            case "succeed":
                work, event = outcomes.succeed(ledger, ran, RESULT, f"result {ran.job}", now), Event.SUCCEED
            case "fail" | "decline":
                work, event = outcomes.failed(ledger, ran, failure, GiveUp(failure), now), Event.FAIL
            case "retry":
                work = outcomes.failed(ledger, ran, DIED, TryAgain(10, spends_attempt=False), now)
                event = Event.CANCEL if one.asked else Event.RETRY
            case "cancel":
                work, event = outcomes.cancelled(ledger, ran, now), Event.CANCEL
            case _:
                work = outcomes.released(ledger, ran, now, crashed=how == "crash")
                event = release(one, crashed=how == "crash")
        if not self.move(work, allowed=current and one.allows(event), what=event):
            one.interruptions = kept
            return
        end(one, event)
        match event:
            case Event.SUCCEED:
                one.result = f"result {ran.job}"
            case Event.FAIL:
                one.category = "interrupted" if how == "crash" else failure.category
            case Event.RETRY | Event.RELEASE:
                one.category = DIED.category if event is Event.RETRY else None
                one.attempt -= 1
                one.not_before = now + 10 if event is Event.RETRY else None

    @rule(data=st.data(), fraction=st.floats(0, 1))
    def progress(self, data: st.DataObject, fraction: float) -> None:
        job = self.any_job(data)
        self.do(outcomes.progress(self.ledger, self.segment(job), fraction, "swap"))
        one = self.book.jobs.get(job)
        if one is not None and one.execution is not None:
            self.do(outcomes.child_known(self.ledger, one.execution, 77, self.now))
            self.do(outcomes.publishing(self.ledger, one.execution, RESULT, f"result {job}"))
            assert f"result {job}" in {left.publishing_content for left in self.do(claims.leftovers(self.ledger))}

    # What people ask

    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        job = self.any_job(data)
        one = self.book.jobs.get(job)
        work = outcomes.request_cancel(self.ledger, job, self.now)
        if self.move(work, allowed=one is not None and one.allows(Event.CANCEL), what=Event.CANCEL) and one:
            cancel(one)

    @rule(data=st.data())
    def requeue(self, data: st.DataObject) -> None:
        job = self.any_job(data)
        one = self.book.jobs.get(job)
        allowed = one is not None and one.allows(Event.REQUEUE) and one.key is not None and not one.final
        if self.move(outcomes.requeue(self.ledger, job, self.now), allowed=allowed, what=Event.REQUEUE) and one:
            assert requeue(one)

    @rule(category=st.sampled_from([None, DIED.category, DECLINED.category]))
    def requeue_all(self, category: str | None) -> None:
        failed = {
            number: one
            for number, one in sorted(self.book.jobs.items())
            if one.state is State.FAILED and category in (None, one.category)
        }
        done = self.do(outcomes.requeue_failed(self.ledger, category, self.now))
        assert done.final == tuple(number for number, one in failed.items() if one.final)
        again = tuple((number, one.target.rpartition("/")[2]) for number, one in failed.items() if requeue(one))
        assert tuple((one.job, one.relative) for one in done.jobs) == again

    @rule(inbox=st.sampled_from([None, "main", "rush"]), on=st.booleans())
    def pause(self, inbox: str | None, on: bool) -> None:  # noqa: FBT001
        self.do((standing.pause if on else standing.resume)(self.ledger, inbox, self.now))
        (self.book.paused.add if on else self.book.paused.discard)(inbox)

    # Time and mischief

    @rule(seconds=st.sampled_from([1, 10, 100]))
    def time_passes(self, seconds: int) -> None:
        self.now += seconds
        self.do(claims.wake_due(self.ledger, self.now))
        for one in self.book.jobs.values():
            if one.state is State.QUEUED and one.not_before is not None and one.not_before <= self.now:
                one.not_before = None

    @rule(seconds=st.sampled_from([1, 10]))
    def the_clock_was_ahead(self, seconds: int) -> None:
        self.do(claims.wake_overdue(self.ledger, self.now + seconds))
        for one in self.book.jobs.values():
            late = one.not_before is not None and one.not_before > self.now + seconds
            if one.state is State.QUEUED and late and one.category is not None:
                one.not_before = None

    @rule(steps=st.integers(0, 60))
    def the_next_write_breaks_off(self, steps: int) -> None:
        self.fuse = steps

    @rule()
    def stops_and_starts(self) -> None:
        self.fuse = None
        for left in self.do(claims.leftovers(self.ledger)):
            self.finish(Ran(left.execution, left.segment, left.job), "stop")
        self.live(self.close())

    @rule(rewritten=st.booleans())
    def is_killed_in_the_middle_of_a_write(self, rewritten: bool) -> None:  # noqa: FBT001
        """The files as they are while a write goes on are those that a killed daemon leaves."""
        self.fuse = None
        folder = Path(self.folder.name) / f"killed-{self.lives}"

        def unit(connection: sqlite3.Connection) -> None:
            connection.execute("UPDATE jobs SET state = 'cancelled', parked = NULL, reason = 'never'")
            if rewritten:
                connection.execute("DELETE FROM sightings")
            shutil.copytree(self.ledger.path.parent, folder)
            raise InterruptedError

        with pytest.raises(InterruptedError):
            self.do(self.ledger.write(unit))
        self.close()
        self.live(folder)
        for left in self.do(claims.leftovers(self.ledger)):
            self.finish(Ran(left.execution, left.segment, left.job), "crash")

    # What always holds

    @invariant()
    def the_ledger_says_what_the_book_says(self) -> None:
        rows = self.rows(
            """SELECT jobs.id, jobs.state, segments.state, CAST(target AS TEXT), jobs.inbox, segments.inbox,
                      jobs.priority, segments.priority, preset, content, face, attempt, interruptions, not_before,
                      cancel_requested_at IS NOT NULL AND jobs.state = 'running', output_content, category,
                      (SELECT id FROM executions WHERE segment = segments.id AND finished_at IS NULL)
               FROM jobs JOIN segments ON segments.job = jobs.id ORDER BY jobs.id"""
        )
        assert rows == [
            (
                *(number, one.state, one.state, one.target, one.inbox, one.inbox, one.priority, one.priority),
                *(one.preset, one.content, one.face, one.attempt, one.interruptions, one.not_before),
                *(one.asked and one.state is State.RUNNING, one.result, one.category, one.execution),
            )
            for number, one in sorted(self.book.jobs.items())
        ]

    @invariant()
    def nothing_moves_but_by_the_table(self) -> None:
        after = {number: one.state for number, one in self.book.jobs.items()}
        for number, state in self.states.items():
            if after[number] is not state:
                assert (state, after[number]) in MOVES
                self.moves[state, after[number]] += 1
        self.states = after

    @invariant()
    def the_counts_are_true(self) -> None:
        rows = self.rows("SELECT state, preset, sum(jobs) FROM job_counts GROUP BY state, preset HAVING sum(jobs)")
        assert {(state, preset): jobs for state, preset, jobs in rows} == self.book.counts()

    @invariant()
    def what_runs_has_one_open_execution_and_nothing_else_has(self) -> None:
        rows = self.rows(
            "SELECT segments.job FROM executions, segments WHERE segment = segments.id AND outcome IS NULL"
        )
        running = [number for number, one in self.book.jobs.items() if one.state is State.RUNNING]
        assert sorted(job for (job,) in rows) == sorted(running)
        prints = self.rows("SELECT fingerprint FROM jobs WHERE fingerprint IS NOT NULL")
        assert len(prints) == len(set(prints))

    @invariant()
    def every_file_has_its_job(self) -> None:
        rows = self.rows("SELECT CAST(target AS TEXT), job FROM sightings")
        assert dict(rows) == self.book.files

    @invariant()
    def every_submitted_file_has_its_jobs(self) -> None:
        rows = self.rows("SELECT CAST(target AS TEXT), job, at FROM submissions")
        assert {(target, job): at for target, job, at in rows} == self.book.submitted

    @invariant()
    def pauses_last(self) -> None:
        pauses = self.do(standing.pauses(self.ledger))
        assert {*pauses.inboxes, *([None] if pauses.daemon else [])} == self.book.paused

    @invariant()
    def events_only_grow(self) -> None:
        last = self.events[-1][0] if self.events else 0
        assert self.rows("SELECT count(*) FROM events WHERE id <= " + str(last)) == [(len(self.events),)]
        self.events += self.rows(f"SELECT id, at, job, kind, text FROM events WHERE id > {last} ORDER BY id")


def _listening(
    connection: sqlite3.Connection, burn: Callable[[], int] | None, hear: Callable[[str], None] | None
) -> None:
    connection.set_progress_handler(burn, 5)
    connection.set_trace_callback(hear)


@pytest.fixture(scope="module", autouse=True)
def _fresh(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Every day begins with a copy of this ledger, whose schema is made already."""
    Days.fresh = tmp_path_factory.mktemp("fresh") / "ledger"
    asyncio.run(_made(Days.fresh / "ledger.sqlite3"))


async def _made(path: Path) -> None:
    await (await Ledger.open(path)).close()


def spend(days: int) -> None:
    Days.days = Days.broken = 0
    Days.moves.clear()
    how = settings(max_examples=days, stateful_step_count=30, deadline=None, database=None, report_multiple_bugs=False)
    run_state_machine_as_test(Days, settings=settings(how, suppress_health_check=list(HealthCheck)))


def test_some_days() -> None:
    spend(FEW)
    assert Days.days >= FEW
    assert Days.moves


@pytest.mark.deep
def test_ten_thousand_days(capsys: pytest.CaptureFixture[str]) -> None:
    spend(MANY)
    assert Days.days >= MANY
    assert set(Days.moves) == MOVES  # each of the table was seen
    assert Days.broken
    with capsys.disabled():
        seen = "".join(f"\n{number:7d}  {old} -> {new}" for (old, new), number in sorted(Days.moves.items()))
        print(f"\n{Days.days} days of the ledger, {Days.broken} writes broken off:{seen}")  # noqa: T201  wanted
