"""One Starlette application for every door, made from the table of routes."""

import json
import math

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from faceswapd.control.doors.guard import Guard
from faceswapd.control.feed import Feed
from faceswapd.control.live import House
from faceswapd.control.operation import Operation, Told
from faceswapd.control.refusal import Refused
from faceswapd.control.routes.table import OPERATIONS
from faceswapd.control.wire import messages
from faceswapd.ledger.connection import LedgerFullError

# What is said is true for this moment and this one who asks, and is what it says it is.
HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}

log = structlog.get_logger(__name__)


def application(house: House) -> Starlette:
    """All routes."""
    guard = Guard(house)
    made = Starlette(
        routes=[_route(house, guard, operation) for operation in OPERATIONS],
        exception_handlers={HTTPException: _refuse, LedgerFullError: _full, Exception: _own_error},
    )
    made.state.feed = Feed(house)
    made.router.redirect_slashes = False  # to wherever a request's Host names
    return made


def _route(house: House, guard: Guard, operation: Operation) -> Route:
    async def endpoint(request: Request) -> Response:
        try:
            guard.admit(request, operation)
            response = _response(await operation.answer(house, request), operation.status)
        except Refused as refused:
            response = _refusal(refused)
        response.headers.update(operation.carries)
        return response

    return Route(operation.path, endpoint, methods=[operation.method])


def _response(answer: object, status: int) -> Response:
    if isinstance(answer, Response):
        return answer
    if isinstance(answer, Told):
        response = as_json(answer.message, answer.status)
        response.headers.update(answer.headers)
        return response
    return as_json(answer, status)


def as_json(message: object, status: int = 200) -> Response:
    """ASCII JSON: a file name that is not UTF-8 keeps its bytes as escaped surrogates."""
    body = json.dumps(messages.to_wire(message), separators=(",", ":"))
    return Response(body, status, HEADERS, "application/json")


def _refusal(refused: Refused) -> Response:
    response = as_json(refused.message, refused.status)
    if refused.status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    if refused.wait is not None:
        response.headers["Retry-After"] = str(math.ceil(refused.wait))
    return response


async def _refuse(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    said = messages.Error(f"{request.method} {request.scope['path']}: {error.detail}.")
    return as_json(said, error.status_code)


async def _full(request: Request, error: Exception) -> Response:
    del request
    return as_json(messages.Error(f"{error} Nothing was changed."), 503)


async def _own_error(request: Request, error: Exception) -> Response:
    log.error("an error of faceswapd itself", path=request.scope["path"], exc_info=error)
    return as_json(messages.Error("An error of faceswapd itself; its log tells more."), 500)
