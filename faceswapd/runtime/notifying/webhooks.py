"""Tells other programs what happens: reads the events on, keeps what is to be sent, and sends it until it is taken."""

import asyncio
import contextlib
import math
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

import structlog

from faceswapd.core.webhook import (
    LATER,
    TEST,
    Sent,
    WebhookState,
    letter,
    next_try,
    payload,
    shown,
    signed,
    unsigned,
)
from faceswapd.ledger import deliveries
from faceswapd.ledger.connection import Ledger, LedgerFullError
from faceswapd.ledger.deliveries import Delivery, Tally
from faceswapd.runtime.health.beats import BEAT_SECONDS, Beats
from faceswapd.runtime.notifying.posting import GONE, Poster, Resolve, UnusableAddressError, resolved
from faceswapd.runtime.notifying.webhook_secret import NoSecretError, key_of
from faceswapd.settings.schema import WebhookSettings

MOST_AT_ONCE: Final = 4  # to one webhook; each has its own, so that a slow one holds up no other
TOLD_AFTER: Final = 3  # tries of one delivery, then the user is told

_NOTHING: Final = Tally(0, 0, 0, None, None, None)

log = structlog.get_logger(__name__)


class Webhooks:
    """All of them. `run` sends, `states` and `test` are for whoever asks."""

    def __init__(
        self,
        settings: Sequence[WebhookSettings],
        ledger: Ledger,
        tell: Callable[[str, str | None], None],
        beats: Beats,
        clock: Callable[[], float] = time.time,
        resolve: Resolve = resolved,
    ) -> None:
        self._ledger = ledger
        self._tell = tell
        self._beats = beats
        self._clock = clock
        self._receivers: Mapping[str, _Receiver] = {one.name: _Receiver(one, resolve) for one in settings}

    async def begin(self) -> None:
        """Find out what an earlier life has left, before anything happens that is to be told."""
        now = self._clock()
        dropped = await deliveries.know(self._ledger, tuple(self._receivers), now, now + LATER)
        for name, count in dropped.items():
            log.info("a webhook is no longer in the configuration", webhook=name, dropped=count)
        tallies = await deliveries.tallies(self._ledger) if self._receivers else {}
        for name, receiver in self._receivers.items():
            receiver.tally = tallies[name]
            await asyncio.to_thread(receiver.find_key)
            if receiver.off is not None:
                self._switched_off(receiver, receiver.off)

    def states(self) -> tuple[WebhookState, ...]:
        """How each gets on, in the order of the configuration."""
        return tuple(receiver.state for receiver in self._receivers.values())

    async def test(self, name: str) -> Sent | None:
        """Send something right now, past all that waits. None: there is no such webhook."""
        receiver = self._receivers.get(name)
        if receiver is None:
            return None
        now = self._clock()
        return await receiver.send(_message(), payload(TEST, now, "This is a test of the webhook."), now)

    async def run(self) -> None:
        """Send until cancelled. What is under way then is sent once more in the next life, under the same id."""
        rung = True
        async with asyncio.TaskGroup() as group:
            while True:
                count = self._ledger.bell.count
                self._beats.beat("webhooks")
                if rung:
                    with contextlib.suppress(LedgerFullError):  # it ends, and the events are there at the next start
                        await self._fill()
                for receiver in self._receivers.values():
                    await self._begin_due(receiver, group)
                wake = min((receiver.look_at for receiver in self._receivers.values()), default=math.inf)
                seconds = min(BEAT_SECONDS, max(0.0, wake - self._clock()))
                rung = await self._ledger.bell.after(count, seconds)

    async def _fill(self) -> None:
        """Make what has happened into deliveries. To whom is gone nothing is kept."""
        wanted = {name: () if one.gone else one.settings.events for name, one in self._receivers.items()}
        while (made := await deliveries.fill(self._ledger, wanted)) is not None:
            self._beats.beat("webhooks")
            for name, count in made.items():
                receiver = self._receivers[name]
                receiver.tally = replace(receiver.tally, waiting=receiver.tally.waiting + count)
                if count:
                    receiver.look_at = 0.0

    async def _begin_due(self, receiver: "_Receiver", group: asyncio.TaskGroup) -> None:
        """Begin what may be sent now, as far as there is room; else say when to look again."""
        now = self._clock()
        if now < receiver.look_at:
            return
        # One that ends while the ledger is asked still stands in its answer.
        before = frozenset(receiver.under_way)
        free = MOST_AT_ONCE - len(before)
        if receiver.off is not None or not free:
            receiver.look_at = math.inf  # whoever ends changes that
            return
        found = await deliveries.due(self._ledger, receiver.name, now, MOST_AT_ONCE)
        fresh = [one for one in found if one.id not in before][:free]
        for one in fresh:
            receiver.under_way.add(one.id)
            group.create_task(self._deliver(receiver, one), name=f"delivery {one.id}")
        if len(fresh) == free:
            receiver.look_at = math.inf
        else:
            later = await deliveries.next_due(self._ledger, receiver.name, now)
            receiver.look_at = math.inf if later is None else later
        if receiver.under_way != before | {one.id for one in fresh}:  # one has ended meanwhile
            receiver.look_at = 0.0

    async def _deliver(self, receiver: "_Receiver", delivery: Delivery) -> None:
        try:
            sent = await receiver.send(delivery.message, delivery.payload, self._clock())
            if receiver.off is None:  # else all that waited is given up already
                await self._ended(receiver, delivery, sent)
        except LedgerFullError:  # the daemon ends: what nobody could write down is sent once more in its next life
            receiver.off = "The disk of the ledger is full, and the daemon ends."
        finally:
            receiver.under_way.discard(delivery.id)
            receiver.look_at = 0.0
            self._ledger.bell.ring()

    async def _ended(self, receiver: "_Receiver", delivery: Delivery, sent: Sent) -> None:
        now, tally = self._clock(), receiver.tally
        if sent.accepted:
            await deliveries.delivered(self._ledger, delivery, now)
            receiver.delivered(now)
            self._tell(receiver.notice, None)
            return
        if sent.status == GONE:
            receiver.gone = True
            self._switched_off(receiver, f"{sent.text} Nothing more is sent until the daemon is restarted.")
            await deliveries.give_up(self._ledger, receiver.name, sent.text, now)
            receiver.failed(sent.text, now, receiver.tally.waiting)
            return
        again = next_try(delivery.attempt + 1, delivery.at, now)
        await deliveries.not_taken(self._ledger, delivery, sent.text, again, now)
        receiver.failed(sent.text, now, 1 if again is None else 0)
        if tally.last_error_at is None or tally.last_error_at <= (tally.last_success_at or 0.0) or again is None:
            log.warning("a webhook takes nothing", webhook=receiver.name, why=sent.text, given_up=again is None)
        if delivery.attempt + 1 >= TOLD_AFTER:
            waiting = receiver.tally.waiting
            self._tell(receiver.notice, f"The webhook {receiver.name} takes nothing ({waiting} waiting): {sent.text}")

    def _switched_off(self, receiver: "_Receiver", why: str) -> None:
        receiver.off = why
        log.warning("a webhook is switched off", webhook=receiver.name, why=why)
        self._tell(receiver.notice, f"The webhook {receiver.name} is switched off: {why}")


class _Receiver:
    """One webhook, and how it gets on."""

    def __init__(self, settings: WebhookSettings, resolve: Resolve) -> None:
        self.settings = settings
        self.name = settings.name
        self.notice = f"webhook {settings.name}"
        self.tally = _NOTHING
        self.off: str | None = None  # why nothing is sent
        self.gone = False  # it does not want to be told anything any more
        self.under_way: set[int] = set()  # deliveries
        self.look_at = 0.0  # when the ledger is asked for more to send
        self._poster: Poster | None = None
        try:
            self._poster = Poster(settings.url, allow_private=settings.allow_private, resolve=resolve)
        except UnusableAddressError:
            self.off = "Its `url` names no host that can be made out. Restart the daemon when that is mended."
        self._key: bytes | None = None

    @property
    def state(self) -> WebhookState:
        """How it gets on, for people."""
        return WebhookState(
            name=self.name,
            url=shown(self.settings.url),
            format=self.settings.format,
            events=self.settings.events,
            off=self.off,
            waiting=self.tally.waiting,
            delivered=self.tally.delivered,
            given_up=self.tally.given_up,
            last_error=self.tally.last_error,
            last_error_at=self.tally.last_error_at,
            last_success_at=self.tally.last_success_at,
        )

    def find_key(self) -> None:
        """Read its secret. Without one nothing is sent that nobody could trust."""
        try:
            self._key = key_of(self.settings)
        except NoSecretError as error:
            self.off = f"{error} Restart the daemon when that is mended."

    async def send(self, message: str, content: str, now: float) -> Sent:
        """One try."""
        if self._poster is None or (self.off is not None and not self.gone):
            return Sent(accepted=False, status=None, text=self.off or "")
        said = letter(self.settings.format, content)
        key = self._key
        marks = unsigned(message, now) if key is None else signed(key, message, now, said.body)
        return await self._poster.send(replace(said, headers=(*said.headers, *marks)))

    def delivered(self, now: float) -> None:
        """Something was taken."""
        tally = self.tally
        self.tally = replace(tally, waiting=tally.waiting - 1, delivered=tally.delivered + 1, last_success_at=now)

    def failed(self, error: str, now: float, given_up: int) -> None:
        """Something was not taken, and so much is given up."""
        tally = self.tally
        self.tally = replace(
            tally,
            waiting=tally.waiting - given_up,
            given_up=tally.given_up + given_up,
            last_error=error,
            last_error_at=now,
        )


def _message() -> str:
    return f"msg_{uuid.uuid4().hex}"
