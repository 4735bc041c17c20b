"""What an image's own structure says, read without decoding: its size, whether all of it is there, its turn.

Each reader takes the file's bytes, which may be hostile or cut off anywhere, and returns None where they end
before the size is told. Sizes are as coded, before any turn.
"""

import re
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

Order = Literal["little", "big"]


@dataclass(frozen=True, slots=True)
class Outline:
    """Pixels as coded; `whole`: the bytes reach the end that the format itself marks; degrees clockwise."""

    width: int
    height: int
    whole: bool
    rotation: int = 0


# The EXIF orientation (1 to 8) as degrees clockwise; the mirrored ones count as their turn.
_TURNS: Final[Mapping[int, int]] = {3: 180, 4: 180, 5: 90, 6: 90, 7: 270, 8: 270}
_TAGS: Final = frozenset({256, 257, 273, 274, 279, 324, 325})  # size, turn, and where strips or tiles lie
_WIDTHS: Final = dict(enumerate((1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8), start=1))  # bytes of a value, by its kind
_VALUES: Final = 1 << 20  # of one tag; more strips than any picture has
_MARKER = re.compile(rb"\xff+([^\x00\xff\xd0-\xd7])")  # not stuffing, not a restart
_START_OF_FRAME: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


def jpeg(data: bytes) -> Outline | None:
    """Walk the markers to the end of the image; a scan's data are passed over to the next marker."""
    size: tuple[int, int] | None = None
    rotation, at = 0, 2
    while (found := _MARKER.search(data, at)) is not None:
        marker, at = found[1][0], found.end()
        if marker == 0xD9:
            return None if size is None else Outline(*size, whole=True, rotation=rotation)
        segment = data[at + 2 : at + max(2, _big(data, at, 2))]
        if marker in _START_OF_FRAME and len(segment) >= 5 and size is None:
            size = _big(segment, 3, 2), _big(segment, 1, 2)
        elif marker == 0xE1 and segment.startswith(b"Exif\0\0"):
            rotation = _turn(segment[6:])
        at += max(2, _big(data, at, 2))
    return None if size is None else Outline(*size, whole=False, rotation=rotation)


def png(data: bytes) -> Outline | None:
    """Walk the chunks to IEND; a chunk whose checksum is wrong ends the walk."""
    if len(data) < 24:
        return None
    at, rotation, whole = 8, 0, False
    while at + 12 <= len(data):
        length, kind = _big(data, at, 4), data[at + 4 : at + 8]
        body = memoryview(data)[at + 8 : at + 8 + length]
        end = at + 8 + length
        if end + 4 > len(data) or zlib.crc32(body, zlib.crc32(kind)) != _big(data, end, 4):
            break
        if kind == b"eXIf":
            rotation = _turn(bytes(body))
        whole = whole or kind == b"IEND"
        at = end + 4
    return Outline(_big(data, 16, 4), _big(data, 20, 4), whole, rotation)


def webp(data: bytes) -> Outline | None:
    """The three kinds of WebP: lossy, lossless, and extended (with a canvas, EXIF, animation)."""
    kind = data[12:16]
    if len(data) < 30:
        return None
    if kind == b"VP8X":
        width, height = _little(data, 24, 3) + 1, _little(data, 27, 3) + 1
    elif kind == b"VP8L":
        bits = _little(data, 21, 4)
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    else:
        width, height = _little(data, 26, 2) & 0x3FFF, _little(data, 28, 2) & 0x3FFF
    at, rotation = 12, 0
    while at + 8 <= len(data):
        length = _little(data, at + 4, 4)
        if data[at : at + 4] == b"EXIF":
            rotation = _turn(data[at + 8 : at + 8 + length].removeprefix(b"Exif\0\0"))
        at += 8 + length + length % 2
    return Outline(width, height, 8 + _little(data, 4, 4) <= len(data), rotation)


def bmp(data: bytes) -> Outline | None:
    """Both kinds of header; compressed ones are as long as the file's own size field says."""
    if len(data) < 34:
        return None
    if _little(data, 14, 4) == 12:
        width, height, bits, compression = _little(data, 18, 2), _little(data, 20, 2), _little(data, 24, 2), 0
    else:
        width, height = _little(data, 18, 4), abs(int.from_bytes(data[22:26], "little", signed=True))
        bits, compression = _little(data, 28, 2), _little(data, 30, 4)
    end = _little(data, 2, 4)
    if compression in (0, 3):
        end = _little(data, 10, 4) + (width * bits + 31) // 32 * 4 * height
    return Outline(width, height, end <= len(data))


def gif(data: bytes) -> Outline | None:
    """Whole where the trailer is the last byte that is not padding."""
    if len(data) < 13:
        return None
    return Outline(_little(data, 6, 2), _little(data, 8, 2), data.rstrip(b"\0").endswith(b";"))


def tiff(data: bytes) -> Outline | None:
    """The first picture: its size, and where its strips or tiles end."""
    tags, end = _directory(data)
    if 256 not in tags or 257 not in tags:
        return None
    ends = [
        start + length
        for starts, lengths in ((273, 279), (324, 325))
        for start, length in zip(tags.get(starts, ()), tags.get(lengths, ()), strict=False)
    ]
    turn = _TURNS.get(tags.get(274, (1,))[0], 0)
    return Outline(tags[256][0], tags[257][0], max(ends, default=0) <= len(data) and end <= len(data), turn)


OUTLINES: Final[Mapping[str, Callable[[bytes], Outline | None]]] = {
    "jpeg": jpeg,
    "png": png,
    "webp": webp,
    "bmp": bmp,
    "gif": gif,
    "tiff": tiff,
}


def _turn(exif: bytes) -> int:
    return _TURNS.get(_directory(exif)[0].get(274, (1,))[0], 0)


def _directory(data: bytes) -> tuple[dict[int, tuple[int, ...]], int]:
    """The numbers (SHORT and LONG) of a TIFF's or an EXIF block's first directory, empty for rubbish, and
    where the last byte that belongs to it should be."""
    order: Order = "little" if data[:2] == b"II" else "big"
    at = int.from_bytes(data[4:8], order)
    tags: dict[int, tuple[int, ...]] = {}
    end = at + 6 + 12 * int.from_bytes(data[at : at + 2], order)
    for entry in range(at + 2, at + 2 + 12 * int.from_bytes(data[at : at + 2], order), 12):
        field = data[entry : entry + 12]
        tag, kind, count = (int.from_bytes(field[a:b], order) for a, b in ((0, 2), (2, 4), (4, 8)))
        width = _WIDTHS.get(kind, 0)
        if count * width > 4:
            end = max(end, int.from_bytes(field[8:], order) + count * width)
        if len(field) < 12 or kind not in (3, 4) or tag not in _TAGS or count > _VALUES:
            continue
        values = field[8:]
        if count * width > 4:
            offset = int.from_bytes(values, order)
            values = data[offset : offset + count * width]
        numbers = range(0, min(len(values), count * width) - width + 1, width)
        if numbers:
            tags[tag] = tuple(int.from_bytes(values[n : n + width], order) for n in numbers)
    return tags, end


def _big(data: bytes, at: int, size: int) -> int:
    return int.from_bytes(data[at : at + size], "big")


def _little(data: bytes, at: int, size: int) -> int:
    return int.from_bytes(data[at : at + size], "little")
