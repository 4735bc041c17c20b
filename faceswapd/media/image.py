"""Images, in the child: decoded once, whole, by the same library that the engines read them with."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswapd.core.target import Unreadable
from faceswapd.media.opened import Opened
from faceswapd.media.outline import OUTLINES, Outline
from faceswapd.media.signature import Signature

MAX_PIXELS = 256_000_000  # more than any camera's; decoded, three bytes each
MAX_BYTES = 1 << 30

_CUT = Unreadable("The image is cut off: its end is missing.", incomplete=True)


@dataclass(frozen=True, slots=True)
class Picture:
    """A decoded image's size in pixels, upright, and the degrees clockwise that made it so."""

    width: int
    height: int
    rotation: int


@dataclass(frozen=True, slots=True)
class Decoded:
    """An image's pixels, and what its structure says of it."""

    pixels: NDArray[np.uint8]
    outline: Outline


def read_image(file: Opened, signature: Signature) -> Picture | Unreadable:
    """Decode the image that `signature` says this is. An animated one counts by its first picture."""
    decoded = decode_image(file, signature)
    if isinstance(decoded, Unreadable):
        return decoded
    outline = decoded.outline
    height, width = decoded.pixels.shape[:2]
    # A turn that the library does not apply is none: the engines see the picture as it does.
    turned = outline.rotation in (90, 270)
    applied = (width, height) == ((outline.height, outline.width) if turned else (outline.width, outline.height))
    return Picture(width, height, outline.rotation if applied else 0)


def decode_image(file: Opened, signature: Signature, smallest: int | None = None) -> Decoded | Unreadable:
    """Its pixels, upright, in blue, green and red. With `smallest` they may be fewer than there are: the longer side
    keeps so many at least."""
    if file.size > MAX_BYTES:
        return Unreadable(f"The image file is too large: {file.size:,} bytes, and {MAX_BYTES:,} are taken.")
    data = file.whole()
    outline = OUTLINES[signature.form](data)
    if outline is None:
        return _CUT
    if outline.width * outline.height > MAX_PIXELS:
        return Unreadable(
            f"The image is too large: it says it has {outline.width} x {outline.height} pixels, "
            f"and {MAX_PIXELS // 1_000_000} million are taken."
        )
    damaged = Unreadable(f"The image is damaged: it looks like {signature.noun}, and it cannot be decoded.")
    if not outline.whole:
        return damaged if _ended(signature, data) else _CUT
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), _how(outline, smallest))
    except cv2.error as error:
        if "nsufficient memory" in str(error):
            raise MemoryError from error
        pixels = None
    return damaged if pixels is None else Decoded(pixels.astype(np.uint8, copy=False), outline)


def _how(outline: Outline, smallest: int | None) -> int:
    """How the library is to decode: a JPEG takes a fraction of the time and the memory where it is made smaller."""
    if smallest is not None:
        longest = max(outline.width, outline.height)
        for part, how in ((8, cv2.IMREAD_REDUCED_COLOR_8), (4, cv2.IMREAD_REDUCED_COLOR_4)):
            if longest // part >= smallest:
                return how
    return cv2.IMREAD_COLOR


def _ended(signature: Signature, data: bytes) -> bool:
    """Whether an image that is not whole has its end all the same, so that more bytes would not mend it."""
    return signature.form == "png" and data.rstrip(b"\0")[-12:].startswith(b"\0\0\0\0IEND")
