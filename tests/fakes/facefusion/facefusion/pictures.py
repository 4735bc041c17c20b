"""Pictures: read, looked at, swapped. A textured picture has a face in its middle, a plain one has none."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # the start is to be quick
    import numpy as np
    from numpy.typing import NDArray

    Picture = NDArray[np.uint8]  # height, width, blue-green-red
else:
    Picture = Any

_TEXTURE = 3.0  # standard deviation of grey


def read_image(path: str) -> Picture:
    """A picture file. What cannot be read is None, which its type hides, as FaceFusion does."""
    import cv2
    import numpy as np

    nothing: Picture = None  # type: ignore[assignment]
    content = Path(path).read_bytes()
    is_cut = content.startswith(b"\x89PNG") and not content.rstrip(b"\0").endswith(b"IEND\xaeB`\x82")
    if not content or is_cut:
        return nothing
    picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    return nothing if picture is None else picture.astype(np.uint8, copy=False)


def write_image(path: str, picture: Picture, quality: int) -> None:
    """Write a picture in the format that the name says."""
    import cv2

    suffix = Path(path).suffix.lower()
    flags = {".jpg": cv2.IMWRITE_JPEG_QUALITY, ".jpeg": cv2.IMWRITE_JPEG_QUALITY, ".webp": cv2.IMWRITE_WEBP_QUALITY}
    done, encoded = cv2.imencode(suffix, picture, [flags[suffix], quality] if suffix in flags else [])
    assert done, path
    Path(path).write_bytes(encoded.tobytes())


def resize(picture: Picture, size: tuple[int, int]) -> Picture:
    """The picture at (width, height)."""
    import cv2
    import numpy as np

    if (picture.shape[1], picture.shape[0]) == size:
        return picture
    return cv2.resize(picture, size).astype(np.uint8, copy=False)


def has_face(picture: Picture) -> bool:
    """Whether a picture is textured."""
    return float(picture.mean(axis=2).std()) > _TEXTURE


def swap(picture: Picture) -> Picture:
    """The picture with its middle third inverted."""
    import numpy as np

    height, width = picture.shape[:2]
    swapped = picture.copy()
    middle = np.s_[height // 3 : 2 * height // 3, width // 3 : 2 * width // 3]
    swapped[middle] = 255 - swapped[middle]
    return swapped


def enhance(picture: Picture, blend: int) -> Picture:
    """The picture with its middle third somewhat lighter."""
    import numpy as np

    height, width = picture.shape[:2]
    lighter = picture.astype(np.int16)
    lighter[height // 3 : 2 * height // 3, width // 3 : 2 * width // 3] += blend // 10
    return lighter.clip(0, 255).astype(np.uint8)
