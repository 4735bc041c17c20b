"""What becomes of a file, and why: the answer to `faceswapctl explain`."""

import asyncio
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from faceswapd.control import messages
from faceswapd.control.live import House, InboxLive, Live
from faceswapd.control.views import View
from faceswapd.core import intake
from faceswapd.ledger import reports
from faceswapd.ledger.records import JobRecord


async def explain(house: House, path: str) -> messages.Explanation:
    """GET /v1/explain."""
    live = house.live()
    view = await View.of(house.ledger, live)
    for target in targets_of(live, path):
        inbox = next((inbox for inbox in live.inboxes if target.startswith(inbox.path + os.sep)), None)
        if inbox is None:
            continue
        found = await reports.of_target(house.ledger, target)
        there = await asyncio.to_thread(os.path.lexists, target)
        if not found and not there and target != path:
            continue
        parts = Path(target).relative_to(inbox.path).parts
        told = house.orders.told_of(target)
        asked = told.question
        pairing = intake.pair(parts, live.rules, inbox.bundles, asked.named)
        preset = asked.own.preset or pairing.preset or asked.folders.preset or inbox.preset
        sentence = next(_answers(house, target, inbox, pairing, found, there=there))
        return messages.Explanation(
            path=target,
            sentence=sentence,
            rule=found[0].rule if found else pairing.rule,
            face=found[0].face if found else pairing.face,
            preset=found[0].preset if found else preset,
            job=view.show(found[0]) if found else None,
            considered=list(pairing.considered),
            said=list(told.lines),
        )
    folders = ", ".join(inbox.path for inbox in live.inboxes)
    return messages.Explanation(
        path, f"It lies in no inbox. The inboxes are: {folders}.", None, None, None, None, [], []
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
