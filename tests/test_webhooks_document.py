"""docs/webhooks.md says what webhooks do: its examples are read as the daemon reads them."""

import base64
import json
import re
import time
from pathlib import Path
from typing import Any

import pytest

from faceswapd.core.catalogue import CATALOGUE
from faceswapd.core.webhook import BACKOFF, EVENTS, GIVE_UP, LATER, JobTold, payload, secret_of, signed
from faceswapd.runtime.notifying.posting import TOTAL_SECONDS
from faceswapd.settings import Settings, load
from faceswapd.settings.schema import WebhookSettings

DOCUMENT = (Path(__file__).parent.parent / "docs" / "webhooks.md").read_text(encoding="utf-8")
SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", DOCUMENT, re.DOTALL)


def test_every_event_is_told_and_no_other() -> None:
    assert re.findall(r"^\| `((?:job|daemon)\.\w+)` \|", DOCUMENT, re.MULTILINE) == list(EVENTS)


def test_every_key_is_told_and_no_other() -> None:
    assert re.findall(r"^\| `(\w+)` \|", DOCUMENT, re.MULTILINE) == list(WebhookSettings.model_fields)


@pytest.mark.parametrize("block", blocks("toml"))
def test_every_configuration_is_one(tmp_path: Path, block: str) -> None:
    config = tmp_path / "config.toml"
    config.write_text(block, encoding="utf-8")
    settings: Settings = load(config)
    assert settings.webhook or settings.notify.desktop


def test_the_payloads_are_what_is_sent() -> None:
    failed, held = blocks("json")
    told: dict[str, Any] = json.loads(failed)
    at = 1_795_640_400.0
    assert json.loads(payload("job.failed", at, told["data"]["text"], JobTold(**told["data"]["job"]))) == told
    assert json.loads(payload("daemon.held", at, json.loads(held)["data"]["reason"])) == json.loads(held)
    assert told["data"]["job"]["category"] in CATALOGUE


def test_the_program_that_checks_a_signature_does() -> None:
    (program,) = blocks("python")
    there: dict[str, Any] = {}
    exec(program.replace('"whsec_..."', repr(SECRET)), there)
    key, body = secret_of(SECRET), payload("daemon.held", time.time(), "The disk is full.").encode()
    assert key is not None
    headers = dict(signed(key, "msg_1", time.time(), body))
    assert there["heard"](headers, body) == json.loads(body)
    assert there["heard"](headers, body.replace(b"full", b"fine")) is None
    old = dict(signed(key, "msg_1", time.time() - 600, body))
    assert there["heard"](old, body) is None


def test_the_tries_are_those_of_the_core() -> None:
    assert list(BACKOFF) == [5, 30, 2 * 60, 10 * 60, 30 * 60]
    assert [LATER, GIVE_UP, TOTAL_SECONDS] == [3600, 24 * 3600, 15]
    words = " ".join(DOCUMENT.split())
    assert "after 5 seconds, 30 seconds, 2 minutes, 10 minutes and 30 minutes, then each hour, until 24 hours" in words
    assert "none within 15 seconds" in words
