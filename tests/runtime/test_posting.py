"""One POST: whom it reaches, and whom it does not."""

import asyncio
import logging
import shutil
import socket
import ssl
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from faceswapd.core.webhook import Letter, Sent
from faceswapd.runtime.notifying import posting
from faceswapd.runtime.notifying.posting import LARGEST_ANSWER, Poster, Resolve
from tests.acceptance.farm import free_port
from tests.runtime.receiving import receiving, status

LETTER = Letter(b'{"a": 1}', (("Content-Type", "application/json"), ("webhook-id", "msg_1")))


def leading(*addresses: str, asked: list[str] | None = None) -> Resolve:
    """Every name leads to these addresses."""

    async def resolve(host: str, _: int) -> Sequence[str]:
        if asked is not None:
            asked.append(host)
        return addresses

    return resolve


async def sent(url: str, *, allow_private: bool = True, resolve: Resolve = posting.resolved) -> Sent:
    return await Poster(url, allow_private=allow_private, resolve=resolve).send(LETTER)


async def test_it_is_sent_as_it_is_and_taken() -> None:
    async with receiving() as receiver:
        assert await sent(receiver.url) == Sent(True, 204, "It was taken (HTTP 204).")
        message = await receiver.next()
    assert message.line == "POST /hooks/key?secret=1 HTTP/1.1"
    assert message.body == LETTER.body
    assert message.headers["host"] == f"127.0.0.1:{receiver.port}"
    assert message.headers["webhook-id"] == "msg_1"
    assert message.headers["content-type"] == "application/json"


async def test_the_connection_goes_to_the_address_that_was_judged_and_the_name_is_kept() -> None:
    asked: list[str] = []
    async with receiving() as receiver:
        url = f"http://hooks.example:{receiver.port}/"
        assert (await sent(url, resolve=leading("127.0.0.1", asked=asked))).accepted
        assert (await receiver.next()).headers["host"] == f"hooks.example:{receiver.port}"
    assert asked == ["hooks.example"], "asked for once, and never again"


@pytest.mark.parametrize(
    ("host", "addresses", "why"),
    [
        ("127.0.0.1", ("127.0.0.1",), "127.0.0.1 is this machine"),
        ("[::1]", ("::1",), "::1 is this machine"),
        ("hooks.example", ("127.0.0.1",), "hooks.example leads to 127.0.0.1, this machine"),
        ("hooks.example", ("8.8.8.8", "10.0.0.1"), "hooks.example leads to 10.0.0.1, a private network"),
        ("hooks.example", ("169.254.169.254",), "hooks.example leads to 169.254.169.254, a part of the local network"),
        ("hooks.example", ("::ffff:192.168.1.1",), "hooks.example leads to ::ffff:192.168.1.1, a private network"),
        ("hooks.example", ("fe80::1%1",), "hooks.example leads to fe80::1%1, a part of the local network"),
    ],
)
async def test_nothing_is_sent_into_a_private_network(host: str, addresses: tuple[str, ...], why: str) -> None:
    async with receiving() as receiver:
        url = f"http://{host}:{receiver.port}/"
        said = await sent(url, allow_private=False, resolve=leading(*addresses))
        assert (said.accepted, said.status) == (False, None)
        assert said.text == f"{why}, and nothing is sent there unless the webhook says `allow_private = true`."
        assert receiver.came.empty()


@pytest.mark.parametrize("host", ["localhost", "127.1", "2130706433", "0x7f000001", "0"])
async def test_a_name_that_the_system_leads_to_this_machine_is_found_out(host: str) -> None:
    async with receiving() as receiver:
        said = await sent(f"http://{host}:{receiver.port}/", allow_private=False)
        assert not said.accepted
        assert receiver.came.empty()
        assert "allow_private" in said.text


async def test_a_redirect_is_not_followed() -> None:
    async with receiving() as other, receiving(lambda _: status(302, f"Location: {other.url}")) as receiver:
        said = await sent(receiver.url)
        assert (said.accepted, said.status) == (False, 302)
        assert "redirect (HTTP 302), which is not followed" in said.text
        assert other.came.empty()


async def test_an_answer_without_end_is_not_read_to_its_end() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n"
    async with receiving(lambda _: head + bytes(4 * LARGEST_ANSWER)) as receiver:
        assert (await sent(receiver.url)).accepted


async def test_who_does_not_answer_is_given_up_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posting, "TOTAL_SECONDS", 0.2)
    never = asyncio.Event()
    async with receiving(lambda _: never) as receiver:
        said = await sent(receiver.url)
        assert said == Sent(False, None, "No answer came within 0 s.")
        never.set()


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (status(500), "It answered HTTP 500."),
        (status(410), "It answered that it is gone for good (HTTP 410)."),
        (b"SSH-2.0-OpenSSH_9.9\r\n", "127.0.0.1 broke the connection off, or answered with what is no HTTP."),
        (b"", "127.0.0.1 broke the connection off, or answered with what is no HTTP."),
    ],
)
async def test_what_came_back_is_told_in_a_sentence(answer: bytes, text: str) -> None:
    async with receiving(lambda _: answer) as receiver:
        said = await sent(receiver.url)
    assert (said.accepted, said.text) == (False, text)


async def test_who_cannot_be_reached_is_told_without_the_address() -> None:
    refused = await sent(f"http://127.0.0.1:{free_port()}/secret")
    assert refused == Sent(False, None, "127.0.0.1 refuses the connection.")

    async def unknown(*_: object) -> Sequence[str]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    nowhere = await sent("http://none.invalid/secret", resolve=unknown)
    assert nowhere.text == "There is no host none.invalid, or its name cannot be made out now."
    assert (await sent("http://none.invalid/secret", resolve=leading())).text == "none.invalid has no address."


async def test_where_one_family_of_addresses_does_not_work_the_other_is_tried() -> None:
    async with receiving() as receiver:
        url = f"http://hooks.example:{receiver.port}/"
        assert (await sent(url, resolve=leading("::1", "127.0.0.1"))).accepted


@pytest.mark.skipif(shutil.which("openssl") is None, reason="there is no openssl to make a certificate with")
async def test_the_certificate_is_that_of_the_name_and_not_of_the_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    named = ["-subj", "/CN=hooks.example", "-addext", "subjectAltName=DNS:hooks.example", "-days", "2"]
    files = ["-out", str(certificate), "-keyout", str(key)]
    await asyncio.to_thread(subprocess.run, [*made, *named, *files], check=True, capture_output=True)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate, key)
    names: list[str | None] = []
    tls.sni_callback = lambda _, name, __: names.append(name)
    async with receiving(tls=tls) as receiver:
        unknown = await sent(f"https://hooks.example:{receiver.port}/", resolve=leading("127.0.0.1"))
        assert unknown.text == "The certificate of hooks.example is not accepted (self-signed certificate)."
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))  # as one of the system's own
        assert (await sent(f"https://hooks.example:{receiver.port}/", resolve=leading("127.0.0.1"))).accepted
        other = await sent(f"https://other.example:{receiver.port}/", resolve=leading("127.0.0.1"))
        assert other.text.startswith("The certificate of other.example is not accepted (Hostname mismatch")
    assert names == ["hooks.example", "hooks.example", "other.example"]


async def test_who_speaks_no_tls_is_told() -> None:
    async def plain(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(status(400))
        writer.close()

    async with await asyncio.start_server(plain, "127.0.0.1", 0) as server:
        said = await sent(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/secret")
    assert said.text.startswith("127.0.0.1 does not speak TLS as it should")
    assert "secret" not in said.text


async def test_the_library_says_nothing_of_addresses_to_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with receiving() as receiver:
        assert (await sent(receiver.url)).accepted
    assert not [record for record in caplog.records if record.name.startswith(("httpx", "httpcore"))]
    assert "secret" not in caplog.text
