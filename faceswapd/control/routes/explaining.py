"""What becomes of a file, and why: the answer to `faceswapctl explain`."""

import asyncio
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from faceswapd.control.live import House, InboxLive, Live
from faceswapd.control.views import View, day_of
from faceswapd.control.wire import job_messages
from faceswapd.core import intake
from faceswapd.ledger import reports, submission
from faceswapd.ledger.records import JobRecord


async def explain(house: House, path: str) -> job_messages.Explanation:
    """GET /api/explain."""
    live = house.live()
    view = await View.of(house.ledger, live)
    handed_over = await _handed_over(house, path)
    for target in targets_of(live, path):
        inbox = next((inbox for inbox in live.inboxes if target.startswith(inbox.path + os.sep)), None)
        if inbox is None:
            continue
        found = [job for job in await reports.of_target(house.ledger, target) if job.inbox]
        there = await asyncio.to_thread(os.path.lexists, target)
        if not found and not there and target != path:
            continue
        parts = Path(target).relative_to(inbox.path).parts
        told = house.orders.told_of(target)
        asked = told.question
        pairing = intake.pair(parts, live.rules, inbox.bundles, asked.named)
        preset = asked.own.preset or pairing.preset or asked.folders.preset or inbox.preset
        sentence = next(_answers(house, target, inbox, pairing, found, there=there))
        return job_messages.Explanation(
            path=target,
            sentence=sentence,
            rule=found[0].rule if found else pairing.rule,
            face=found[0].face if found else pairing.face,
            preset=found[0].preset if found else preset,
            job=view.show(found[0]) if found else None,
            considered=list(pairing.considered),
            said=[*told.lines, *map(_submitted, handed_over)],
        )
    if handed_over:
        return _of_hand(view, path, handed_over)
    folders = ", ".join(inbox.path for inbox in live.inboxes)
    return job_messages.Explanation(
        path, f"It lies in no inbox. The inboxes are: {folders}.", None, None, None, None, [], []
    )


Handed = tuple[JobRecord, float]  # a job, and when a file for which it does was submitted


async def _handed_over(house: House, path: str) -> list[Handed]:
    """The jobs of a file that was submitted, the newest first. A path by way of a link means the file itself."""
    if not os.path.isabs(path):  # noqa: PTH117
        return []
    resolved = await asyncio.to_thread(os.path.realpath, path)
    known = [
        one for place in dict.fromkeys((path, resolved)) for one in await submission.of_target(house.ledger, place)
    ]
    found = [(await reports.job(house.ledger, one.job), one.at) for one in known]
    return [(job, at) for job, at in found if job is not None]


def _submitted(handed: Handed) -> str:
    job, at = handed
    told = f" {job.reason}" if job.reason else ""
    with_what = f"the face '{job.face}' and the preset '{job.preset}'"
    return f"submitted at {day_of(at)} with {with_what}: job {job.id}, {job.state}.{told}"


def _of_hand(view: View, path: str, handed: Sequence[Handed]) -> job_messages.Explanation:
    """The answer for a file that lies in no inbox."""
    job, _ = handed[0]
    several = f"It was submitted, and is {len(handed)} jobs."
    return job_messages.Explanation(
        path=path,
        sentence=several if len(handed) > 1 else f"It was {_submitted(handed[0])}",
        rule=job.rule,
        face=job.face,
        preset=job.preset,
        job=view.show(job),
        considered=[],
        said=[_submitted(one) for one in handed] if len(handed) > 1 else [],
    )


def _answers(
    house: House, target: str, inbox: InboxLive, pairing: intake.Pairing, found: Sequence[JobRecord], *, there: bool
) -> Iterator[str]:
    """What can be said of a path; the first answer is the one that counts."""
    if target in inbox.skipped:
        yield f"It is not taken: {inbox.skipped[target]}"
    if target in inbox.arriving:
        yield f"It is not complete yet: {inbox.arriving[target]}"
    for job in found:
        told = f" {job.reason}" if job.reason else ""
        rule = f" It got the face '{job.face}': {job.rule}." if job.rule else ""
        yield f"It is job {job.id}, {job.state}.{told}{rule}"
    if (note := house.orders.note_of(target)) is not None:
        yield note
    if (mistake := house.orders.told_of(target).mistake) is not None:
        yield f"It would wait until this is mended: {mistake}"
    if not there:
        yield f"There is no such file. If it were there: {pairing.sentence}"
    name = target.rpartition(os.sep)[2]
    if intake.ignored_file(name):
        yield "It is never taken: hidden files, half-finished downloads and the like are left alone."
    if not intake.is_target(name):
        yield "It is neither a video nor an image that can be swapped, by its name's ending."
    yield f"It has not been looked at yet. {pairing.sentence}"


def targets_of(live: Live, path: str) -> list[str]:
    """What a path that a person wrote can mean: itself, or a place below each inbox."""
    if os.path.isabs(path):  # noqa: PTH117
        return [os.path.normpath(path)]
    return [os.path.normpath(os.path.join(inbox.path, path)) for inbox in live.inboxes]  # noqa: PTH118
