import pytest

from faceswapd.core.eta import Pile, Sort
from faceswapd.core.failures import Failure
from faceswapd.core.job import State
from faceswapd.core.retry import GiveUp, TryAgain
from faceswapd.core.target import Kind
from faceswapd.ledger import outcomes, reports
from faceswapd.ledger.admission import Arrival
from faceswapd.ledger.connection import Ledger
from faceswapd.ledger.outcomes import Spent
from faceswapd.ledger.records import JobRecord
from tests.ledger.arrivals import NOW, admit, arrival, claim, faceless, ran, record, running

DIED = Failure("child_died", "The engine's child ended.")


def ids(found: list[JobRecord]) -> list[int]:
    return [one.id for one in found]


async def fail(ledger: Ledger, job: int, now: float) -> None:
    await outcomes.failed(ledger, ran(await claim(ledger, job)), DIED, GiveUp(DIED), now)


async def retry(ledger: Ledger, name: str, seconds: float) -> int:
    execution = await running(ledger, arrival(name))
    await outcomes.failed(ledger, execution, DIED, TryAgain(seconds, spends_attempt=True), NOW)
    return execution.job


async def test_an_empty_ledger_has_an_answer_to_everything(ledger: Ledger) -> None:
    assert await reports.counts(ledger) == {state: reports.Count(0, 0) for state in State}
    assert await reports.job(ledger, 1) is None
    assert await reports.nearest(ledger, 1) is None
    assert await reports.jobs(ledger, [], 5) == []
    assert await reports.waiting(ledger, 5) == []
    assert await reports.last_failed(ledger, 5) == []
    assert await reports.executions(ledger, 1) == []
    assert await reports.past(ledger, "preview") == []


@pytest.mark.parametrize(("asked", "nearest"), [(-5, 1), (0, 1), (4, 3), (9, 10), (10, 10), (1000, 10)])
async def test_the_nearest_job(ledger: Ledger, asked: int, nearest: int) -> None:
    await admit(ledger, *(arrival(f"{number}.mp4") for number in range(10)))
    await ledger.write(lambda connection: connection.execute("DELETE FROM jobs WHERE id BETWEEN 4 AND 9"))
    assert await reports.nearest(ledger, asked) == nearest


async def test_jobs_are_listed_newest_first_by_state(ledger: Ledger) -> None:
    queued = await admit(ledger, *(arrival(f"{number}.mp4") for number in range(4)))
    parked = await admit(ledger, *(faceless(f"parked-{number}.mp4") for number in range(3)))
    await claim(ledger, queued[1])
    assert ids(await reports.jobs(ledger, [], 100)) == [*reversed(parked), *reversed(queued)]
    assert ids(await reports.jobs(ledger, [State.QUEUED], 100)) == [queued[3], queued[2], queued[0]]
    assert ids(await reports.jobs(ledger, [State.PARKED, State.RUNNING], 100)) == [*reversed(parked), queued[1]]
    assert ids(await reports.jobs(ledger, [State.RUNNING, State.PARKED, State.RUNNING], 2)) == [parked[2], parked[1]]
    assert await reports.jobs(ledger, [State.FAILED], 100) == []


async def test_the_waiting_list_is_in_the_order_of_the_queue(ledger: Ledger) -> None:
    """The inbox whose name comes first must not fill the list."""
    later, soon = await retry(ledger, "later.mp4", 60), await retry(ledger, "soon.mp4", 10)
    many = await admit(ledger, *(arrival(f"{number}.mp4", inbox="archive") for number in range(10)))
    (rush,) = await admit(ledger, arrival("rush.mp4", inbox="rush", priority=5))
    whole = [rush, *many, soon, later]
    assert ids(await reports.waiting(ledger, 5)) == whole[:5]
    assert ids(await reports.waiting(ledger, 12)) == whole[:12]
    assert ids(await reports.waiting(ledger, 100)) == whole


async def test_what_failed_last_comes_first_however_old_the_job(ledger: Ledger) -> None:
    jobs = await admit(ledger, *(arrival(f"{number}.mp4") for number in range(8)))
    for second, job in enumerate(reversed(jobs)):
        await fail(ledger, job, NOW + second)
    assert ids(await reports.last_failed(ledger, 3)) == jobs[:3]


async def test_the_jobs_of_a_file_newest_first(ledger: Ledger) -> None:
    (old,) = await admit(ledger, arrival("clip.mp4", "old"))
    (new,) = await admit(ledger, arrival("clip.mp4", "new"))
    assert ids(await reports.of_target(ledger, "/main/clip.mp4")) == [new, old]
    assert await reports.of_target(ledger, "/main/clip") == []


async def test_who_needs_a_face(ledger: Ledger) -> None:
    jobs = await admit(ledger, faceless("b.mp4"), faceless("a.mp4"), arrival("c.mp4"))
    await admit(ledger, faceless("d.mp4", parked="unreadable", facts=None))
    assert ids(await reports.parked_needing_face(ledger)) == jobs[:2]


async def test_the_history_of_a_job(ledger: Ledger) -> None:
    job = await retry(ledger, "clip.mp4", 10)
    await outcomes.succeed(ledger, ran(await claim(ledger, job)), "/outbox/clip.mp4", "result", NOW + 20)
    assert [(one.attempt, one.outcome) for one in await reports.executions(ledger, job)] == [
        (1, "retried"),
        (2, "succeeded"),
    ]
    kinds = ["queued", "started", "retry", "started", "succeeded"]
    assert [one.kind for one in await reports.events_of(ledger, job, 100)] == kinds
    assert [one.kind for one in await reports.events_of(ledger, job, 2)] == kinds[-2:]


async def succeed(ledger: Ledger, one: Arrival, frames: int) -> None:
    execution = await running(ledger, one)
    spent = Spent(frames=frames, seconds=8.0)
    await outcomes.succeed(ledger, execution, "/outbox/x", f"result {execution.job}", NOW + 10, spent)


VIDEO, IMAGE = Sort(Kind.VIDEO, "balanced"), Sort(Kind.IMAGE, "fast")


async def test_the_past_is_that_of_an_engine_and_its_last_successes(ledger: Ledger) -> None:
    for number in range(reports.SPEED_SAMPLES + 5):
        await succeed(ledger, arrival(f"{number}.mp4"), 100 + number)
    await fail(ledger, (await admit(ledger, arrival("failed.mp4")))[0], NOW)
    assert await reports.past(ledger, "preview") == [], "nobody waits for an answer"
    await admit(ledger, arrival("waits.mp4"))
    past = await reports.past(ledger, "preview")
    assert sorted(one.frames for one in past) == list(range(105, 125))
    assert {(one.sort, one.engine_seconds, one.seconds) for one in past} == {(VIDEO, 8.0, 10.0)}
    assert await reports.past(ledger, "another") == []


async def test_each_sort_of_work_has_its_own_past_however_long_ago(ledger: Ledger) -> None:
    await succeed(ledger, arrival("1.png", kind=Kind.IMAGE, preset="fast"), 1)
    for number in range(reports.SPEED_SAMPLES + 5):
        await succeed(ledger, arrival(f"{number}.mp4"), 100)
    await admit(ledger, arrival("2.png", kind=Kind.IMAGE, preset="fast"), arrival("3.png", kind=Kind.IMAGE))
    assert [(one.sort, one.frames) for one in await reports.past(ledger, "preview")] == [(IMAGE, 1)]
    await running(ledger, arrival("runs.mp4"))
    assert {one.sort for one in await reports.past(ledger, "preview")} == {IMAGE, VIDEO}


async def test_what_waits_is_piled_by_its_sort(ledger: Ledger) -> None:
    assert await reports.piles(ledger) == []
    jobs = await admit(ledger, arrival("a.mp4"), arrival("b.mp4"), arrival("c.png", kind=Kind.IMAGE, preset="fast"))
    await admit(ledger, faceless("d.mp4"))
    assert await reports.piles(ledger) == [Pile(IMAGE, 1, 100), Pile(VIDEO, 2, 200)]
    await claim(ledger, jobs[2])
    assert await reports.piles(ledger) == [Pile(VIDEO, 2, 200)]
    await outcomes.request_cancel(ledger, jobs[0], NOW)
    assert await reports.piles(ledger) == [Pile(VIDEO, 1, 100)]


async def test_a_job_that_is_given_up_is_counted_once(ledger: Ledger) -> None:
    jobs = await admit(ledger, arrival("a.mp4"), arrival("b.mp4"), faceless("c.mp4"))
    await fail(ledger, jobs[0], NOW)
    counts = await reports.counts(ledger)
    assert {state: count.jobs for state, count in counts.items() if count.jobs} == {
        State.FAILED: 1,
        State.QUEUED: 1,
        State.PARKED: 1,
    }
    assert sum(count.frames for count in counts.values()) == 300
    assert (await record(ledger, jobs[0])).state is State.FAILED
