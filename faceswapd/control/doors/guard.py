"""Who may ask what.

On the Unix socket the system tells who asks: the daemon's own user and root may, nobody else. On the TCP port a request
must name this daemon as its host, so that no page can reach it under a name of its own (DNS rebinding), must not come
from another page (CSRF), and carries the token, or the cookie that a one-time link has become.
"""

import ipaddress
import os
import time
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from starlette.requests import Request

from faceswapd.control.live import House, Network
from faceswapd.control.operation import Operation
from faceswapd.control.refusal import Refused

PEER: Final = "faceswapd.peer"  # in the scope's extensions: the Peer on the other side of the Unix socket
COOKIE: Final = "faceswapd"
SAFE: Final = ("GET", "HEAD")
LOGIN: Final = "Run `faceswapctl open` on its machine, or send the token of its file: `Authorization: Bearer TOKEN`."


@dataclass(frozen=True, slots=True)
class Peer:
    """Who is on the other side of the Unix socket; None where the system does not tell."""

    uid: int | None


class Guard:
    """Admits requests, or raises Refused."""

    def __init__(self, house: House) -> None:
        self._network = house.network

    def admit(self, request: Request, operation: Operation) -> None:
        """Let this request come to this operation."""
        peer = request.scope.get("extensions", {}).get(PEER)
        if isinstance(peer, Peer):
            if not operation.open and peer.uid not in (0, os.getuid()):
                raise Refused(403, "Only the user who runs the daemon may speak to it.")
            return
        if self._network is None:  # nobody else can have come
            raise Refused(403, "The daemon is asked on its socket alone.")
        _check_host(request, self._network)
        _check_origin(request)
        if operation.local:
            raise Refused(403, "This is asked on the daemon's own machine alone, by faceswapctl.")
        if not operation.open:
            check_key(request, self._network)


def check_key(request: Request, network: Network) -> None:
    """Raises Refused for a request with neither the token nor the cookie of a one-time link."""
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and network.keys.is_token(given.strip()):
        return
    cookie = request.cookies.get(COOKIE)
    if cookie is not None and network.keys.is_session(cookie):
        if request.method not in SAFE and not _from_own_page(request):
            raise Refused(403, "A request that changes something must come from the daemon's own page.")
        return
    # Right keys are let in from every address, wrong ones are not even counted as wrong after a while.
    check_failures(request, network)
    if given or cookie is not None:
        network.failures.note(address_of(request, network), time.monotonic())
        raise Refused(401, "The key is not right, or too old.", LOGIN)
    raise Refused(401, "This daemon wants a key.", LOGIN)


def _check_host(request: Request, network: Network) -> None:
    """A name of somebody else's can be made to lead here; a bare address cannot."""
    given = request.headers.getlist("host")
    try:
        name = (urlsplit(f"//{given[0]}").hostname or "").rstrip(".") if len(given) == 1 else ""
    except ValueError:
        name = ""
    if name == "localhost" or name in network.hosts:
        return
    try:
        ipaddress.ip_address(name)
    except ValueError:
        told = f"This daemon is not called {name[:60]!r}." if name else "The request names no host."
        raise Refused(421, told, "Add the name to `hosts` in [http].") from None


def _check_origin(request: Request) -> None:
    origin = request.headers.get("origin")
    if origin is not None and not _same(origin, request):
        raise Refused(403, f"Requests from the page {origin[:60]!r} are not answered.")


def _from_own_page(request: Request) -> bool:
    return request.headers.get("origin") is not None or request.headers.get("sec-fetch-site") == "same-origin"


def _same(origin: str, request: Request) -> bool:
    """Whether an origin is our own page, as its browser reaches it."""
    scheme, _, host = origin.partition("://")
    return scheme in ("http", "https") and host.lower() == request.headers.get("host", "").lower()


def check_failures(request: Request, network: Network) -> None:
    """Raises Refused for an address that has come with too many wrong keys."""
    seconds = network.failures.wait(address_of(request, network), time.monotonic())
    if seconds:
        raise Refused(429, f"Too many wrong keys from this address: try again in {seconds:.0f} s.", wait=seconds)


def address_of(request: Request, network: Network) -> str:
    """Where a request comes from. A proxy adds whom it saw at the end; what stands before that, anybody can write."""
    if network.behind_proxy:
        told = ",".join(request.headers.getlist("x-forwarded-for")).rpartition(",")[2].strip()
        if told:
            return told
    return request.client.host if request.client else ""
