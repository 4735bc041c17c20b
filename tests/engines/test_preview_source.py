"""Which of a person's photos is taken."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from faceswapd.children.serve import Refusal
from faceswapd.engines.preview.detect import Picture, find_faces
from faceswapd.engines.preview.source import Sources, worth
from faceswapd.engines.preview.swap import UNIT
from faceswapd.media.drawn import draw_portrait, write_portrait


def _value(photo: Picture) -> float:
    face = find_faces(photo, 640, thorough=True)[0]
    return worth(photo, face)


def _write(path: Path, photo: Picture) -> Path:
    done, data = cv2.imencode(path.suffix, photo)
    assert done
    path.write_bytes(data.tobytes())
    return path


def test_a_good_photo_is_worth_more_than_a_bad_one() -> None:
    good = draw_portrait(4, 512)
    blurred = np.asarray(cv2.GaussianBlur(good, (0, 0), 5), np.uint8)
    small = np.asarray(cv2.resize(good, (128, 128), interpolation=cv2.INTER_AREA), np.uint8)
    half_dark = good.copy()
    half_dark[:, 256:] //= 2
    assert _value(good) > 1.5 * _value(blurred)
    assert _value(good) > 1.5 * _value(small)
    assert _value(good) > 1.1 * _value(half_dark)


def test_the_good_photo_is_picked_from_a_bad_set(tmp_path: Path) -> None:
    good = draw_portrait(4, 512)
    blurred = np.asarray(cv2.GaussianBlur(good, (0, 0), 6), np.uint8)
    (tmp_path / "a.jpg").write_bytes(b"no photo")
    photos = [
        tmp_path / "a.jpg",
        tmp_path / "gone.jpg",
        _write(tmp_path / "b.png", blurred),
        _write(tmp_path / "c.png", good),
        _write(tmp_path / "d.png", np.full((300, 300, 3), 90, np.uint8)),
    ]
    chosen = Sources().face(photos).prepared(UNIT)
    alone = Sources().face([tmp_path / "c.png"]).prepared(UNIT)
    assert np.array_equal(chosen.detail, alone.detail)


def test_none_that_can_be_used(tmp_path: Path) -> None:
    with pytest.raises(Refusal) as caught:
        Sources().face([_write(tmp_path / "wall.png", np.full((300, 300, 3), 90, np.uint8))])
    assert caught.value.failure.category == "no_source_face"
    assert "1 photo was looked at" in caught.value.failure.sentence


def test_the_same_photos_are_prepared_once(tmp_path: Path) -> None:
    for number in range(2):  # the same photos under other paths, as another execution has them
        (tmp_path / str(number)).mkdir()
        write_portrait(tmp_path / str(number) / "face.png", 4, 256)
    write_portrait(tmp_path / "other.png", 5, 256)
    sources = Sources()
    first = sources.face([tmp_path / "0" / "face.png"])
    assert sources.face([tmp_path / "1" / "face.png"]) is first
    assert sources.face([tmp_path / "other.png"]) is not first
