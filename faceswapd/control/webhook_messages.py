"""The wire of the webhooks. Standard library only, as `messages` is."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Webhook:
    """A program that is told what happens. Its secret is told to nobody."""

    name: str
    url: str  # without its query and the last part of its path, which may be secrets
    format: str  # standard, slack, text or apprise
    events: list[str]
    off: str | None  # why nothing is sent, one sentence; None: it is
    waiting: int  # deliveries
    delivered: int
    given_up: int
    last_error: str | None  # one sentence
    last_error_at: float | None
    last_success_at: float | None


@dataclass(frozen=True, slots=True)
class Webhooks:
    """GET /api/webhooks."""

    webhooks: list[Webhook]


@dataclass(frozen=True, slots=True)
class NamedWebhook:
    """What POST /api/webhooks/test hears."""

    name: str


@dataclass(frozen=True, slots=True)
class WebhookTried:
    """POST /api/webhooks/test."""

    name: str
    accepted: bool
    status: int | None  # of the answer, by HTTP; None: there was none
    text: str  # what came back, in one sentence
