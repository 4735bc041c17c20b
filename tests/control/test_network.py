"""The TCP port: who gets in, and who does not."""

import asyncio
import contextlib
import json
import stat
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote

import pytest
from starlette.requests import Request

from faceswapd.control.doors.guard import address_of
from faceswapd.control.doors.keys import Keys, UnsafeTokenError, token_of
from faceswapd.control.doors.port import NoPortError, open_port
from faceswapd.control.doors.wrong_keys import FAILURE_SECONDS, MOST_ADDRESSES, MOST_FAILURES, WrongKeys
from faceswapd.control.routes import stream_routes
from faceswapd.control.wire import messages
from faceswapd.control.wire.login_messages import Link
from faceswapd.settings.schema import HttpSettings
from tests.control.serving import Control

SECONDS = 20.0


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def error(self) -> messages.Error:
        return messages.from_wire(messages.Error, json.loads(self.body))


async def ask(control: Control, method: str, route: str, *lines: str, body: bytes = b"", host: str = "") -> Answer:
    assert control.port is not None
    address, number = control.port.listening.getsockname()
    reader, writer = await asyncio.open_connection(address, number)
    named = [f"Host: {host or f'127.0.0.1:{number}'}"] if host != "-" else []
    head = [f"{method} {route} HTTP/1.1", *named, "Connection: close", f"Content-Length: {len(body)}", *lines]
    async with asyncio.timeout(SECONDS):
        writer.write("\r\n".join([*head, "", ""]).encode() + body)
        said = await reader.read()
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()
    first, _, rest = said.partition(b"\r\n\r\n")
    status, *headers = first.decode().split("\r\n")
    pairs = (line.partition(": ") for line in headers)
    return Answer(int(status.split()[1]), {name.lower(): value for name, _, value in pairs}, rest)


def bearer(control: Control) -> str:
    return "Authorization: Bearer " + control.path.with_name("token").read_text().strip()


async def cookie(control: Control) -> str:
    """Come in as a browser does."""
    _, said = await control.ask("/api/login-links", "POST")
    link = messages.from_wire(Link, said)
    assert control.port is not None
    assert link.url.startswith(f"{control.port.network.url}/login?key=")
    page = await ask(control, "GET", link.url.removeprefix(control.port.network.url))
    assert (page.status, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    given = page.headers["set-cookie"]
    assert {"httponly", "samesite=strict", "path=/"} <= {part.strip().lower() for part in given.split(";")}
    again = await ask(control, "GET", link.url.removeprefix(control.port.network.url))
    assert (again.status, again.headers.get("set-cookie")) == (401, None)
    return "Cookie: " + given.partition(";")[0]


async def test_whoever_listens_shows_his_key_again_after_an_hour(
    control: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream_routes, "KEY_SECONDS", 0.2)
    heard = await ask(control, "GET", "/api/stream", bearer(control))  # returns when the stream ends
    assert (heard.status, heard.body.count(b"event: hello")) == (200, 1)
    assert heard.body.endswith(b"0\r\n\r\n")


async def test_without_a_key_nothing_is_told(control: Control) -> None:
    for method, route in (("GET", "/api/status"), ("POST", "/api/stop"), ("POST", "/api/login-links")):
        answer = await ask(control, method, route)
        assert (answer.status, answer.error.error) == (401, "This daemon wants a key.")
        assert answer.headers["www-authenticate"] == "Bearer"
    assert (await ask(control, "GET", "/healthz")).status == 200
    assert control.orders == []


async def test_the_token_opens(control: Control) -> None:
    assert stat.S_IMODE(control.path.with_name("token").stat().st_mode) == 0o600
    answer = await ask(control, "GET", "/api/status", bearer(control))
    assert answer.status == 200
    assert messages.from_wire(messages.Status, json.loads(answer.body)).state == "running"
    assert (answer.headers["cache-control"], answer.headers["x-content-type-options"]) == ("no-store", "nosniff")


@pytest.mark.parametrize("wrong", ["Bearer x", "Bearer ", "Basic eDp5", "Bearer \xff\xfe", "Bearer " + "a" * 4000])
async def test_no_other_token_opens(control: Control, wrong: str) -> None:
    answer = await ask(control, "GET", "/api/status", f"Authorization: {wrong}")
    assert answer.status == 401


async def test_a_link_opens_once_and_becomes_a_cookie(control: Control) -> None:
    mine = await cookie(control)
    assert (await ask(control, "GET", "/api/status", mine)).status == 200
    name, _, value = mine.partition("=")
    changed = f"{name}={'B' if value[0] != 'B' else 'C'}{value[1:]}"
    assert (await ask(control, "GET", "/api/status", changed)).status == 401


async def test_a_cookie_changes_something_only_from_our_own_page(control: Control) -> None:
    mine = await cookie(control)
    assert control.port is not None
    own = f"Origin: http://127.0.0.1:{control.port.listening.getsockname()[1]}"
    assert (await ask(control, "POST", "/api/pause", mine, own)).status == 200
    assert (await ask(control, "POST", "/api/pause", mine, "Sec-Fetch-Site: same-origin")).status == 200
    for foreign in ("Origin: http://evil.example", "Origin: null", "Sec-Fetch-Site: cross-site", "X: y"):
        answer = await ask(control, "POST", "/api/stop", mine, foreign)
        assert answer.status == 403, foreign
    assert "stop" not in control.orders


async def test_another_page_is_not_answered_whatever_it_brings(control: Control) -> None:
    answer = await ask(control, "GET", "/api/status", bearer(control), "Origin: https://evil.example")
    assert (answer.status, "access-control-allow-origin" in answer.headers) == (403, False)


@pytest.mark.parametrize(
    ("host", "status"),
    [
        *(("localhost:1", 200), ("studio.example", 200), ("STUDIO.example.:80", 200), ("[::1]", 200)),
        ("10.1.2.3", 200),
        *(("evil.example", 421), ("localhost.evil.example", 421), ("127.0.0.1.evil.example", 421), ("-", 421)),
        *(("[::1", 421), ("localhost@evil.example", 421)),
    ],
)
async def test_only_a_host_that_we_are_is_answered(control: Control, host: str, status: int) -> None:
    answer = await ask(control, "GET", "/api/status", bearer(control), host=host)
    assert answer.status == status


async def test_who_guesses_must_wait_and_who_knows_need_not(control: Control) -> None:
    for _ in range(MOST_FAILURES // 2):
        assert (await ask(control, "GET", "/api/status", "Authorization: Bearer guess")).status == 401
        assert (await ask(control, "GET", "/login?key=guess")).status == 401
    answer = await ask(control, "GET", "/api/status", "Authorization: Bearer guess")
    assert (answer.status, 0 < int(answer.headers["retry-after"]) <= FAILURE_SECONDS) == (429, True)
    assert (await ask(control, "GET", "/login?key=guess")).status == 429
    assert (await ask(control, "GET", "/api/status", bearer(control))).status == 200


async def test_over_the_network_only_the_folders_of_the_program_can_be_named(
    control: Control,
    tmp_path: Path,
) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir(exist_ok=True)
    (inbox / "away.mp4").symlink_to("/etc/hostname")
    (inbox / "up").symlink_to("/")
    token = bearer(control)
    for path in (
        "/etc/hostname",
        "/nowhere/1.mp4",
        "../../etc/hostname",
        "away.mp4",
        "up/etc/hostname",
        f"{inbox}/../x",
    ):
        for route in ("explain", "find"):
            answer = await ask(control, "GET", f"/api/{route}?path={quote(path)}", token)
            assert (answer.status, "POST /api/process" in (answer.error.advice or "")) == (403, True), (route, path)
    for target in ("/etc/hostname", str(inbox / "away.mp4"), "/\0", "/\ud800", str(tmp_path / "token")):
        body = json.dumps({"targets": [str(inbox / "1.mp4"), target], "dry_run": True}).encode()
        assert (await ask(control, "POST", "/api/submit", token, body=body)).status == 403, target
    assert (await ask(control, "GET", f"/api/explain?path={quote(str(inbox / '1.mp4'))}", token)).status == 200
    assert (await ask(control, "GET", "/api/find?path=1.mp4", token)).status == 200
    body = json.dumps({"path": str(tmp_path / "copy.sqlite3")}).encode()
    answer = await ask(control, "POST", "/api/ledger/backup", token, body=body)
    assert (answer.status, (tmp_path / "copy.sqlite3").exists()) == (403, False)
    assert (await control.ask("/api/explain?path=/etc/hostname"))[0] == 200  # who is there can look himself


async def test_behind_a_proxy_the_address_is_the_one_that_it_saw(control: Control) -> None:
    assert control.port is not None
    request = Request(
        {
            "type": "http",
            "client": ("10.0.0.1", 4242),
            "headers": [(b"x-forwarded-for", b"1.1.1.1"), (b"x-forwarded-for", b"2.2.2.2, 198.51.100.7")],
        }
    )
    network = control.port.network
    assert address_of(request, network) == "10.0.0.1"  # without a proxy, anybody can write that line
    assert address_of(request, replace(network, behind_proxy=True)) == "198.51.100.7"
    bare = Request({"type": "http", "client": ("10.0.0.1", 4242), "headers": []})
    assert address_of(bare, replace(network, behind_proxy=True)) == "10.0.0.1"


def test_wrong_keys_are_forgotten_and_take_no_room() -> None:
    wrong = WrongKeys()
    for number in range(MOST_FAILURES):
        wrong.note(f"2001:db8::{number:x}", 100.0)
    assert wrong.wait("2001:db8::ffff:1", 101.0) == FAILURE_SECONDS - 1.0  # the same machine may have all of them
    assert wrong.wait("2001:db8:0:1::1", 101.0) == 0.0
    assert wrong.wait("2001:db8::1", 100.0 + FAILURE_SECONDS) == 0.0
    for number in range(MOST_ADDRESSES):
        wrong.note(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", 102.0)
    assert wrong.wait("2001:db8::1", 102.0) == 0.0


def test_a_token_that_others_may_read_is_not_used(tmp_path: Path) -> None:
    path = tmp_path / "token"
    assert token_of(path) == token_of(path)
    path.chmod(0o644)
    with pytest.raises(UnsafeTokenError, match="Others may read"):
        token_of(path)
    path.chmod(0o600)
    path.write_text("short\n")
    with pytest.raises(UnsafeTokenError, match="too short"):
        token_of(path)
    path.unlink()
    path.symlink_to("/etc/hostname")
    with pytest.raises(UnsafeTokenError):
        token_of(path)


def test_a_cookie_ends_with_its_token_and_with_its_time() -> None:
    keys = Keys("a" * 40)
    session = keys.redeem(keys.link())
    assert session is not None
    assert Keys("a" * 40).is_session(session)  # after a restart
    assert not Keys("b" * 40).is_session(session)
    assert not keys.is_session("")
    assert keys.redeem("") is None


def test_a_port_that_is_taken_is_told_of(tmp_path: Path) -> None:
    first = open_port(HttpSettings(enabled=True, port=0), tmp_path / "token")
    with first.listening, pytest.raises(NoPortError, match=f"port {first.listening.getsockname()[1]}, cannot be used"):
        open_port(HttpSettings(enabled=True, port=first.listening.getsockname()[1]), tmp_path / "token")
    (tmp_path / "no.pem").write_text("no certificate")
    settings = HttpSettings(enabled=True, port=0, certificate=tmp_path / "no.pem", key=tmp_path / "no.pem")
    with pytest.raises(NoPortError, match="certificate"):
        open_port(settings, tmp_path / "token")
