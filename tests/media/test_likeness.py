from collections.abc import Callable
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from av.video.stream import VideoStream
from numpy.typing import NDArray

from faceswapd.core.presets import preset_of
from faceswapd.engines.preview.detect import find_faces
from faceswapd.engines.preview.source import Sources
from faceswapd.engines.preview.swap import SourceFace, swap_face
from faceswapd.media.drawn_scene import draw_scene
from faceswapd.media.likeness import THRESHOLD, difference, is_swapped

Pixels = NDArray[np.uint8]

SIZE = (854, 480)
PRESET = preset_of("balanced")


@pytest.fixture(scope="module")
def somebody(tmp_path_factory: pytest.TempPathFactory) -> SourceFace:
    photo = tmp_path_factory.mktemp("photo") / "photo.png"
    assert cv2.imwrite(str(photo), draw_scene([77], 640, 640))
    return Sources().face([photo])


def far_away(share: float) -> Pixels:
    """A drawn person whose face takes this share of the picture's width, on a ground with noise."""
    noise = np.random.default_rng(3).integers(-12, 12, (SIZE[1], SIZE[0], 3))
    picture = np.clip(draw_scene([], *SIZE).astype(int) + noise, 0, 255).astype(np.uint8)
    side = int(SIZE[0] * share / 0.45)  # of a scene, a face takes so much
    picture[160 : 160 + side, 280 : 280 + side] = draw_scene([5], side, side)
    return picture


def recoded(picture: Pixels, folder: Path, crf: int, codec: str = "libx264") -> Pixels:
    path = folder / "coded.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25, options={"crf": str(crf), "preset": "ultrafast"})
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = picture.shape[1], picture.shape[0], "yuv420p"
        container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "bgr24")))
        container.mux(stream.encode(None))
    with av.open(str(path)) as container:
        return np.asarray(next(container.decode(video=0)).to_ndarray(format="bgr24"), np.uint8)


def gradient() -> Pixels:
    return np.tile(np.linspace(0, 255, SIZE[0]).astype(np.uint8)[None, :, None], (SIZE[1], 1, 3))


PICTURES: dict[str, Callable[[], Pixels]] = {
    "one": lambda: draw_scene([3], *SIZE),
    "two": lambda: draw_scene([3, 4], *SIZE, 1.0),
    "far away": lambda: far_away(0.05),
    "gradient": lambda: (
        np.repeat(np.linspace(0, 255, SIZE[0])[None, :, None], SIZE[1], 0).repeat(3, 2).astype(np.uint8)
    ),
    "noise": lambda: np.random.default_rng(1).integers(0, 255, (*SIZE[::-1], 3)).astype(np.uint8),
}


@pytest.mark.parametrize("name", PICTURES)
def test_a_copy_is_a_copy_however_coarse(name: str, tmp_path: Path) -> None:
    picture = PICTURES[name]()
    assert difference(picture, picture) <= 0
    for crf in (18, 25, 32):
        assert difference(picture, recoded(picture, tmp_path, crf)) < THRESHOLD / 2
    for quality in (95, 75, 40):
        coded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        copied = cv2.imdecode(coded, cv2.IMREAD_COLOR)
        assert copied is not None
        assert difference(picture, copied) < THRESHOLD / 2


@pytest.mark.parametrize("crf", [12, pytest.param(23, marks=pytest.mark.deep), 32])
@pytest.mark.parametrize("share", [0.05, *(pytest.param(one, marks=pytest.mark.deep) for one in (0.08, 0.15))])
def test_a_small_face_that_was_swapped_is_seen(share: float, crf: int, somebody: SourceFace, tmp_path: Path) -> None:
    picture = far_away(share)
    swapped = picture.copy()
    faces = find_faces(swapped, PRESET.detect_limit * 2, thorough=True, most=64)
    assert faces
    for face in faces:
        swap_face(swapped, somebody, face.points, PRESET.levels)
    assert difference(picture, recoded(swapped, tmp_path, crf)) > 1.5 * THRESHOLD


@pytest.mark.parametrize("seeds", [[3], [3, 4]])
def test_large_faces_differ_by_much(seeds: list[int], somebody: SourceFace) -> None:
    picture = draw_scene(seeds, *SIZE)
    swapped = picture.copy()
    for face in find_faces(swapped, PRESET.detect_limit * 2, thorough=True, most=64):
        swap_face(swapped, somebody, face.points, PRESET.levels)
    assert difference(picture, swapped) > 10 * THRESHOLD


def test_another_look_all_over_is_no_swap() -> None:
    picture = draw_scene([3, 4], *SIZE)
    grey = picture.mean(-1, keepdims=True)
    for changed in (picture * 0.86 + 16, picture * 0.9 + grey * 0.1, np.clip(picture.astype(int) + 6, 0, 255)):
        assert not is_swapped(picture, changed.astype(np.uint8))


def test_a_picture_of_one_colour_tells_nothing() -> None:
    flat = np.full((120, 160, 3), 128, np.uint8)
    assert not is_swapped(flat, flat)
    assert not is_swapped(flat, flat + 9)
    assert not is_swapped(flat[:4, :4], flat[:4, :4])
