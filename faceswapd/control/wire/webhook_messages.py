"""The wire of the webhooks. Standard library only, as `messages` is."""

from collections.abc import Sequence
from typing import NamedTuple


class Webhook(NamedTuple):
    """A program that is told what happens. Its secret is told to nobody."""

    name: str
    url: str  # without its query and the last part of its path, which may be secrets
    format: str  # standard, slack, text or apprise
    events: Sequence[str]
    off: str | None  # why nothing is sent, one sentence; None: it is
    waiting: int  # deliveries
    delivered: int
    given_up: int
    last_error: str | None  # one sentence
    last_error_at: float | None
    last_success_at: float | None


class Webhooks(NamedTuple):
    """GET /api/webhooks."""

    webhooks: Sequence[Webhook]


class NamedWebhook(NamedTuple):
    """What POST /api/webhooks/test hears."""

    name: str


class WebhookTried(NamedTuple):
    """POST /api/webhooks/test."""

    name: str
    accepted: bool
    status: int | None  # of the answer, by HTTP; None: there was none
    text: str  # what came back, in one sentence
