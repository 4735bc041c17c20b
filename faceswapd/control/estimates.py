"""When a job will be done."""

import time

from faceswapd.control.live import House
from faceswapd.control.views import View
from faceswapd.core import eta
from faceswapd.core.job import State
from faceswapd.ledger import files, reports
from faceswapd.ledger.records import JobRecord


async def seconds_until_done(house: House, job: JobRecord) -> float | None:
    """For a job that runs, or waits behind others, if nothing holds it; 0 for one that has succeeded. None where nobody
    knows."""
    if job.state is State.SUCCEEDED:
        return 0.0
    if job.state not in (State.RUNNING, State.QUEUED):
        return None
    live = house.live()
    view = await View.of(house.ledger, live)
    if job.state is State.RUNNING:
        return view.show(job).seconds_left
    running = await reports.jobs(house.ledger, [State.RUNNING], max(live.slots, len(live.courses)))
    left = [view.show(one).seconds_left for one in running]
    seconds = eta.queue(await files.piles_ahead(house.ledger, job), left, view.speeds, live.slots)
    if seconds is None or job.not_before is None:
        return seconds
    own = eta.whole(0 if job.facts is None else job.facts.frames, view.speeds.get(eta.Sort(job.kind, job.preset)))
    return max(seconds, job.not_before - time.time() + (own or 0.0))
