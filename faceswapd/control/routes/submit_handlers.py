"""Files that are handed over: looked at for a few seconds, and made jobs of under one commit."""

import asyncio
import os
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from faceswapd.control.live import House, Live
from faceswapd.control.refusal import Refused
from faceswapd.control.views import View
from faceswapd.control.wire import submit_messages
from faceswapd.control.wire.request_messages import Submit
from faceswapd.core import eta
from faceswapd.core.job import State
from faceswapd.core.sidecar import Known, Mistake
from faceswapd.core.submitting import MOST_JOBS, Looked, Order, Words, order_of
from faceswapd.ledger import reports, submission
from faceswapd.ledger.admission import Arrival, Outcome, fingerprint_of
from faceswapd.ledger.submission import Taken

MOST_TARGETS: Final = 100  # of one request
MOST_NAMES: Final = 500  # faces, or presets, of one request
DECLINED: Final = "declined"  # on the wire: it is the same as a job that will not be tried again
LOOK_SECONDS: Final = 4.0  # what could not be looked at in this time is asked for again


def _checked(asked: Submit) -> tuple[str, ...]:
    """The targets, each once. Raises Refused."""
    for name, texts, most in (
        ("targets", asked.targets, MOST_TARGETS),
        ("faces", asked.faces, MOST_NAMES),
        ("presets", asked.presets, MOST_NAMES),
    ):
        if len(texts) > most:
            raise Refused(400, f"`{name}` names more than {most}.")
    if not asked.targets:
        raise Refused(400, "The request names no target.")
    if not all(_is_path(target) for target in asked.targets):
        raise Refused(400, "A target is named by its absolute path.")
    return tuple(dict.fromkeys(asked.targets))


def _is_path(text: str) -> bool:
    """Whether it can be the absolute path of a file."""
    try:
        os.fsencode(text)
    except UnicodeEncodeError:  # a surrogate that stands for no byte
        return False
    return os.path.isabs(text) and "\0" not in text  # noqa: PTH117  a Path would change it


async def submit(house: House, asked: Submit) -> submit_messages.Submitted:
    """POST /api/submit."""
    live, targets = house.live(), _checked(asked)
    if live.draining:
        raise Refused(503, "The daemon is stopping: submit again when it is back.")
    order = ordered(live, asked.words)
    looked, undone = await _looked_at(house, targets, len(order.faces) * len(order.presets))
    offers = {
        target: arrivals(live, target, found, order) for target, found in looked.items() if isinstance(found, Looked)
    }
    together = [offer for some in offers.values() for offer in some]
    if asked.dry_run:
        taken = await submission.foresee(house.ledger, together)
    else:
        taken = await submission.submit(house.ledger, together, time.time()) if together else []
    told = dict(zip(map(_name, together), taken, strict=True))
    sorts = {eta.Sort(offer.kind, offer.preset) for offer in together}
    speeds = eta.learn(await reports.past_of(house.ledger, live.engine, sorts)) if asked.dry_run else {}
    return submit_messages.Submitted(
        submissions=[
            submit_messages.Submission(target, found)
            if isinstance(found, str)
            else submit_messages.Submission(
                target=target,
                problem=None,
                kind=str(found.facts.kind),
                frames=found.facts.frames,
                duration=found.facts.duration,
                offers=[_offer(offer, told[_name(offer)], speeds) for offer in offers[target]],
            )
            for target, found in looked.items()
        ],
        undone=undone,
        not_before=order.wish.not_before,
        slots=live.slots,
        queue_seconds_left=await _queue_left(house, live) if asked.dry_run else None,
    )


def ordered(live: Live, words: Words) -> Order:
    """What the words ask for. Raises Refused."""
    known = Known(live.rules.faces, live.rules.presets, datetime.now())  # noqa: DTZ005  as clocks on walls show it
    order = order_of(words, live.rules, known, live.inboxes[0].preset if live.inboxes else "balanced")
    if isinstance(order, Mistake):
        raise Refused(400, order.sentence)
    return order


async def _looked_at(house: House, targets: Sequence[str], each: int) -> tuple[dict[str, Looked | str], list[str]]:
    """What could be looked at in a few seconds and makes no more jobs than one commit should, and what could not."""
    looked: dict[str, Looked | str] = {}
    try:
        async with asyncio.timeout(LOOK_SECONDS):
            for target in targets:
                if looked and (len(looked) + 1) * each > MOST_JOBS:
                    break
                looked[target] = await house.desk.look(target)
    except TimeoutError:
        pass
    return looked, [target for target in targets if target not in looked]


def arrivals(live: Live, target: str, looked: Looked, order: Order, bundle: str | None = None) -> list[Arrival]:
    """One for each face and preset; `bundle`: the folder of the photos that are the face."""
    options = () if order.named or not live.inboxes else live.inboxes[0].options
    return [
        Arrival(
            target=target,
            relative=f"{face}/{Path(target).name}",  # as if it lay in the face's folder of an inbox
            signature=looked.signature,
            kind=looked.facts.kind,
            inbox="",
            preset=preset,
            priority=order.wish.priority or 0,
            afterwards="keep",
            facts=looked.facts,
            face=face,
            bundle=bundle,
            rule=order.rule,
            options=options,
            wish=order.wish,
        )
        for face in order.faces
        for preset in order.presets
    ]


def _name(offer: Arrival) -> tuple[str, str | None, str]:
    return offer.target, offer.face, offer.preset


def _offer(offer: Arrival, taken: Taken, speeds: Mapping[eta.Sort, eta.Speed]) -> submit_messages.Offer:
    assert offer.facts is not None
    new = taken.outcome in (Outcome.QUEUED, Outcome.AGAIN)
    speed = speeds.get(eta.Sort(offer.kind, offer.preset))
    return submit_messages.Offer(
        face=offer.face or "",
        preset=offer.preset,
        outcome=DECLINED if taken.final and taken.outcome is Outcome.DUPLICATE else str(taken.outcome),
        job=taken.job,
        text=_told(taken),
        key=fingerprint_of(offer) or "",
        seconds=eta.whole(offer.facts.frames, speed) if new else None,
    )


def _told(taken: Taken) -> str:
    match taken.outcome:
        case Outcome.QUEUED:
            return "a new job" if taken.job is None else f"new job {taken.job}"
        case Outcome.AGAIN:
            how = "had failed" if taken.state is State.FAILED else "was cancelled"
            return f"job {taken.job}, which {how}, once more"
        case Outcome.OUTPUT:
            return f"it is the result of job {taken.job}, and is not swapped again"
    if taken.final:
        return f"the same as job {taken.job}, which was declined for good"
    if taken.output is not None:
        return f"the same as job {taken.job}, whose result is {taken.output}"
    return f"the same as job {taken.job}, which is {taken.state}"


async def _queue_left(house: House, live: Live) -> float | None:
    view = await View.of(house.ledger, live)
    running = await reports.jobs(house.ledger, [State.RUNNING], max(live.slots, len(live.courses)))
    left = [view.show(job).seconds_left for job in running]
    return eta.queue(await reports.piles(house.ledger), left, view.speeds, live.slots)
