"""How executions end, and what people ask of jobs: every move of the table in core.job but the claim."""

import os
import sqlite3
from dataclasses import dataclass

from faceswapd.core.failures import Failure
from faceswapd.core.job import ENDED, Event, IllegalTransition, Parked, State, move
from faceswapd.core.ladder import rung
from faceswapd.core.retry import GiveUp, TryAgain, after_interruption
from faceswapd.ledger.admission import fingerprint, follow_job, requeue_rows, withdraw
from faceswapd.ledger.connection import Ledger
from faceswapd.ledger.history import note
from faceswapd.ledger.records import destination, options_of, sources, text, wish_of


@dataclass(frozen=True, slots=True)
class Spent:
    """What an execution used."""

    frames: int | None = None
    seconds: float | None = None  # on the frames
    peak_memory: int | None = None  # bytes
    log: str | None = None  # the child's last lines


@dataclass(frozen=True, slots=True)
class Ran:
    """An execution that ended, and whose it was."""

    execution: int
    segment: int
    job: int


NOTHING = Spent()


async def child_known(ledger: Ledger, execution: int, pid: int, started: float) -> None:
    """Write down who runs an execution, so that a later life of the daemon can end it."""

    def unit(connection: sqlite3.Connection) -> None:
        connection.execute("UPDATE executions SET pid = ?, pid_started = ? WHERE id = ?", (pid, started, execution))

    await ledger.write(unit)


async def progress(ledger: Ledger, segment: int, fraction: float, phase: str) -> None:
    """How far a running segment is, from 0 to 1. At most once a second is enough."""

    def unit(connection: sqlite3.Connection) -> None:
        connection.execute(
            "UPDATE segments SET progress = ?, phase = ? WHERE id = ? AND state = 'running'", (fraction, phase, segment)
        )

    await ledger.write(unit, durable=False)


async def publishing(ledger: Ledger, execution: int, output: str, content: str) -> None:
    """Said before a proved output is put into place, so that a crash right after it finds the file."""

    def unit(connection: sqlite3.Connection) -> None:
        connection.execute(
            "UPDATE executions SET publishing = ?, publishing_content = ? WHERE id = ?",
            (os.fsencode(output), content, execution),
        )

    await ledger.write(unit)


async def succeed(ledger: Ledger, ran: Ran, output: str, content: str, now: float, spent: Spent = NOTHING) -> None:
    """The proved output lies in the outbox."""

    def unit(connection: sqlite3.Connection) -> None:
        connection.execute("UPDATE segments SET progress = 1 WHERE id = ?", (ran.segment,))
        connection.execute(
            """UPDATE jobs SET output = ?, output_content = ?, finished_at = ?, category = NULL, reason = NULL
               WHERE id = ?""",
            (os.fsencode(output), content, now, ran.job),
        )
        _move(connection, ran, Event.SUCCEED)
        _close(connection, ran, "succeeded", now, spent)
        note(connection, now, ran.job, "succeeded", f"output {os.fsencode(output).decode(errors='replace')}")

    await ledger.write(unit)


async def failed(
    ledger: Ledger, ran: Ran, failure: Failure, verdict: TryAgain | GiveUp, now: float, spent: Spent = NOTHING
) -> None:
    """The execution failed; what becomes of the job was decided by core.retry. One that somebody had asked to stop
    does not come back."""

    def unit(connection: sqlite3.Connection) -> None:
        if isinstance(verdict, TryAgain) and _cancel_requested(connection, ran.job):
            _cancel(connection, ran, now, spent, failure)
            return
        if isinstance(verdict, TryAgain):
            _move(connection, ran, Event.RETRY)
            connection.execute(
                """UPDATE segments SET not_before = ?, attempt = attempt - ?, progress = 0, phase = NULL,
                   rung = coalesce(?, rung) WHERE id = ?""",
                (now + verdict.seconds, 0 if verdict.spends_attempt else 1, verdict.rung, ran.segment),
            )
            connection.execute(
                "UPDATE jobs SET category = ?, reason = ? WHERE id = ?",
                (failure.category, text(failure.sentence), ran.job),
            )
            note(connection, now, ran.job, "retry", f"{failure.sentence} {_again(verdict)}")
        else:
            _give_up(connection, ran, verdict.failure, now)
        outcome = "retried" if isinstance(verdict, TryAgain) else "failed"
        _close(connection, ran, outcome, now, spent, failure)

    await ledger.write(unit)


def _again(verdict: TryAgain) -> str:
    smaller = "" if verdict.rung is None else f" with {rung(verdict.rung).about}"
    return f"Again in {verdict.seconds:.0f} s{smaller}." if verdict.seconds or not smaller else f"Again{smaller}."


async def remark(ledger: Ledger, job: int, kind: str, sentence: str, now: float) -> None:
    """Keep something in the job's history that changes nothing: what was mended, what could not be carried over."""

    def unit(connection: sqlite3.Connection) -> None:
        note(connection, now, job, kind, sentence)

    await ledger.write(unit, durable=False)


async def released(ledger: Ledger, ran: Ran, now: float, *, crashed: bool, why: str = "the daemon stopped") -> None:
    """The daemon stopped, or it died, or the target cannot be reached now: back into the queue, no attempt spent. The
    third time that the daemon died in the same segment is a failure. One that somebody had asked to stop does not come
    back."""

    def unit(connection: sqlite3.Connection) -> None:
        if _cancel_requested(connection, ran.job):
            _cancel(connection, ran, now, NOTHING)
            return
        row = connection.execute(
            "UPDATE segments SET interruptions = interruptions + ? WHERE id = ? RETURNING interruptions",
            (1 if crashed else 0, ran.segment),
        ).fetchone()
        given_up = after_interruption(row["interruptions"]) if row is not None and crashed else None
        if given_up is not None:
            _give_up(connection, ran, given_up.failure, now)
            _close(connection, ran, "failed", now, NOTHING, given_up.failure)
            return
        _move(connection, ran, Event.RELEASE)
        connection.execute(
            "UPDATE segments SET attempt = attempt - 1, progress = 0, phase = NULL WHERE id = ?", (ran.segment,)
        )
        _close(connection, ran, "released", now, NOTHING)
        note(connection, now, ran.job, "released", "the daemon died" if crashed else why)

    await ledger.write(unit)


async def cancelled(ledger: Ledger, ran: Ran, now: float, spent: Spent = NOTHING) -> None:
    """A running job was stopped because somebody asked."""

    def unit(connection: sqlite3.Connection) -> None:
        _cancel(connection, ran, now, spent)

    await ledger.write(unit)


async def request_cancel(ledger: Ledger, job: int, now: float) -> State:
    """Cancel, or ask the running execution to stop. Returns the state after it: cancelled, or still running.
    Raises IllegalTransition when the job has ended."""

    def unit(connection: sqlite3.Connection) -> State:
        state = _state(connection, job, Event.CANCEL)
        move(job, state, Event.CANCEL)
        if state is State.RUNNING:
            connection.execute(
                "UPDATE jobs SET cancel_requested_at = coalesce(cancel_requested_at, ?) WHERE id = ?", (now, job)
            )
            note(connection, now, job, "cancel", "asked to stop")
            return State.RUNNING
        withdraw(connection, job, "It was cancelled.", now)
        return State.CANCELLED

    return await ledger.write(unit)


async def prioritise(ledger: Ledger, job: int, priority: int, now: float) -> State | None:
    """Give a job another place in the queue. Returns its state (None: it is gone): one that has ended keeps what it
    had. A running one has it when it is tried again."""

    def unit(connection: sqlite3.Connection) -> State | None:
        row = connection.execute("SELECT state, priority FROM jobs WHERE id = ?", (job,)).fetchone()
        state = None if row is None else State(row["state"])
        if state is not None and state not in ENDED and row["priority"] != priority:
            connection.execute("UPDATE jobs SET priority = ? WHERE id = ?", (priority, job))
            connection.execute("UPDATE segments SET priority = ? WHERE job = ?", (priority, job))
            note(connection, now, job, "priority", f"{priority} instead of {row['priority']}")
        return state

    return await ledger.write(unit)


async def requeue(ledger: Ledger, job: int, now: float) -> None:
    """A failed or cancelled job waits again, as if new. Raises IllegalTransition."""

    def unit(connection: sqlite3.Connection) -> None:
        state = _state(connection, job, Event.REQUEUE)
        move(job, state, Event.REQUEUE)
        if not requeue_rows(connection, job, now, "retried by hand"):
            raise IllegalTransition(job, state, Event.REQUEUE)

    await ledger.write(unit)


@dataclass(frozen=True, slots=True)
class Again:
    """A job that waits again."""

    job: int
    relative: str  # where its target lies below its inbox


@dataclass(frozen=True, slots=True)
class Requeued:
    """What became of the failed jobs that were asked for."""

    jobs: tuple[Again, ...]  # wait again
    final: tuple[int, ...]  # were declined for good, and stay as they are


async def requeue_failed(ledger: Ledger, category: str | None, now: float) -> Requeued:
    """All failed jobs of a category (None: of every one) wait again, under one commit."""

    def unit(connection: sqlite3.Connection) -> Requeued:
        failed = connection.execute(
            "SELECT id, relative FROM jobs WHERE state = 'failed' AND (? IS NULL OR category = ?) ORDER BY id",
            (category, category),
        ).fetchall()
        again: list[Again] = []
        final: list[int] = []
        for row in failed:
            if requeue_rows(connection, row["id"], now, "retried by hand, with all of its kind"):
                again.append(Again(row["id"], os.fsdecode(row["relative"])))
            else:
                final.append(row["id"])
        return Requeued(tuple(again), tuple(final))

    return await ledger.write(unit)


@dataclass(frozen=True, slots=True)
class Assignment:
    """The face that a parked job gets, and how it was found."""

    face: str
    rule: str
    preset: str
    bundle: str | None = None


async def assign(ledger: Ledger, job: int, assignment: Assignment, now: float) -> int:
    """A parked job that only lacked its face gets one. Returns the job that does it: another one, where the same
    content with that face and preset is a job already. Raises IllegalTransition."""

    def unit(connection: sqlite3.Connection) -> int:
        row = connection.execute(
            "SELECT state, parked, content, options, wish FROM jobs WHERE id = ?", (job,)
        ).fetchone()
        state = State(row["state"]) if row is not None else None
        if row is None or row["content"] is None or row["parked"] != Parked.NEEDS_FACE:
            raise IllegalTransition(job, state, Event.ASSIGN)
        mine = fingerprint(
            row["content"],
            assignment.face,
            assignment.preset,
            assignment.bundle,
            options_of(row["options"]),
            wish_of(row["wish"]),
        )
        other = connection.execute("SELECT id FROM jobs WHERE fingerprint = ?", (mine,)).fetchone()
        if other is not None:
            _hand_over(connection, job, other["id"], now)
            return int(other["id"])
        cursor = connection.execute(
            f"""UPDATE jobs SET state = ?, face = ?, bundle = ?, rule = ?, preset = ?, fingerprint = ?, parked = NULL,
                reason = NULL WHERE id = ? AND {sources(Event.ASSIGN)}""",
            (
                destination(Event.ASSIGN),
                text(assignment.face),
                None if assignment.bundle is None else os.fsencode(assignment.bundle),
                assignment.rule,
                assignment.preset,
                mine,
                job,
            ),
        )
        if cursor.rowcount != 1:
            raise IllegalTransition(job, state, Event.ASSIGN)
        connection.execute("UPDATE segments SET state = ? WHERE job = ?", (destination(Event.ASSIGN), job))
        note(connection, now, job, "queued", f"assigned to {assignment.face}: {assignment.rule}")
        return job

    return await ledger.write(unit)


def _hand_over(connection: sqlite3.Connection, job: int, other: int, now: float) -> None:
    """A parked job's file goes to another job, which does the same; that one waits again if it had failed or was
    cancelled, for this file, since its own may be gone."""
    withdraw(connection, job, f"Job {other} does the same.", now)
    connection.execute(
        "UPDATE sightings SET job = ?, note = ? WHERE target = (SELECT target FROM jobs WHERE id = ?)",
        (other, f"It has the same content, face and preset as job {other}: one job does for both.", job),
    )
    if requeue_rows(connection, other, now, "assigned again"):
        connection.execute(
            """UPDATE jobs SET target = mine.target, relative = mine.relative, inbox = mine.inbox,
                   priority = mine.priority, afterwards = mine.afterwards
               FROM jobs AS mine WHERE jobs.id = ? AND mine.id = ?""",
            (other, job),
        )
        follow_job(connection, other)


def _cancel_requested(connection: sqlite3.Connection, job: int) -> bool:
    asked = connection.execute("SELECT 1 FROM jobs WHERE id = ? AND cancel_requested_at IS NOT NULL", (job,))
    return asked.fetchone() is not None


def _cancel(connection: sqlite3.Connection, ran: Ran, now: float, spent: Spent, failure: Failure | None = None) -> None:
    _move(connection, ran, Event.CANCEL)
    connection.execute(
        "UPDATE jobs SET finished_at = ?, reason = ? WHERE id = ?", (now, "It was cancelled while it ran.", ran.job)
    )
    _close(connection, ran, "cancelled", now, spent, failure)
    note(connection, now, ran.job, "cancelled", "cancelled while it ran")


def _state(connection: sqlite3.Connection, job: int, event: Event) -> State:
    row = connection.execute("SELECT state FROM jobs WHERE id = ?", (job,)).fetchone()
    if row is None:
        raise IllegalTransition(job, None, event)
    return State(row["state"])


def _move(connection: sqlite3.Connection, ran: Ran, event: Event) -> None:
    """The one compare-and-set of an event that ends an execution, on the segment and on its job."""
    for table, number in (("segments", ran.segment), ("jobs", ran.job)):
        cursor = connection.execute(
            f"UPDATE {table} SET state = ? WHERE id = ? AND {sources(event)} AND state = 'running'",
            (destination(event), number),
        )
        if cursor.rowcount != 1:
            raise IllegalTransition(ran.job, _state(connection, ran.job, event), event)


def _give_up(connection: sqlite3.Connection, ran: Ran, failure: Failure, now: float) -> None:
    _move(connection, ran, Event.FAIL)
    connection.execute(
        "UPDATE jobs SET category = ?, reason = ?, finished_at = ? WHERE id = ?",
        (failure.category, text(failure.sentence), now, ran.job),
    )
    note(connection, now, ran.job, "failed", failure.sentence)


def _close(
    connection: sqlite3.Connection, ran: Ran, outcome: str, now: float, spent: Spent, failure: Failure | None = None
) -> None:
    """End the execution. One that has ended already has no say in what its job does by now: IllegalTransition."""
    cursor = connection.execute(
        """UPDATE executions SET outcome = ?, finished_at = ?, frames = ?, seconds = ?, peak_memory = ?, log = ?,
           category = ?, sentence = ? WHERE id = ? AND finished_at IS NULL""",
        (
            outcome,
            now,
            spent.frames,
            spent.seconds,
            spent.peak_memory,
            None if spent.log is None else text(spent.log),
            None if failure is None else failure.category,
            None if failure is None else text(failure.sentence),
            ran.execution,
        ),
    )
    if cursor.rowcount != 1:
        raise IllegalTransition(ran.job, State.RUNNING, _EVENTS[outcome])


_EVENTS = {
    "succeeded": Event.SUCCEED,
    "failed": Event.FAIL,
    "retried": Event.RETRY,
    "released": Event.RELEASE,
    "cancelled": Event.CANCEL,
}
