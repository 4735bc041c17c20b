"""The best of a person's photos, ready to be laid over other faces."""

import hashlib
import math
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from faceswapd.children.serve import Refusal
from faceswapd.engines.preview.detect import Face, Picture, eye_distance, find_faces
from faceswapd.engines.preview.swap import PLACES, UNIT, SourceFace, to_square

SEARCH_LIMIT = 640  # pixels of the longer side while a photo is searched
PHOTO_LIMIT = 2400  # pixels of the longer side that is kept of a photo
GOOD_SPAN = 90.0  # pixels from eye to eye above which more size adds nothing
GOOD_SHARPNESS = 40.0  # variance of the Laplacian at which a face counts as half sharp


class Sources:
    """Prepares the face that a job asks for, and keeps the last one: the next job often has the same."""

    def __init__(self) -> None:
        self._key: bytes = b""
        self._face: SourceFace | None = None

    def face(self, photos: Sequence[Path]) -> SourceFace:
        """The best face of these photos. Raises Refusal when none of them can be used.

        Photos are known by their content, since every execution has paths of its own.
        """
        contents = [content for content in map(_content, photos) if content]
        key = b"".join(hashlib.blake2b(content, digest_size=16).digest() for content in contents)
        if self._face is None or key != self._key:
            self._face, self._key = _best(contents, len(photos)), key
        return self._face


def worth(photo: Picture, face: Face) -> float:
    """How well a face of a photo serves as a source: 0 to 1. Size, sharpness, front and both eyes count."""
    square = to_square(photo, face.points, UNIT)
    grey = cv2.cvtColor(square, cv2.COLOR_BGR2GRAY)[40:230, 52:204]
    sharpness = float(cv2.Laplacian(grey, cv2.CV_64F).var())
    size = min(1.0, eye_distance(face.points) / GOOD_SPAN)
    sharp = sharpness / (sharpness + GOOD_SHARPNESS)
    return size * sharp * _frontal(face) * _even(grey) * (1.0 if face.eyes else 0.35)


def _frontal(face: Face) -> float:
    """1 for a mouth straight below the middle of the eyes, less for a turned head."""
    left, right, mouth = face.points
    across = right - left
    span = eye_distance(face.points)
    aside = abs(float((mouth - (left + right) / 2) @ across)) / span**2
    tilt = abs(math.degrees(math.atan2(float(across[1]), float(across[0]))))
    usual = float((PLACES[2, 1] - PLACES[0, 1]) / (PLACES[1, 0] - PLACES[0, 0]))
    drop = abs(float(np.hypot(*(mouth - (left + right) / 2))) / span - usual)
    return math.exp(-3 * aside - 1.5 * drop) * (1 - min(tilt, 45) / 90)


def _even(grey: "np.ndarray[tuple[int, ...], np.dtype[np.integer | np.floating]]") -> float:
    """1 for a face whose halves mirror each other, less for a turned or half-hidden one."""
    soft = np.asarray(cv2.GaussianBlur(np.asarray(grey, np.uint8), (0, 0), 4), np.float32)
    soft -= soft.mean()
    mirrored = soft[:, ::-1]
    alike = float((soft * mirrored).sum() / ((soft**2).sum() + 1.0))
    return 0.4 + 0.6 * max(0.0, alike)


def _best(contents: Sequence[bytes], looked_at: int) -> SourceFace:
    best: tuple[float, SourceFace] | None = None
    for content in contents:
        photo = _photo(content)
        if photo is None:
            continue
        faces = find_faces(photo, SEARCH_LIMIT, thorough=False) or find_faces(photo, SEARCH_LIMIT, thorough=True)
        for face in faces[:1]:  # the largest: it is whose photo it is
            value = worth(photo, face)
            if best is None or value > best[0]:
                best = (value, SourceFace(photo, face.points))
    if best is None:
        photos = "1 photo was" if looked_at == 1 else f"{looked_at} photos were"
        raise Refusal("no_source_face", f"No face was found in the person's photos: {photos} looked at.")
    return best[1]


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""  # one photo that cannot be read leaves the others


def _photo(content: bytes) -> Picture | None:
    """The photo, upright, not larger than PHOTO_LIMIT; None when it cannot be decoded."""
    try:
        photo = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:  # more pixels than the child allows
        return None
    if photo is None:
        return None
    scale = PHOTO_LIMIT / max(photo.shape[:2])
    if scale < 1:
        photo = cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return np.asarray(photo, np.uint8)
