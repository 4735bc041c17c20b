"""Files that are sent to the real daemon over its API, and what it gives out again."""

import asyncio
import base64
import socket
from pathlib import Path
from typing import Any

import cv2
import pytest
from tusclient.client import TusClient

from faceswapd.control.wire import job_messages, messages
from tests.acceptance.conftest import NewFarm
from tests.acceptance.farm import Farm, free_port
from tests.control import requesting
from tests.control.requesting import FORM, Answer, Piece, form, until
from tests.runtime.workplace import names

TUS = {"Tus-Resumable": "1.0.0"}
PART = {**TUS, "Content-Type": "application/offset+octet-stream"}


def ask(farm: Farm, method: str, route: str, body: bytes = b"", headers: dict[str, str] | None = None) -> Answer:
    return asyncio.run(requesting.ask(Path(farm.client.path), method, route, body, headers))


def ended(farm: Farm, number: int) -> messages.Job:
    return farm.ask(job_messages.JobDetail, f"/api/jobs/{number}/wait?seconds=50").job


def uploads(farm: Farm) -> list[str]:
    return names(farm.folder / "state" / "uploads")


@pytest.mark.deep
def test_a_video_and_photos_are_sent_and_the_result_is_fetched(farm: Farm, media: Path, tmp_path: Path) -> None:
    clip = (media / "phone.mov").read_bytes()
    photo = Piece("source", (media / "other.png").read_bytes(), "me.png")
    said = ask(farm, "POST", "/api/process", form(Piece("target", clip, "phone.mov"), photo), FORM)
    assert said.status == 202
    number = said.json["job_id"]
    job = ended(farm, number)
    assert (job.state, job.output) == ("succeeded", ask(farm, "GET", f"/api/jobs/{number}").json["job"]["output"])
    assert job.output is not None
    assert ask(farm, "GET", f"/api/jobs/{number}/output").body == Path(job.output).read_bytes()
    assert ask(farm, "GET", f"/api/jobs/{number}/target").body == clip
    for of in ("target", "output"):
        small = ask(farm, "GET", f"/api/jobs/{number}/thumbnail?of={of}")
        assert (small.status, small.headers["content-type"]) == (200, "image/jpeg")
        (tmp_path / "small.jpg").write_bytes(small.body)
        picture = cv2.imread(str(tmp_path / "small.jpg"))
        assert picture is not None
        assert picture.shape[:2] == (320, 240)  # turned, as a player shows it
    told = ask(farm, "GET", f"/api/status/{number}").json
    assert (told["status"], told["output_url"]) == ("succeeded", f"/api/jobs/{number}/output")
    again = ask(farm, "POST", "/api/process", form(Piece("target", clip, "other.mov"), photo), FORM)
    assert (again.status, again.json["job_id"]) == (200, number)
    for name in ("text.mp4", "cut.mp4", "list.mp4"):
        bad = ask(farm, "POST", "/api/process", form(Piece("target", (media / name).read_bytes(), name)), FORM)
        assert bad.status == 422, bad
    assert len(uploads(farm)) == 2


@pytest.mark.deep
def test_a_daemon_that_is_killed_keeps_what_can_go_on_and_nothing_else(new_farm: NewFarm, media: Path) -> None:
    farm, clip = new_farm(), (media / "clip.mp4").read_bytes()
    farm.start()
    metadata = f"filename {base64.b64encode(b'clip.mp4').decode()}"
    begun = ask(
        farm, "POST", "/api/uploads", b"", {**TUS, "Upload-Length": str(len(clip)), "Upload-Metadata": metadata}
    )
    where, half = begun.headers["location"], len(clip) // 2
    assert ask(farm, "PATCH", where, clip[:half], {**PART, "Upload-Offset": "0"}).status == 204
    body = form(Piece("target", clip, "broken.mp4"))
    head = (
        f"POST /api/process HTTP/1.1\r\nHost: x\r\nContent-Type: {FORM['Content-Type']}\r\nContent-Length: {len(body)}"
    )
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(farm.client.path)
        line.sendall(f"{head}\r\n\r\n".encode() + body[: len(body) // 2])
        asyncio.run(until(lambda: len(uploads(farm)) == 2))
        farm.kill()
    farm.start()
    assert uploads(farm) == [f"sent-{begun.json['id']}"]
    assert ask(farm, "HEAD", where, b"", TUS).headers["upload-offset"] == str(half)
    assert ask(farm, "PATCH", where, clip[half:], {**PART, "Upload-Offset": str(half)}).status == 204
    said = ask(farm, "POST", "/api/process", form(Piece("upload", begun.json["id"].encode())), FORM)
    assert said.status == 202
    job = ended(farm, said.json["job_id"])
    assert (job.state, Path(job.target).name, job.face) == ("succeeded", "clip.mp4", "alice")
    assert Path(job.target).read_bytes() == clip


def test_the_client_of_the_makers_of_tus_goes_on_where_a_killed_daemon_was(new_farm: NewFarm, media: Path) -> None:
    clip, port = media / "clip.mp4", free_port()
    farm, third = new_farm(f"[http]\nenabled = true\nport = {port}\n"), clip.stat().st_size // 3
    farm.start()
    token = (farm.folder / "state" / "token").read_text(encoding="utf-8").strip()
    client = TusClient(f"http://127.0.0.1:{port}/api/uploads", headers={"Authorization": f"Bearer {token}"})
    with clip.open("rb") as file:
        begun: Any = client.uploader(file_stream=file, chunk_size=third, metadata={"filename": "Füße im Sand.mp4"})
        begun.upload_chunk()
        farm.kill()
        farm.start()
        rest = client.uploader(file_stream=file, chunk_size=third, url=begun.url)
        assert rest.offset == third, "it has asked how far it is"
        rest.upload()
    number = begun.url.rpartition("/")[2]
    said = ask(farm, "POST", "/api/process", form(Piece("upload", number.encode())), FORM)
    job = ended(farm, said.json["job_id"])
    assert (job.state, Path(job.target).name) == ("succeeded", "Füße im Sand.mp4")
    assert Path(job.target).read_bytes() == clip.read_bytes()
