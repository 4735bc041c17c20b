"""The label is legible at every size."""

import numpy as np
import pytest

from faceswapd.engines.preview.label import LEAST, burn, label_size


@pytest.mark.parametrize(
    ("width", "height"),
    [(64, 64), (64, 480), (480, 64), (320, 240), (240, 320), (854, 480), (1920, 1080), (3840, 2160)],
)
@pytest.mark.parametrize("ground", [0, 128, 255])
def test_letters_stand_out_on_any_ground(width: int, height: int, ground: int) -> None:
    picture = np.full((height, width, 3), ground, np.uint8)
    burn(picture)
    columns, rows = label_size(width, height)
    corner = picture[-rows:, :columns, 0]
    assert columns <= width
    assert rows <= height
    assert rows >= LEAST
    assert int(np.max(corner)) - int(np.min(corner)) > 110
    assert 0.04 < (corner > int(np.max(corner)) - 60).mean() < 0.5
    rest = picture.copy()
    rest[-rows:, :columns] = ground
    assert (rest == ground).all()


@pytest.mark.parametrize(("width", "height"), [(1, 1), (7, 3), (16, 16)])
def test_even_a_tiny_picture_is_labelled(width: int, height: int) -> None:
    picture = np.zeros((height, width, 3), np.uint8)
    burn(picture)
    assert picture.shape == (height, width, 3)
