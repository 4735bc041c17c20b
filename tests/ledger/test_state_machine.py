"""Random days of a real ledger, held against a model that is the table of states and nothing else."""

import asyncio
import tempfile
from collections import Counter
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from faceswapd.core.failures import Failure
from faceswapd.core.job import TRANSITIONS, Event, IllegalTransition, State
from faceswapd.core.retry import GiveUp, TryAgain
from faceswapd.ledger import admission, claims, outcomes, reports
from faceswapd.ledger.connection import Ledger
from faceswapd.ledger.outcomes import Assignment, Ran
from tests.ledger.arrivals import RUNNER, arrival, faceless

DIED = Failure("child_died", "The engine's child ended.")


class Days(RuleBasedStateMachine):
    """Each rule does one thing to the ledger and the same to the model: a dictionary of states."""

    executions: Bundle[Ran] = Bundle("executions")

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.folder = tempfile.TemporaryDirectory()
        self.ledger = self.do(Ledger.open(Path(self.folder.name) / "ledger.sqlite3"))
        self.model: dict[int, State] = {}
        self.faced: set[int] = set()  # jobs that have a face
        self.asked: set[int] = set()  # running jobs that somebody wants to have stopped
        self.crashes: Counter[int] = Counter()
        self.open: set[int] = set()  # executions
        self.contents = 0
        self.events = 0
        self.now = 0.0

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(work)

    def teardown(self) -> None:
        self.do(self.ledger.close())
        self.loop.close()
        self.folder.cleanup()

    def any_job(self, data: st.DataObject) -> int:
        return data.draw(st.sampled_from(sorted(self.model) or [1]))

    def ends(self, job: int, event: Event) -> None:
        self.model[job] = TRANSITIONS[event].destination
        if self.model[job] is not State.RUNNING:
            self.asked.discard(job)

    def attempt(self, job: int, event: Event, work: Coroutine[Any, Any, Any], *, possible: bool = True) -> bool:
        """Do it. The ledger must refuse exactly what the table does."""
        allowed = possible and self.model.get(job) in TRANSITIONS[event].sources
        try:
            self.do(work)
        except IllegalTransition:
            assert not allowed, f"{event} was refused for a job that is {self.model.get(job)}"
            return False
        assert allowed, f"{event} was carried out for a job that is {self.model.get(job)}"
        return True

    @rule(face=st.booleans(), priority=st.integers(-1, 1), inbox=st.sampled_from(["main", "rush"]))
    def drop(self, face: bool, priority: int, inbox: str) -> None:  # noqa: FBT001
        self.contents += 1
        make = arrival if face else faceless
        one = make(f"{self.contents}.mp4", inbox=inbox, priority=priority)
        (answer,) = self.do(admission.admit(self.ledger, [one], self.now))
        self.model[answer.job] = State.QUEUED if face else State.PARKED
        if face:
            self.faced.add(answer.job)

    @rule(data=st.data())
    def drop_again(self, data: st.DataObject) -> None:
        job = self.any_job(data)
        record = self.do(reports.job(self.ledger, job))
        if record is None or job not in self.faced:
            return
        again = arrival(f"copy-{record.relative}", record.facts.content, inbox=record.inbox, face=record.face)
        (answer,) = self.do(admission.admit(self.ledger, [again], self.now))
        assert answer.job == job, "the same content, face and preset is one job"
        if self.model[job] in TRANSITIONS[Event.REQUEUE].sources:
            self.ends(job, Event.REQUEUE)
            self.crashes[job] = 0

    @rule(target=executions)
    def claim_the_head(self) -> Any:
        ready = self.do(claims.queue(self.ledger, (), 1)).ready
        if not ready:
            return Ran(0, 0, 0)
        claimed = self.do(claims.claim(self.ledger, ready[0].segment, RUNNER, self.now))
        assert self.model[claimed.job.id] is State.QUEUED
        self.ends(claimed.job.id, Event.CLAIM)
        self.open.add(claimed.execution)
        return Ran(claimed.execution, claimed.job.segment, claimed.job.id)

    @rule(ran=executions, how=st.sampled_from(["succeed", "fail", "retry", "stop", "crash", "cancel"]))
    def end(self, ran: Ran, how: str) -> None:
        if ran.job == 0:
            return
        asked, current = ran.job in self.asked, ran.execution in self.open
        match how:
            case "succeed":
                work, event = outcomes.succeed(self.ledger, ran, "/o.mp4", f"result {ran.job}", self.now), Event.SUCCEED
            case "fail":
                work, event = outcomes.failed(self.ledger, ran, DIED, GiveUp(DIED), self.now), Event.FAIL
            case "retry":
                again = TryAgain(10, spends_attempt=True)
                work = outcomes.failed(self.ledger, ran, DIED, again, self.now)
                event = Event.CANCEL if asked else Event.RETRY
            case "cancel":
                work, event = outcomes.cancelled(self.ledger, ran, self.now), Event.CANCEL
            case _:
                work = outcomes.released(self.ledger, ran, self.now, crashed=how == "crash")
                self.crashes[ran.job] += how == "crash" and current and not asked
                third = how == "crash" and self.crashes[ran.job] == 3
                event = Event.CANCEL if asked else Event.FAIL if third else Event.RELEASE
        if self.attempt(ran.job, event, work, possible=current):
            self.ends(ran.job, event)
            self.open.discard(ran.execution)

    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        job = self.any_job(data)
        if self.attempt(job, Event.CANCEL, outcomes.request_cancel(self.ledger, job, self.now)):
            if self.model[job] is State.RUNNING:
                self.asked.add(job)
            else:
                self.ends(job, Event.CANCEL)

    @rule(data=st.data())
    def requeue(self, data: st.DataObject) -> None:
        job = self.any_job(data)
        work = outcomes.requeue(self.ledger, job, self.now)
        if self.attempt(job, Event.REQUEUE, work, possible=job in self.faced):
            self.ends(job, Event.REQUEUE)
            self.crashes[job] = 0

    @rule(data=st.data())
    def assign(self, data: st.DataObject) -> None:
        job = self.any_job(data)
        work = outcomes.assign(self.ledger, job, Assignment("bob", "by hand", "balanced"), self.now)
        if self.attempt(job, Event.ASSIGN, work):
            self.ends(job, Event.ASSIGN)
            self.faced.add(job)

    @rule(seconds=st.sampled_from([1, 10, 100]))
    def time_passes(self, seconds: int) -> None:
        self.now += seconds
        self.do(claims.wake_due(self.ledger, self.now))

    @invariant()
    def the_ledger_says_what_the_model_says(self) -> None:
        rows = self.do(
            self.ledger.rows(
                "SELECT jobs.id, jobs.state, segments.state AS segment FROM jobs, segments WHERE segments.job = jobs.id"
            )
        )
        assert {row["id"]: State(row["state"]) for row in rows} == self.model
        assert all(row["state"] == row["segment"] for row in rows)

    @invariant()
    def the_counts_are_true(self) -> None:
        real = Counter(self.model.values())
        counts = self.do(reports.counts(self.ledger))
        assert {state: (count.jobs, count.frames) for state, count in counts.items()} == {
            state: (real[state], 100 * real[state]) for state in State
        }

    @invariant()
    def what_runs_has_one_open_execution_and_nothing_else_has(self) -> None:
        open_ones = Counter(one.job for one in self.do(claims.leftovers(self.ledger)))
        assert open_ones == Counter(job for job, state in self.model.items() if state is State.RUNNING)

    @invariant()
    def events_only_grow(self) -> None:
        rows = self.do(self.ledger.rows("SELECT count(*) AS number, max(id) AS last FROM events"))
        number, last = rows[0]["number"], rows[0]["last"] or 0
        assert number == last >= self.events
        self.events = number


TestDays = Days.TestCase
TestDays.settings = settings(
    max_examples=25, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
