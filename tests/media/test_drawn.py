"""The drawn faces: always the same, found by the cascades, and written as whole files."""

from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from faceswapd.media.drawn import Pose, draw_figure, draw_portrait, write_portrait
from faceswapd.media.drawn_canvas import Picture
from faceswapd.media.drawn_scene import CODECS, draw_scene, write_scene_image, write_scene_video

CASCADE = Path(cv2.__file__).parent / "data" / "haarcascade_frontalface_alt2.xml"


def _faces(picture: Picture) -> int:
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    return len(cv2.CascadeClassifier(str(CASCADE)).detectMultiScale(grey, 1.1, 3, minSize=(50, 50)))


@pytest.mark.parametrize("seed", range(20))
def test_a_drawn_face_is_found(seed: int) -> None:
    assert _faces(draw_portrait(seed, 256)) == 1


def test_a_seed_is_a_person() -> None:
    assert np.array_equal(draw_portrait(3, 128), draw_portrait(3, 128))
    assert not np.array_equal(draw_portrait(3, 128), draw_portrait(4, 128))


def test_a_pose_changes_the_picture() -> None:
    still = draw_portrait(3, 128)
    for pose in (Pose(yaw=0.8), Pose(mouth=1.0), Pose(blink=1.0)):
        assert not np.array_equal(draw_portrait(3, 128, pose), still)


def test_the_figure_is_the_person_without_the_wall() -> None:
    figure = draw_figure(3, 128)
    assert figure[64, 64] > 0.99
    assert figure[2, 2] < 0.01
    assert 0.3 < float(figure.mean()) < 0.8


def test_portraits_and_scenes_are_written(tmp_path: Path) -> None:
    write_portrait(tmp_path / "face.png", 3, 96)
    write_scene_image(tmp_path / "scene.jpg", [1, 2], 320, 180)
    for name, shape in (("face.png", (96, 96, 3)), ("scene.jpg", (180, 320, 3))):
        picture = cv2.imdecode(np.frombuffer((tmp_path / name).read_bytes(), np.uint8), cv2.IMREAD_COLOR)
        assert picture is not None
        assert picture.shape == shape


def test_people_move() -> None:
    assert not np.array_equal(draw_scene([1], 160, 120, 0.0), draw_scene([1], 160, 120, 0.5))
    assert np.array_equal(draw_scene([], 160, 120, 0.0), draw_scene([], 160, 120, 0.5))


@pytest.mark.parametrize("suffix", CODECS)
def test_videos_have_every_frame_and_sound(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"scene{suffix}"
    assert write_scene_video(path, [1], 160, 120, 0.4) == 10
    with av.open(path) as container:
        assert sum(1 for _ in container.decode(video=0)) == 10
        assert len(container.streams.audio) == 1
    write_scene_video(path, [1], 160, 120, 0.2, sound=False)
    with av.open(path) as container:
        assert not container.streams.audio


def test_a_turned_video_says_so(tmp_path: Path) -> None:
    write_scene_video(tmp_path / "turned.mp4", [], 160, 120, 0.1, rotation=90)
    with av.open(tmp_path / "turned.mp4") as container:
        frame = next(container.decode(video=0))
        assert (frame.width, frame.height, frame.rotation) == (120, 160, -90)


def test_each_frame_may_have_its_own_moment(tmp_path: Path) -> None:
    times = (0.0, 0.1, 0.15, 0.6)
    write_scene_video(tmp_path / "uneven.mp4", [], 160, 120, 1.0, times=times, start=0.5)
    with av.open(tmp_path / "uneven.mp4") as container:
        assert [round(frame.time, 3) for frame in container.decode(video=0)] == [round(t + 0.5, 3) for t in times]
