"""The files of jobs over the API: a real server on its socket, real files, and a child that reads text."""

import asyncio
import hashlib
import os
import time
from email.utils import formatdate
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from starlette.datastructures import Headers

from faceswapd.control.files.file_answers import PIECE, Part, disposition, goes_on, is_known, part_of, type_of
from faceswapd.control.files.places import ElsewhereError, open_below
from faceswapd.control.files.thumbnails import Thumbnails
from faceswapd.core.failures import Failure
from faceswapd.core.intake import Signature
from faceswapd.core.retry import GiveUp
from faceswapd.core.target import Facts, Kind
from faceswapd.ledger import admission, claims, outcomes
from faceswapd.ledger.admission import Arrival
from faceswapd.ledger.outcomes import Ran
from faceswapd.media.examiner import Examiner
from tests.control.requesting import Answer, ask
from tests.control.serving import Control
from tests.ledger.arrivals import RUNNER
from tests.runtime.workplace import CHILD

FILM = b"0123456789" * 1000


def digest(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=32).hexdigest()


def put(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


async def job_of(control: Control, target: Path, data: bytes = FILM, then: str = "keep") -> int:
    """A job whose target is this file."""
    await asyncio.to_thread(put, target, data)
    status = await asyncio.to_thread(target.stat)
    arrival = Arrival(
        str(target), target.name, Signature(status.st_ino, status.st_size, status.st_mtime_ns), Kind.VIDEO, "inbox",
        "balanced", 0, then, Facts(Kind.VIDEO, digest(data), len(data), 64, 48, 10, 1.0, 0, 0), "alice", None, "so",
    )  # fmt: skip
    (admitted,) = await admission.admit(control.ledger, [arrival], time.time())
    return admitted.job


async def run(control: Control, number: int) -> Ran:
    """Claim a job."""
    rows = await control.ledger.rows("SELECT id FROM segments WHERE job = ?", (number,))
    claimed = await claims.claim(control.ledger, rows[0]["id"], RUNNER, time.time())
    assert claimed is not None
    return Ran(claimed.execution, claimed.job.segment, claimed.job.id)


async def swapped(control: Control, name: str = "clip.mp4", data: bytes = FILM) -> tuple[int, Path]:
    """A job that has succeeded, and its output."""
    folder = control.path.parent
    number = await job_of(control, folder / "inbox" / name, b"target of " + name.encode("utf-8", "replace"))
    output = await asyncio.to_thread(put, folder / "outbox" / name, data)
    await outcomes.succeed(control.ledger, await run(control, number), str(output), digest(data), time.time())
    return number, output


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (None, "all"),
        ("bytes=0-9", Part(0, 10)),
        ("bytes=90-", Part(90, 100)),
        ("bytes=90-1000", Part(90, 100)),
        ("bytes=-10", Part(90, 100)),
        ("bytes=-1000", Part(0, 100)),
        ("bytes= 5-5 ", Part(5, 6)),
        ("bytes=100-", "none"),
        ("bytes=-0", "none"),
        ("bytes=9-5", "all"),
        ("bytes=0-1,5-6", "all"),
        ("bytes=-", "all"),
        ("lines=1-2", "all"),
        ("bytes=a-b", "all"),
        (f"bytes=0-{'9' * 30}", "all"),
    ],
)
def test_what_a_range_asks_for(wanted: str | None, found: object) -> None:
    assert part_of(wanted, 100) == found


def test_of_an_empty_file_there_is_no_part() -> None:
    assert part_of("bytes=0-", 0) == "none"
    assert part_of("bytes=-5", 0) == "none"


def test_what_is_known_already_and_what_goes_on() -> None:
    day, later = formatdate(1000, usegmt=True), formatdate(5000, usegmt=True)
    known = [{"if-none-match": '"a"'}, {"if-none-match": 'W/"a", "b"'}, {"if-none-match": "*"}]
    known += [{"if-modified-since": day}, {"if-modified-since": later}]
    assert all(is_known(Headers(one), '"a"', 1000.5) for one in known)
    other = [{}, {"if-none-match": '"b"', "if-modified-since": later}, {"if-modified-since": "yesterday"}]
    assert not any(is_known(Headers(one), '"a"', 1000.5) for one in other)
    assert goes_on(Headers({}), '"a"', 1000.5)
    assert goes_on(Headers({"if-range": '"a"'}), '"a"', 1000.5)
    assert goes_on(Headers({"if-range": day}), '"a"', 1000.5)
    assert not any(goes_on(Headers({"if-range": one}), '"a"', 1000.5) for one in ('"b"', 'W/"a"', later, "x"))


def test_any_name_can_be_said() -> None:
    name = 'a"b\r\n\\é%\udcff.mp4'
    said = disposition(name, download=True)
    assert said.startswith('attachment; filename="a_b_____')
    assert said.isascii()
    assert said.isprintable()
    assert said.endswith("filename*=UTF-8''a%22b%0D%0A%5C%C3%A9%25%3F.mp4")
    assert (type_of("A.MP4"), type_of("a.html"), type_of("svg")) == (
        "video/mp4", "application/octet-stream", "application/octet-stream",
    )  # fmt: skip


async def test_an_output_is_given_out_whole_and_in_parts(control: Control) -> None:
    data = os.urandom(3 * PIECE + 17)
    number, output = await swapped(control, "ä clip.mp4", data)
    route = f"/api/jobs/{number}/output"

    async def get(method: str = "GET", where: str = route, **headers: str) -> Answer:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return await ask(control.path, method, where, headers=given)

    whole = await get()
    assert (whole.status, whole.body) == (200, data)
    told = whole.headers
    assert (told["content-type"], told["content-length"]) == ("video/mp4", str(len(data)))
    assert told["x-content-type-options"] == "nosniff"
    assert "sandbox" in told["content-security-policy"]
    assert told["content-disposition"] == f"inline; filename=\"_ clip.mp4\"; filename*=UTF-8''{quote('ä clip.mp4')}"
    assert told["last-modified"] == formatdate(output.stat().st_mtime, usegmt=True)
    part = await get(Range="bytes=300000-300009")
    assert (part.status, part.body) == (206, data[300000:300010])
    assert part.headers["content-range"] == f"bytes 300000-300009/{len(data)}"
    assert (await get(Range="bytes=-5")).body == data[-5:]
    assert (await get(Range="bytes=0-4,8-9")).body == data
    beyond = await get(Range=f"bytes={len(data)}-")
    assert (beyond.status, beyond.headers["content-range"], beyond.body) == (416, f"bytes */{len(data)}", b"")
    head = await get("HEAD")
    assert (head.status, head.body, head.headers["content-length"]) == (200, b"", str(len(data)))
    assert (await get("HEAD", Range="bytes=1-2")).headers["content-length"] == "2"
    assert (await get(If_None_Match=told["etag"])).status == 304
    assert (await get(Range="bytes=0-1", If_Range=told["etag"])).status == 206
    assert (await get(Range="bytes=0-1", If_Range='"other"')).status == 200
    saved = await get(where=f"{route}?download=1")
    assert saved.headers["content-disposition"].startswith("attachment; ")


async def test_only_the_output_of_the_ledger_is_given_out(control: Control) -> None:
    number, output = await swapped(control)
    secret = await asyncio.to_thread(put, control.path.with_name("secret.mp4"), FILM)
    route = f"/api/jobs/{number}/output"
    os.utime(output, (5, 5))  # looks different, and is the same
    assert (await ask(control.path, "GET", route)).body == FILM
    late = time.time() + 1000
    await asyncio.to_thread(output.write_bytes, b"another")
    os.utime(output, (late, late))
    replaced = await ask(control.path, "GET", route)
    assert (replaced.status, replaced.json["error"]) == (
        410, f"The output of job {number} was replaced by another file, which is not given out.",
    )  # fmt: skip
    output.unlink()
    assert (await ask(control.path, "GET", route)).status == 410
    output.symlink_to(secret)
    link = await ask(control.path, "GET", route)
    assert link.status == 403
    assert "no ordinary file below an inbox" in link.json["error"]
    output.unlink()
    os.mkfifo(output)
    assert (await ask(control.path, "GET", route)).status == 403
    output.unlink()
    output.parent.rmdir()
    (control.path.parent / "elsewhere").mkdir()
    output.parent.symlink_to(control.path.parent / "elsewhere")  # the outbox itself may be a link
    await asyncio.to_thread(put, control.path.parent / "elsewhere" / "clip.mp4", FILM)
    assert (await ask(control.path, "GET", route)).body == FILM


async def test_a_target_is_given_out_where_it_is_ours_and_was_not_declined(
    control: Control,
) -> None:
    folder = control.path.parent
    number = await job_of(control, folder / "inbox" / "in" / "clip.mp4")
    assert (await ask(control.path, "GET", f"/api/jobs/{number}/target")).body == FILM
    assert (await ask(control.path, "GET", f"/api/jobs/{number}/output")).status == 404
    outside = await job_of(control, folder / "elsewhere.mp4", b"outside")
    assert (await ask(control.path, "GET", f"/api/jobs/{outside}/target")).status == 403
    (folder / "inbox" / "out").symlink_to(folder)
    leads_out = await job_of(control, folder / "inbox" / "out" / "b.mp4", b"leads out")
    assert (await ask(control.path, "GET", f"/api/jobs/{leads_out}/target")).status == 403
    assert (await ask(control.path, "GET", "/api/jobs/2/target")).status == 410
    assert (await ask(control.path, "GET", "/api/jobs/77/target")).status == 404
    declined = Failure("content_declined", "It was declined.")
    await outcomes.failed(control.ledger, await run(control, number), declined, GiveUp(declined), time.time())
    for route in ("target", "thumbnail", "thumbnail?of=output"):
        said = await ask(control.path, "GET", f"/api/jobs/{number}/{route}")
        assert (said.status, said.json["advice"]) == (403, "It was declined.")


async def test_a_target_that_was_archived_is_found_there(control: Control) -> None:
    folder = control.path.parent
    number = await job_of(control, folder / "inbox" / "clip.mp4", then="archive")
    await asyncio.to_thread(put, folder / "done" / "clip.mp4", FILM)
    await asyncio.to_thread((folder / "inbox" / "clip.mp4").unlink)
    assert (await ask(control.path, "GET", f"/api/jobs/{number}/target")).status == 410
    await outcomes.succeed(control.ledger, await run(control, number), "/out/clip.mp4", digest(b"x"), time.time())
    assert (await ask(control.path, "GET", f"/api/jobs/{number}/target")).body == FILM
    await asyncio.to_thread(put, folder / "done" / "clip.mp4", b"of another")
    assert (await ask(control.path, "GET", f"/api/jobs/{number}/target")).status == 410


async def test_a_picture_is_made_once_and_kept(control: Control) -> None:
    number, _ = await swapped(control)
    route = f"/api/jobs/{number}/thumbnail"
    first = await ask(control.path, "GET", route)
    assert (first.status, first.headers["content-type"]) == (200, "image/jpeg")
    assert first.body == b"picture of target of clip.mp4"
    assert first.headers["cache-control"] == "private, max-age=3600"
    assert (await ask(control.path, "GET", f"{route}?of=output")).body == b"picture of " + FILM[:20]
    known = await ask(control.path, "GET", route, headers={"If-None-Match": first.headers["etag"]})
    assert (known.status, known.body) == (304, b"")
    assert (await ask(control.path, "GET", f"{route}?of=face")).status == 400
    bad = await job_of(control, control.path.parent / "inbox" / "bad.mp4", b"unreadable")
    said = await ask(control.path, "GET", f"/api/jobs/{bad}/thumbnail")
    assert (said.status, said.json["error"]) == (422, "It is no video.")


async def test_the_pictures_that_are_kept_have_a_bound(tmp_path: Path) -> None:
    examiner = Examiner(argv=CHILD)
    pictures = Thumbnails(tmp_path / "pictures", examiner, most_bytes=100)

    async def make(number: int) -> bytes:
        await asyncio.to_thread(put, tmp_path / f"{number}.mp4", f"film {number}".encode())
        found = open_below([tmp_path], str(tmp_path / f"{number}.mp4"))
        with found.file:
            return await pictures.of(str(number), found)

    assert len(set(await asyncio.gather(make(0), make(0), make(0)))) == 1
    for number in range(1, 9):
        assert await make(number) == f"picture of film {number}".encode()
    kept = [path.stat().st_size for path in (tmp_path / "pictures").iterdir()]
    assert 0 < sum(kept) <= 100
    await pictures.close()
    await examiner.close()


def test_no_link_leads_out_of_a_folder(tmp_path: Path) -> None:
    root, secret = tmp_path / "root", put(tmp_path / "secret", b"secret")
    inside = put(root / "a" / "file", b"inside")
    (root / "link").symlink_to(secret)
    (root / "out").symlink_to(tmp_path)
    (root / "in").symlink_to(root / "a")
    (root / "nowhere").symlink_to(root / "none")
    for good in (inside, root / "in" / "file", root / "a" / ".." / "a" / "file"):
        found = open_below([tmp_path / "other", root], str(good))
        assert (found.file.read(), found.path) == (b"inside", str(inside))
        found.file.close()
    bad: list[Any] = [root / "link", root / "out" / "secret", root / "a" / ".." / ".." / "secret", secret, root / "a"]
    for path in (*bad, root / "nowhere", "/dev/null"):
        with pytest.raises((ElsewhereError, IsADirectoryError)):
            open_below([root], str(path))
    with pytest.raises(FileNotFoundError):
        open_below([root], str(root / "none"))
