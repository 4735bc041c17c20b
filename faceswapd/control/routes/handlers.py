"""One function a request. They read the ledger, write it, and ring its bell; they start and stop nothing."""

import asyncio
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import faceswapd
from faceswapd.control.live import House, Live
from faceswapd.control.refusal import Refused
from faceswapd.control.routes.explaining import targets_of
from faceswapd.control.views import SHOWN, View, asked_of, faces_told, first_of, inbox_line, readings_of, state_of
from faceswapd.control.wire import job_messages, messages
from faceswapd.core import eta, intake
from faceswapd.core.failures import FINAL
from faceswapd.core.job import ENDED, IllegalTransition, State
from faceswapd.ledger import listing, outcomes, reports, standing
from faceswapd.ledger.connection import Ledger, Reads
from faceswapd.ledger.records import EventRecord, ExecutionRecord, JobRecord

LONGEST_WAIT = 60.0  # seconds that one /wait is held open
MOST_JOBS = 100_000
PAGE = 500  # jobs that are read in one go
EVENTS_SHOWN = 200
MOMENT_SECONDS = 0.5
LEDGER_SECONDS = 2.0  # a ledger that has not answered by then does not


async def ready(house: House) -> messages.Ready:
    """GET /readyz."""
    live = house.live()
    reasons = ["The daemon is stopping."] if live.draining else []
    reasons += [f"The loop `{loop}` does not answer." for loop in live.silent]
    if not await _answers(house.ledger):
        reasons.append("The ledger does not answer.")
    return messages.Ready(not reasons, reasons)


async def _answers(ledger: Ledger) -> bool:
    """Whether the ledger reads and writes. After the whole process stood still, what it had begun seems to take long,
    and comes to its end in a moment."""
    if not await standing.answers(ledger, LEDGER_SECONDS):
        return False
    if ledger.busy() > LEDGER_SECONDS:
        await asyncio.sleep(MOMENT_SECONDS)
    return ledger.busy() <= LEDGER_SECONDS


async def status(house: House) -> messages.Status:
    """GET /api/status."""
    ledger, live = house.ledger, house.live()
    found = await ledger.together(lambda reads: _standing(reads, live))
    view = found.view
    state, why = state_of(live, view.pauses.daemon)
    running = [view.show(job) for job in found.running]
    return messages.Status(
        version=faceswapd.__version__,
        wire=messages.WIRE_VERSION,
        pid=os.getpid(),
        started_at=live.started_at,
        now=time.time(),
        state=state,
        why=why,
        engine=live.engine,
        engine_why=live.engine_why,
        slots=live.slots,
        counts={str(key): count.jobs for key, count in found.counts.items()},
        held=[messages.Held(held.reason, held.reading, held.limit) for held in live.gate.held],
        running=running,
        waiting=[view.show(job) for job in found.waiting],
        failed=[view.show(job) for job in found.failed],
        parked=[view.show(job) for job in found.parked],
        arriving=first_of(live.inboxes, lambda inbox: inbox.arriving),
        skipped=first_of(live.inboxes, lambda inbox: inbox.skipped),
        inboxes=[inbox_line(inbox, view.pauses.inboxes) for inbox in live.inboxes],
        faces=[messages.Face(face.name, face.photos, face.problem) for face in found.faces],
        queue_seconds_left=eta.queue(found.piles, [job.seconds_left for job in running], view.speeds, live.slots),
        folder=live.folder,
        outbox=live.outbox,
        readings=readings_of(live),
        remarks=[*filter(None, (faces_told(live),)), *live.remarks],
    )


def states_of(names: Sequence[str]) -> list[State]:
    """States by their names. Raises Refused."""
    try:
        return [State(name) for name in names]
    except ValueError as error:
        raise Refused(400, f"There is no such state: {error}.", f"Use one of: {', '.join(State)}.") from None


@dataclass(frozen=True, slots=True)
class _Standing:
    """What the ledger says for the status."""

    view: View
    counts: Mapping[State, reports.Count]
    piles: Sequence[eta.Pile]
    faces: Sequence[standing.FaceRecord]
    running: Sequence[JobRecord]
    waiting: Sequence[JobRecord]
    failed: Sequence[JobRecord]
    parked: Sequence[JobRecord]


async def _standing(reads: Reads, live: Live) -> _Standing:
    return _Standing(
        view=await View.of(reads, live),
        counts=await reports.counts(reads),
        piles=await reports.piles(reads),
        faces=await standing.faces(reads),
        running=await reports.jobs(reads, [State.RUNNING], max(live.slots, len(live.courses))),
        waiting=await reports.waiting(reads, SHOWN),
        failed=await reports.last_failed(reads, SHOWN),
        parked=await reports.jobs(reads, [State.PARKED], SHOWN),
    )


async def jobs(house: House, wanted: listing.Wanted, limit: int, before: int | None) -> messages.Jobs:
    """GET /api/jobs."""
    live, most = house.live(), max(1, min(limit, MOST_JOBS))

    async def read(reads: Reads) -> messages.Jobs:
        view, found = await View.of(reads, live), await listing.page(reads, wanted, most, before)
        whole = before is None and found.next is None
        total = len(found.jobs) if whole else await listing.total(reads, wanted)
        return messages.Jobs([view.show(job) for job in found.jobs], total, found.next)

    if most <= PAGE and wanted.by_state_alone:  # what may take long goes to the ledger step by step
        return await house.ledger.together(read)
    return await read(house.ledger)


async def find(house: House, path: str, seconds: float) -> messages.Jobs:
    """GET /api/find: at once, or as soon as there is a job of that target or the time is over."""
    ends = time.monotonic() + min(seconds, LONGEST_WAIT)
    while True:
        rung = house.ledger.bell.count
        records = [
            record
            for target in targets_of(house.live(), path)
            for record in await reports.of_target(house.ledger, target)
        ]
        left = ends - time.monotonic()
        if records or left <= 0 or house.live().draining:
            view = await View.of(house.ledger, house.live())
            return messages.Jobs([view.show(record) for record in records], len(records))
        await house.ledger.bell.after(rung, left)


async def job(house: House, number: int) -> job_messages.JobDetail:
    """GET /api/jobs/ID."""
    live = house.live()

    async def read(reads: Reads) -> tuple[JobRecord, View, Sequence[ExecutionRecord], Sequence[EventRecord]]:
        return (
            await record_of(reads, number),
            await View.of(reads, live),
            await reports.executions(reads, number),
            await reports.events_of(reads, number, EVENTS_SHOWN),
        )

    record, view, executions, events = await house.ledger.together(read)
    return job_messages.JobDetail(
        job=view.show(record),
        rule=record.rule,
        executions=[
            job_messages.Execution(
                attempt=one.attempt,
                engine=one.engine,
                started_at=one.started_at,
                finished_at=one.finished_at,
                outcome=one.outcome,
                sentence=one.sentence,
                frames=one.frames,
                seconds=one.seconds,
                log=(one.log or "").splitlines(),
            )
            for one in executions
        ],
        events=[job_messages.Event(one.id, one.at, one.kind, one.job, one.text) for one in events],
        asked=list(asked_of(record)),
    )


async def wait(house: House, number: int, seconds: float) -> job_messages.JobDetail:
    """GET /api/jobs/ID/wait."""
    ends = time.monotonic() + min(seconds, LONGEST_WAIT)
    while True:
        rung = house.ledger.bell.count
        record = await record_of(house.ledger, number)
        left = ends - time.monotonic()
        if record.state in ENDED or left <= 0 or house.live().draining:
            return await job(house, number)
        await house.ledger.bell.after(rung, left)


async def cancel(house: House, number: int) -> messages.Done:
    """POST /api/jobs/ID/cancel."""
    record = await record_of(house.ledger, number)
    try:
        state = await outcomes.request_cancel(house.ledger, number, time.time())
    except IllegalTransition:
        raise Refused(409, f"Job {number} has ended already: it is {record.state}.") from None
    house.orders.look()
    return messages.Done(f"Job {number} is being stopped." if state is State.RUNNING else f"Job {number} is cancelled.")


async def retry(house: House, number: int) -> messages.Done:
    """POST /api/jobs/ID/retry."""
    record = await record_of(house.ledger, number)
    try:
        await outcomes.requeue(house.ledger, number, time.time())
    except IllegalTransition:
        if record.category in FINAL:
            raise Refused(409, f"Job {number} was declined for good: {record.reason}") from None
        advice = {
            State.PARKED: f"Give it a face: faceswapctl assign {number} NAME",
            State.CANCELLED: "It never had a face: drop the file again.",
        }.get(record.state)
        raise Refused(409, f"Job {number} is {record.state}, and cannot be retried.", advice) from None
    house.orders.asked_again([outcomes.Again(number, record.relative)])
    return messages.Done(f"Job {number} is queued again.")


async def assign(house: House, number: int, name: str) -> messages.Done:
    """POST /api/jobs/ID/assign."""
    record = await record_of(house.ledger, number)
    face = house.live().rules.faces.get(intake.fold(name))
    if face is None or face.problem is not None:
        known = sorted(one.name for one in house.live().rules.faces.values() if one.problem is None)
        problem = "does not exist" if face is None else face.problem
        raise Refused(404, f"The face '{name}' {problem}.", f"There are: {', '.join(known) or 'none yet'}.")
    try:
        chosen = outcomes.Assignment(face.name, "it was assigned by hand", record.preset)
        done_by = await outcomes.assign(house.ledger, number, chosen, time.time())
    except IllegalTransition:
        if record.state is State.PARKED:
            raise Refused(409, f"Job {number} cannot run with any face: {record.reason}") from None
        raise Refused(409, f"Job {number} is {record.state}: only a parked job is given a face.") from None
    house.orders.look()
    if done_by != number:
        return messages.Done(f"Job {done_by} has the same content and face '{face.name}': it does for both.")
    return messages.Done(f"Job {number} is queued with the face '{face.name}'.")


async def pause(house: House, inbox: str | None) -> messages.Done:
    """POST /api/pause."""
    name = _inbox_name(house, inbox)
    await standing.pause(house.ledger, name, time.time())
    running = len(house.live().courses)
    goes_on = f" {running} running {'job goes' if running == 1 else 'jobs go'} on to the end." if running else ""
    what = "The daemon" if name is None else f"The inbox '{name}'"
    return messages.Done(f"{what} is paused: nothing new starts.{goes_on}")


async def resume(house: House, inbox: str | None) -> messages.Done:
    """POST /api/resume."""
    name = _inbox_name(house, inbox)
    await standing.resume(house.ledger, name, time.time())
    if name is not None:
        house.orders.give_up(name)
    return messages.Done("The daemon goes on." if name is None else f"The inbox '{name}' goes on.")


async def stop(house: House) -> messages.Done:
    """POST /api/stop."""
    return messages.Done(house.orders.stop())


def _inbox_name(house: House, inbox: str | None) -> str | None:
    names = [one.name for one in house.live().inboxes]
    if inbox is None or inbox in names:
        return inbox
    raise Refused(404, f"There is no inbox '{inbox}'.", f"There are: {', '.join(names)}.")


async def record_of(ledger: Reads, number: int) -> JobRecord:
    """The job that is meant. Raises Refused, with the nearest one, where there is none."""
    record = await reports.job(ledger, number)
    if record is not None:
        return record
    nearest = await reports.nearest(ledger, number)
    advice = (
        "There are no jobs yet." if nearest is None else f"The nearest is {nearest}. `faceswapctl jobs` lists them."
    )
    raise Refused(404, f"There is no job {number}.", advice)
