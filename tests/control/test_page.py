"""The dashboard's files: who gets them, as what, and what they may not hold."""

import re
from pathlib import Path

import pytest

from faceswapd.control.routes import page_routes
from tests.control.serving import Control
from tests.control.test_network import ask, cookie

STATIC = Path(page_routes.__file__).parent.with_name("static")
POLICY = {
    *("default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' blob:", "media-src 'self'"),
    *("connect-src 'self'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"),
}
# Ways in which a text becomes markup or a program.
FORBIDDEN = re.compile(
    r"innerHTML|outerHTML\s*=|insertAdjacentHTML|document\.write|\beval\b|new Function|setHTML|createContextualFragment"
    r"|srcdoc|javascript:|setAttribute\(\"style|style:\s*[`\"]"
)


async def test_a_stranger_gets_the_words_on_how_to_come_in(control: Control) -> None:
    answer = await ask(control, "GET", "/")
    assert (answer.status, b"faceswapctl open" in answer.body) == (401, True)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    wrong = await ask(control, "GET", "/", "Authorization: Bearer guess")
    assert (wrong.status, wrong.body) == (401, answer.body)
    assert b"style.css" in answer.body
    assert (await ask(control, "GET", "/static/style.css")).status == 200


async def test_who_guesses_at_the_page_must_wait_as_everywhere(control: Control) -> None:
    answers = [(await ask(control, "GET", "/", "Authorization: Bearer guess")).status for _ in range(30)]
    assert (answers[0], answers[-1]) == (401, 429)


async def test_the_page_comes_with_all_its_rules(control: Control) -> None:
    answer = await ask(control, "GET", "/", await cookie(control))
    assert (answer.status, b"/static/app.js" in answer.body) == (200, True)
    assert set(answer.headers["content-security-policy"].split("; ")) == POLICY
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"
    raw = await control.raw(b"GET / HTTP/1.1\r\nHost: daemon\r\nConnection: close\r\n\r\n")
    assert raw.startswith(b"HTTP/1.1 200")  # on the socket the system tells who asks


async def test_a_file_is_sent_once_and_asked_about_afterwards(control: Control) -> None:
    first = await ask(control, "GET", "/static/app.js")
    assert (first.status, first.headers["content-type"]) == (200, "text/javascript; charset=utf-8")
    assert first.headers["cache-control"] == "no-cache"
    again = await ask(control, "GET", "/static/app.js", f"If-None-Match: {first.headers['etag']}")
    assert (again.status, again.body) == (304, b"")


@pytest.mark.parametrize(
    "name", ["nothing.js", "index.html", "..%2Fkeys.py", "%2e%2e", "app.js%00", ".", "%2Fetc%2Fpasswd"]
)
async def test_a_name_that_is_none_of_the_page_leads_nowhere(control: Control, name: str) -> None:
    assert (await ask(control, "GET", f"/static/{name}")).status == 404


def test_no_text_becomes_markup() -> None:
    scripts = sorted(STATIC.glob("*.js"))
    assert len(scripts) > 10
    for script in scripts:
        assert FORBIDDEN.search(script.read_text(encoding="utf-8")) is None, script.name
    for page in STATIC.glob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert re.search(r"<style|style=|<script(?![^>]*src=)|\son\w+=", text) is None, page.name


def test_the_page_names_its_own_files_and_nobody_elses() -> None:
    named: set[str] = set()
    for file in STATIC.iterdir():
        text = file.read_text(encoding="utf-8")
        named |= set(re.findall(r"/static/([\w.-]+)", text)) | set(re.findall(r"from \"\./([\w.-]+)\"", text))
        assert not re.findall(r"https?://(?!www\.w3\.org/)\S+", text), file.name
    assert named == {file.name for file in STATIC.iterdir()} - {page_routes.PAGE, page_routes.LOGIN}
    preloaded = set(re.findall(r"modulepreload\" href=\"/static/([\w.]+)", (STATIC / "index.html").read_text()))
    assert preloaded == {script.name for script in STATIC.glob("*.js")} - {"app.js", "theme.js"}
