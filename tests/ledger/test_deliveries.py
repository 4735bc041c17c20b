import json
from typing import Any

from faceswapd.core.failures import Failure
from faceswapd.core.retry import GiveUp
from faceswapd.core.webhook import EVENTS
from faceswapd.ledger import claims, deliveries, outcomes, standing
from faceswapd.ledger.connection import Ledger
from faceswapd.ledger.deliveries import Delivery
from tests.ledger.arrivals import NOW, RUNNER, admit, arrival, faceless, ran

ALL = {"all": EVENTS}
LATEST = NOW + 3600.0


async def told(ledger: Ledger, webhook: str = "all", now: float = NOW) -> list[dict[str, Any]]:
    return [json.loads(one.payload) for one in await deliveries.due(ledger, webhook, now, 100)]


async def types(ledger: Ledger, webhook: str = "all", now: float = NOW) -> list[str]:
    return [one["type"] for one in await told(ledger, webhook, now)]


async def first(ledger: Ledger, now: float = NOW) -> Delivery:
    (one, *_) = await deliveries.due(ledger, "all", now, 1)
    return one


async def test_a_new_webhook_begins_with_the_present_and_one_that_is_known_goes_on(ledger: Ledger) -> None:
    await admit(ledger, arrival("before.mp4"))
    assert await deliveries.know(ledger, ["all"], NOW, LATEST) == {}
    assert await deliveries.fill(ledger, ALL) is None
    await admit(ledger, arrival("1.mp4"))
    await deliveries.know(ledger, ["all", "late"], NOW, LATEST)  # the daemon was started anew
    assert await deliveries.fill(ledger, {**ALL, "late": EVENTS}) == {"all": 1, "late": 0}
    assert [one["data"]["job"]["target"] for one in await told(ledger)] == ["1.mp4"]
    assert await deliveries.fill(ledger, {**ALL, "late": EVENTS}) is None, "and no event is taken twice"


async def test_each_webhook_is_told_what_it_wants(ledger: Ledger) -> None:
    await deliveries.know(ledger, ["all", "few"], NOW, LATEST)
    await admit(ledger, faceless("1.mp4"))
    await standing.gate(ledger, "no space", NOW)
    assert await deliveries.fill(ledger, {"all": EVENTS, "few": ("daemon.held",)}) == {"all": 2, "few": 1}
    assert await types(ledger) == ["job.parked", "daemon.held"]
    assert await told(ledger, "few") == [
        {
            "type": "daemon.held",
            "timestamp": "2025-11-22T13:00:00.000Z",
            "data": {"text": "no space", "reason": "no space"},
        }
    ]


async def test_the_whole_life_of_a_job_is_told_in_its_order(ledger: Ledger) -> None:
    await deliveries.know(ledger, ["all"], NOW, LATEST)
    (job,) = await admit(ledger, arrival("clip.mp4"))
    for end in ("failed", "succeeded"):
        claim = await claims.claim(ledger, (await claims.ready(ledger, (), 1))[0]["segment"], RUNNER, NOW)
        if end == "failed":
            failure = Failure("gpu_oom", "The GPU is full.")
            await outcomes.failed(ledger, ran(claim), failure, GiveUp(failure), NOW)
            await outcomes.requeue(ledger, job, NOW)
        else:
            await outcomes.succeed(ledger, ran(claim), "/outbox/clip.mp4", "hash", NOW)
    assert await deliveries.fill(ledger, ALL) == {"all": 6}
    said = []
    while found := await deliveries.due(ledger, "all", NOW, 100):
        (one,) = found  # the next one of a job waits for the one before
        content = json.loads(one.payload)
        said.append((content["type"], content["data"]["job"]["state"], content["data"]["job"]["reason"]))
        await deliveries.delivered(ledger, one, NOW)
    assert said == [
        ("job.queued", "queued", None),
        ("job.started", "running", None),
        ("job.failed", "failed", "The GPU is full."),
        ("job.queued", "queued", None),
        ("job.started", "running", None),
        ("job.succeeded", "succeeded", None),
    ]
    assert content["data"]["job"]["output"] == "clip.mp4"
    tally = (await deliveries.tallies(ledger))["all"]
    assert (tally.waiting, tally.delivered, tally.last_success_at) == (0, 6, NOW)


async def test_what_is_not_taken_waits_and_holds_up_no_other_job(ledger: Ledger) -> None:
    await deliveries.know(ledger, ["all"], NOW, LATEST)
    job, other = await admit(ledger, arrival("1.mp4"), arrival("2.mp4"))
    await outcomes.request_cancel(ledger, job, NOW)
    await outcomes.request_cancel(ledger, other, NOW)
    await deliveries.fill(ledger, ALL)
    one = await first(ledger)
    await deliveries.not_taken(ledger, one, "It answered 500.", NOW + 5, NOW)
    assert [said["data"]["job"]["id"] for said in await told(ledger)] == [other]
    assert await deliveries.next_due(ledger, "all", NOW) == NOW + 5
    again = next(found for found in await deliveries.due(ledger, "all", NOW + 5, 9) if found.id == one.id)
    assert (again.message, again.attempt) == (one.message, 1)
    await deliveries.not_taken(ledger, again, "It answered 502.", None, NOW + 5)
    assert [said["type"] for said in await told(ledger, now=NOW + 5)] == ["job.queued", "job.cancelled"]
    tally = (await deliveries.tallies(ledger))["all"]
    assert (tally.waiting, tally.given_up, tally.last_error) == (3, 1, "It answered 502.")


async def test_a_webhook_that_is_taken_out_takes_what_waits_along(ledger: Ledger) -> None:
    await deliveries.know(ledger, ["all", "other"], NOW, LATEST)
    await admit(ledger, arrival("1.mp4"), arrival("2.mp4"))
    await deliveries.fill(ledger, {**ALL, "other": EVENTS})
    assert await deliveries.know(ledger, ["other"], NOW, LATEST) == {"all": 2}
    assert await deliveries.due(ledger, "all", NOW, 10) == []
    assert len(await deliveries.due(ledger, "other", NOW, 10)) == 2
    assert await deliveries.know(ledger, [], NOW, LATEST) == {"other": 2}
    assert await ledger.rows("SELECT * FROM deliveries") == []


async def test_nothing_waits_for_a_time_that_a_clock_which_was_ahead_has_given(ledger: Ledger) -> None:
    await deliveries.know(ledger, ["all"], NOW, LATEST)
    await admit(ledger, arrival("1.mp4"), now=NOW + 1e6)
    await deliveries.fill(ledger, ALL)
    assert await types(ledger) == []
    await deliveries.know(ledger, ["all"], NOW, LATEST)
    assert await types(ledger) == ["job.queued"]


async def test_everything_that_waits_can_be_given_up(ledger: Ledger) -> None:
    await deliveries.know(ledger, ["all"], NOW, LATEST)
    await admit(ledger, arrival("1.mp4"), arrival("2.mp4"))
    await deliveries.fill(ledger, ALL)
    one = await first(ledger)
    await deliveries.give_up(ledger, "all", "It is gone.", NOW)
    await deliveries.not_taken(ledger, one, "It answered 500.", NOW + 5, NOW)  # was under way
    tally = (await deliveries.tallies(ledger))["all"]
    assert (tally.waiting, tally.given_up) == (0, 2)


async def test_what_has_ended_long_ago_is_pruned_and_what_waits_is_not(ledger: Ledger) -> None:
    await deliveries.know(ledger, ["all"], NOW, LATEST)
    await admit(ledger, arrival("1.mp4"), arrival("2.mp4"))
    await deliveries.fill(ledger, ALL)
    await deliveries.delivered(ledger, await first(ledger), NOW)
    assert await deliveries.prune(ledger, NOW) is None
    assert await deliveries.prune(ledger, NOW + 1) == 1
    assert await deliveries.prune(ledger, NOW + 1) is None
    tally = (await deliveries.tallies(ledger))["all"]
    assert (tally.waiting, tally.delivered) == (1, 1)
