"""One POST to an address of which nobody but the user knows where it leads.

Its host is made out here, each address that it has is judged, and the connection goes to exactly one that was judged: a
name that leads elsewhere at the second question (DNS rebinding) is never asked for twice. No proxy, no redirect.
"""

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from typing import Final
from urllib.parse import urlsplit

from faceswapd.core.addresses import private
from faceswapd.core.webhook import Letter, Sent

CONNECT_SECONDS: Final = 10.0
TOTAL_SECONDS: Final = 15.0  # with the question where the host is, and the answer
BODY_SECONDS: Final = 2.0  # that the answer's body may take, which nobody wants
LARGEST_ANSWER: Final = 64 * 1024  # bytes; of what is longer the rest is not read
GONE: Final = 410  # HTTP's word for: never again

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]


class UnusableAddressError(Exception):
    """No host can be made out in an address."""


class _Forbidden(Exception):
    """The text says in one sentence why nothing is sent there."""


async def resolved(host: str, port: int) -> Sequence[str]:
    """The addresses of a host, the best one first. Raises OSError and UnicodeError."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(one[4][0]) for one in found))


class Poster:
    """Sends to one address."""

    def __init__(self, url: str, *, allow_private: bool, resolve: Resolve = resolved) -> None:
        """Raises UnusableAddressError."""
        import httpx  # here, and nowhere else at the start: a daemon without webhooks carries none of it

        for name in ("httpx", "httpcore"):  # which tell whole addresses and headers
            logging.getLogger(name).setLevel(logging.WARNING)
        try:
            self._url = httpx.URL(url)
        except httpx.InvalidURL as error:
            raise UnusableAddressError from error
        self._host = urlsplit(url).hostname or ""  # httpx's own raises for some that it takes
        self._allow_private = allow_private
        self._resolve = resolve
        self._trusted: ssl.SSLContext | None = None

    async def send(self, letter: Letter) -> Sent:
        """Send it once."""
        import httpx

        try:
            async with asyncio.timeout(TOTAL_SECONDS):
                status = await self._sent(letter)
        except TimeoutError:
            return Sent(accepted=False, status=None, text=f"No answer came within {TOTAL_SECONDS:.0f} s.")
        except _Forbidden as forbidden:
            return Sent(accepted=False, status=None, text=str(forbidden))
        except (httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError) as error:
            return Sent(accepted=False, status=None, text=self._sentence(error))
        return Sent(200 <= status < 300, status, _meaning(status))

    async def _sent(self, letter: Letter) -> int:
        import httpx

        addresses = _few(await self._addresses())
        if self._trusted is None:
            https = self._url.scheme == "https"
            self._trusted = await asyncio.to_thread(_trusted) if https else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        for number, address in enumerate(addresses, start=1):
            try:
                return await self._sent_to(address, letter, CONNECT_SECONDS / len(addresses), self._trusted)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                if number == len(addresses):
                    raise
        raise _Forbidden(f"{self._host} has no address.")

    async def _sent_to(self, address: str, letter: Letter, seconds: float, trusted: ssl.SSLContext) -> int:
        import httpx

        headers = [
            ("Host", self._url.netloc.decode("ascii")),
            ("User-Agent", "faceswapd"),
            ("Accept-Encoding", "identity"),
            *letter.headers,
        ]
        async with (
            httpx.AsyncClient(
                transport=httpx.AsyncHTTPTransport(verify=trusted, trust_env=False),
                trust_env=False,
                follow_redirects=False,
                timeout=httpx.Timeout(TOTAL_SECONDS, connect=seconds),
            ) as client,
            client.stream(
                "POST",
                self._url.copy_with(host=address),
                content=letter.body,
                headers=headers,
                extensions={"sni_hostname": self._url.raw_host.decode("ascii")},
            ) as response,
        ):
            with contextlib.suppress(httpx.HTTPError, TimeoutError):  # the status is there, and says it all
                await _read(response.aiter_raw())
            return response.status_code

    async def _addresses(self) -> Sequence[str]:
        port = self._url.port or {"http": 80, "https": 443}[self._url.scheme]
        found = await self._resolve(self._url.raw_host.decode("ascii"), port)
        for address in found:
            told = None if self._allow_private else private(address)
            if told is not None:
                leads = "is" if address == self._host else f"leads to {address},"
                raise _Forbidden(
                    f"{self._host} {leads} {told}, and nothing is sent there unless the webhook says "
                    "`allow_private = true`."
                )
        return found

    def _sentence(self, error: Exception) -> str:
        """What happened, without the address: its parts may be secret."""
        import httpx

        chain = tuple(_chain(error))
        kinds: dict[str, type[BaseException]] = {
            f"There is no host {self._host}, or its name cannot be made out now.": socket.gaierror,
            f"There is no host {self._host}.": UnicodeError,
            f"The certificate of {self._host} is not accepted{_reason(chain)}.": ssl.SSLCertVerificationError,
            f"{self._host} does not speak TLS as it should{_reason(chain)}.": ssl.SSLError,
            f"{self._host} refuses the connection.": ConnectionRefusedError,
            f"{self._host} does not answer.": httpx.ConnectTimeout,
            f"{self._host} cannot be reached{_reason(chain)}.": httpx.ConnectError,
            f"No answer came within {TOTAL_SECONDS:.0f} s.": httpx.TimeoutException,
        }
        otherwise = f"{self._host} broke the connection off, or answered with what is no HTTP."
        return next((told for told, kind in kinds.items() if any(isinstance(one, kind) for one in chain)), otherwise)


def _reason(chain: Sequence[BaseException]) -> str:
    for one in chain:
        if isinstance(one, ssl.SSLCertVerificationError):
            return f" ({one.verify_message})"
    return next((f" ({one.strerror})" for one in chain if isinstance(one, OSError) and one.strerror), "")


async def _read(blocks: AsyncIterator[bytes]) -> None:
    """Hear an answer that is not too long to its end: who sends it should not find the line closed."""
    count = 0
    async with asyncio.timeout(BODY_SECONDS):
        async for block in blocks:
            count += len(block)
            if count >= LARGEST_ANSWER:
                return


def _few(addresses: Sequence[str]) -> Sequence[str]:
    """The best address, and the best one of the other family: where one does not work, the other may."""
    best: dict[bool, str] = {}
    for address in addresses:
        best.setdefault(":" in address, address)
    return list(best.values())


def _trusted() -> ssl.SSLContext:
    """The system's certificate authorities, and those of Mozilla's for a Python that knows none of its system."""
    import certifi

    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        if isinstance(error, BaseExceptionGroup):
            yield from error.exceptions
        error = error.__cause__ or error.__context__


def _meaning(status: int) -> str:
    if 200 <= status < 300:
        return f"It was taken (HTTP {status})."
    if 300 <= status < 400:
        return f"It answered with a redirect (HTTP {status}), which is not followed: write the last address into `url`."
    if status == GONE:
        return f"It answered that it is gone for good (HTTP {status})."
    return f"It answered HTTP {status}."
