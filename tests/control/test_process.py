"""A target that is sent becomes a job: a real server on its socket, and a child that reads text."""

import asyncio
import hashlib
import os
import re
import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
from pydantic import ByteSize

from faceswapd.control.files import receiving
from faceswapd.control.wire.messages import are_own_photos
from faceswapd.core.failures import Failure
from faceswapd.core.job import State
from faceswapd.core.retry import GiveUp
from faceswapd.ledger import outcomes, reports
from faceswapd.ledger.records import JobRecord
from faceswapd.runtime import uploads
from faceswapd.settings import Settings
from faceswapd.settings.schema import LimitSettings, UploadSettings
from tests.control.requesting import BOUNDARY, FORM, Answer, Piece, ask, form, half_said, send, until
from tests.control.serving import Control
from tests.control.test_files import run
from tests.runtime.workplace import names

FILM = Piece("target", b"a film", "My clip (1).MP4")
PHOTOS = (Piece("source", b"image one", "me.jpg"), Piece("source", b"image two", "me.jpg"))
ROUTE = "/api/process"


def folder_of(control: Control) -> Path:
    return control.path.parent / "state" / "uploads"


def left(control: Control) -> list[str]:
    """What lies among the uploads."""
    return names(folder_of(control)) if folder_of(control).exists() else []


def content(path: str | Path) -> dict[str, bytes]:
    """A file, or what lies in a folder, by name; for nobody else to read."""
    found = Path(path)
    files = list(found.iterdir()) if found.is_dir() else [found]
    assert all(one.is_file() and one.stat().st_mode & 0o077 == 0 for one in files)
    return {one.name: one.read_bytes() for one in files}


async def process(control: Control, *pieces: Piece) -> Answer:
    return await send(control.path, ROUTE, *pieces)


async def job(control: Control, number: int) -> JobRecord:
    found = await reports.job(control.ledger, number)
    assert found is not None
    return found


def settle(control: Control, change: Callable[[Settings], Settings]) -> None:
    """Other settings for the server that runs."""
    storage = control.house.storage
    assert storage is not None
    object.__setattr__(control.house, "storage", replace(storage, settings=change(storage.settings)))


async def test_a_target_that_is_sent_becomes_a_job(control: Control) -> None:
    said = await process(control, FILM, Piece("face", b"Alice"), Piece("priority", b"-5"))
    assert (said.status, said.json) == (202, {"job_id": 3, "status": "queued", "estimated_time": None})
    assert said.headers["location"] == "/api/jobs/3"
    made = await job(control, 3)
    assert content(made.target) == {"My clip (1).mp4": b"a film"}
    assert Path(made.target).parent.parent == folder_of(control)
    assert (made.face, made.preset, made.priority, made.inbox) == ("alice", "balanced", -5, "")
    assert made.relative == "alice/My clip (1).mp4"
    assert "look" in control.orders
    again = await process(control, FILM)
    assert (again.status, again.json["job_id"], again.headers["location"]) == (200, 3, "/api/jobs/3")
    assert len(left(control)) == 1
    assert (await ask(control.path, "GET", "/api/jobs/3/target")).body == b"a film"


async def test_photos_that_come_along_are_the_face(control: Control) -> None:
    said = await process(control, FILM, *PHOTOS)
    assert said.status == 202
    made = await job(control, said.json["job_id"])
    assert made.bundle is not None
    assert made.face is not None
    assert content(made.bundle) == {"source-01.jpg": b"image one", "source-02.jpg": b"image two"}
    assert re.fullmatch("photos-[0-9a-f]{9}", made.face)
    assert are_own_photos(made.face)
    assert not any(are_own_photos(face) for face in (None, "alice", "photos-", "photos-christmas", f"{made.face}0"))
    assert Path(made.bundle).name.startswith(made.face)
    assert (await process(control, FILM, *reversed(PHOTOS))).json["job_id"] == made.id
    assert len(left(control)) == 2
    other = await process(control, FILM, PHOTOS[0])
    assert (other.status, other.json["job_id"]) == (202, made.id + 1)
    same = await process(control, Piece("target", b"another film", "b.mp4"), *PHOTOS)
    assert (await job(control, same.json["job_id"])).bundle == made.bundle
    assert len(left(control)) == 5


REFUSED: list[tuple[list[Piece], int, str]] = [
    ([], 400, "The form has no file called `target`."),
    ([Piece("target", b"a film")], 400, "The form has a part 'target'"),
    ([FILM, FILM], 400, "The form has two files called `target`."),
    ([FILM, Piece("x", b"y")], 400, "The form has a part 'x'"),
    ([FILM, Piece("face", b"alice"), Piece("face", b"alice")], 400, "The form has two parts 'face'."),
    ([FILM, Piece("face", b"alice"), *PHOTOS], 400, "The form names a face and has photos as well."),
    ([FILM, Piece("face", b"bob")], 400, "submit: "),
    ([FILM, Piece("preset", b"worst")], 400, "submit: "),
    ([FILM, Piece("priority", b"high")], 400, "'high' is no priority."),
    ([FILM, Piece("priority", b"500")], 400, "submit: "),
    ([FILM, Piece("preset", b"x" * 5000)], 413, "A field of the form is too long."),
    ([Piece("target", b"a film", "notes.txt")], 422, "'notes.txt' is neither a video nor an image"),
    ([Piece("target", b"unreadable", "a.mp4")], 422, "'a.mp4' cannot be swapped: It is no video."),
    ([Piece("target", b"", "a.mp4")], 422, "'a.mp4' cannot be swapped: It is empty."),
    ([Piece("target", b"cut", "a.mp4")], 422, "'a.mp4' cannot be swapped: It ends too early."),
    ([FILM, Piece("source", b"film", "a.jpg")], 422, "'a.jpg' is no photo: it is a video."),
    ([FILM, Piece("source", b"image", "a.gif")], 422, "'a.gif' is no photo by its name's ending."),
    ([FILM, *[PHOTOS[0]] * 21], 413, "There are more than 20 photos."),
    ([FILM, *[Piece(f"p{number}", b"") for number in range(70)]], 400, "The form has "),
]


async def test_what_is_refused_leaves_nothing(control: Control) -> None:
    for pieces, status, error in REFUSED:
        said = await process(control, *pieces)
        assert said.status == status, said
        assert error in said.json["error"]
        assert left(control) == []
        assert await reports.job(control.ledger, 3) is None


HOSTILE = ["../../../etc/cron.d/x.mp4", "C:\\x\\y.mp4", "a\r\nb.mp4", ".mp4", "~.mp4", "x" * 400 + ".mp4", "$(ls).mp4"]


async def test_hostile_names_stay_in_their_folder(control: Control) -> None:
    for name in HOSTILE:
        said = await process(control, Piece("target", name.encode(), name))
        if said.status == 400:  # no form can say it
            assert "\n" in name
            continue
        path = Path((await job(control, said.json["job_id"])).target)
        assert path.parent.parent == folder_of(control)
        assert content(path) == {path.name: name.encode()}
        assert re.fullmatch(r"[\w (._)-]{1,130}\.mp4", path.name)


async def test_what_is_too_large_is_refused_before_it_has_come(control: Control) -> None:
    small = UploadSettings(largest=ByteSize(1_000_000), most_photos=1)
    settle(control, lambda settings: settings.model_copy(update={"uploads": small}))
    large = Piece("target", b"x" * 3_000_000, "a.mp4")
    said = await process(control, large)
    assert (said.status, said.json["error"]) == (413, "'a.mp4' is larger than 1.0 MB.")
    head = f"POST {ROUTE} HTTP/1.1\r\nHost: x\r\nContent-Type: {FORM['Content-Type']}\r\nContent-Length: 9000000000\r\n"
    reader, writer = await asyncio.open_unix_connection(control.path)
    writer.write(f"{head}\r\n".encode())  # and not one byte of it
    async with asyncio.timeout(5):
        assert (await reader.readline()).split()[1] == b"413"
    writer.close()
    await until(lambda: not left(control))


async def test_where_there_is_no_room_it_is_said(
    control: Control,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    limits = LimitSettings(disk_free=ByteSize(1 << 60))
    settle(control, lambda settings: settings.model_copy(update={"limits": limits}))
    said = await process(control, FILM)
    assert (said.status, said.json["error"][:24]) == (507, "There is no room for it:")
    assert left(control) == []
    before = shutil.disk_usage(control.path.parent).free
    limits = LimitSettings(disk_free=ByteSize(before // 2))
    settle(control, lambda settings: settings.model_copy(update={"limits": limits}))
    monkeypatch.setattr(receiving, "LOOK_EVERY", 1)
    usage = type(shutil.disk_usage("/"))
    seen = iter([usage(before, 0, before)])
    monkeypatch.setattr(shutil, "disk_usage", lambda _: next(seen, usage(before, before, 0)))
    assert (await process(control, FILM)).status == 507  # others have filled it meanwhile
    assert left(control) == []


async def test_uploads_can_be_switched_off(control: Control) -> None:
    settle(control, lambda settings: settings.model_copy(update={"uploads": UploadSettings(enabled=False)}))
    assert (await process(control, FILM)).status == 403
    assert (await ask(control.path, "OPTIONS", "/api/uploads")).status == 403


async def test_an_upload_that_breaks_off_leaves_nothing(control: Control) -> None:
    body = form(Piece("target", b"film" * 500_000, "a.mp4"))
    head = (
        f"POST {ROUTE} HTTP/1.1\r\nHost: x\r\nContent-Type: {FORM['Content-Type']}\r\nContent-Length: {len(body)}\r\n"
    )
    async with half_said(control.path, f"{head}\r\n".encode() + body[:-1000]):
        await until(lambda: bool(left(control)))
    await until(lambda: not left(control))
    whole = await ask(control.path, "POST", ROUTE, body[:-10], FORM)
    assert (whole.status, whole.json["error"]) == (400, "The form is cut off: its end is missing.")
    assert left(control) == []
    assert await control.well()


async def test_one_who_hangs_up_while_it_is_looked_at_leaves_nothing(control: Control, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "gate")
    gate = os.open(tmp_path / "gate", os.O_RDWR)  # whoever reads waits until it is closed
    body = form(Piece("target", f"wait for {tmp_path / 'gate'}".encode(), "a.mp4"))
    head = (
        f"POST {ROUTE} HTTP/1.1\r\nHost: x\r\nContent-Type: {FORM['Content-Type']}\r\nContent-Length: {len(body)}\r\n"
    )
    async with half_said(control.path, f"{head}\r\n".encode() + body):
        await until(lambda: any(task.get_name().startswith("answer to") for task in asyncio.all_tasks()))
    await until(lambda: not left(control))
    os.close(gate)


async def test_how_far_a_job_is(control: Control) -> None:
    number = (await process(control, FILM)).json["job_id"]

    async def told() -> dict[str, Any]:
        said = await ask(control.path, "GET", f"/api/status/{number}")
        assert said.status == 200
        found: dict[str, Any] = said.json
        return found

    waiting = {"job_id": 3, "status": "queued", "progress": 0.0, "estimated_time": None, "output_url": None}
    assert await told() == {**waiting, "error": None}
    await ask(control.path, "POST", f"/api/jobs/{number}/cancel")
    assert (await told())["status"] == "cancelled"
    assert (await process(control, FILM)).status == 202  # once more
    assert len(left(control)) == 2
    await outcomes.succeed(control.ledger, await run(control, number), "/out/a.mp4", "content", time.time())
    assert await told() == {
        "job_id": 3, "status": "succeeded", "progress": 1.0, "estimated_time": 0.0,
        "output_url": "/api/jobs/3/output", "error": None,
    }  # fmt: skip
    assert (await ask(control.path, "GET", "/api/status/77")).status == 404


async def test_photos_without_a_face_are_to_be_sent_again(control: Control) -> None:
    failure, told = Failure("no_source_face", "There is no face."), {}
    for photos in (PHOTOS, ()):
        number = (await process(control, FILM, *photos)).json["job_id"]
        await outcomes.failed(control.ledger, await run(control, number), failure, GiveUp(failure), time.time())
        told[photos] = (await ask(control.path, "GET", f"/api/jobs/{number}")).json["job"]["advice"]
    assert told[PHOTOS].startswith("Send the target again with a photo that shows the whole face")
    assert told[()] == failure.advice


async def test_what_was_sent_goes_some_days_after_its_job(control: Control) -> None:
    storage = control.house.storage
    assert storage is not None
    number = (await process(control, FILM, *PHOTOS)).json["job_id"]
    broken = folder_of(control) / "broken-off"
    broken.mkdir()
    now, later = time.time(), time.time() + 8 * 86400
    assert await uploads.clear(storage.settings, control.ledger, now) == 0
    assert await uploads.clear(storage.settings, control.ledger, now, starting=True) == 1
    assert len(left(control)) == 2
    assert await uploads.clear(storage.settings, control.ledger, later) == 0
    await ask(control.path, "POST", f"/api/jobs/{number}/cancel")
    assert await uploads.clear(storage.settings, control.ledger, now) == 0
    assert await uploads.clear(storage.settings, control.ledger, later) == 2
    assert left(control) == []
    assert (await job(control, number)).state is State.CANCELLED


@pytest.mark.deep
async def test_two_hundred_megabytes_take_no_memory(control: Control) -> None:
    block = os.urandom(1 << 20)
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="target"; filename="a.mp4"\r\n\r\nvideo'.encode()
    end = f"\r\n--{BOUNDARY}--\r\n".encode()
    length = len(head) + 200 * len(block) + len(end)
    reader, writer = await asyncio.open_unix_connection(control.path)
    said = f"POST {ROUTE} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {length}\r\n"
    writer.write(f"{said}Content-Type: {FORM['Content-Type']}\r\n\r\n".encode() + head)
    await writer.drain()
    process_now = psutil.Process()
    before = most = process_now.memory_info().rss
    for _ in range(200):
        writer.write(block)
        await writer.drain()
        most = max(most, process_now.memory_info().rss)
    writer.write(end)
    async with asyncio.timeout(60):
        answer = await reader.read()
    writer.close()
    assert answer.startswith(b"HTTP/1.1 202 ")
    assert most - before < 30 << 20
    digest = hashlib.blake2b(b"video" + block * 200, digest_size=32).hexdigest()
    facts = (await job(control, 3)).facts
    assert facts is not None
    assert facts.content == digest
