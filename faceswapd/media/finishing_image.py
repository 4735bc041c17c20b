"""An image's output put together: the engine's picture, and what the target says beside its own; in the child."""

from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswapd.children.serve import Refusal
from faceswapd.core.failures import usual
from faceswapd.core.target import Finished, Kind, Marks, Unreadable
from faceswapd.media.image import read_image
from faceswapd.media.image_tags import for_screen, read_tags, write_tags, xmp_packet
from faceswapd.media.likeness import is_swapped
from faceswapd.media.opened import NotOrdinaryError, Opened
from faceswapd.media.preparing_image import NAMES, decoded, encoded, read_whole, write_bytes
from faceswapd.media.probe import recognise

_WITH_ALPHA: Final = frozenset({".png", ".tiff", ".webp"})


def finish_image(target: Path, prepared: Path, made: Path, output: Path, marks: Marks | None) -> Finished:
    """Write the output in the format of its suffix. Raises Refusal, OSError and MemoryError."""
    form, data, picture = _made(made)
    before = decoded(read_whole(prepared)[1], cv2.IMREAD_COLOR)
    if before.shape == picture.shape and not is_swapped(before, picture):
        failure = usual("nobody_swapped")
        raise Refusal(failure.category, failure.sentence)
    suffix = output.suffix.lower()
    own_form, own = read_whole(target)
    alpha = _alpha(own, before) if suffix in _WITH_ALPHA else None
    if alpha is not None and alpha.shape == picture.shape[:2]:
        data = encoded(np.dstack([picture, alpha]), suffix)
    elif suffix not in NAMES.get(form, frozenset()):
        data = encoded(picture, suffix)
    kind = next((name for name, suffixes in NAMES.items() if suffix in suffixes), "")
    tags = for_screen(read_tags(own_form, own))
    tagged = write_tags(kind, data, tags, b"" if marks is None else xmp_packet(marks))
    write_bytes(output, data if tagged is None else tagged)
    unmarked = None
    if marks is not None and tagged is None:
        unmarked = f"A {suffix} image holds no text that says that it was swapped."
    return Finished(output, (), unmarked)


def _made(made: Path) -> tuple[str, bytes, NDArray[Any]]:
    """What the engine made: its format, its bytes and its picture, whole. One that ends early would be decoded all the
    same, with nothing in the rest. Raises Refusal."""
    try:
        with Opened(str(made)) as file:
            signature = recognise(file, Kind.IMAGE)
            whole = signature if isinstance(signature, Unreadable) else read_image(file, signature)
        if isinstance(whole, Unreadable):
            raise Refusal("output_damaged", f"The engine's output is not whole: {whole.sentence}")
        form, data = read_whole(made)
        return form, data, decoded(data, cv2.IMREAD_COLOR)
    except (OSError, NotOrdinaryError) as error:
        raise Refusal("output_damaged", "The engine said it was done, but made no file.") from error
    except Refusal as refusal:
        raise Refusal("output_damaged", refusal.failure.sentence) from refusal


def _alpha(target: bytes, upright: NDArray[Any]) -> NDArray[np.uint8] | None:
    """The target's transparency, turned as its picture was, in 8 bits; None where it has none."""
    whole = decoded(target, cv2.IMREAD_UNCHANGED)
    if whole.ndim != 3 or whole.shape[2] != 4:
        return None
    alpha = whole[..., 3]
    if alpha.dtype != np.uint8:
        top = np.iinfo(alpha.dtype).max if np.issubdtype(alpha.dtype, np.integer) else 1
        alpha = np.clip(alpha / top, 0, 1) * 255
    alpha = np.asarray(alpha, np.uint8)
    # OpenCV applies an image's orientation to three channels only, and does not tell it: so it is the one of
    # the eight turns that makes one picture of the other.
    coded = decoded(target, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    for mirror in (False, True):
        for turns in range(4):
            moved = np.rot90(coded[:, ::-1] if mirror else coded, turns)
            if moved.shape == upright.shape and np.array_equal(moved, upright):
                return np.ascontiguousarray(np.rot90(alpha[:, ::-1] if mirror else alpha, turns))
    return None
