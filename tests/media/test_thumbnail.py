"""Small pictures, made in this process: who makes them for the daemon is a child."""

import base64
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from faceswapd.core.target import Thumbnail, Unreadable
from faceswapd.media.thumbnail import LONGEST, thumbnail
from tests.media.media_files import HEIGHT, WIDTH, Recipe, make_image, make_video, picture, png_bomb, turn


def make(path: Path) -> Thumbnail | Unreadable:
    status = path.stat()
    return thumbnail(str(path), status.st_dev, status.st_ino)


def pixels(path: Path) -> NDArray[np.uint8]:
    made = make(path)
    assert isinstance(made, Thumbnail), made
    found = cv2.imdecode(np.frombuffer(base64.b64decode(made.jpeg), np.uint8), cv2.IMREAD_COLOR)
    assert found is not None
    return found.astype(np.uint8)


def shown(number: int) -> NDArray[np.uint8]:
    """A picture of the videos in blue, green and red."""
    return np.ascontiguousarray(picture(number)[:, :, ::-1])


def read(path: Path) -> NDArray[np.uint8]:
    found = cv2.imread(str(path))
    assert found is not None
    return found.astype(np.uint8)


def is_like(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> bool:
    return one.shape == other.shape and float(np.abs(one.astype(int) - other.astype(int)).mean()) < 12


def test_a_large_image_becomes_small_and_a_small_one_stays(tmp_path: Path) -> None:
    assert pixels(make_image(tmp_path / "large.jpg", 4000, 1000)).shape == (120, LONGEST, 3)
    assert pixels(make_image(tmp_path / "high.png", 300, 960)).shape == (LONGEST, 150, 3)
    assert is_like(pixels(make_image(tmp_path / "small.png")), read(tmp_path / "small.png"))


def test_turned_images_and_videos_are_upright(tmp_path: Path) -> None:
    image = pixels(make_image(tmp_path / "turned.jpg", orientation=6))
    assert image.shape == (WIDTH, HEIGHT, 3)
    film = make_video(tmp_path / "turned.mp4", Recipe(options={"preset": "ultrafast"}, audio=None))
    straight = pixels(film)
    turn(film, 90)
    assert is_like(pixels(film), np.ascontiguousarray(np.rot90(straight, k=-1)))


def test_a_video_shows_its_picture_at_a_tenth(tmp_path: Path) -> None:
    film = make_video(tmp_path / "film.mp4", Recipe(options={"preset": "ultrafast", "g": "10"}, audio=None))
    assert is_like(pixels(film), shown(5))
    assert not is_like(pixels(film), shown(40))


def test_what_is_no_picture_is_told(tmp_path: Path) -> None:
    text = tmp_path / "text.png"
    text.write_text("no picture", encoding="utf-8")
    assert isinstance(make(text), Unreadable)
    assert isinstance(make(png_bomb(tmp_path / "bomb.png", 60_000)), Unreadable)
    cut = make_image(tmp_path / "cut.jpg", 640, 480)
    cut.write_bytes(cut.read_bytes()[:-2000])
    assert isinstance(make(cut), Unreadable)
    assert isinstance(thumbnail(str(tmp_path / "none.mp4"), 0, 0), Unreadable)
    assert isinstance(thumbnail(str(tmp_path), 0, 0), Unreadable)


def test_another_file_in_its_place_is_not_shown(tmp_path: Path) -> None:
    path = make_image(tmp_path / "image.png")
    status = path.stat()
    other = make_image(tmp_path / "other.png")
    other.replace(path)
    assert thumbnail(str(path), status.st_dev, status.st_ino) == Unreadable("The file has been replaced this moment.")


@pytest.mark.parametrize("name", ["film.avi", "film.webm"])
def test_other_containers_have_pictures_too(tmp_path: Path, name: str) -> None:
    form = name.rpartition(".")[2]
    codec = {"avi": "mpeg4", "webm": "libvpx"}[form]
    film = make_video(tmp_path / name, Recipe(form=form, video=codec, audio=None, frames=12))
    assert pixels(film).shape == (HEIGHT, WIDTH, 3)
