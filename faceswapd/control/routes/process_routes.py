"""A target that is sent becomes a job, and one question tells how far it is."""

import asyncio
import re
import time

from starlette.requests import Request

from faceswapd.children.shield import to_the_end
from faceswapd.control import requests
from faceswapd.control.estimates import seconds_until_done
from faceswapd.control.files import sent_uploads
from faceswapd.control.files.form import MEDIA_TYPE, lingering
from faceswapd.control.files.photos import check_photos
from faceswapd.control.files.uploads import Upload, receive
from faceswapd.control.live import House
from faceswapd.control.operation import NUMBER, Hears, Operation, Told
from faceswapd.control.refusal import Refused
from faceswapd.control.routes.file_routes import storage_of
from faceswapd.control.routes.handlers import record_of
from faceswapd.control.routes.idempotency import KEY, once
from faceswapd.control.routes.submit_handlers import arrivals, ordered
from faceswapd.control.views import View
from faceswapd.control.wire.process_messages import JobProgress, Processing
from faceswapd.core.job import State
from faceswapd.core.submitting import Looked, Words
from faceswapd.ledger import submission
from faceswapd.ledger.admission import Arrival, Outcome
from faceswapd.ledger.submission import Taken


async def _process(house: House, request: Request) -> Told:
    if house.live().draining:
        raise Refused(503, "The daemon is stopping: send it again when it is back.")
    with once(house, request, Processing) as one:
        async with receive(storage_of(house), request) as upload:
            known = await one.known(upload.asked)
            if known is not None:
                return known
            taken = await requests.while_heard(request, _admitted(house, upload))
            answer = await told(house, taken)
            await one.remember(upload.asked, answer)
            return answer


async def told(house: House, taken: Taken) -> Told:
    """What is answered about a job that a target has become, or had become before."""
    assert taken.job is not None
    job = await record_of(house.ledger, taken.job)
    new = taken.outcome in (Outcome.QUEUED, Outcome.AGAIN)
    message = Processing(job.id, str(job.state), await seconds_until_done(house, job))
    return Told(message, 202 if new else 200, {"Location": f"/api/jobs/{job.id}"})


async def _admitted(house: House, upload: Upload) -> Taken:
    """The job of what was received; it is kept where a new job needs it. Raises Refused."""
    offer = await _offer(house, upload)
    (foreseen,) = await submission.foresee(house.ledger, [offer])
    if foreseen.outcome is Outcome.OUTPUT:
        raise Refused(409, f"It is the result of job {foreseen.job}, and is not swapped again.")
    if foreseen.final:
        raise Refused(409, f"It is the same as job {foreseen.job}, which was declined for good.")
    if foreseen.outcome is Outcome.DUPLICATE:
        return foreseen
    await upload.make_last()
    upload.kept = True  # as soon as the ledger may know of it
    try:
        (taken,) = await to_the_end(submission.submit(house.ledger, [offer], time.time()))
    except asyncio.CancelledError:
        raise
    except BaseException:
        upload.kept = False
        raise
    house.orders.look()
    return taken


async def _offer(house: House, upload: Upload) -> Arrival:
    """What is asked of it. Raises Refused."""
    order = ordered(house.live(), _words(upload))
    if upload.path is None:
        upload.path, upload.called = await sent_uploads.take(storage_of(house), upload.fields["upload"], upload.folder)
    target = str(upload.path)
    looked = await house.desk.look(target)
    if not isinstance(looked, Looked):
        raise Refused(422, f"{upload.called!r} cannot be swapped: {looked}")
    await check_photos(house, upload.photos)
    bundle = None if upload.bundle is None else str(upload.bundle)
    (offer,) = arrivals(house.live(), target, looked, order, bundle)
    return offer


def _words(upload: Upload) -> Words:
    face, preset, priority = (upload.fields.get(name, "").strip() for name in ("face", "preset", "priority"))
    if priority and re.fullmatch(r"-?[0-9]{1,3}", priority) is None:
        raise Refused(400, f"{priority[:40]!r} is no priority.", "Say a whole number from -100 to 100.")
    own = upload.photos_name
    return Words(
        faces=(face,) if face else (),
        presets=(preset,) if preset else (),
        priority=int(priority) if priority else None,
        own=None if own is None else own[:16],
    )


async def _progress(house: House, request: Request) -> JobProgress:
    job = await record_of(house.ledger, requests.number(request))
    shown = (await View.of(house.ledger, house.live())).show(job)
    done = job.state is State.SUCCEEDED
    return JobProgress(
        job_id=job.id,
        status=str(job.state),
        progress=1.0 if done else shown.progress,
        estimated_time=await seconds_until_done(house, job),
        output_url=f"/api/jobs/{job.id}/output" if done and job.output is not None else None,
        error=job.reason if job.state in (State.FAILED, State.CANCELLED, State.PARKED) else None,
    )


def _file(meaning: str) -> dict[str, str]:
    return {"type": "string", "format": "binary", "description": meaning}


FORM = Hears(
    MEDIA_TYPE,
    {
        "type": "object",
        "properties": {
            "target": _file("the video or the image"),
            "upload": {"type": "string", "description": "instead of a target: what POST /api/uploads has named"},
            "source": {"type": "array", "items": _file("a photo of the person"), "description": "instead of a face"},
            "face": {"type": "string", "description": "a face by its name; left out: the only one"},
            "preset": {"type": "string", "description": "left out: that of the first inbox"},
            "priority": {"type": "integer", "minimum": -100, "maximum": 100},
        },
    },
)

OPERATIONS = (
    Operation(
        "POST", "/api/process", lingering(_process),
        "A target is sent, and becomes a job; one that is known already (200) is not made again.",
        Processing, FORM, parameters=(KEY,), status=202, also=((200, Processing),),
        refusals=(400, 408, 409, 413, 415, 422, 507),
    ),
    Operation(
        "GET", "/api/status/{number}", _progress, "How far a job is.", JobProgress,
        parameters=(NUMBER,), refusals=(404,),
    ),
)  # fmt: skip
