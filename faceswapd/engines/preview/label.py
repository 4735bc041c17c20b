"""The words that are burnt into every picture that this engine makes. There is no way round them."""

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswapd.engines.preview.detect import Picture

LAYOUTS = (("preview, face swapped",), ("preview,", "face swapped"), ("preview,", "face", "swapped"))
FONT = cv2.FONT_HERSHEY_SIMPLEX
SHARE = 0.042  # of the picture's geometric mean side that one line is high, where there is room
LEAST = 9.0  # pixels of a line's height under which letters cannot be told apart
DRAWN = 64  # pixels of a line's height while it is drawn; it is then made smaller, which keeps it clean
PAPER = 0.62  # how much the ground behind the letters is darkened


def burn(picture: Picture) -> None:
    """Write the label into the lower left corner of an upright picture, in place."""
    height, width = picture.shape[:2]
    paint, cover = _label(width, height)
    rows, columns = paint.shape
    corner = picture[height - rows :, :columns]
    ground = corner * (1 - cover)[..., None]
    corner[:] = np.clip(ground + paint[..., None], 0, 255).astype(np.uint8)


def label_size(width: int, height: int) -> tuple[int, int]:
    """Width and height, in pixels, of the label on a picture of this size."""
    rows, columns = _label(width, height)[0].shape
    return columns, rows


@lru_cache(maxsize=4)
def _label(width: int, height: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The letters' light (0 to 255), and how much they and their ground hide of the picture (0 to 1)."""
    drawn = [_drawn(lines) for lines in LAYOUTS]
    wanted = max(LEAST, SHARE * float(np.sqrt(width * height)))
    # The fewest lines that can be as large as wanted; else the layout that allows the largest letters.
    fits = [min(wanted, DRAWN * min(width / image.shape[1], height / image.shape[0])) for image in drawn]
    best = next((n for n, line in enumerate(fits) if line >= min(wanted, LEAST * 1.3)), int(np.argmax(fits)))
    scale = fits[best] / DRAWN
    size = (max(1, int(drawn[best].shape[1] * scale)), max(1, int(drawn[best].shape[0] * scale)))
    letters = np.asarray(cv2.resize(drawn[best], size, interpolation=cv2.INTER_AREA), np.float32) / 255
    letters = np.clip(letters * 1.25, 0, 1)  # thin strokes grow dim when they are made smaller
    return (letters * 245).astype(np.float32), (letters + (1 - letters) * PAPER).astype(np.float32)


def _drawn(lines: tuple[str, ...]) -> NDArray[np.uint8]:
    """The lines in white on black, each DRAWN pixels high."""
    scale, stroke = cv2.getFontScaleFromHeight(FONT, int(DRAWN * 0.62), 6), 6
    margin = DRAWN // 5
    widest = max(cv2.getTextSize(line, FONT, scale, stroke)[0][0] for line in lines)
    image = np.zeros((DRAWN * len(lines) + margin, widest + 2 * margin), np.uint8)
    for number, line in enumerate(lines):
        foot = (margin, int(DRAWN * (number + 0.78)) + margin // 4)
        cv2.putText(image, line, foot, FONT, scale, 255, stroke, cv2.LINE_AA)
    return image
