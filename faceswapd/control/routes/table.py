"""Every request that the daemon answers: one table, from which the application and the OpenAPI document are made."""

import asyncio
import json
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from faceswapd.control import requests
from faceswapd.control.files.reach import check_reach
from faceswapd.control.live import House
from faceswapd.control.operation import NUMBER, PATH, Operation, Parameter, Told, waits
from faceswapd.control.routes import (
    event_routes,
    explaining,
    face_routes,
    file_routes,
    handlers,
    health_routes,
    ledger_handlers,
    listing_routes,
    log_routes,
    login_routes,
    metrics_routes,
    model_handlers,
    order_routes,
    page_routes,
    process_routes,
    report_routes,
    stream_routes,
    submit_handlers,
    upload_routes,
    webhook_routes,
)
from faceswapd.control.routes.idempotency import KEY, once
from faceswapd.control.wire import (
    job_messages,
    ledger_messages,
    messages,
    model_messages,
    request_messages,
    submit_messages,
)
from faceswapd.core.job import State
from faceswapd.ledger import listing

DOCUMENT_FILE: Final = Path(__file__).parent.with_name("openapi.json")  # written by openapi.py


async def _document(_: House, __: Request) -> Response:
    return Response(await asyncio.to_thread(DOCUMENT_FILE.read_bytes), media_type="application/json")


async def _health(_: House, __: Request) -> messages.Done:
    return messages.Done("The daemon lives.")


async def _ready(house: House, _: Request) -> object:
    answer = await handlers.ready(house)
    return answer if answer.ready else Told(answer, 503)


async def _jobs(house: House, request: Request) -> object:
    limit = requests.whole(request, "limit", handlers.MOST_JOBS, 1)
    before = requests.whole(request, "before", 0) if "before" in request.query_params else None
    wanted = listing.Wanted(
        states=handlers.states_of(request.query_params.getlist("state")),
        **{name: requests.words(request, name) for name in ("inbox", "face", "preset", "category", "text")},
    )
    return await handlers.jobs(house, wanted, limit, before)


async def _wait(house: House, request: Request) -> object:
    number, seconds = requests.number(request), requests.seconds(request, 25.0)
    return await requests.while_heard(request, handlers.wait(house, number, seconds))


async def _explain(house: House, request: Request) -> object:
    path = requests.path(request)
    await check_reach(house, request, [path])
    return await explaining.explain(house, path)


async def _find(house: House, request: Request) -> object:
    path, seconds = requests.path(request), requests.seconds(request, 0.0)
    await check_reach(house, request, [path])
    return await requests.while_heard(request, handlers.find(house, path, seconds))


async def _assign(house: House, request: Request) -> object:
    asked = await requests.said(request, request_messages.Assign)
    return await handlers.assign(house, requests.number(request), asked.face)


async def _submit(house: House, request: Request) -> object:
    asked = await requests.said(request, request_messages.Submit)
    await check_reach(house, request, asked.targets)
    with once(house, request, submit_messages.Submitted) as one:
        words = json.dumps(messages.to_wire(asked), sort_keys=True)
        known = await one.known(words)
        if known is not None:
            return known
        answer = await requests.while_heard(request, submit_handlers.submit(house, asked))
        if not answer.undone and not asked.dry_run:
            await one.remember(words, Told(answer, 200))
        return answer


async def _retry_failed(house: House, request: Request) -> object:
    asked = await requests.said(request, request_messages.RetryFailed)
    return await ledger_handlers.retry_failed(house, asked.category)


async def _backup(house: House, request: Request) -> object:
    asked = await requests.said(request, request_messages.Backup)
    return await ledger_handlers.backup(house, asked.path)


async def _pause(house: House, request: Request) -> object:
    return await handlers.pause(house, (await requests.said(request, request_messages.Which)).inbox)


async def _resume(house: House, request: Request) -> object:
    return await handlers.resume(house, (await requests.said(request, request_messages.Which)).inbox)


async def _prune(house: House, request: Request) -> object:
    asked = await requests.said(request, request_messages.Prune)
    return await model_handlers.prune(house, remove=asked.remove)


STATES = Parameter("state", {"type": "array", "items": {"enum": list(State)}}, "only jobs in these states")
LIMIT = Parameter("limit", {"type": "integer", "minimum": 1}, "how many at most")
BEFORE = Parameter(
    "before", {"type": "integer", "minimum": 0}, "only jobs with a lower id: `next` of the answer before"
)
ALIKE = tuple(
    Parameter(name, {"type": "string"}, f"only jobs {meaning}")
    for name, meaning in (
        ("inbox", "of this inbox"),
        ("face", "with this face"),
        ("preset", "under this preset"),
        ("category", "that failed or are parked for this"),
        ("text", "whose target's relative name holds this"),
    )
)

GENERAL = (
    Operation("GET", "/healthz", _health, "Whether the process answers at all.", messages.Done, open=True),
    Operation(
        "GET",
        "/readyz",
        _ready,
        "Whether all is well: every loop lives, the ledger answers, and the daemon is not stopping.",
        messages.Ready,
        open=True,
        also=((503, messages.Ready),),
    ),
    Operation(
        "GET", "/api/status", lambda house, _: handlers.status(house), "How things stand, on one page.", messages.Status
    ),
    Operation(
        "POST", "/api/pause", _pause, "Start nothing new: all, or from one inbox.", messages.Done,
        request_messages.Which, refusals=(404,),
    ),
    Operation(
        "POST", "/api/resume", _resume, "Go on; files that an inbox waits for and lacks are given up.", messages.Done,
        request_messages.Which, refusals=(404,),
    ),
    Operation(
        "POST", "/api/stop", lambda house, _: handlers.stop(house),
        "Stop when what runs has ended; asked once more, at once.", messages.Done,
    ),
)  # fmt: skip

JOBS = (
    Operation(
        "GET", "/api/jobs", _jobs, "Jobs, newest first.", messages.Jobs, parameters=(STATES, *ALIKE, LIMIT, BEFORE),
    ),
    Operation(
        "GET", "/api/jobs/{number}", lambda house, request: handlers.job(house, requests.number(request)),
        "One job, with its attempts and its history.", job_messages.JobDetail, parameters=(NUMBER,), refusals=(404,),
    ),
    Operation(
        "GET", "/api/jobs/{number}/wait", _wait, "The same, as soon as the job has ended or the time is over.",
        job_messages.JobDetail, parameters=(NUMBER, waits(25)), refusals=(404,),
    ),
    Operation(
        "POST", "/api/jobs/{number}/cancel", lambda house, request: handlers.cancel(house, requests.number(request)),
        "Give a job up.", messages.Done, parameters=(NUMBER,), refusals=(404, 409),
    ),
    Operation(
        "POST", "/api/jobs/{number}/retry", lambda house, request: handlers.retry(house, requests.number(request)),
        "Try a job once more that failed or was cancelled.", messages.Done, parameters=(NUMBER,), refusals=(404, 409),
    ),
    Operation(
        "POST", "/api/jobs/{number}/assign", _assign, "Give a parked job its face.", messages.Done,
        request_messages.Assign, parameters=(NUMBER,), refusals=(404, 409),
    ),
    Operation(
        "POST", "/api/retry", _retry_failed, "Try all failed jobs once more, or those of one category.",
        job_messages.Retried, request_messages.RetryFailed, refusals=(404,),
    ),
    Operation(
        "POST", "/api/submit", _submit,
        "Files of this machine become jobs: what was looked at in a few seconds; the rest is to be asked for again.",
        submit_messages.Submitted, request_messages.Submit, parameters=(KEY,), refusals=(404, 409, 422),
    ),
    Operation(
        "GET", "/api/explain", _explain,
        "What becomes of a file, and why.", job_messages.Explanation, parameters=(PATH,),
    ),
    Operation(
        "GET", "/api/find", _find,
        "The jobs of a target (absolute path, or as in the inbox), as soon as there is one or the time is over.",
        messages.Jobs, parameters=(PATH, waits(0)),
    ),
)  # fmt: skip

LEDGER = (
    Operation(
        "POST", "/api/ledger/backup", _backup, "Copy the ledger to a file of this machine.", messages.Done,
        request_messages.Backup, refusals=(409,), local=True,
    ),
    Operation(
        "GET", "/api/ledger/check", lambda house, _: ledger_handlers.check(house), "Whether the ledger is whole.",
        ledger_messages.LedgerCheck,
    ),
)  # fmt: skip

MODELS = (
    Operation(
        "GET", "/api/models", lambda house, _: model_handlers.models(house), "FaceFusion's models.",
        model_messages.Models, refusals=(409,),
    ),
    Operation(
        "POST", "/api/models/pull", lambda house, _: model_handlers.pull(house),
        "Fetch what lacks, meanwhile; GET tells how far it is.", messages.Done, refusals=(409,),
    ),
    Operation(
        "POST", "/api/models/verify", lambda house, _: model_handlers.verify(house), "Read each model anew.",
        model_messages.Models, refusals=(409,),
    ),
    Operation(
        "POST", "/api/models/prune", _prune, "What no preset needs; with `remove` it is removed.",
        model_messages.Pruned, request_messages.Prune, refusals=(409,),
    ),
)  # fmt: skip

DOCUMENT = (Operation("GET", "/api/openapi.json", _document, "This document.", "application/json", open=True),)

OPERATIONS: tuple[Operation, ...] = (
    *GENERAL,
    *JOBS,
    *LEDGER,
    *MODELS,
    *login_routes.OPERATIONS,
    *stream_routes.OPERATIONS,
    *DOCUMENT,
    *order_routes.OPERATIONS,
    *event_routes.OPERATIONS,
    *health_routes.OPERATIONS,
    *listing_routes.OPERATIONS,
    *report_routes.OPERATIONS,
    *metrics_routes.OPERATIONS,
    *page_routes.OPERATIONS,
    *file_routes.OPERATIONS,
    *face_routes.OPERATIONS,
    *log_routes.OPERATIONS,
    *webhook_routes.OPERATIONS,
    *process_routes.OPERATIONS,
    *upload_routes.OPERATIONS,
)
