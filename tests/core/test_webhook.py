import base64
import json
import time
from datetime import UTC, datetime

import pytest
from standardwebhooks.webhooks import Webhook

from faceswapd.core import webhook
from faceswapd.core.webhook import JobTold, event_of, letter, next_try, payload, secret_of, shown, signed

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
AT = 1_763_816_400.25
DAY = 86400.0
JOB = JobTold(7, "failed", "inbox", "a/clip é.mp4", "alice", "best", "gpu_oom", "The GPU is full.", None)
DONE = JobTold(8, "succeeded", "", "clip.mp4", "bob", "fast", None, None, "clip.mp4")


@pytest.mark.parametrize(
    ("kind", "text", "of_job", "event"),
    [
        ("queued", "", True, "job.queued"),
        ("started", "", True, "job.started"),
        ("succeeded", "", True, "job.succeeded"),
        ("failed", "", True, "job.failed"),
        ("parked", "", True, "job.parked"),
        ("cancelled", "", True, "job.cancelled"),
        ("retry", "", True, None),
        ("released", "", True, None),
        ("moved", "", True, None),
        ("cancel", "", True, None),
        ("held", "no space", False, "daemon.held"),
        ("open", "", False, "daemon.resumed"),
        ("paused", "the daemon", False, "daemon.held"),
        ("resumed", "the daemon", False, "daemon.resumed"),
        ("paused", "inbox", False, None),
        ("resumed", "inbox", False, None),
    ],
)
def test_what_webhooks_tell_of(kind: str, text: str, of_job: bool, event: str | None) -> None:  # noqa: FBT001
    assert event_of(kind, text, of_job=of_job) == event


def test_the_specifications_own_library_takes_a_signature() -> None:
    body, now = payload("job.failed", AT, "no", JOB).encode(), time.time()
    key = secret_of(SECRET)
    assert key is not None
    headers = dict(signed(key, "msg_1", now, body))
    assert Webhook(SECRET).verify(body, headers) == json.loads(body)
    assert headers["webhook-signature"] == Webhook(SECRET).sign(
        "msg_1", datetime.fromtimestamp(now, UTC), body.decode()
    )
    with pytest.raises(Exception, match="No matching signature"):
        Webhook(SECRET).verify(body + b" ", headers)


@pytest.mark.parametrize(
    ("text", "good"),
    [
        (SECRET, True),
        ("whsec_" + base64.b64encode(bytes(24)).decode(), True),
        ("whsec_" + base64.b64encode(bytes(64)).decode(), True),
        ("whsec_" + base64.b64encode(bytes(23)).decode(), False),
        ("whsec_" + base64.b64encode(bytes(65)).decode(), False),
        (SECRET.removeprefix("whsec_"), False),
        (SECRET + "!", False),
        ("whsec_é", False),
        ("", False),
    ],
)
def test_secrets(text: str, good: bool) -> None:  # noqa: FBT001
    assert (secret_of(text) is not None) == good


def test_the_waits_between_tries_grow_to_an_hour_and_end_after_a_day() -> None:
    now, waits = AT, []
    for attempt in range(1, 100):
        then = next_try(attempt, AT, now)
        if then is None:
            break
        waits.append(then - now)
        now = then
    assert waits[:7] == [5, 30, 120, 600, 1800, 3600, 3600]
    assert set(waits[5:]) == {3600}
    assert now - AT <= DAY < now - AT + 3600


def test_a_payload_tells_the_event_its_time_and_the_job() -> None:
    assert json.loads(payload("job.failed", AT, "no", JOB)) == {
        "type": "job.failed",
        "timestamp": "2025-11-22T13:00:00.250Z",
        "data": {
            "job": {
                "id": 7,
                "state": "failed",
                "inbox": "inbox",
                "target": "a/clip é.mp4",
                "face": "alice",
                "preset": "best",
                "category": "gpu_oom",
                "reason": "The GPU is full.",
                "output": None,
            },
            "text": "no",
        },
    }
    held = json.loads(payload("daemon.held", AT, "The disk is full."))
    assert held["data"] == {"text": "The disk is full.", "reason": "The disk is full."}


@pytest.mark.parametrize(
    ("content", "title", "words", "sort"),
    [
        (
            payload("job.failed", AT, "no", JOB),
            "faceswapd: job 7 failed",
            "Job 7 failed: a/clip é.mp4 (alice). The GPU is full.",
            "failure",
        ),
        (
            payload("job.succeeded", AT, "", DONE),
            "faceswapd: job 8 succeeded",
            "Job 8 succeeded: clip.mp4 (bob) is clip.mp4.",
            "success",
        ),
        (
            payload("job.started", AT, "attempt 1", JOB),
            "faceswapd: job 7 started",
            "Job 7 started: a/clip é.mp4 (alice).",
            "info",
        ),
        (
            payload("daemon.held", AT, "The disk is full."),
            "faceswapd: daemon held",
            "faceswapd starts nothing new: The disk is full.",
            "warning",
        ),
        (payload("webhook.test", AT, "A test."), "faceswapd: webhook test", "A test.", "info"),
    ],
)
def test_each_kind_of_receiver_gets_its_own_words(content: str, title: str, words: str, sort: str) -> None:
    assert letter("standard", content).body.decode() == content
    assert json.loads(letter("slack", content).body) == {"text": words}
    assert json.loads(letter("apprise", content).body) == {"title": title, "body": words, "type": sort}
    text = letter("text", content)
    assert (text.body.decode(), dict(text.headers)["Title"]) == (words, title)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("https://example.com", "https://example.com"),
        ("https://example.com/", "https://example.com"),
        ("https://example.com:8443/hooks/secret?key=secret", "https://example.com:8443/hooks/…"),
        ("https://example.com?key=secret", "https://example.com…"),
        ("https://ntfy.sh/my-topic", "https://ntfy.sh/…"),
        ("https://u:p@example.com/a", "https://example.com/…"),
    ],
)
def test_an_address_is_told_without_what_is_secret_in_it(url: str, told: str) -> None:
    assert shown(url) == told


def test_each_event_of_a_job_has_its_state() -> None:
    assert set(webhook.STATES) == {event for event in webhook.EVENTS if event.startswith("job.")}
