"""A small picture of an image or a video, in the child."""

import base64
import contextlib
from pathlib import PurePath
from typing import Final

import av
import cv2
import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from faceswapd.core.target import Kind, Thumbnail, Unreadable, kind_of
from faceswapd.media.image import decode_image
from faceswapd.media.opened import NotOrdinaryError, Opened, unopened
from faceswapd.media.probe import recognise
from faceswapd.media.signature import Signature
from faceswapd.media.video import NotAVideoError, every_picture, open_video, rotation_of

LONGEST: Final = 480  # pixels of the longer side
QUALITY: Final = 82
PLACE: Final = 0.1  # of a video's length: the first picture is often black
FARTHEST: Final = 48  # pictures that are decoded beyond one that stands for itself

Pixels = NDArray[np.uint8]
_UNDECODED: Final = Unreadable("The video is damaged: not one of its pictures can be decoded.")


def thumbnail(path: str, device: int, inode: int) -> Thumbnail | Unreadable:
    """Make it, of the file with these numbers and no other that has come into its place."""
    kind = kind_of(PurePath(path).suffix)
    if kind is None:
        return Unreadable("The file's name does not end as an image's or a video's that is taken.")
    try:
        with Opened(path) as file:
            if file.numbers != (device, inode):
                return Unreadable("The file has been replaced this moment.")
            signature = recognise(file, kind)
            if isinstance(signature, Unreadable):
                return signature
            pixels = _image(file, signature) if kind is Kind.IMAGE else _video(file)
    except NotAVideoError as error:
        return error.unreadable
    except (OSError, NotOrdinaryError) as error:
        return unopened(error)
    return pixels if isinstance(pixels, Unreadable) else _packed(pixels)


def _image(file: Opened, signature: Signature) -> Pixels | Unreadable:
    decoded = decode_image(file, signature, LONGEST)
    return decoded if isinstance(decoded, Unreadable) else decoded.pixels


def _video(file: Opened) -> Pixels | Unreadable:
    frame = _frame(file, PLACE) or _frame(file, 0.0)
    if frame is None:
        return _UNDECODED
    width, height = _fitting(frame.width, frame.height)
    try:
        pixels = frame.reformat(width=width, height=height, format="bgr24").to_ndarray()
    except (ValueError, av.FFmpegError):
        return _UNDECODED
    turned = np.rot90(pixels, k=-(rotation_of(frame) // 90))
    return np.ascontiguousarray(turned, dtype=np.uint8)


def _frame(file: Opened, place: float) -> VideoFrame | None:
    """The picture at this part of the length, or one before it; None where there is none."""
    container, stream = open_video(file)
    with container:
        wanted: int | None = None
        if place and stream.duration:
            wanted = (stream.start_time or 0) + int(place * stream.duration)
            with contextlib.suppress(av.FFmpegError, OverflowError):
                container.seek(wanted, stream=stream)
        frame: VideoFrame | None = None
        for number, picture in enumerate(every_picture(container, stream)):
            frame = picture
            if wanted is None or number >= FARTHEST or (picture.pts is not None and picture.pts >= wanted):
                break
    return frame


def _fitting(width: int, height: int) -> tuple[int, int]:
    part = min(1.0, LONGEST / max(width, height, 1))
    return max(1, round(width * part)), max(1, round(height * part))


def _packed(pixels: Pixels) -> Thumbnail:
    height, width = pixels.shape[:2]
    small = cv2.resize(pixels, _fitting(width, height), interpolation=cv2.INTER_AREA)
    whole, data = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    assert whole
    return Thumbnail(base64.b64encode(data.tobytes()).decode("ascii"))
