"""What is ordered of single jobs: the route and the ledger behind it."""

import time

import pytest

from faceswapd.ledger import claims, events, outcomes, reports
from faceswapd.ledger.claims import Runner
from tests.control.serving import Control


async def ready(control: Control) -> list[tuple[int, int]]:
    """Jobs with their priority, as they will start."""
    return [(row["job"], row["priority"]) for row in await claims.ready(control.ledger, (), 10)]


async def test_a_priority_is_kept_for_the_job_and_for_its_segments(control: Control) -> None:
    rung = control.ledger.bell.count
    status, said = await control.ask("/api/jobs/1/priority", "POST", {"priority": -7})
    assert (status, said) == (200, {"text": "Job 1 has the priority -7."})
    assert control.ledger.bell.count > rung, "the scheduler hears of it"
    assert await ready(control) == [(1, -7)]
    job = await reports.job(control.ledger, 1)
    assert job is not None
    assert job.priority == -7
    told = (await events.after(control.ledger, 0, 100, 1))[-1]
    assert (told.kind, told.text) == ("priority", "-7 instead of 0")
    assert (await control.ask("/api/jobs/1/priority", "POST", {"priority": -7}))[0] == 200
    assert (await events.after(control.ledger, told.id, 100, 1)) == [], "nothing has changed"


async def test_a_parked_and_a_running_job_have_it_later(control: Control) -> None:
    assert (await control.ask("/api/jobs/2/priority", "POST", {"priority": 100}))[0] == 200
    assert (await control.ask("/api/jobs/2/assign", "POST", {"face": "alice"}))[0] == 200
    assert await ready(control) == [(2, 100), (1, 0)]
    job = await reports.job(control.ledger, 1)
    assert job is not None
    claim = await claims.claim(control.ledger, job.segment, Runner("boot", 1, "preview", "CPU"), time.time())
    _, said = await control.ask("/api/jobs/1/priority", "POST", {"priority": 9})
    assert said == {"text": "Job 1 runs already: the priority 9 counts if it is tried again."}
    ran = outcomes.Ran(claim.execution, job.segment, 1)
    await outcomes.released(control.ledger, ran, time.time(), crashed=False)
    assert await ready(control) == [(2, 100), (1, 9)]


@pytest.mark.parametrize(
    ("number", "body", "status", "error"),
    [
        (1, {"priority": 101}, 400, "A priority is a whole number from -100 to 100."),
        (1, {"priority": "high"}, 400, "`priority` is no whole number."),
        (1, {"priority": True}, 400, "`priority` is no whole number."),
        (1, {}, 400, "The request lacks `priority`."),
        (77, {"priority": 1}, 404, "There is no job 77."),
        (2, {"priority": 1}, 409, "Job 2 has ended already: it is cancelled."),
    ],
)
async def test_a_wrong_priority_is_refused(
    control: Control,
    number: int,
    body: object,
    status: int,
    error: str,
) -> None:
    await outcomes.request_cancel(control.ledger, 2, time.time())
    answered, said = await control.ask(f"/api/jobs/{number}/priority", "POST", body)
    assert (answered, said["error"]) == (status, error)
    assert await ready(control) == [(1, 0)]


async def test_an_unknown_job_is_told_with_the_nearest(control: Control) -> None:
    _, said = await control.ask("/api/jobs/77/priority", "POST", {"priority": 1})
    assert said["advice"] == "The nearest is 2. `faceswapctl jobs` lists them."
