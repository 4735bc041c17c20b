"""How a browser comes in: a link that faceswapctl asks for opens once, and becomes a cookie."""

import time
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import HTMLResponse

from faceswapd.control.doors.guard import COOKIE, address_of, check_failures
from faceswapd.control.doors.keys import LINK_SECONDS, SESSION_SECONDS
from faceswapd.control.live import House
from faceswapd.control.operation import Operation, Parameter
from faceswapd.control.refusal import Refused
from faceswapd.control.wire.login_messages import Link

# A page and no redirect: after a redirect from a foreign page, the browser would hold the new cookie back.
_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>faceswapd</title>
<meta http-equiv="refresh" content="0;url=/"><p>{said} <a href="/">Go on</a></p></html>"""
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


async def _link(house: House, _: Request) -> Link:
    if house.network is None:
        raise Refused(409, "The TCP port is off.", "Set `enabled = true` in [http] of the configuration, and restart.")
    return Link(f"{house.network.url}/login?key={quote(house.network.keys.link())}", LINK_SECONDS)


async def _login(house: House, request: Request) -> HTMLResponse:
    network = house.network
    if network is None:
        raise Refused(409, "The TCP port is off.")
    check_failures(request, network)
    cookie = network.keys.redeem(request.query_params.get("key", ""))
    if cookie is None:
        network.failures.note(address_of(request, network), time.monotonic())
        raise Refused(401, "This link was used already, or is too old.", "Run `faceswapctl open` once more.")
    response = HTMLResponse(_PAGE.format(said="You are logged in."), headers=_HEADERS)
    response.set_cookie(
        COOKIE, cookie, max_age=SESSION_SECONDS, path="/", secure=network.tls, httponly=True, samesite="strict"
    )
    return response


KEY = Parameter("key", {"type": "string"}, "what `faceswapctl open` was told", required=True)

OPERATIONS = (
    Operation("POST", "/api/login-links", _link, "A link that opens the page once.", Link, refusals=(409,)),
    Operation(
        "GET", "/login", _login, "Where such a link leads.", "text/html", parameters=(KEY,), refusals=(409,), open=True
    ),
)
