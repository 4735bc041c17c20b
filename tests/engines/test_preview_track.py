"""Faces are followed: steadily, across cuts, and no longer than they are there."""

import cv2
import numpy as np
import pytest

from faceswapd.core.presets import DEFAULT_PRESET, PRESETS, Preset
from faceswapd.engines.preview.detect import find_faces, grey_of
from faceswapd.engines.preview.track import Tracker, is_cut
from faceswapd.media.drawn_scene import draw_scene

FPS = 25


@pytest.mark.parametrize(
    "preset",
    [
        pytest.param(preset, id=name, marks=() if name == DEFAULT_PRESET else pytest.mark.deep)
        for name, preset in PRESETS.items()
    ],
)
def test_every_face_is_followed_without_shaking(preset: Preset) -> None:
    tracker = Tracker(preset)
    paths = []
    for number in range(30):
        faces = tracker.update(draw_scene([11, 3], 640, 360, number / FPS))
        assert len(faces) == 2
        paths.append(sorted((face for face in faces), key=lambda face: float(face[0, 0])))
    points = np.array(paths)  # (frames, faces, 3, 2)
    shaking = np.diff(points[:, :, :2], n=2, axis=0)  # the eyes' acceleration, pixels a frame a frame
    assert float(np.sqrt((shaking**2).mean())) < 0.5


def test_a_cut_drops_the_faces_and_finds_the_new_ones() -> None:
    tracker = Tracker(PRESETS["balanced"])
    for number in range(4):
        assert len(tracker.update(draw_scene([11], 640, 360, number / FPS))) == 1
    other = np.ascontiguousarray(255 - draw_scene([], 640, 360)[::-1, ::-1])
    assert tracker.update(other) == []
    assert len(tracker.update(draw_scene([5, 3], 640, 360))) == 2


def test_what_is_a_cut() -> None:
    scene = draw_scene([11], 640, 360)
    moved = draw_scene([11], 640, 360, 0.2)
    flash = np.clip(scene.astype(int) + 60, 0, 255).astype(np.uint8)
    other = np.ascontiguousarray(255 - scene)
    assert not is_cut(grey_of(scene), grey_of(moved))
    assert not is_cut(grey_of(scene), grey_of(flash))
    assert is_cut(grey_of(scene), grey_of(other))
    assert is_cut(grey_of(scene), grey_of(np.ascontiguousarray(scene[::2])))


def test_a_face_that_has_gone_is_dropped() -> None:
    tracker = Tracker(PRESETS["balanced"])
    for number in range(4):
        tracker.update(draw_scene([11], 640, 360, number / FPS))
    left = [len(tracker.update(draw_scene([], 640, 360))) for _ in range(30)]
    assert left[-1] == 0


@pytest.mark.parametrize("tilt", [-25, 0, 25])
def test_a_tilted_head_is_found(tilt: int) -> None:
    scene = draw_scene([11], 480, 480)
    turn = cv2.getRotationMatrix2D((240, 240), tilt, 1)
    turned = np.asarray(cv2.warpAffine(scene, turn, (480, 480), borderMode=cv2.BORDER_REPLICATE), np.uint8)
    faces = find_faces(turned, 480, thorough=True)
    assert len(faces) == 1
    across = faces[0].points[1] - faces[0].points[0]
    assert abs(np.degrees(np.arctan2(-across[1], across[0])) - tilt) < 12
