"""The programs that are told what happens: how they get on, and whether they hear."""

from starlette.requests import Request

from faceswapd.control import requests
from faceswapd.control.live import House
from faceswapd.control.operation import Operation
from faceswapd.control.refusal import Refused
from faceswapd.control.wire.webhook_messages import NamedWebhook, Webhook, Webhooks, WebhookTried
from faceswapd.core.webhook import WebhookState


async def _webhooks(house: House, _: Request) -> Webhooks:
    return Webhooks([_told(state) for state in _states(house)])


async def _test(house: House, request: Request) -> WebhookTried:
    asked = await requests.said(request, NamedWebhook)
    sent = None if house.webhooks is None else await requests.while_heard(request, house.webhooks.test(asked.name))
    if sent is None:
        names = ", ".join(state.name for state in _states(house))
        known = f"There are: {names}." if names else "There is none: docs/webhooks.md tells how one is set up."
        raise Refused(404, f"There is no webhook {asked.name[:60]!r}.", known)
    return WebhookTried(asked.name, sent.accepted, sent.status, sent.text)


def _states(house: House) -> tuple[WebhookState, ...]:
    return () if house.webhooks is None else house.webhooks.states()


def _told(state: WebhookState) -> Webhook:
    return Webhook(
        name=state.name,
        url=state.url,
        format=state.format,
        events=list(state.events),
        off=state.off,
        waiting=state.waiting,
        delivered=state.delivered,
        given_up=state.given_up,
        last_error=state.last_error,
        last_error_at=state.last_error_at,
        last_success_at=state.last_success_at,
    )


OPERATIONS = (
    Operation(
        "GET", "/api/webhooks", _webhooks, "The programs that are told what happens, and how they get on.", Webhooks
    ),
    Operation(
        "POST",
        "/api/webhooks/test",
        _test,
        "Send a webhook a test right now, and tell what came back.",
        WebhookTried,
        NamedWebhook,
        refusals=(404,),
    ),
)
