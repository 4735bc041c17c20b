"""Images: what is kept of them, and what is refused."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from faceswapd.children.serve import Refusal
from faceswapd.core.presets import PRESETS
from faceswapd.engines.preview.detect import Picture, find_faces
from faceswapd.engines.preview.image import swap_image
from faceswapd.engines.preview.label import label_size
from faceswapd.engines.preview.source import Sources
from faceswapd.engines.preview.swap import SourceFace
from faceswapd.media.drawn_scene import draw_scene, write_scene_image

LabelStands = Callable[[NDArray[np.uint8]], bool]
BALANCED = PRESETS["balanced"]
SIDEWAYS = (  # EXIF with orientation 6: turn the picture clockwise to see it upright
    b"\xff\xe1\x00\x22Exif\x00\x00MM\x00\x2a\x00\x00\x00\x08"
    b"\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00\x00\x00\x00\x00"
)


@pytest.fixture(scope="module")
def source(media: Path) -> SourceFace:
    return Sources().face([media / "face.png"])


def _swap(target: Path, output: Path, source: SourceFace) -> int:
    return swap_image(target, output, source, BALANCED, 320 * 240)


def _read(path: Path, flags: int = cv2.IMREAD_COLOR) -> Picture:
    picture = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), flags)
    assert picture is not None
    return np.asarray(picture, np.uint8)


@pytest.mark.parametrize(
    "suffix",
    [".jpg", ".png", ".webp", *(pytest.param(one, marks=pytest.mark.deep) for one in (".bmp", ".jpeg", ".tiff"))],
)
def test_every_kind_of_image(suffix: str, tmp_path: Path, source: SourceFace, label_stands: LabelStands) -> None:
    target, output = tmp_path / f"target{suffix}", tmp_path / f"output{suffix}"
    write_scene_image(target, [11, 3], 320, 240)
    assert _swap(target, output, source) == 2
    before, after = _read(target), _read(output)
    assert after.shape == before.shape
    assert label_stands(after)
    assert not label_stands(before)
    assert np.abs(before[:40].astype(int) - after[:40]).mean() < 4  # away from the faces nothing changes
    face = find_faces(before, 480, thorough=True)[0].points.mean(0).astype(int)
    window = (slice(face[1] - 10, face[1] + 10), slice(face[0] - 10, face[0] + 10))
    assert np.abs(before[window].astype(int) - after[window]).mean() > 2


def test_the_orientation_is_applied_and_not_written(tmp_path: Path, source: SourceFace) -> None:
    upright = draw_scene([11], 240, 320)
    done, data = cv2.imencode(".jpg", np.rot90(upright), [cv2.IMWRITE_JPEG_QUALITY, 98])
    assert done
    content = data.tobytes()
    target, output = tmp_path / "target.jpg", tmp_path / "output.jpg"
    target.write_bytes(content[:2] + SIDEWAYS + content[2:])
    assert _swap(target, output, source) == 1
    assert b"Exif" not in output.read_bytes()
    after = _read(output)
    assert after.shape == upright.shape
    assert np.abs(after[:60].astype(int) - upright[:60]).mean() < 4


@pytest.mark.parametrize("suffix", [".png", ".tiff", ".webp"])
def test_alpha_is_kept(suffix: str, tmp_path: Path, source: SourceFace) -> None:
    scene = draw_scene([11], 320, 240)
    alpha = np.tile(np.linspace(60, 255, 320).astype(np.uint8), (240, 1))
    done, data = cv2.imencode(
        suffix, np.dstack([scene, alpha]), [cv2.IMWRITE_WEBP_QUALITY, 101] if suffix == ".webp" else []
    )
    assert done
    target, output = tmp_path / f"target{suffix}", tmp_path / f"output{suffix}"
    target.write_bytes(data.tobytes())
    _swap(target, output, source)
    after = _read(output, cv2.IMREAD_UNCHANGED)
    assert after.shape == (240, 320, 4)
    columns, rows = label_size(320, 240)
    assert np.array_equal(after[: 240 - rows, :, 3], alpha[: 240 - rows])
    assert (after[-rows:, :columns, 3] == 255).all()  # the label cannot be see-through


def test_sixteen_bits_are_read_as_eight(tmp_path: Path, source: SourceFace) -> None:
    done, data = cv2.imencode(".png", draw_scene([11], 320, 240).astype(np.uint16) * 257)
    assert done
    target, output = tmp_path / "target.png", tmp_path / "output.png"
    target.write_bytes(data.tobytes())
    assert _swap(target, output, source) == 1
    assert _read(output, cv2.IMREAD_UNCHANGED).dtype == np.uint8


@pytest.mark.parametrize(
    ("content", "pixels", "category"),
    [
        pytest.param(b"hello", 1, "target_unreadable", id="no image"),
        pytest.param(b"", 1, "target_unreadable", id="empty"),
        pytest.param(b"", 200_000_001, "target_too_large", id="too large"),
        pytest.param(None, 1, "target_missing", id="missing"),
    ],
)
def test_refused(content: bytes | None, pixels: int, category: str, tmp_path: Path, source: SourceFace) -> None:
    target = tmp_path / "target.png"
    if content is not None:
        target.write_bytes(content)
    with pytest.raises(Refusal) as caught:
        swap_image(target, tmp_path / "output.png", source, BALANCED, pixels)
    assert caught.value.failure.category == category


def test_an_empty_room_has_no_face(tmp_path: Path, source: SourceFace) -> None:
    write_scene_image(tmp_path / "room.png", [], 640, 480)
    with pytest.raises(Refusal) as caught:
        _swap(tmp_path / "room.png", tmp_path / "output.png", source)
    assert caught.value.failure.category == "no_target_face"
    assert not (tmp_path / "output.png").exists()


def test_an_output_that_cannot_be_written(tmp_path: Path, source: SourceFace) -> None:
    write_scene_image(tmp_path / "target.png", [11], 320, 240)
    (tmp_path / "output.png").symlink_to("/dev/full")
    with pytest.raises(Refusal) as caught:
        _swap(tmp_path / "target.png", tmp_path / "output.png", source)
    assert caught.value.failure.category == "disk_full"
