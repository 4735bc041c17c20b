"""`faceswapctl open`: the link, and whether a browser is opened."""

import json
from pathlib import Path

import pytest

from faceswapd.control.wire.login_messages import Link
from faceswapd.control.wire.messages import Error
from faceswapd.ctl import main
from tests.control.answering_daemon import Answers, listening

Capture = pytest.CaptureFixture[str]

LINK = Link("http://127.0.0.1:8787/login?key=once", 300.0)
ASKED = "POST /api/login-links"


def opened(path: Path, answers: Answers, *words: str) -> int:
    with listening(path, answers) as daemon:
        code = main(["--socket", str(path), "open", *words])
    assert daemon.asked == [(ASKED, {})]
    return code


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "s"


@pytest.fixture
def seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the browser was asked to show; a browser that leaves a note instead."""
    note, browser = tmp_path / "seen", tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {note}\n')
    browser.chmod(0o755)
    monkeypatch.setenv("BROWSER", str(browser))
    monkeypatch.setenv("DISPLAY", ":99")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setattr("webbrowser._tryorder", None)  # it asks $BROWSER only once in a process
    return note


def test_the_browser_gets_the_link_and_the_terminal_too(path: Path, seen: Path, capsys: Capture) -> None:
    assert opened(path, {ASKED: LINK}) == 0
    assert seen.read_text().strip() == LINK.url
    out = capsys.readouterr().out.splitlines()
    assert (LINK.url in out, out[-1]) == (True, "The link opens once, within 5 minutes.")


def test_print_only_prints(path: Path, seen: Path, capsys: Capture) -> None:
    assert opened(path, {ASKED: LINK}, "--print") == 0
    assert capsys.readouterr().out.splitlines() == [LINK.url]
    assert not seen.exists()


@pytest.mark.skipif("sys.platform == 'darwin'", reason="a Mac always has a screen")
def test_without_a_screen_nothing_is_opened(
    path: Path, seen: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DISPLAY")
    assert opened(path, {ASKED: LINK}) == 0
    assert capsys.readouterr().out.startswith("Open this in a browser:")
    assert not seen.exists()


def test_json_is_the_message(path: Path, seen: Path, capsys: Capture) -> None:
    assert opened(path, {ASKED: LINK}, "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"url": LINK.url, "seconds": 300.0}
    assert not seen.exists()


def test_a_port_that_is_off_tells_how_it_is_turned_on(path: Path, capsys: Capture) -> None:
    refusal = Error("The TCP port is off.", "Set `enabled = true` in [http] of the configuration, and restart.")
    assert opened(path, {ASKED: (409, refusal)}) == 1
    assert "`enabled = true` in [http]" in capsys.readouterr().err
