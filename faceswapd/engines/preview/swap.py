"""One face laid over another.

Both are brought to a square in which eyes and mouth have fixed places. There the source's face takes the
target's colour and the slow part of its light, and the difference between the two is blended in bands: broad
differences over a wide border, fine ones over a narrow one, so that no seam shows.
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswapd.engines.preview.detect import Matrix, Picture, Points, eye_distance

Floats = NDArray[np.floating[Any]]

UNIT = 256  # the square in which the places below are told; the real one has the side that the face needs
PLACES = np.array([[86, 104], [170, 104], [128, 190]], np.float32)  # left eye, right eye, mouth
SIDES = (96, 128, 192, 256, 384, 512, 768)  # pixels
STRIP = 512  # rows of the target that are changed at a time: bounds the memory for huge pictures
TARGET_LIGHT = 0.75  # how much of the slow light is the target's; the rest keeps the source's own shape


@dataclass(frozen=True, slots=True)
class _Prepared:
    """The source's face in a square, taken apart, so that each frame needs only sums."""

    detail: Floats  # (side, side): lightness without its slow part
    slow: Floats  # (side, side): the slow part, around 0
    chroma: tuple[Floats, Floats]  # (side, side) each: a and b, around 0
    spread: Floats  # (3,): standard deviation of L, a, b inside the face


class SourceFace:
    """The face that is laid over others: a photo and its three points."""

    def __init__(self, photo: Picture, points: Points) -> None:
        self._photo = photo
        self._points = points
        self._prepared: dict[int, _Prepared] = {}

    def prepared(self, side: int) -> _Prepared:
        """The face in a square of this side; taken apart at the first asking."""
        if side not in self._prepared:
            lab = _lab(to_square(self._photo, self._points, side))
            slow = _slow(lab[..., 0])
            mean, spread = _statistics(lab)
            chroma = (lab[..., 1] - mean[1], lab[..., 2] - mean[2])
            self._prepared[side] = _Prepared(lab[..., 0] - slow, slow - mean[0], chroma, spread)
        return self._prepared[side]


def swap_face(picture: Picture, source: SourceFace, points: Points, levels: int) -> None:
    """Lay the source's face over the one at these points, in place. `levels`: bands at a side of 256."""
    side = side_for(points)
    square = to_square(picture, points, side)
    prepared = source.prepared(side)
    matched = _matched(prepared, square)
    face = _blended(matched, square, _levels(levels, side))
    _lay_over(picture, face, np.asarray(cv2.invertAffineTransform(_matrix(points, side)), np.float64))


def side_for(points: Points) -> int:
    """The square's side that keeps what the picture shows of a face, and not much more."""
    wanted = 0.8 * eye_distance(points) * UNIT / float(PLACES[1, 0] - PLACES[0, 0])
    return next((side for side in SIDES if side >= wanted), SIDES[-1])


def to_square(picture: Picture, points: Points, side: int) -> Picture:
    """The face at these points, in the square: (side, side, 3). Beyond the edge the picture is mirrored."""
    matrix = _matrix(points, side)
    shrink = math.sqrt(abs(float(np.linalg.det(matrix[:, :2]))))
    if shrink < 0.5:  # a much larger face is made smaller first, since the warp looks at four pixels only
        picture, matrix = _window(picture, matrix, side, shrink)
    square = cv2.warpAffine(picture, matrix, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    return np.asarray(square, np.uint8)


def _window(picture: Picture, matrix: Matrix, side: int, shrink: float) -> tuple[Picture, Matrix]:
    """The part of the picture that the square shows, made smaller, and the matrix from it to the square."""
    left, top, right, bottom = _reach(np.asarray(cv2.invertAffineTransform(matrix), np.float64), side, picture)
    if right - left < 2 or bottom - top < 2:
        return picture, matrix
    size = (max(1, round((right - left) * shrink)), max(1, round((bottom - top) * shrink)))
    small = cv2.resize(picture[top:bottom, left:right], size, interpolation=cv2.INTER_AREA)
    local = np.asarray(matrix, np.float64).copy()
    local[:, 2] += local[:, :2] @ np.array([left, top], np.float64)
    local[:, 0] *= (right - left) / size[0]
    local[:, 1] *= (bottom - top) / size[1]
    return np.asarray(small, np.uint8), local


def _matrix(points: Points, side: int) -> Matrix:
    places = (PLACES * (side / UNIT)).astype(np.float32)
    return np.asarray(cv2.getAffineTransform(np.ascontiguousarray(points, np.float32), places), np.float64)


def _matched(source: _Prepared, target: Picture) -> Picture:
    """The source's face in the colour and the light of the target's. Plane by plane, which is faster."""
    lab = _lab(target)
    mean, spread = _statistics(lab)
    ratio = spread / source.spread
    slow = cv2.addWeighted(
        _slow(lab[..., 0]), TARGET_LIGHT, source.slow, 1 - TARGET_LIGHT, float(mean[0]) * (1 - TARGET_LIGHT)
    )
    planes = [cv2.addWeighted(source.detail, float(np.clip(ratio[0], 0.75, 1.25)), slow, 1.0, 0.0)]
    for plane, stretch, middle in zip(source.chroma, np.clip(ratio[1:], 0.6, 1.5), mean[1:], strict=True):
        planes.append(plane * np.float32(stretch) + np.float32(middle))
    return _from_lab(np.asarray(cv2.merge(planes), np.float32))


def _blended(face: Picture, target: Picture, levels: int) -> Picture:
    """The face over the target, band by band. The bands are those of the difference: blending is linear, so
    this is the usual blend of two pyramids with half of the work."""
    side = len(target)
    masks = _mask_pyramid(side, levels)
    level = cv2.subtract(face, target, dtype=cv2.CV_32F)
    bands: list[Any] = []
    for _ in range(levels):
        below = cv2.pyrDown(level)
        bands.append(level - cv2.pyrUp(below, dstsize=(level.shape[1], level.shape[0])))
        level = below
    level = cv2.multiply(level, masks[-1])
    for band, mask in zip(reversed(bands), reversed(masks[:-1]), strict=True):
        level = cv2.pyrUp(level, dstsize=(band.shape[1], band.shape[0])) + cv2.multiply(band, mask)
    return np.asarray(cv2.add(level, target, dtype=cv2.CV_8U), np.uint8)


def _lay_over(picture: Picture, face: Picture, back: NDArray[np.float64]) -> None:
    """Bring the blended square back into the picture, in place, strip by strip."""
    side = len(face)
    left, top, right, bottom = _reach(back, side, picture)
    for first in range(top, bottom, STRIP):
        last = min(first + STRIP, bottom)
        if right - left < 2 or last - first < 1:
            return
        local = back.copy()
        local[:, 2] -= (left, first)
        size = (right - left, last - first)
        moved = cv2.warpAffine(face, local, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
        share = cv2.warpAffine(_border_mask(side), local, size)
        window = picture[first:last, left:right]
        cv2.blendLinear(moved, np.ascontiguousarray(window), share, 1 - share, dst=moved)
        window[:] = moved


def _reach(back: NDArray[np.float64], side: int, picture: Picture) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of what the square covers of the picture."""
    corners = np.array([[0, 0, 1], [side, 0, 1], [0, side, 1], [side, side, 1]]) @ back.T
    height, width = picture.shape[:2]
    left, top = np.clip(np.floor(corners.min(0)), 0, (width, height)).astype(int)
    right, bottom = np.clip(np.ceil(corners.max(0)), 0, (width, height)).astype(int)
    return int(left), int(top), int(right), int(bottom)


def _levels(levels: int, side: int) -> int:
    """As many bands as reach equally far, measured in faces, as `levels` do at a side of 256."""
    return max(2, levels + round(math.log2(side / UNIT)))


@lru_cache(maxsize=16)
def _egg(side: int, grown: int) -> NDArray[np.float32]:
    """1 inside the outline of a face from brow to chin, 0 outside. `grown`: wider by so many units of 256."""
    down, across = np.mgrid[0:side, 0:side].astype(np.float32) * (UNIT / side)
    half = np.where(down < 132, 78, 78 - ((down - 132) / 110) ** 2 * 22) + grown
    high = np.where(down < 136, 84, 90) + grown
    power = np.where(down < 136, 2.6, 2.0)  # squarer above, so that the brows' ends lie inside
    radius = np.abs((across - 128) / half) ** power + np.abs((down - 136) / high) ** power
    return np.asarray(radius < 1, np.float32)


@lru_cache(maxsize=16)
def _mask_pyramid(side: int, levels: int) -> tuple[Any, ...]:
    """The face's outline, softer from level to level, each (n, n, 3)."""
    mask: Any = cv2.GaussianBlur(_egg(side, 0), (0, 0), 8 * side / UNIT)
    pyramid = [mask]
    for _ in range(levels):
        pyramid.append(cv2.pyrDown(pyramid[-1]))
    return tuple(cv2.merge([level, level, level]) for level in pyramid)


@lru_cache(maxsize=16)
def _border_mask(side: int) -> NDArray[np.float32]:
    """How far the blended square takes the picture's place: wholly on the face, not at all at the edge."""
    return np.asarray(cv2.GaussianBlur(_egg(side, 20), (0, 0), 8 * side / UNIT), np.float32)


def _lab(picture: Picture) -> Floats:
    """L 0 to 100, a and b around 0."""
    scaled = picture.astype(np.float32) * np.float32(1 / 255)
    return np.asarray(cv2.cvtColor(scaled, cv2.COLOR_BGR2LAB), np.float32)


def _from_lab(lab: Floats) -> Picture:
    bgr = cv2.cvtColor(np.asarray(lab, np.float32), cv2.COLOR_LAB2BGR)
    return np.asarray(cv2.convertScaleAbs(np.maximum(bgr, 0), alpha=255), np.uint8)


def _statistics(lab: Floats) -> tuple[Floats, Floats]:
    """Mean and standard deviation of L, a, b inside the face."""
    inside = _egg(len(lab), -8).astype(np.uint8)
    mean, spread = cv2.meanStdDev(np.asarray(lab, np.float32), mask=inside)
    return np.asarray(mean.ravel(), np.float32), np.maximum(spread.ravel(), 0.5).astype(np.float32)


def _slow(light: Floats) -> Floats:
    """The part of the light that changes slowly over a face."""
    small = cv2.resize(np.asarray(light, np.float32), (64, 64), interpolation=cv2.INTER_AREA)
    soft = cv2.GaussianBlur(small, (0, 0), 6.5)
    return np.asarray(cv2.resize(soft, (light.shape[1], light.shape[0])), np.float32)
