"""The TCP port: where it listens, and what opens it."""

import ipaddress
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from faceswapd.control.doors.keys import Keys, UnsafeTokenError, token_of
from faceswapd.control.live import Network
from faceswapd.settings.schema import HttpSettings

BACKLOG: Final = 128


@dataclass(frozen=True, slots=True)
class Port:
    """The port, and how it is spoken to."""

    listening: socket.socket
    network: Network
    certificate: Path | None = None
    key: Path | None = None


class NoPortError(Exception):
    """The port cannot be opened; the text says why and what to do."""


def open_port(http: HttpSettings, token: Path) -> Port:
    """Listen, with the token from its file, which is made at the first time. Raises NoPortError."""
    tls = http.certificate is not None
    try:
        keys = Keys(token_of(token))
        if http.certificate is not None:
            ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(http.certificate, http.key)
        listening = _listen(http.address, http.port)
    except UnsafeTokenError as error:
        raise NoPortError(str(error)) from error
    except ssl.SSLError as error:
        told = f"The certificate {http.certificate} and its key {http.key} cannot be used: {error.reason or error}."
        raise NoPortError(told) from error
    except OSError as error:
        place = error.filename or f"{http.address}, port {http.port},"
        raise NoPortError(
            f"The API is on no TCP port: {place} cannot be used ({error.strerror or error}). "
            "Change [http] in the configuration, or end what uses it, and restart."
        ) from error
    hosts = frozenset(host.lower().rstrip(".") for host in http.hosts)
    number = listening.getsockname()[1]
    if http.behind_proxy and http.hosts:
        url = f"https://{http.hosts[0]}"
    else:
        url = f"http{'s' if tls else ''}://{_named(http)}:{number}"
    network = Network(url, keys, hosts, tls or http.behind_proxy, http.behind_proxy)
    return Port(listening, network, http.certificate, http.key)


def _named(http: HttpSettings) -> str:
    """How a browser on this machine reaches it."""
    if http.hosts:
        return http.hosts[0]
    address = ipaddress.ip_address(http.address)
    if address.is_loopback or address.is_unspecified:
        return f"[{address}]" if address.version == 6 and address.is_loopback else "127.0.0.1"
    return f"[{address}]" if address.version == 6 else str(address)


def _listen(address: str, port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.setblocking(False)
        listening.bind((address, port))
        listening.listen(BACKLOG)
    except BaseException:
        listening.close()
        raise
    return listening
