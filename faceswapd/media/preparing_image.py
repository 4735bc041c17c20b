"""An image made such that an engine cannot damage it; in the child."""

from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswapd.children.serve import Refusal
from faceswapd.core.preflight import Weakness
from faceswapd.core.target import Kind, Prepared, Unreadable
from faceswapd.media.image import MAX_BYTES
from faceswapd.media.image_tags import orientation
from faceswapd.media.mending import not_written
from faceswapd.media.opened import Opened
from faceswapd.media.probe import recognise

# What each kind of image may be named; others are handed on under their content's true name.
NAMES: Final = {
    "jpeg": frozenset({".jpg", ".jpeg"}),
    "png": frozenset({".png"}),
    "webp": frozenset({".webp"}),
    "bmp": frozenset({".bmp"}),
}


def prepare_image(target: Path, folder: Path, weaknesses: frozenset[Weakness]) -> Prepared:
    """Write a plain PNG into `folder`, or return the target itself. Raises Refusal, OSError and MemoryError."""
    form, data = read_whole(target)
    reasons: list[str] = []
    if Weakness.ROTATION in weaknesses and orientation(form, data) != 1:
        reasons.append("Its rotation or mirroring was baked in.")
    if Weakness.UNUSUAL in weaknesses:
        reasons += _unusual(form, data, target.suffix.lower())
    if not reasons:
        return Prepared(target)
    staged = folder / "prepared.png"
    write_image(staged, decoded(data, cv2.IMREAD_COLOR))
    return Prepared(staged, tuple(reasons))


def read_whole(path: Path) -> tuple[str, bytes]:
    """An image's format and its bytes. Raises Refusal and OSError."""
    with Opened(str(path)) as file:
        signature = recognise(file, Kind.IMAGE)
        if isinstance(signature, Unreadable):
            raise Refusal("target_unreadable", signature.sentence)
        if file.size > MAX_BYTES:
            raise Refusal("target_too_large", "The image file is too large.")
        return signature.form, file.whole()


def decoded(data: bytes, flags: int) -> NDArray[Any]:
    """The pixels, (height, width[, channels]), BGR. Raises Refusal and MemoryError."""
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error as error:
        if error.code == cv2.Error.StsNoMem:
            raise MemoryError from error
        pixels = None
    if pixels is None:
        raise Refusal("target_unreadable", "The image cannot be decoded.")
    return np.asarray(pixels)


def encoded(pixels: NDArray[Any], suffix: str) -> bytes:
    """An image file's bytes, in high quality. Raises Refusal and MemoryError."""
    options = {
        ".jpg": [cv2.IMWRITE_JPEG_QUALITY, 95],
        ".jpeg": [cv2.IMWRITE_JPEG_QUALITY, 95],
        ".webp": [cv2.IMWRITE_WEBP_QUALITY, 95],
        ".png": [cv2.IMWRITE_PNG_COMPRESSION, 3],
    }
    try:
        done, content = cv2.imencode(suffix, pixels, options.get(suffix, []))
    except cv2.error as error:
        if error.code == cv2.Error.StsNoMem:
            raise MemoryError from error
        done, content = False, np.zeros(0, np.uint8)
    if not done:
        raise Refusal("unsupported", f"An image of this size cannot be written as {suffix}.")
    return content.tobytes()


def write_image(place: Path, pixels: NDArray[Any]) -> None:
    """Write an image; the suffix says the format. Raises Refusal and MemoryError."""
    write_bytes(place, encoded(pixels, place.suffix.lower()))


def write_bytes(place: Path, data: bytes) -> None:
    """Write a file. Raises Refusal."""
    try:
        place.write_bytes(data)
    except OSError as error:
        raise not_written(error) from error


def _unusual(form: str, data: bytes, suffix: str) -> list[str]:
    """Sentences about what readers stumble over."""
    pixels = decoded(data, cv2.IMREAD_UNCHANGED)
    reasons: list[str] = []
    if form == "jpeg" and _components(data) == 4:
        reasons.append("Its printing colours (CMYK) were changed to a screen's.")
    if pixels.dtype != np.uint8:
        reasons.append("Its colours were reduced to 8 bits.")
    if pixels.ndim == 3 and pixels.shape[2] == 4:
        reasons.append("Its transparency is kept aside until the end.")
    if _moves(form, data):
        reasons.append("It is animated; its first picture was taken.")
    if not reasons and suffix not in NAMES.get(form, frozenset()):
        reasons.append("It was copied into a PNG image.")
    return reasons


def _components(data: bytes) -> int:
    """How many colours a JPEG is coded in; 0 where it does not say."""
    at = 2
    while at + 10 <= len(data) and data[at] == 0xFF:
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            return data[at + 9]
        at += 2 + max(2, length)
    return 0


def _moves(form: str, data: bytes) -> bool:
    match form:
        case "gif":
            return True  # never mind whether it has a second picture: no engine writes it
        case "webp":
            return data[12:16] == b"VP8X" and bool(data[20] & 2)
        case "png":
            return b"acTL" in data[:200]
        case _:
            return False
