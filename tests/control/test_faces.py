"""Faces over the API: a real server on its socket, and a child that reads text."""

from pathlib import Path
from urllib.parse import quote

import pytest

from faceswapd.control.files import face_folder, photos
from faceswapd.control.files.face_folder import ASIDE
from faceswapd.ledger import standing
from faceswapd.ledger.standing import FaceRecord
from tests.control.requesting import BOUNDARY, FORM, Piece, ask, form, half_said, send, until
from tests.control.serving import Control
from tests.runtime.workplace import names

PHOTO = b"image of alice"


@pytest.fixture
def faces(control: Control) -> Path:
    folder = control.path.with_name("faces")
    folder.mkdir()
    return folder


def photo(content: bytes = PHOTO, file: str = "a.jpg", name: str = "photo") -> Piece:
    return Piece(name, content, file)


def lying(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if not path.is_dir()}


async def test_photos_become_a_face_and_replace_none(control: Control, faces: Path) -> None:
    made = await send(control.path, "/api/faces/Ana%20Mar%C3%ADa", photo(), photo(b"image 2", "../../b.PNG"))
    assert (made.status, made.json["photos"]) == (201, ["a.jpg", "b.png"])
    assert made.json["text"] == "2 photos were added to the face 'Ana María'."
    again = await send(control.path, f"/api/faces/{quote('ANA MARÍA')}", photo(b"image 3"))
    assert (again.status, again.json["name"], again.json["photos"]) == (201, "Ana María", ["a-2.jpg"])
    assert lying(faces) == {
        "Ana María/a.jpg": PHOTO,
        "Ana María/b.png": b"image 2",
        "Ana María/a-2.jpg": b"image 3",
    }
    assert control.orders.count("look") == 2
    shown = await ask(control.path, "GET", f"/api/faces/{quote('Ana María')}/photos/b.png")
    assert (shown.status, shown.body, shown.headers["content-type"]) == (200, b"picture of image 2", "image/jpeg")
    known = await ask(
        control.path, "GET", f"/api/faces/{quote('Ana María')}/photos/b.png",
        headers={"If-None-Match": shown.headers["etag"]},
    )  # fmt: skip
    assert known.status == 304


REFUSED: list[tuple[list[Piece], int, str]] = [
    ([], 400, "The form has no file called `photo`."),
    ([photo(name="picture")], 400, "The form has a part 'picture'"),
    ([Piece("photo", b"text")], 400, "The form has a part 'photo'"),
    ([photo(file="a.mp4")], 422, "'a.mp4' is no photo by its name's ending."),
    ([photo(file="a")], 422, "'a' is no photo by its name's ending."),
    ([photo(), photo(b"unreadable")], 422, "'a.jpg' is no photo: It is no video."),
    ([photo(b"film")], 422, "'a.jpg' is no photo: it is a video."),
    ([photo(b"")], 422, "'a.jpg' is no photo: It is empty."),
    ([photo()] * 21, 413, "There are more than 20 photos."),
    ([photo(b"image" + b"x" * 3000)], 413, "'a.jpg' is larger than"),
]


async def test_what_is_no_photo_is_refused_and_leaves_nothing(
    control: Control,
    faces: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(photos, "LARGEST_PHOTO", 2000)
    for pieces, status, error in REFUSED:
        said = await send(control.path, "/api/faces/alice", *pieces)
        assert (said.status, said.json["error"][: len(error)]) == (status, error)
        assert names(faces) == []


async def test_names_that_no_face_can_have_are_refused(control: Control, faces: Path) -> None:
    for name in ["..", ".hidden", "a%00b", "a+b", "con", "x" * 200, "%E2%80%AEa", "a__b"]:
        for method, route in (("POST", ""), ("DELETE", ""), ("GET", "/photos/a.jpg")):
            said = await ask(control.path, method, f"/api/faces/{name}{route}", form(photo()), FORM)
            assert said.status == 400, (method, said)
    assert (await send(control.path, "/api/faces/a%2Fb", photo())).status == 404
    assert names(faces) == []


async def test_a_form_that_is_none_or_is_cut_off_is_refused(control: Control, faces: Path) -> None:
    whole = form(photo())
    for body, headers, status in (
        (whole, {}, 415),
        (whole, {"Content-Type": "multipart/form-data"}, 415),
        (whole, {"Content-Type": f"multipart/form-data; boundary={'b' * 300}"}, 415),
        (whole, {"Content-Type": "application/json"}, 415),
        (whole[:-20], FORM, 400),
        (b"rubbish", FORM, 400),
        (b"", FORM, 400),
        (f"--{BOUNDARY}\r\nX: y\r\n\r\nz\r\n--{BOUNDARY}--".encode(), FORM, 400),
        (f"--{BOUNDARY}\r\n{'A' * 9000}: y\r\n\r\n".encode(), FORM, 400),
    ):
        assert (await ask(control.path, "POST", "/api/faces/alice", body, headers)).status == status, body
    assert names(faces) == []


async def test_one_who_is_gone_leaves_nothing(control: Control, faces: Path) -> None:
    body = form(photo(b"image" * 100_000))
    head = "".join(f"{name}: {value}\r\n" for name, value in {**FORM, "Content-Length": len(body)}.items())
    request = f"POST /api/faces/alice HTTP/1.1\r\nHost: x\r\n{head}\r\n".encode() + body[: len(body) // 2]
    async with half_said(control.path, request):
        await until(lambda: any(name.startswith(ASIDE) for name in names(faces)))
    await until(lambda: not names(faces))
    assert await control.well()


async def test_a_face_that_is_needed_stays_and_another_goes(control: Control, faces: Path) -> None:
    for name in ("Alice", "bob"):
        (faces / name).mkdir()
        (faces / name / "a.jpg").write_bytes(PHOTO)
    (faces / "BOB.jpg").write_bytes(PHOTO)
    outside = control.path.with_name("outside")
    outside.mkdir()
    (outside / "kept.jpg").write_bytes(PHOTO)
    (faces / "bob" / "link").symlink_to(outside)
    said = await ask(control.path, "DELETE", "/api/faces/alice")  # job 1 waits for it
    assert (said.status, said.json["error"]) == (409, "Job 1 needs the face 'alice'.")
    await standing.see_faces(control.ledger, [FaceRecord("bob", 1, None), FaceRecord("alice", 1, None)], 1.0)
    assert (await ask(control.path, "DELETE", "/api/faces/Bob")).status == 200
    assert [face.name for face in await standing.faces(control.ledger)] == ["alice"]  # nobody misses it
    assert (await ask(control.path, "DELETE", "/api/faces/Bob")).status == 404
    assert lying(faces) == {"Alice/a.jpg": PHOTO}
    assert lying(outside) == {"kept.jpg": PHOTO}
    assert (await ask(control.path, "POST", "/api/jobs/1/cancel")).status == 200
    assert (await ask(control.path, "DELETE", "/api/faces/alice")).status == 200
    assert names(faces) == []


async def test_no_link_is_followed(control: Control, faces: Path) -> None:
    outside = control.path.with_name("outside")
    outside.mkdir()
    (outside / "secret.jpg").write_bytes(PHOTO)
    (faces / "eve").symlink_to(outside)
    (faces / "ann").mkdir()
    (faces / "ann" / "link.jpg").symlink_to(outside / "secret.jpg")
    (faces / "ann.png").symlink_to(outside / "secret.jpg")
    said = await send(control.path, "/api/faces/eve", photo())
    assert (said.status, said.json["error"]) == (409, "In the faces folder 'eve' is a link.")
    for route in ("eve/photos/secret.jpg", "ann/photos/link.jpg", "ann/photos/ann.png", "ann/photos/none.jpg"):
        assert (await ask(control.path, "GET", f"/api/faces/{route}")).status == 404
    assert (await ask(control.path, "DELETE", "/api/faces/eve")).status == 200  # the link, and not what it leads to
    assert lying(outside) == {"secret.jpg": PHOTO}
    assert names(faces) == ["ann", "ann.png"]


async def test_a_photo_beside_the_folders_is_shown(control: Control, faces: Path) -> None:
    (faces / "ann.png").write_bytes(PHOTO)
    assert (await ask(control.path, "GET", "/api/faces/Ann/photos/ann.png")).body == b"picture of " + PHOTO
    assert (await ask(control.path, "GET", "/api/faces/bob/photos/ann.png")).status == 404


def test_what_was_left_half_done_goes_at_the_start(tmp_path: Path) -> None:
    left = face_folder.aside(tmp_path)
    (left / "0").mkdir()
    (left / "0" / "a.jpg").write_bytes(PHOTO)
    (tmp_path / ".other").mkdir()
    face_folder.clean(tmp_path)
    assert names(tmp_path) == [".other"]
