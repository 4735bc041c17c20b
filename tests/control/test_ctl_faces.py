"""`faceswapctl faces`, with the real server on its socket."""

import asyncio
import json
from pathlib import Path

import pytest

from faceswapd.ctl import main
from tests.control.serving import Control
from tests.runtime.workplace import names


async def test_faces_are_added_and_removed(
    control: Control,
    capsys: pytest.CaptureFixture[str],
) -> None:
    faces = control.path.with_name("faces")
    faces.mkdir()
    photos = [photo(control.path.with_name(name), f"image {name}".encode()) for name in ("a.jpg", 'b".png')]

    async def run(*words: str) -> tuple[int, str]:
        code = await asyncio.to_thread(main, ["--socket", str(control.path), "faces", *words])
        said = capsys.readouterr()
        return code, (said.out + said.err).strip()

    assert await run("add", "Zoë", *photos) == (0, "2 photos were added to the face 'Zoë'.")
    assert names(faces / "Zoë") == ["a.jpg", "b.png"]
    code, said = await run("--json", "add", "zoë", photos[0])
    assert (code, json.loads(said)["photos"]) == (0, ["a-2.jpg"])
    code, said = await run("add", "../zoë", photos[0])
    assert code == 1
    code, said = await run("add", "zoë", photo(control.path.with_name("film.jpg"), b"film" * 1_000_000))
    assert (code, said) == (1, "faceswapctl: 'film.jpg' is no photo: it is a video.")
    code, said = await run("add", "a+b", photo(control.path.with_name("long.jpg"), b"image" * 1_000_000))
    assert (code, said) == (1, "faceswapctl: A face cannot be called 'a+b': the name holds a +.")
    code, said = await run("add", "zoë", str(control.path.with_name("none.jpg")))
    assert (code, said.endswith("none.jpg: It cannot be read: No such file or directory.")) == (1, True)
    assert (await run("add", "zoë"))[0] == 2
    assert (await run("remove", "zoë", photos[0]))[0] == 2
    assert await run("remove", "ZOË") == (0, "The face 'ZOË' is removed, with its photos.")
    assert names(faces) == []
    assert (await run("remove", "zoë"))[0] == 1


def photo(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    return str(path)
