"""One image, swapped."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from faceswapd.children.serve import Refusal
from faceswapd.core.presets import Preset
from faceswapd.engines.preview.detect import Picture, find_faces
from faceswapd.engines.preview.label import burn, label_size
from faceswapd.engines.preview.person import Meant, the_one
from faceswapd.engines.preview.refusals import not_written, unreadable
from faceswapd.engines.preview.swap import SourceFace, swap_face

LARGEST = 200_000_000  # pixels
WITH_ALPHA = frozenset({".png", ".tiff", ".webp"})
QUALITY = {
    ".jpg": cv2.IMWRITE_JPEG_QUALITY,
    ".jpeg": cv2.IMWRITE_JPEG_QUALITY,
    ".webp": cv2.IMWRITE_WEBP_QUALITY,
}


def swap_image(
    path: Path, output: Path, source: SourceFace, preset: Preset, pixels: int, meant: Meant | None = None
) -> int:
    """Swap every face of the image, or only the one that is meant, and write the output, upright. Returns the number of
    faces.

    `pixels`: what the probe says the image has. Raises Refusal.
    """
    if pixels > LARGEST:
        raise Refusal("target_too_large", f"The image has {pixels / 1e6:.0f} megapixels; 200 is the most.")
    picture, alpha = _read(path)
    if meant is None:
        faces = find_faces(picture, preset.detect_limit * 2, thorough=True, most=64)
    else:
        faces = [the_one(_read(meant.shown)[0], meant, preset)]
    if not faces:
        raise Refusal("no_target_face", "No face was found in the image.")
    for face in faces:
        swap_face(picture, source, face.points, preset.levels)
    burn(picture)
    if alpha is not None and output.suffix.lower() in WITH_ALPHA:
        _write(output, np.dstack([picture, _seen_under_label(picture, alpha)]))
    else:
        _write(output, picture)
    return len(faces)


def _read(path: Path) -> tuple[Picture, NDArray[np.uint8] | None]:
    """The picture, upright and with 8 bits, and its alpha where it has one."""
    try:
        content = np.frombuffer(path.read_bytes(), np.uint8)
    except FileNotFoundError:
        raise Refusal("target_missing", "The target is not there any more.") from None
    except OSError as error:
        raise unreadable(path, error) from error
    picture = _decoded(path, content, cv2.IMREAD_COLOR)
    if path.suffix.lower() not in WITH_ALPHA:
        return picture, None
    whole = _decoded(path, content, cv2.IMREAD_UNCHANGED)
    if whole.ndim != 3 or whole.shape[2] != 4:
        return picture, None
    coded = _decoded(path, content, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    return picture, _turned_alike(_eight_bits(whole[..., 3]), coded, picture)


def _decoded(path: Path, content: NDArray[np.uint8], flags: int) -> Any:
    try:
        picture = cv2.imdecode(content, flags)
    except cv2.error as error:
        if error.code == cv2.Error.StsNoMem:
            raise MemoryError from error
        raise unreadable(path, "its size or its content is not allowed") from error
    if picture is None:
        raise unreadable(path, "it is damaged, or no image")
    return picture


def _turned_alike(alpha: NDArray[np.uint8], coded: Picture, upright: Picture) -> NDArray[np.uint8]:
    """The alpha, turned as the picture was. OpenCV applies an image's orientation to three channels only, and
    does not tell it: so it is the one of the eight turns that makes one picture of the other."""
    for mirror in (False, True):
        for turns in range(4):

            def turn(plane: NDArray[Any], turns: int = turns, *, mirror: bool = mirror) -> NDArray[Any]:
                return np.rot90(plane[:, ::-1] if mirror else plane, turns)

            moved = turn(coded)
            if moved.shape == upright.shape and np.array_equal(moved, upright):
                return np.ascontiguousarray(turn(alpha))
    raise AssertionError("an orientation is one of eight turns")


def _eight_bits(plane: NDArray[Any]) -> NDArray[np.uint8]:
    if plane.dtype == np.uint8:
        return np.asarray(plane, np.uint8)
    if np.issubdtype(plane.dtype, np.integer):
        return np.asarray(plane >> 8, np.uint8)
    return np.asarray(np.clip(plane, 0, 1) * 255, np.uint8)


def _seen_under_label(picture: Picture, alpha: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The alpha, opaque where the label stands: it must be seen."""
    columns, rows = label_size(picture.shape[1], picture.shape[0])
    alpha = alpha.copy()
    alpha[-rows:, :columns] = 255
    return alpha


def _write(output: Path, picture: NDArray[np.uint8]) -> None:
    suffix = output.suffix.lower()
    options = [QUALITY[suffix], 95] if suffix in QUALITY else []
    try:
        done, content = cv2.imencode(suffix, picture, options)
    except cv2.error as error:
        if error.code == cv2.Error.StsNoMem:
            raise MemoryError from error
        done, content = False, np.zeros(0, np.uint8)
    if not done:
        raise Refusal("unsupported", f"An image of this size cannot be written as {suffix}.")
    try:
        output.write_bytes(content.tobytes())
    except OSError as error:
        raise not_written(error) from error
