"""What a [[webhook]] may say."""

import base64
from pathlib import Path

import pytest

from faceswapd.core.webhook import EVENTS
from tests.settings.test_reading import nothing_of_the_users_own, problem, problems, read  # noqa: F401  a fixture

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
URL = "https://example.com/hooks/very-secret?key=also-secret"


def section(**given: object) -> str:
    values = {"url": URL, "secret": SECRET, **given}
    lines = [f"{name} = {value!r}" for name, value in values.items() if value is not None]
    return "\n".join(["[[webhook]]", *lines, ""])


def test_a_webhook_is_called_as_its_host_and_is_told_everything(tmp_path: Path) -> None:
    (webhook,) = read(tmp_path, section()).webhook
    assert (webhook.name, webhook.events, webhook.allow_private, webhook.format) == (
        "example.com",
        EVENTS,
        False,
        "standard",
    )


def test_a_file_with_its_secret_is_named_relative_to_the_configuration(tmp_path: Path) -> None:
    (webhook,) = read(tmp_path, section(secret=None, secret_file="hook.secret")).webhook
    assert webhook.secret_file == tmp_path / "hook.secret"


def test_what_the_four_services_take_needs_no_secret(tmp_path: Path) -> None:
    text = "".join(section(secret=None, name=style, format=style) for style in ("slack", "text", "apprise"))
    assert [webhook.secret for webhook in read(tmp_path, text).webhook] == ["", "", ""]


def test_neither_secret_nor_address_is_printed_with_the_settings(tmp_path: Path) -> None:
    settings = read(tmp_path, section())
    for said in (repr(settings), str(settings)):
        assert "whsec" not in said
        assert "secret?" not in said


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"url": None}, "The webhook has no `url`."),
        ({"url": "ftp://example.com/x"}, "The address is neither of http nor of https."),
        ({"url": "https://u:p@example.com/"}, "The address holds a user or a password"),
        ({"url": "https://"}, "The address names no host."),
        ({"url": "https://example.com:0/"}, "The address names no host."),
        ({"url": "https://a..b/"}, "The address names no host."),
        ({"url": "https://exa%mple.com/"}, "The address names no host."),
        ({"url": "https://*/"}, "The address names no host."),
        ({"url": "https://[fe80::1%eth0]/"}, "The address names no host."),
        ({"url": "https://" + "a" * 64 + ".com/"}, "The address names no host."),
        ({"url": "https://example.com:99999/"}, "The address cannot be read."),
        ({"url": "https://[::1/"}, "The address cannot be read."),
        ({"url": "https://example.com/#here"}, "The address ends in a #fragment"),
        ({"url": "https://exa mple.com/"}, "The address holds characters"),
        ({"url": 7}, "Input should be a valid string."),
        ({"secret": "whsec_c2hvcnQ="}, "The secret is not whsec_ and then 24 to 64 bytes in base64."),
        ({"secret": "hunter2"}, "The secret is not whsec_"),
        ({"secret": 7_777_777}, "Input should be a valid string."),
        ({"secret": None}, "The webhook 'example.com' has no secret"),
        ({"secret_file": "x"}, "The webhook has both a `secret` and a `secret_file`."),
        ({"events": []}, "The list is empty"),
        ({"events": ["job.succeded"]}, "There is no event 'job.succeded'."),
        ({"format": "xml"}, "Input should be 'standard', 'slack', 'text' or 'apprise' (it is 'xml')."),
    ],
)
def test_mistakes_are_told_and_secrets_are_not(tmp_path: Path, given: dict[str, object], sentence: str) -> None:
    one = problem(tmp_path, section(**given))
    assert one.sentence.startswith(sentence)
    told = str(one)
    for secret in (SECRET, "hunter2", "7777777", "very-secret", "also-secret", "u:p"):
        assert secret not in told


@pytest.mark.parametrize(
    "value", [f'"{SECRET}"', f'[{{"url": 7, "secret": ["{SECRET}"]}}]', f"[{SECRET}", f'["{SECRET}"]']
)
def test_a_mistake_in_the_environment_tells_no_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("FACESWAPD_WEBHOOK", value)
    for one in problems(tmp_path, ""):
        assert SECRET not in str(one)


def test_a_mistyped_event_is_guessed(tmp_path: Path) -> None:
    assert problem(tmp_path, section(events=["job.succeded"])).remedy == "Did you mean 'job.succeeded'?"


def test_two_webhooks_have_two_names(tmp_path: Path) -> None:
    (one,) = problems(tmp_path, section() + section())
    assert one.sentence == "Two webhooks are called 'example.com'."
    assert len(read(tmp_path, section() + section(name="other")).webhook) == 2
