"""What a [[webhook]] allows. No sentence here repeats an address or a secret."""

import difflib
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from faceswapd.core.webhook import EVENTS, LEAST_SECRET, MOST_SECRET, secret_of
from faceswapd.settings.problem import Location, Problem, Source
from faceswapd.settings.schema import Settings, WebhookSettings

_NEW = "Make one: echo whsec_$(openssl rand -base64 32)"

_HOST = r"(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,62})(\.[a-z0-9_][a-z0-9_-]{0,62})*\.?|[0-9a-f]*:[0-9a-f:.]*"  # or of IPv6


def webhooks(source: Source, settings: Settings) -> Iterator[Problem]:
    """Problems of all of them."""
    names: set[str] = set()
    for number, webhook in enumerate(settings.webhook):
        place: Location = ("webhook", number)
        if (wrong := _wrong_with(webhook.url)) is not None:
            yield Problem(source.where((*place, "url")), wrong, 'It is written like "https://example.com/hooks".')
            continue  # its name may come from it
        if webhook.name in names:
            told = f"Two webhooks are called {webhook.name!r}."
            yield Problem(source.where((*place, "name")), told, "Give one of them another `name`.")
        names.add(webhook.name)
        yield from _secret(source, place, webhook)
        yield from _events(source, place, webhook)


def _wrong_with(url: str) -> str | None:
    if not url:
        return "The webhook has no `url`."
    if not re.fullmatch(r"[!-~]+", url) or "\\" in url:
        return "The address holds characters that no address can hold."
    try:
        parts, port = urlsplit(url), urlsplit(url).port
    except ValueError:
        return "The address cannot be read."
    wrong = {
        "The address is neither of http nor of https.": parts.scheme not in ("http", "https"),
        "The address holds a user or a password, which many programs write into their logs.": "@" in parts.netloc,
        "The address names no host.": port == 0 or re.fullmatch(_HOST, parts.hostname or "") is None,
        "The address ends in a #fragment, which is never sent.": parts.fragment != "",
    }
    return next((sentence for sentence, so in wrong.items() if so), None)


def _secret(source: Source, place: Location, webhook: WebhookSettings) -> Iterator[Problem]:
    if webhook.secret and webhook.secret_file is not None:
        told = "The webhook has both a `secret` and a `secret_file`."
        yield Problem(source.where((*place, "secret_file")), told, "Take one of them away.")
    elif webhook.secret and secret_of(webhook.secret) is None:
        told = f"The secret is not whsec_ and then {LEAST_SECRET} to {MOST_SECRET} bytes in base64."
        yield Problem(source.where((*place, "secret")), told, _NEW)
    elif not webhook.secret and webhook.secret_file is None and webhook.format == "standard":
        told = f"The webhook {webhook.name!r} has no secret: who gets its messages could not know that they are ours."
        yield Problem(source.where((*place, "secret")), told, f"Add `secret` or `secret_file`. {_NEW}")


def _events(source: Source, place: Location, webhook: WebhookSettings) -> Iterator[Problem]:
    where = source.where((*place, "events"))
    if not webhook.events:
        yield Problem(where, "The list is empty, so nothing would ever be sent.", f"Name some: {', '.join(EVENTS)}.")
    for event in webhook.events:
        if event not in EVENTS:
            near = difflib.get_close_matches(event, EVENTS, n=1)
            remedy = f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(EVENTS)}."
            yield Problem(where, f"There is no event {event!r}.", remedy)
