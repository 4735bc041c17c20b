"""What has happened, event by event, as JSON."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from starlette.requests import Request

from faceswapd.control import requests
from faceswapd.control.live import House
from faceswapd.control.operation import Operation, Parameter, waits
from faceswapd.control.refusal import Refused
from faceswapd.control.routes.handlers import LONGEST_WAIT, record_of
from faceswapd.control.wire.event_messages import Events
from faceswapd.control.wire.job_messages import Event
from faceswapd.ledger import events
from faceswapd.ledger.records import EventRecord

USUAL, MOST = 200, 1000  # events in one answer
MOST_JOBS = 100  # that one question names


@dataclass(frozen=True, slots=True)
class Question:
    """Which events are asked for."""

    jobs: Sequence[int]  # none: of all, and of the daemon itself
    after: int | None  # an id; None: the last ones
    limit: int
    seconds: float  # that is waited for the first one


async def _events(house: House, request: Request) -> Events:
    limit = min(requests.whole(request, "limit", USUAL, 1), MOST)
    jobs = [requests.as_job(text) for text in request.query_params.getlist("job")]
    if len(jobs) > MOST_JOBS:
        raise Refused(400, f"More than {MOST_JOBS} jobs are named.", "Ask for the events of all.")
    for job in jobs:
        await record_of(house.ledger, job)
    after = requests.whole(request, "after", 0) if "after" in request.query_params else None
    since = requests.moment(request, "since")
    if since is not None:
        after = max(after or 0, await events.before(house.ledger, since))
    asked = Question(jobs, after, limit, requests.seconds(request, 0.0))
    return await requests.while_heard(request, answered(house, asked))


async def answered(house: House, asked: Question) -> Events:
    """The events that are asked for, as soon as there is one or the time is over."""
    ends = time.monotonic() + min(asked.seconds, LONGEST_WAIT)
    after = asked.after
    while True:
        rung = house.ledger.bell.count
        # Looked at first: whoever goes on after `last` misses nothing that came since.
        first, last = await events.ends(house.ledger)
        if after is None:
            found = await events.latest(house.ledger, asked.limit, asked.jobs)
        else:
            found = await events.of_jobs(house.ledger, after, asked.limit, asked.jobs)
        left = ends - time.monotonic()
        if found or left <= 0 or house.live().draining:
            return Events([shown(one) for one in found], first, last)
        after = last if after is None else after
        await house.ledger.bell.after(rung, left)


def shown(one: EventRecord) -> Event:
    """An event as a message."""
    return Event(one.id, one.at, one.kind, one.job, one.text)


AFTER = Parameter("after", {"type": "integer", "minimum": 0}, "only events that followed this one; without it the last")
SINCE = Parameter("since", {"type": "number"}, "only events since then, in seconds since 1970")
OF_JOB = Parameter(
    "job", {"type": "array", "items": {"type": "integer"}, "maxItems": MOST_JOBS}, "only events of these jobs"
)
LIMIT = Parameter(
    "limit",
    {"type": "integer", "minimum": 1, "default": USUAL},
    f"how many at most, the first ones; never more than {MOST}",
)

OPERATIONS = (
    Operation(
        "GET", "/api/events", _events,
        "What has happened, oldest first, as soon as there is something or the time is over.", Events,
        parameters=(AFTER, SINCE, OF_JOB, LIMIT, waits(0)), refusals=(404,),
    ),
)  # fmt: skip
