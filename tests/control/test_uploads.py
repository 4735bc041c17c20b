"""Uploads in parts: a real server on its socket."""

import asyncio
import base64
import os
import time
from collections.abc import Mapping

from faceswapd.ledger import reports
from faceswapd.runtime import uploads
from tests.control.requesting import Answer, Piece, ask, half_said, send, until
from tests.control.serving import Control
from tests.control.test_process import content, folder_of, left

TUS = {"Tus-Resumable": "1.0.0"}
PART = {**TUS, "Content-Type": "application/offset+octet-stream"}


def named(name: str = "My clip.MP4") -> dict[str, str]:
    return {**TUS, "Upload-Metadata": f"filetype dmlkZW8=, filename {base64.b64encode(name.encode()).decode()}"}


async def begin(control: Control, length: int, headers: Mapping[str, str] | None = None) -> Answer:
    given = {**(named() if headers is None else headers), "Upload-Length": str(length)}
    return await ask(control.path, "POST", "/api/uploads", headers=given)


async def part(control: Control, where: str, offset: int, data: bytes) -> Answer:
    return await ask(control.path, "PATCH", where, data, {**PART, "Upload-Offset": str(offset)})


async def process(control: Control, number: str, *pieces: Piece, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await send(control.path, "/api/process", Piece("upload", number.encode()), *pieces, headers=named)


async def test_an_upload_in_parts_becomes_a_job(control: Control) -> None:
    begun = await begin(control, 10)
    where, number = begun.headers["location"], begun.json["id"]
    assert (begun.status, begun.headers["tus-resumable"], begun.json["offset"]) == (201, "1.0.0", 0)
    first = await part(control, where, 0, b"a film")
    assert (first.status, first.headers["upload-offset"], first.body) == (204, "6", b"")
    assert (await process(control, number)).json["error"] == f"Of the upload {number} 6 of 10 bytes have come."
    wrong = await part(control, where, 3, b"xxx")
    assert (wrong.status, wrong.json["error"]) == (409, "6 bytes have come, and not 3.")
    storage = control.house.storage
    assert storage is not None
    assert await uploads.clear(storage.settings, control.ledger, time.time(), starting=True) == 0
    told = await ask(control.path, "HEAD", where, headers=TUS)
    assert (told.status, told.headers["upload-offset"], told.headers["upload-length"]) == (200, "6", "10")
    assert told.headers["cache-control"] == "no-store"
    assert (await part(control, where, 6, b"12345")).status == 413
    end = await part(control, where, 6, b"1234")
    assert end.headers["upload-offset"] == "10"
    made = await process(control, number, Idempotency_Key="a key")
    assert (made.status, made.json["job_id"]) == (202, 3)
    again = await process(control, number, Idempotency_Key="a key")
    assert (again.status, again.json["job_id"]) == (202, 3)
    job = await reports.job(control.ledger, 3)
    assert job is not None
    assert content(job.target) == {"My clip.mp4": b"a film1234"}
    assert len(left(control)) == 1
    assert (await process(control, number)).status == 404
    assert (await ask(control.path, "HEAD", where, headers=TUS)).status == 404


async def test_a_part_that_breaks_off_stays_as_far_as_it_came(control: Control) -> None:
    where = (await begin(control, 1000)).headers["location"]
    given = {**PART, "Upload-Offset": "0", "Content-Length": "1000", "Host": "x"}
    head = f"PATCH {where} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in given.items())
    storage = control.house.storage
    assert storage is not None
    async with half_said(control.path, f"{head}\r\n".encode() + b"x" * 400):
        await until(lambda: bool(storage.sending))
        assert (await part(control, where, 0, b"y")).status == 423
        assert (await ask(control.path, "DELETE", where, headers=TUS)).status == 423
    await until(lambda: not storage.sending)
    told = await ask(control.path, "GET", where, headers=TUS)
    assert told.json["offset"] in (0, 400)
    assert (await part(control, where, told.json["offset"], b"z" * (1000 - told.json["offset"]))).status == 204
    assert (await ask(control.path, "DELETE", where, headers=TUS)).status == 204
    assert left(control) == []


async def test_what_cannot_begin_is_refused(control: Control) -> None:
    refused: list[tuple[dict[str, str], int, int]] = [
        ({}, 5, 412),
        (TUS, 5, 400),
        ({**TUS, "Upload-Metadata": "filename *"}, 5, 400),
        (named("notes.txt"), 5, 422),
        (named(), 10**12, 413),
        (named(), -1, 400),
    ]
    for headers, length, status in refused:
        assert (await begin(control, length, headers)).status == status
        assert left(control) == []


async def test_every_answer_says_which_version_is_spoken(control: Control) -> None:
    where = (await begin(control, 10)).headers["location"]
    for method, route, headers, status in (
        ("POST", "/api/uploads", {}, 412),
        ("GET", where, {**TUS, "Tus-Resumable": "2.0"}, 412),
        ("GET", "/api/uploads/none", TUS, 404),
        ("PATCH", where, {**PART, "Upload-Offset": "3"}, 409),
        ("DELETE", where, TUS, 204),
    ):
        answer = await ask(control.path, method, route, b"", headers)
        assert (answer.status, answer.headers["tus-resumable"], answer.headers["tus-version"]) == (
            status,
            "1.0.0",
            "1.0.0",
        )
    told = await ask(control.path, "OPTIONS", "/api/uploads")
    assert (told.status, told.headers["tus-version"]) == (204, "1.0.0")
    assert (told.headers["tus-extension"], told.headers["tus-max-size"]) == ("creation,termination", "5000000000")
    assert "tus-version" not in (await ask(control.path, "GET", "/api/status")).headers


async def test_a_client_that_can_only_post_says_what_it_means(control: Control) -> None:
    where = (await begin(control, 10)).headers["location"]

    async def post(meaning: str, data: bytes = b"", **headers: str) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await ask(control.path, "POST", where, data, {**PART, "X-HTTP-Method-Override": meaning, **named})

    assert (await post("PATCH", b"a film", Upload_Offset="0")).headers["upload-offset"] == "6"
    wrong = await post("GET")
    assert (wrong.status, wrong.json["error"]) == (
        400,
        "The request says neither `X-HTTP-Method-Override: PATCH` nor `DELETE`.",
    )
    assert (await post("DELETE")).status == 204
    assert left(control) == []


async def test_what_is_no_upload_is_refused(control: Control) -> None:
    where = (await begin(control, 10)).headers["location"]
    assert (await ask(control.path, "PATCH", where, b"x", {**TUS, "Upload-Offset": "0"})).status == 415
    assert (await ask(control.path, "PATCH", where, b"x", PART)).status == 400
    for other in ("..", "%2e%2e", "0" * 24, where[-24:].upper() + "A", "x"):
        for method, given in (("GET", TUS), ("DELETE", TUS), ("PATCH", {**PART, "Upload-Offset": "0"})):
            assert (await ask(control.path, method, f"/api/uploads/{other}", b"", given)).status == 404
    both = await process(control, where[-24:], Piece("target", b"a film", "a.mp4"))
    assert (both.status, both.json["error"]) == (400, "The form has a target, and names an upload as well.")
    assert (await process(control, "../../x")).status == 404


async def test_one_that_is_left_alone_goes_after_a_day(control: Control) -> None:
    storage = control.house.storage
    assert storage is not None
    await begin(control, 10)
    (folder,) = left(control)
    assert await uploads.clear(storage.settings, control.ledger, time.time()) == 0
    long_ago = time.time() - 25 * 3600
    await asyncio.to_thread(os.utime, folder_of(control) / folder, (long_ago, long_ago))
    assert await uploads.clear(storage.settings, control.ledger, time.time(), starting=True) == 1
    assert left(control) == []
