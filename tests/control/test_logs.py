"""GET /api/jobs/ID/log."""

import time
from dataclasses import replace

from faceswapd.control.live import LogLive
from faceswapd.control.routes import log_routes
from faceswapd.control.wire import messages
from faceswapd.control.wire.log_messages import JobLog
from faceswapd.core.failures import Failure
from faceswapd.core.retry import GiveUp
from faceswapd.core.running_log import RunningLog
from faceswapd.ledger import claims, outcomes, reports
from faceswapd.ledger.claims import Runner
from faceswapd.ledger.outcomes import Ran, Spent
from tests.control.serving import Control

DIED = Failure("child_died", "The engine's child ended.")


async def heard(control: Control, query: str = "") -> JobLog:
    status, said = await control.ask(f"/api/jobs/1/log{query}")
    assert status == 200, said
    return messages.from_wire(JobLog, said)


async def failed(control: Control, log: str | None) -> int:
    """The execution of job 1, which has failed."""
    job = await reports.job(control.ledger, 1)
    assert job is not None
    claim = await claims.claim(control.ledger, job.segment, Runner("boot", 1, "preview", "CPU"), time.time())
    ran = Ran(claim.execution, job.segment, 1)
    await outcomes.failed(control.ledger, ran, DIED, GiveUp(DIED), time.time(), Spent(log=log))
    return claim.execution


async def test_of_a_job_that_never_ran_there_is_no_log(control: Control) -> None:
    assert await heard(control) == JobLog("queued", None, 0, running=False, text="", start=0, next=0)
    assert (await control.ask("/api/jobs/77/log"))[0] == 404


async def test_the_last_words_of_one_that_failed_are_kept(control: Control) -> None:
    execution = await failed(control, "frame 240\nböom")
    said = await heard(control)
    assert said == JobLog("failed", execution, 1, running=False, text="frame 240\nböom\n", start=0, next=16)
    assert (await heard(control, f"?after=10&execution={execution}")).text == "böom\n"
    assert (await heard(control, f"?after=99&execution={execution}")).text == ""
    assert (await heard(control, f"?after=10&execution={execution + 1}")).text == "frame 240\nböom\n"
    await outcomes.requeue(control.ledger, 1, time.time())
    await failed(control, None)
    assert (await heard(control)).execution == execution, "the later one said nothing"


async def test_what_is_said_meanwhile_follows(control: Control) -> None:
    log = RunningLog(most=20)
    known = [LogLive(5, 2, running=True, log=log)]
    house = replace(control.house, orders=replace(control.house.orders, log_of=lambda _: known[-1]))
    log.say("-- swapping")
    first = await log_routes.log_of(house, 1, 0, 0)
    assert first == JobLog("queued", 5, 2, running=True, text="-- swapping\n", start=0, next=12)
    log.say("zwei")
    assert (await log_routes.log_of(house, 1, first.next, 5)).text == "zwei\n"
    for _ in range(10):
        log.say("dreizehn")
    later = await log_routes.log_of(house, 1, first.next, 5)
    assert (later.text, later.start, later.next) == ("dreizehn\ndreizehn\n", 89, 107), "what is between is lost"
    known.append(LogLive(6, 3, running=False, log=RunningLog()))
    assert await log_routes.log_of(house, 1, later.next, 5) == JobLog(
        "queued", 6, 3, running=False, text="", start=0, next=0
    )
