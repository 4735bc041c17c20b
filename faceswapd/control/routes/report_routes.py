"""What was done: GET /api/report."""

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from statistics import median

from starlette.requests import Request

from faceswapd.control import requests
from faceswapd.control.live import House
from faceswapd.control.operation import Operation, Parameter
from faceswapd.control.refusal import Refused
from faceswapd.control.wire.report_messages import DayLine, FailureLine, Report, SlotUse, SpeedLine
from faceswapd.core.catalogue import CATALOGUE
from faceswapd.core.job import State
from faceswapd.ledger import report
from faceswapd.ledger.connection import Reads
from faceswapd.ledger.report import EndedExecutions, EndedJobs, OpenExecution

USUAL_DAYS, MOST_DAYS = 7, 366
SUCCEEDED = "succeeded"


async def _report(house: House, request: Request) -> Report:
    days = requests.whole(request, "days", USUAL_DAYS)
    if not 1 <= days <= MOST_DAYS:
        raise Refused(400, f"A report is of 1 to {MOST_DAYS} days.")
    return await house.ledger.together(lambda reads: made(reads, days, time.time()))


async def made(ledger: Reads, days: int, now: float) -> Report:
    """The report of the day of `now` and the days before it."""
    today = datetime.fromtimestamp(now).date()  # noqa: DTZ006  a day here
    named = [today - timedelta(days=days - 1 - place) for place in range(days)]
    since = _begins(named[0])
    jobs = await report.ended_jobs(ledger, named[0].isoformat())
    ended = await report.ended_executions(ledger, named[0].isoformat())
    good = [one for one in ended if one.outcome == SUCCEEDED]
    waits = await report.waits(ledger, since)
    first = await report.first_job_at(ledger)
    span = now - max(since, since if first is None else first)
    counts: Counter[State] = Counter()
    for one in jobs:
        counts[one.state] += one.jobs
    return Report(
        days=days,
        since=since,
        until=now,
        succeeded=counts[State.SUCCEEDED],
        failed=counts[State.FAILED],
        cancelled=counts[State.CANCELLED],
        frames=sum(one.frames for one in good),
        video=sum(one.video for one in jobs if one.state is State.SUCCEEDED),
        busy=sum(one.busy for one in ended),
        seconds=sum(one.seconds for one in good),
        retried=sum(one.executions for one in ended if one.outcome == "retried"),
        wait=median(waits) if waits else None,
        speeds=_speeds(good),
        by_day=_days([day.isoformat() for day in named], jobs, ended),
        failures=_failures(ended),
        slots=_slots(ended, await report.open_executions(ledger), since, now, span),
    )


def _begins(day: date) -> float:
    """When a day begins here, seconds since 1970."""
    return datetime(day.year, day.month, day.day).timestamp()  # noqa: DTZ001  likewise


def _speeds(good: Iterable[EndedExecutions]) -> list[SpeedLine]:
    sorts: dict[tuple[str, str, str, str], list[EndedExecutions]] = {}
    for one in good:
        sorts.setdefault((one.engine, one.preset, one.device, str(one.kind)), []).append(one)
    lines = []
    for sort, group in sorted(sorts.items()):
        frames, seconds = sum(one.frames for one in group), sum(one.seconds for one in group)
        rate = frames / seconds if seconds > 0 else None
        lines.append(SpeedLine(*sort, sum(one.executions for one in group), frames, seconds, rate))
    return lines


def _days(days: Sequence[str], jobs: Iterable[EndedJobs], ended: Iterable[EndedExecutions]) -> list[DayLine]:
    counts: Counter[tuple[str, str]] = Counter()
    sums: dict[tuple[str, str], float] = {}
    for one in jobs:
        counts[one.day, one.state] += one.jobs
        if one.state is State.SUCCEEDED:
            sums[one.day, "video"] = sums.get((one.day, "video"), 0.0) + one.video
    for run in ended:
        counts[run.day, "frames"] += run.frames if run.outcome == SUCCEEDED else 0
        sums[run.day, "busy"] = sums.get((run.day, "busy"), 0.0) + run.busy
    return [
        DayLine(
            day,
            counts[day, State.SUCCEEDED],
            counts[day, State.FAILED],
            counts[day, State.CANCELLED],
            counts[day, "frames"],
            sums.get((day, "video"), 0.0),
            sums.get((day, "busy"), 0.0),
        )
        for day in days
    ]


def _failures(ended: Iterable[EndedExecutions]) -> list[FailureLine]:
    failed: Counter[str] = Counter()
    for one in ended:
        if one.outcome == "failed":
            failed[one.category or "unknown"] += one.executions
    return [
        FailureLine(category, jobs, known.sentence, known.advice)
        for category, jobs in failed.most_common()
        for known in (CATALOGUE.get(category, CATALOGUE["unknown"]),)
    ]


def _slots(
    ended: Iterable[EndedExecutions], running: Iterable[OpenExecution], since: float, now: float, span: float
) -> list[SlotUse]:
    busy: dict[tuple[int, str], float] = {}
    spent = [(one.slot, one.device, one.busy) for one in ended]
    spent += [(one.slot, one.device, now - max(one.started_at, since)) for one in running]
    for slot, device, seconds in spent:
        busy[slot, device] = busy.get((slot, device), 0.0) + max(0.0, seconds)
    return [
        SlotUse(slot, device, seconds, min(1.0, seconds / span) if span > 0 else 0.0)
        for (slot, device), seconds in sorted(busy.items())
    ]


DAYS = Parameter(
    "days",
    {"type": "integer", "minimum": 1, "maximum": MOST_DAYS, "default": USUAL_DAYS},
    "how many days, with today",
)

OPERATIONS = (
    Operation(
        "GET",
        "/api/report",
        _report,
        "What was done today and on the days before: jobs, frames, speeds, failures, waits, and the use of the slots.",
        Report,
        parameters=(DAYS,),
        refusals=(400,),
    ),
)
