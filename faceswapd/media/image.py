"""Images, in the child: decoded once, whole, by the same library that the engines read them with."""

from dataclasses import dataclass

import cv2
import numpy as np

from faceswapd.core.target import Unreadable
from faceswapd.media.opened import Opened
from faceswapd.media.outline import OUTLINES
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


def read_image(file: Opened, signature: Signature) -> Picture | Unreadable:
    """Decode the image that `signature` says this is. An animated one counts by its first picture."""
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
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:
        if "nsufficient memory" in str(error):
            raise MemoryError from error
        pixels = None
    if pixels is None:
        return damaged
    height, width = pixels.shape[:2]
    # A turn that the library does not apply is none: the engines see the picture as it does.
    turned = outline.rotation in (90, 270)
    applied = (width, height) == ((outline.height, outline.width) if turned else (outline.width, outline.height))
    return Picture(width, height, outline.rotation if applied else 0)


def _ended(signature: Signature, data: bytes) -> bool:
    """Whether an image that is not whole has its end all the same, so that more bytes would not mend it."""
    return signature.form == "png" and data.rstrip(b"\0")[-12:].startswith(b"\0\0\0\0IEND")
