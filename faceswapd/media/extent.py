"""How long a file must be, by what its own container says, without any decoding.

A copy that stopped half way is found exactly where the container states its size: the boxes of an MP4, the
segment of a Matroska file, the RIFF of an AVI, the
properties of a Windows Media file, the footer of an MXF file, the packets of an MPEG program stream.
"""

from collections.abc import Callable, Mapping
from typing import Final

from faceswapd.core.target import Unreadable
from faceswapd.media.opened import Opened

_ASF_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_PROGRAM_TAIL = 1 << 18  # bytes at the end of a program stream in which a pack must begin
_MOV_BOXES = frozenset({b"moov", b"mdat", b"moof", b"ftyp", b"free", b"skip", b"wide", b"sidx", b"mfra", b"styp"})
_BOX_COUNT = 100_000  # boxes that are walked at most; a fragmented video has two for each fragment


def missing(file: Opened, form: str) -> Unreadable | None:
    """The sentence for a file that ends before its container does; None where nothing is known to be missing."""
    if form == "mov":
        return _mov(file)
    end = _ENDS.get(form)
    return None if end is None else _short(file, end(file))


def _short(file: Opened, end: int | None) -> Unreadable | None:
    if end is None or end <= file.size:
        return None
    return Unreadable(f"The video is cut off: {file.size:,} of {end:,} bytes are there.", incomplete=True)


def _mov(file: Opened) -> Unreadable | None:
    """Walk the outermost boxes. A box of an unknown kind that overruns is rubbish after the end: no claim."""
    at, index = 0, False
    for _ in range(_BOX_COUNT):
        head = file.peek(at, 16)
        if len(head) < 8:
            break
        size, kind = int.from_bytes(head[:4], "big"), head[4:8]
        if size == 1:
            size = int.from_bytes(head[8:16], "big")
        elif size == 0:  # to the end of the file
            size = file.size - at
        if kind not in _MOV_BOXES and (size < 8 or at + size > file.size):
            break
        index = index or (kind == b"moov" and at + size <= file.size)
        if at + size > file.size:
            if kind == b"mdat" and not index:
                break  # the sentence about the missing index tells more
            return _short(file, at + size)
        if size < 8:
            break
        at += size
    if index:
        return None
    return Unreadable(
        "The video is cut off: it has no index, which a recorder or a download writes last.", incomplete=True
    )


def _riff_end(file: Opened) -> int:
    return 8 + int.from_bytes(file.peek(4, 4), "little")


def _matroska_end(file: Opened) -> int | None:
    """Where the segment ends; None where it does not say (a live recording)."""
    head = file.peek(0, 128)
    at = 4
    for segment in (False, True):
        if segment:
            if head[at : at + 4] != b"\x18\x53\x80\x67":
                return None
            at += 4
        first = head[at] if at < len(head) else 0
        length = 9 - first.bit_length()
        if length > 8:
            return None
        bits = 7 * length
        size = int.from_bytes(head[at : at + length], "big") & ((1 << bits) - 1)
        if size == (1 << bits) - 1:  # all ones: unknown
            return None
        at += length + size
    return at


def _asf_end(file: Opened) -> int:
    """The size that a Windows Media file gives itself; 0 for a broadcast, which does not know."""
    head = file.peek(0, 1 << 16)
    at = head.find(_ASF_PROPERTIES)
    if at < 0 or head[at + 88 : at + 89] == b"" or head[at + 88] & 1:
        return 0
    return int.from_bytes(head[at + 40 : at + 48], "little")


def _mxf_end(file: Opened) -> int:
    """Where the footer at least begins, as the header's partition pack says; 0 where it does not say."""
    head = file.peek(0, 64)
    length = head[16] if len(head) > 16 else 0
    at = 17 + (length & 0x7F if length & 0x80 else 0)
    footer = int.from_bytes(head[at + 24 : at + 32], "big")
    return footer + 16 if footer else 0


def _program_end(file: Opened) -> int | None:
    """Where the last packet of an MPEG program stream ends, by its own length; None where it cannot be told."""
    start = max(0, file.size - _PROGRAM_TAIL)
    tail = file.peek(start, _PROGRAM_TAIL)
    at = tail.find(b"\x00\x00\x01\xba")
    while at >= 0 and at + 14 <= len(tail):
        if tail[at : at + 3] != b"\x00\x00\x01":
            return None  # padding or rubbish: no claim
        code = tail[at + 3]
        if code == 0xBA:  # a pack: 14 bytes and stuffing in MPEG-2, 12 in MPEG-1
            at += 14 + (tail[at + 13] & 7) if tail[at + 4] >> 6 == 1 else 12
        elif code == 0xB9:  # the end, said so
            return None
        else:
            at += 6 + int.from_bytes(tail[at + 4 : at + 6], "big")
    return start + at if at > len(tail) else None


_ENDS: Final[Mapping[str, Callable[[Opened], int | None]]] = {
    "matroska": _matroska_end,
    "avi": _riff_end,
    "asf": _asf_end,
    "mxf": _mxf_end,
    "mpeg": _program_end,
}
