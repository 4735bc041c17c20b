"""`faceswapctl webhook`: what it shows, sends, and refuses."""

import json
from pathlib import Path
from typing import Any

import pytest

from faceswapd.control.wire.messages import Error
from faceswapd.control.wire.webhook_messages import Webhook, Webhooks, WebhookTried
from faceswapd.ctl import main
from faceswapd.ctl.terminal import Line, Look, Terminal
from faceswapd.ctl.webhook import webhooks_screen
from tests.control.answering_daemon import Answers, listening

Capture = pytest.CaptureFixture[str]


def webhook(**given: Any) -> Webhook:
    values: dict[str, Any] = {
        "name": "hook",
        "url": "https://example.com/…",
        "format": "standard",
        "events": ["job.failed"],
        "off": None,
        "waiting": 0,
        "delivered": 1200,
        "given_up": 0,
        "last_error": None,
        "last_error_at": None,
        "last_success_at": 2.0,
    }
    return Webhook(**{**values, **given})


FAILED = {"last_error": "It answered HTTP 500.", "last_error_at": 3.0}
BAD = webhook(
    name="bad\x1b[2J", waiting=12, delivered=3, given_up=4, last_error="It answered HTTP 500.", last_error_at=3.0
)
TAKEN = WebhookTried("hook", accepted=True, status=204, text="It was taken (HTTP 204).")
REFUSED = WebhookTried("bad", accepted=False, status=500, text="It answered HTTP 500.")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "s"


def asked(path: Path, answers: Answers, *words: str) -> tuple[int, list[tuple[str, Any]]]:
    with listening(path, answers) as daemon:
        return main(["--socket", str(path), "webhook", *words]), daemon.asked


def test_each_webhook_is_a_line_with_what_is_wrong_below() -> None:
    lines = webhooks_screen(Webhooks([webhook(), BAD]), Terminal())
    assert [line.text for line in lines] == [
        "NAME        WAITING  DELIVERED  GIVEN UP  TO",
        "hook              0       1200         0  https://example.com/… (standard)",
        "bad\\x1b[2J       12          3         4  https://example.com/… (standard)",
        "  It answered HTTP 500.",
    ]
    assert lines[-1].look is Look.BAD


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"last_error": "It answered HTTP 500.", "last_error_at": 1.0}, False),  # and then it took something
        ({"last_error": "It answered HTTP 500.", "last_error_at": 3.0}, True),
        ({"off": "It is gone."}, True),
    ],
)
def test_an_error_that_is_over_is_not_told(given: dict[str, Any], told: bool) -> None:  # noqa: FBT001
    assert (len(webhooks_screen(Webhooks([webhook(**given)]), Terminal())) == 3) == told


def test_without_any_it_says_how_one_is_made() -> None:
    (line,) = webhooks_screen(Webhooks([]), Terminal())
    assert line == Line("There are no webhooks. A [[webhook]] in the configuration makes one (docs/webhooks.md).")


def test_the_list_as_json_is_the_daemons_message(path: Path, capsys: Capture) -> None:
    code, questions = asked(path, {"GET /api/webhooks": Webhooks([webhook()])}, "--json")
    assert (code, questions) == (0, [("GET /api/webhooks", None)])
    assert json.loads(capsys.readouterr().out)["webhooks"][0]["name"] == "hook"


def test_one_is_tested(path: Path, capsys: Capture) -> None:
    code, questions = asked(path, {"POST /api/webhooks/test": TAKEN}, "test", "hook")
    assert (code, questions) == (0, [("POST /api/webhooks/test", {"name": "hook"})])
    assert capsys.readouterr().out == "hook: It was taken (HTTP 204).\n"


def test_where_none_is_named_all_are_tested_and_one_that_takes_nothing_counts(path: Path, capsys: Capture) -> None:
    answers: Answers = {
        "GET /api/webhooks": Webhooks([webhook(), webhook(name="bad")]),
        "POST /api/webhooks/test": [TAKEN, REFUSED],
    }
    code, questions = asked(path, answers, "test", "--json")
    assert (code, [body for _, body in questions]) == (1, [None, {"name": "hook"}, {"name": "bad"}])
    assert [json.loads(line)["accepted"] for line in capsys.readouterr().out.splitlines()] == [True, False]


def test_what_is_refused_is_told(path: Path, capsys: Capture) -> None:
    answers: Answers = {"POST /api/webhooks/test": (404, Error("There is no webhook 'x'.", "There are: hook."))}
    assert asked(path, answers, "test", "x")[0] == 1
    assert capsys.readouterr().err == "faceswapctl: There is no webhook 'x'. There are: hook.\n"
    assert asked(path, {"GET /api/webhooks": Webhooks([])}, "test")[0] == 1
    assert "There are no webhooks." in capsys.readouterr().err


def test_a_name_belongs_to_test(path: Path, capsys: Capture) -> None:
    assert main(["--socket", str(path), "webhook", "list", "hook"]) == 2
    assert "faceswapctl webhook test NAME" in capsys.readouterr().err


def test_without_a_daemon_it_says_so(path: Path, capsys: Capture) -> None:
    for action in ("list", "test"):
        assert main(["--socket", str(path), "webhook", action]) == 3
        assert "The daemon is not running" in capsys.readouterr().err
