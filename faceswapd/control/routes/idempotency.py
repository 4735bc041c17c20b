"""`Idempotency-Key`: who asks again with the same key, since no answer came, gets the answer of the first time."""

import contextlib
import hashlib
import time
from collections.abc import Iterator
from typing import Any, Final

from starlette.requests import Request

from faceswapd.children.shield import to_the_end
from faceswapd.control.live import House
from faceswapd.control.operation import Parameter, Told
from faceswapd.control.refusal import Refused
from faceswapd.control.wire import messages
from faceswapd.ledger import answers
from faceswapd.ledger.answers import Answer

HEADER: Final = "Idempotency-Key"
KEPT_SECONDS: Final = 24 * 3600.0
LONGEST: Final = 255  # letters
KEY: Final = Parameter(
    HEADER,
    {"type": "string", "minLength": 1, "maxLength": LONGEST},
    "the same key again within a day gives the same answer, and does nothing",
    "header",
)


class Once:
    """A request with a key, or without one."""

    def __init__(self, house: House, key: str | None, kind: type) -> None:
        """`kind` is the message that answers it."""
        self._ledger = house.ledger
        self._key = key
        self._kind = kind

    async def known(self, asked: str) -> Told | None:
        """What was answered before. Raises Refused where something else had been asked under the key."""
        if self._key is None:
            return None
        known = await answers.known(self._ledger, self._key, time.time() - KEPT_SECONDS)
        if known is None:
            return None
        if known.request != self._hash(asked):
            raise Refused(422, f"The {HEADER} was used for another request.", "Take a new key for each request.")
        return Told(messages.from_wire(self._kind, known.body), known.status, known.headers)

    async def remember(self, asked: str, told: Told) -> None:
        """Give this answer from now on."""
        if self._key is not None:
            body: Any = messages.to_wire(told.message)
            answer, now = Answer(self._hash(asked), told.status, body, told.headers), time.time()
            await to_the_end(answers.remember(self._ledger, self._key, answer, now, now - KEPT_SECONDS))

    def _hash(self, asked: str) -> str:
        said = f"{self._kind.__name__} {asked}".encode("utf-8", "surrogatepass")
        return hashlib.blake2b(said, digest_size=32).hexdigest()


@contextlib.contextmanager
def once(house: House, request: Request, kind: type) -> Iterator[Once]:
    """Hold the key of a request while it is answered with such a message. Raises Refused where it is held already."""
    key = request.headers.get(HEADER)
    if key is None:
        yield Once(house, None, kind)
        return
    if not 0 < len(key) <= LONGEST or not key.isascii() or not key.isprintable():
        raise Refused(400, f"An {HEADER} has 1 to {LONGEST} letters of ASCII.")
    if key in house.keys_held:
        raise Refused(409, f"A request with this {HEADER} is being answered.", "Ask again in a moment.", wait=1.0)
    house.keys_held.add(key)
    try:
        yield Once(house, key, kind)
    finally:
        house.keys_held.discard(key)
