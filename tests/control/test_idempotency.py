"""The same request again, with its key: a real server on its socket."""

import asyncio
import json
from pathlib import Path

import pytest

from faceswapd.control.routes import idempotency
from faceswapd.ledger import reports
from tests.control.requesting import FORM, Answer, Piece, ask, form, half_said, send, until
from tests.control.serving import Control
from tests.runtime.workplace import names

FILM, OTHER = Piece("target", b"a film", "a.mp4"), Piece("target", b"another", "a.mp4")


async def process(control: Control, key: str, *pieces: Piece) -> Answer:
    return await send(control.path, "/api/process", *pieces, headers={"Idempotency-Key": key})


async def test_the_same_key_gives_the_same_answer(control: Control, monkeypatch: pytest.MonkeyPatch) -> None:
    first = await process(control, "a key", FILM)
    await ask(control.path, "POST", "/api/jobs/3/cancel")  # so that the same without the key would be another answer
    again = await process(control, "a key", FILM)
    assert (first.status, again.status, again.body) == (202, 202, first.body)
    assert again.headers["location"] == first.headers["location"] == "/api/jobs/3"
    assert len(names(control.path.parent / "state" / "uploads")) == 1
    other = await process(control, "a key", OTHER)
    assert (other.status, other.json["error"]) == (422, "The Idempotency-Key was used for another request.")
    assert (await process(control, "a key", FILM, Piece("priority", b"5"))).status == 422
    assert await reports.job(control.ledger, 4) is None
    monkeypatch.setattr(idempotency, "KEPT_SECONDS", -1.0)
    assert (await process(control, "a key", OTHER)).json["job_id"] == 4
    assert len(await control.ledger.rows("SELECT key FROM answers")) == 1


async def test_what_was_refused_can_be_asked_again(control: Control) -> None:
    assert (await process(control, "a key", Piece("target", b"unreadable", "a.mp4"))).status == 422
    assert (await process(control, "a key", FILM)).status == 202
    for wrong in ("", "x" * 256, "é"):
        assert (await process(control, wrong, FILM)).status == 400


async def test_of_two_at_once_the_second_is_told_to_wait(control: Control) -> None:
    body = form(FILM)
    given = {**FORM, "Content-Length": str(len(body)), "Idempotency-Key": "a key", "Host": "x"}
    head = "POST /api/process HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in given.items())
    async with half_said(control.path, f"{head}\r\n".encode() + body[:40]) as writer:
        await until(lambda: "a key" in control.house.keys_held)
        said = await process(control, "a key", FILM)
        assert (said.status, said.json["error"]) == (409, "A request with this Idempotency-Key is being answered.")
        writer.write(body[40:])
        await writer.drain()
        await until(lambda: not control.house.keys_held)
    assert (await process(control, "a key", FILM)).json["job_id"] == 3


async def test_files_are_submitted_once(control: Control, tmp_path: Path) -> None:
    target = tmp_path / "clip.mp4"
    await asyncio.to_thread(target.write_text, "film")

    async def submit(key: str, **more: object) -> Answer:
        body = json.dumps({"targets": [str(target)], **more}).encode()
        return await ask(control.path, "POST", "/api/submit", body, {"Idempotency-Key": key})

    assert (await submit("another", dry_run=True)).json["submissions"][0]["offers"][0]["job"] is None
    first, again = await submit("a key"), await submit("a key")
    assert (first.status, again.status, first.body) == (200, 200, again.body)
    assert first.json["submissions"][0]["offers"][0]["outcome"] == "queued"
    assert (await submit("a key", priority=3)).status == 422
    assert (await submit("another")).json["submissions"][0]["offers"][0]["outcome"] == "duplicate"
    assert (await process(control, "a key", FILM)).status == 422
