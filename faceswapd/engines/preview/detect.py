"""Where faces are in one picture: OpenCV's own Haar cascades for the face and its eyes, and the lip line.

A face is told by three points: the eye on the picture's left, the eye on its right, and the mouth.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import permutations
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]  # (height, width, 3), BGR
Grey = NDArray[np.uint8]  # (height, width)
Points = NDArray[np.float32]  # (3, 2): left eye, right eye, mouth; x and y in pixels
Matrix = NDArray[np.floating[Any]]  # (2, 3)

CASCADES = Path(cv2.__file__).parent / "data"  # in the wheel
FIRST = "haarcascade_frontalface_alt2.xml"
SECOND = "haarcascade_frontalface_default.xml"
EYES = ("haarcascade_eye_tree_eyeglasses.xml", "haarcascade_eye.xml")
SMALLEST = 28  # pixels of a face's width, in the picture as it is searched
TILTS = (18.0, -18.0, 36.0, -36.0)  # degrees, tried in a thorough search
PATCH = 160  # pixels; a face box is examined at this size
EYE_SPAN = 0.38  # from eye to eye, as a fraction of the face box's width
EYE_LEVEL = 0.40  # the eyes' height in the box, as a fraction of its width


@dataclass(frozen=True, slots=True)
class Face:
    """One face that was found."""

    points: Points
    width: float  # of its box, in pixels
    eyes: bool  # both eyes were found; else the points are guessed from the box
    sure: bool  # two different cascades agree, or the eyes were found


@dataclass(frozen=True, slots=True)
class _Box:
    """A square around a face, turned with it."""

    x: float  # of its middle, in pixels
    y: float
    width: float
    tilt: float  # degrees clockwise


def eye_distance(points: Points) -> float:
    """From eye to eye, in pixels."""
    return float(np.hypot(*(points[1] - points[0])))


def find_faces(picture: Picture, limit: int, *, thorough: bool, most: int = 16) -> list[Face]:
    """The faces of a picture, largest first. It is searched at `limit` pixels of its longer side.

    `thorough`: look again with more contrast and for tilted heads, which takes several times as long.
    """
    grey, scale = shrink(grey_of(picture), limit)
    faces: list[Face] = []
    for looks in _looks(grey, thorough=thorough):
        for box in looks:
            face = _examine(picture, _Box(box.x / scale, box.y / scale, box.width / scale, box.tilt))
            if face.eyes or (face.sure and box.tilt == 0):  # a tilted look must show both eyes
                faces.append(face)
    return _apart(faces)[:most]


def find_near(picture: Picture, points: Points) -> Face | None:
    """The face that is expected about there, whatever its tilt; None when it is not seen."""
    across = points[1] - points[0]
    span = float(np.hypot(*across))
    if span < SMALLEST * EYE_SPAN * 0.5:
        return None
    tilt = math.degrees(math.atan2(float(across[1]), float(across[0])))
    width = span / EYE_SPAN
    down = np.array([-across[1], across[0]], np.float32) / span
    middle = (points[0] + points[1]) / 2 + down * (0.5 - EYE_LEVEL) * width
    around, back = _upright(picture, _Box(float(middle[0]), float(middle[1]), width * 2, tilt), 200)
    seen = _boxes(grey_of(around), FIRST, neighbours=2, smallest=66, largest=160)
    nearest = min(seen, key=lambda box: math.hypot(box.x - 100, box.y - 100), default=None)
    if nearest is None or math.hypot(nearest.x - 100, nearest.y - 100) > 40:
        return None
    x, y = _move(back, nearest.x, nearest.y)
    return _examine(picture, _Box(x, y, nearest.width * width * 2 / 200, tilt))


def shrink(picture: NDArray[np.uint8], limit: int) -> tuple[NDArray[np.uint8], float]:
    """The picture with at most `limit` pixels on its longer side, and the scale that was used, at most 1."""
    height, width = picture.shape[:2]
    scale = min(1.0, limit / max(height, width))
    if scale == 1.0:
        return picture, scale
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8), scale


def grey_of(picture: Picture) -> Grey:
    """The picture's brightness."""
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), np.uint8)


@lru_cache(maxsize=8)
def _cascade(name: str) -> cv2.CascadeClassifier:
    cascade = cv2.CascadeClassifier(str(CASCADES / name))
    if cascade.empty():
        raise RuntimeError(f"OpenCV comes without {name}: version 4 is needed")
    return cascade


def _looks(grey: Grey, *, thorough: bool) -> Iterator[list[_Box]]:
    """The face boxes of one look after the other, each look dearer than the one before."""
    smallest = max(SMALLEST, int(min(grey.shape) * 0.07))
    yield _boxes(grey, FIRST, neighbours=4, smallest=smallest)
    if not thorough:
        return
    clear = np.asarray(cv2.createCLAHE(2.0, (8, 8)).apply(grey), np.uint8)
    yield _boxes(clear, FIRST, neighbours=4, smallest=smallest)
    yield _boxes(clear, SECOND, neighbours=6, smallest=smallest)
    for tilt in TILTS:
        height, width = grey.shape
        turn = cv2.getRotationMatrix2D((width / 2, height / 2), tilt, 1)
        turned = cv2.warpAffine(grey, turn, (width, height), borderMode=cv2.BORDER_REPLICATE)
        back = cv2.invertAffineTransform(turn)
        found = _boxes(np.asarray(turned, np.uint8), FIRST, neighbours=5, smallest=smallest)
        yield [_Box(*_move(back, box.x, box.y), box.width, tilt) for box in found]


def _boxes(grey: Grey, name: str, *, neighbours: int, smallest: int, largest: int | None = None) -> list[_Box]:
    limit = (largest, largest) if largest else (0, 0)  # (0, 0): not limited
    found = _cascade(name).detectMultiScale(grey, 1.1, neighbours, minSize=(smallest, smallest), maxSize=limit)
    return [_Box(float(x + w / 2), float(y + h / 2), float(w), 0.0) for x, y, w, h in found]


def _examine(picture: Picture, box: _Box) -> Face:
    """Find the three points of the face in this box."""
    patch, back = _upright(picture, box, PATCH)
    pair = _eye_pair(grey_of(patch))
    eyes = pair is not None
    left, right = pair if pair is not None else _usual_eyes()
    sure = eyes or bool(_boxes(_widened(picture, box), SECOND, neighbours=4, smallest=60, largest=150))
    left, right = np.array(_move(back, *left), np.float32), np.array(_move(back, *right), np.float32)
    return Face(np.stack([left, right, _mouth(picture, left, right)]), box.width, eyes, sure)


def _usual_eyes() -> tuple[Any, Any]:
    half = EYE_SPAN / 2
    return (PATCH * (0.5 - half), PATCH * EYE_LEVEL), (PATCH * (0.5 + half), PATCH * EYE_LEVEL)


def _widened(picture: Picture, box: _Box) -> Grey:
    return grey_of(_upright(picture, _Box(box.x, box.y, box.width * 1.6, box.tilt), PATCH)[0])


def _upright(picture: Picture, box: _Box, size: int) -> tuple[Picture, Matrix]:
    """What the box shows, turned upright, (size, size, 3), and the matrix from it back to the picture."""
    height, width = picture.shape[:2]
    reach = box.width * 0.75 + 2
    left, right = max(0, int(box.x - reach)), min(width, int(box.x + reach) + 1)
    top, bottom = max(0, int(box.y - reach)), min(height, int(box.y + reach) + 1)
    if right - left < 2 or bottom - top < 2:  # outside of the picture
        return np.zeros((size, size, 3), np.uint8), np.eye(2, 3, dtype=np.float64)
    crop, scale = shrink(picture[top:bottom, left:right], size * 3)
    middle = ((box.x - left) * scale, (box.y - top) * scale)
    turn = cv2.getRotationMatrix2D(middle, box.tilt, size / (box.width * scale))
    turn[:, 2] += np.array([size / 2 - middle[0], size / 2 - middle[1]])
    patch = cv2.warpAffine(crop, turn, (size, size), borderMode=cv2.BORDER_REPLICATE)
    back = np.asarray(cv2.invertAffineTransform(turn), np.float64) / scale
    back[:, 2] += np.array([left, top], np.float64)
    return np.asarray(patch, np.uint8), back


def _move(matrix: Matrix | NDArray[Any], x: float, y: float) -> tuple[float, float]:
    moved = np.asarray(matrix) @ (x, y, 1.0)
    return float(moved[0]), float(moved[1])


def _eye_pair(patch: Grey) -> tuple[NDArray[np.float32], NDArray[np.float32]] | None:
    """The middles of the two eyes in an upright face patch, or None."""
    upper = patch[: int(PATCH * 0.62)]
    smallest, largest = int(PATCH * 0.12), int(PATCH * 0.45)
    best: tuple[float, Any, Any] | None = None
    for name in EYES:
        found = _cascade(name).detectMultiScale(
            upper, 1.06, 3, minSize=(smallest, smallest), maxSize=(largest, largest)
        )
        eyes = [(float(x + w / 2), float(y + h / 2), float(w)) for x, y, w, h in found]
        for left, right in permutations(eyes, 2):
            doubt = _doubt(left, right)
            if doubt is not None and (best is None or doubt < best[0]):
                best = (doubt, left, right)
        if best is not None and best[0] < 0.35:
            break
    if best is None:
        return None
    return np.array(best[1][:2], np.float32), np.array(best[2][:2], np.float32)


def _doubt(left: Sequence[float], right: Sequence[float]) -> float | None:
    """How little two finds look like the eyes of one upright face; None when they cannot be."""
    span, drop, ratio = right[0] - left[0], abs(left[1] - right[1]), left[2] / right[2]
    if not 0.28 * PATCH < span < 0.62 * PATCH or drop > 0.22 * PATCH or not 0.5 < ratio < 2:
        return None
    aside = abs((left[0] + right[0]) / 2 - PATCH / 2)
    level = abs((left[1] + right[1]) / 2 - EYE_LEVEL * PATCH)
    return (aside + drop + abs(left[2] - right[2]) + level) / PATCH


def _mouth(picture: Picture, left: NDArray[np.float32], right: NDArray[np.float32]) -> NDArray[np.float32]:
    """The lip line: the darkest and reddest row of the strip under the eyes, seen with the eyes level."""
    eye_row, span = 20.0, 64.0  # in the level picture of 128 pixels
    across = right - left
    below = left + np.array([-across[1], across[0]], np.float32)
    level = np.array([[32, eye_row], [96, eye_row], [32, eye_row + span]], np.float32)
    width = float(np.hypot(*across)) / EYE_SPAN
    middle = (left + right) / 2
    around = _Box(float(middle[0]), float(middle[1]), width * 2.2, 0.0)
    patch, back = _upright(picture, around, 320)
    turn = cv2.invertAffineTransform(np.asarray(back, np.float64))
    corners = np.array([_move(turn, float(x), float(y)) for x, y in (left, right, below)], np.float32)
    matrix = cv2.getAffineTransform(corners, level)
    face = cv2.warpAffine(patch, matrix, (128, 128), borderMode=cv2.BORDER_REPLICATE)
    rows = np.arange(int(eye_row + span * 0.80), int(eye_row + span * 1.42))
    strip = np.asarray(face[rows[0] : rows[-1] + 1, 42:86], np.uint8)
    dark = -_standard(cv2.cvtColor(strip, cv2.COLOR_BGR2GRAY).mean(1))
    red = _standard(cv2.cvtColor(strip, cv2.COLOR_BGR2YCrCb)[..., 1].mean(1))
    usual = -((((rows - eye_row) / span - 1.06) / 0.22) ** 2)
    kernel = np.exp(-(np.linspace(-2, 2, 7) ** 2))
    score = np.convolve(red + dark + 1.2 * usual, kernel / kernel.sum(), "same")
    x, y = _move(cv2.invertAffineTransform(matrix), 64, float(rows[int(np.argmax(score))]))
    return np.array(_move(back, x, y), np.float32)


def _standard(values: NDArray[Any]) -> NDArray[Any]:
    return np.asarray((values - values.mean()) / (values.std() + 1e-3))


def _apart(faces: list[Face]) -> list[Face]:
    """The faces that do not lie on each other, largest first. Of two that do, the one with eyes stays."""
    kept: list[Face] = []
    for face in sorted(faces, key=lambda face: (not face.eyes, -face.width)):
        middle = face.points.mean(0)
        if all(np.hypot(*(middle - other.points.mean(0))) > 0.6 * max(face.width, other.width) for other in kept):
            kept.append(face)
    return sorted(kept, key=lambda face: -face.width)
