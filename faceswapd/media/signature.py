"""What a file is, told by its first bytes."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum, auto
from typing import Final

HEAD: Final = 4096  # bytes that `identify` wants to see, or the whole of a smaller file


class Family(StrEnum):
    """What a file can be to us."""

    VIDEO = auto()
    IMAGE = auto()
    ZEROS = auto()  # room made for a file of which nothing has arrived
    OTHER = auto()  # known, and no target
    UNKNOWN = auto()


@dataclass(frozen=True, slots=True)
class Signature:
    """A file's family and a noun phrase that fits after "it is". `form` names the format to our own code."""

    family: Family
    noun: str
    form: str = ""


_UNKNOWN: Final = Signature(Family.UNKNOWN, "of no kind that is known here")
_TEXT: Final = Signature(Family.OTHER, "text")
_MP4: Final = Signature(Family.VIDEO, "an MP4 or QuickTime video", "mov")
_OTHER_IMAGE: Final = "a kind of image that is not taken"

# (offset, bytes) -> what it is; the first that fits.
_MAGIC: Final[Mapping[tuple[int, bytes], Signature]] = {
    (0, b"\xff\xd8\xff"): Signature(Family.IMAGE, "a JPEG image", "jpeg"),
    (0, b"\x89PNG\r\n\x1a\n"): Signature(Family.IMAGE, "a PNG image", "png"),
    (0, b"GIF87a"): Signature(Family.IMAGE, "a GIF image", "gif"),
    (0, b"GIF89a"): Signature(Family.IMAGE, "a GIF image", "gif"),
    (8, b"WEBPVP8"): Signature(Family.IMAGE, "a WebP image", "webp"),
    (0, b"II*\0"): Signature(Family.IMAGE, "a TIFF image", "tiff"),
    (0, b"MM\0*"): Signature(Family.IMAGE, "a TIFF image", "tiff"),
    (8, b"AVI "): Signature(Family.VIDEO, "an AVI video", "avi"),
    (8, b"WAVE"): Signature(Family.OTHER, "a sound file (WAV)"),
    (4, b"ftypM4A"): Signature(Family.OTHER, "a sound file (M4A)"),
    (4, b"ftypheic"): Signature(Family.OTHER, f"{_OTHER_IMAGE} (HEIC)"),
    (4, b"ftypmif1"): Signature(Family.OTHER, f"{_OTHER_IMAGE} (HEIF)"),
    (4, b"ftypavif"): Signature(Family.OTHER, f"{_OTHER_IMAGE} (AVIF)"),
    (4, b"ftyp"): _MP4,
    (4, b"moov"): _MP4,
    (4, b"mdat"): _MP4,
    (4, b"wide"): _MP4,
    (0, b"\x1a\x45\xdf\xa3"): Signature(Family.VIDEO, "a Matroska or WebM video", "matroska"),
    (0, b"\x00\x00\x01\xba"): Signature(Family.VIDEO, "an MPEG video", "mpeg"),
    (0, b"\x00\x00\x01\xb3"): Signature(Family.VIDEO, "an MPEG video", "mpegvideo"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11"): Signature(Family.VIDEO, "a Windows Media file", "asf"),
    (0, b"\x06\x0e\x2b\x34\x02\x05\x01\x01\x0d\x01\x02\x01\x01\x02"): Signature(Family.VIDEO, "an MXF video", "mxf"),
    (0, b"FLV\x01"): Signature(Family.OTHER, "a Flash video"),
    (0, b"OggS"): Signature(Family.OTHER, "an Ogg file"),
    (0, b"fLaC"): Signature(Family.OTHER, "a sound file (FLAC)"),
    (0, b"ID3"): Signature(Family.OTHER, "a sound file (MP3)"),
    (0, b"PK\x03\x04"): Signature(Family.OTHER, "a zip archive"),
    (0, b"Rar!"): Signature(Family.OTHER, "a RAR archive"),
    (0, b"7z\xbc\xaf\x27\x1c"): Signature(Family.OTHER, "a 7-Zip archive"),
    (0, b"\x1f\x8b"): Signature(Family.OTHER, "a gzip archive"),
    (257, b"ustar"): Signature(Family.OTHER, "a tar archive"),
    (0, b"%PDF-"): Signature(Family.OTHER, "a PDF document"),
    (0, b"\x7fELF"): Signature(Family.OTHER, "a program"),
    (0, b"MZ"): Signature(Family.OTHER, "a program"),
    (0, b"8BPS"): Signature(Family.OTHER, f"{_OTHER_IMAGE} (Photoshop)"),
    (0, b"\x00\x00\x00\x0cjP  "): Signature(Family.OTHER, f"{_OTHER_IMAGE} (JPEG 2000)"),
}

_WORDS: Final[Mapping[bytes, Signature]] = {
    rb"#extm3u|ffconcat|\[playlist\]": Signature(Family.OTHER, "a playlist, which only names other files"),
    rb"<!doctype html|<html|<head|<body": Signature(Family.OTHER, "a web page: the download may have failed"),
    rb"<\?xml|<svg": Signature(Family.OTHER, "an XML or SVG text"),
}


def identify(head: bytes) -> Signature:
    """What the file that begins with these bytes is. `head` must not be empty."""
    for (offset, magic), signature in _MAGIC.items():
        if head.startswith(magic, offset):
            return signature
    if head[:2] == b"BM" and head[14:18] in _BMP_HEADERS:
        return Signature(Family.IMAGE, "a BMP image", "bmp")
    if head[:1] == b"\x47" and head[188:189] == b"\x47" and head[376:377] == b"\x47":
        return Signature(Family.VIDEO, "an MPEG transport stream", "mpegts")
    if not head.strip(b"\0"):
        return Signature(Family.ZEROS, "nothing but zeros")
    return _words(head) or _UNKNOWN


_BMP_HEADERS: Final = frozenset(size.to_bytes(4, "little") for size in (12, 40, 52, 56, 64, 108, 124))


def _words(head: bytes) -> Signature | None:
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:256].lower()
    for pattern, signature in _WORDS.items():
        if re.match(pattern, start):
            return signature
    if re.search(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]", head):
        return None
    try:
        head.decode()
    except UnicodeDecodeError as error:
        if error.start < len(head) - 3:  # else the head's end has cut a character
            return None
    return _TEXT
