"""What is told to whom by webhooks, in which words, signed how, and when it is tried again.

As the Standard Webhooks specification has it: an id that stays the same over all tries, the time of the try, and an
HMAC-SHA256 of both and the body. https://github.com/standard-webhooks/standard-webhooks
"""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal
from urllib.parse import urlsplit

Format = Literal["standard", "slack", "text", "apprise"]

HELD: Final = "daemon.held"
RESUMED: Final = "daemon.resumed"
TEST: Final = "webhook.test"  # sent when somebody asks for it
_OF_JOBS: Final = {kind: f"job.{kind}" for kind in ("queued", "started", "succeeded", "failed", "parked", "cancelled")}
_OF_THE_DAEMON: Final = {"held": HELD, "paused": HELD, "open": RESUMED, "resumed": RESUMED}
EVENTS: Final = (*_OF_JOBS.values(), HELD, RESUMED)
STATES: Final = {f"job.{kind}": "running" if kind == "started" else kind for kind in _OF_JOBS}
WHOLE_DAEMON: Final = "the daemon"  # as the history says of a pause of no single inbox

BACKOFF: Final = (5.0, 30.0, 120.0, 600.0, 1800.0)  # seconds before the second try, the third, and so on;
LATER: Final = 3600.0  # then before each further one
GIVE_UP: Final = 24 * 3600.0  # seconds after the event no further try is begun

PREFIX: Final = "whsec_"
LEAST_SECRET, MOST_SECRET = 24, 64  # bytes, as the specification has it


@dataclass(frozen=True, slots=True)
class JobTold:
    """A job, as a webhook tells of it."""

    id: int
    state: str
    inbox: str  # empty: it was submitted, and belongs to none
    target: str  # its path below the inbox
    face: str | None
    preset: str
    category: str | None  # of a failure, or why it is parked
    reason: str | None  # one sentence
    output: str | None  # the file's name


@dataclass(frozen=True, slots=True)
class WebhookState:
    """How a webhook gets on. Neither its secret nor what its address keeps secret stands here."""

    name: str
    url: str  # as `shown` shows it
    format: str
    events: tuple[str, ...]
    off: str | None  # why nothing is sent, one sentence; None: it is
    waiting: int  # deliveries
    delivered: int
    given_up: int
    last_error: str | None  # one sentence
    last_error_at: float | None  # seconds since 1970
    last_success_at: float | None


@dataclass(frozen=True, slots=True)
class Sent:
    """What came of one try."""

    accepted: bool
    status: int | None  # of the answer; None: there was none
    text: str  # in one sentence


def event_of(kind: str, text: str, *, of_job: bool) -> str | None:
    """The webhook event that a line of the history is; None: webhooks do not tell of it."""
    if of_job:
        return _OF_JOBS.get(kind)
    if kind in ("paused", "resumed") and text != WHOLE_DAEMON:  # one inbox
        return None
    return _OF_THE_DAEMON.get(kind)


def reason_of(kind: str, text: str) -> str:
    """Why the daemon holds or goes on, as a sentence."""
    return {"paused": "Somebody paused it.", "resumed": "Somebody resumed it."}.get(kind, text)


def payload(event: str, at: float, text: str, job: JobTold | None = None) -> str:
    """What is sent of an event, as JSON."""
    told: dict[str, Any] = {"text": text} if job is None else {"job": asdict(job), "text": text}
    if event in (HELD, RESUMED):
        told["reason"] = text
    return json.dumps({"type": event, "timestamp": moment(at), "data": told}, separators=(",", ":"))


def moment(at: float) -> str:
    """A time as ISO 8601 in UTC, to the millisecond."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(frozen=True, slots=True)
class Letter:
    """A body and what goes with it."""

    body: bytes
    headers: tuple[tuple[str, str], ...]


def letter(style: Format, content: str) -> Letter:
    """A payload as a kind of receiver wants it."""
    if style == "standard":
        return Letter(content.encode(), (("Content-Type", "application/json"),))
    said = json.loads(content)
    title, words = _title(said), sentence(said)
    if style == "text":
        headers = (("Content-Type", "text/plain; charset=utf-8"), ("Title", title))
        return Letter(words.encode(), headers)
    told = {"text": words}
    if style == "apprise":
        told = {"title": title, "body": words, "type": _SORTS.get(said["type"], "info")}
    return Letter(json.dumps(told).encode(), (("Content-Type", "application/json"),))


_SORTS: Final = {"job.succeeded": "success", "job.failed": "failure", "job.parked": "warning", HELD: "warning"}


def _title(said: Mapping[str, Any]) -> str:
    """A few words in ASCII, since it goes into a header."""
    about, _, what = said["type"].partition(".")
    job = said["data"].get("job")
    return f"faceswapd: {about} {what}" if job is None else f"faceswapd: job {job['id']} {what}"


def sentence(said: Mapping[str, Any]) -> str:
    """A payload in plain words, for people."""
    data, event = said["data"], said["type"]
    job = data.get("job")
    if job is None:
        begins = {HELD: "faceswapd starts nothing new: ", RESUMED: "faceswapd goes on: "}.get(event, "")
        return f"{begins}{data['text']}"
    whose = f" ({job['face']})" if job["face"] else ""
    if event == "job.succeeded":
        return f"Job {job['id']} succeeded: {job['target']}{whose} is {job['output']}."
    why = f" {job['reason'] or data['text']}" if event in _WHY else ""
    return f"Job {job['id']} {_DID.get(event, event)}: {job['target']}{whose}.{why}".rstrip()


_DID: Final = {
    "job.queued": "waits in the queue",
    "job.started": "started",
    "job.failed": "failed",
    "job.parked": "is parked",
    "job.cancelled": "was cancelled",
}
_WHY: Final = ("job.failed", "job.parked", "job.cancelled")


def next_try(attempt: int, at: float, now: float) -> float | None:
    """When an event of the time `at` is sent once more, after so many tries; None: it is given up."""
    then = now + (BACKOFF[attempt - 1] if attempt <= len(BACKOFF) else LATER)
    return then if then <= at + GIVE_UP else None


def secret_of(text: str) -> bytes | None:
    """The key that a secret says; None where it is none."""
    if not text.startswith(PREFIX):
        return None
    try:
        key = base64.b64decode(text.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return None
    return key if LEAST_SECRET <= len(key) <= MOST_SECRET else None


def signed(key: bytes, message: str, now: float, body: bytes) -> tuple[tuple[str, str], ...]:
    """The headers by which a receiver knows that a message is ours, and when it was sent."""
    stamp = str(int(now))
    mac = hmac.new(key, b".".join((message.encode(), stamp.encode(), body)), hashlib.sha256).digest()
    return (*unsigned(message, now), ("webhook-signature", f"v1,{base64.b64encode(mac).decode()}"))


def unsigned(message: str, now: float) -> tuple[tuple[str, str], ...]:
    """The same for a receiver with whom no secret is shared."""
    return (("webhook-id", message), ("webhook-timestamp", str(int(now))))


def shown(url: str) -> str:
    """An address as it may be told: without its query, and without the last part of its path, which is a secret of its
    own with many services."""
    parts = urlsplit(url)
    way = parts.path.rstrip("/").rpartition("/")
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{way[0]}{way[1]}{'…' if way[2] or parts.query else ''}"
