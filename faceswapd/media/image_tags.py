"""What an image says beside its pixels: its colour profile, the camera's data, and that it was swapped.

Read from and written into the bytes of JPEG, PNG and WebP, without decoding. Bytes may be hostile: what does
not make sense counts as not there.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal
from xml.sax.saxutils import escape

from faceswapd.core.target import Marks

_EXIF, _XMP, _ICC = b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0", b"ICC_PROFILE\0"
_ITXT: Final = b"XML:com.adobe.xmp\0\0\0\0\0"
_PROFILE_MOST: Final = 16 << 20  # bytes of a colour profile
_SEGMENT: Final = 65_519  # bytes of a profile in one of a JPEG's segments
_ORIENTATION, _CAMERA, _NOTE = 0x0112, 0x8769, 0x927C
_XMP_PACKET: Final = """<?xpacket begin="\N{ZERO WIDTH NO-BREAK SPACE}" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/">
<Iptc4xmpExt:DigitalSourceType>{source}</Iptc4xmpExt:DigitalSourceType>
<dc:description><rdf:Alt><rdf:li xml:lang="x-default">{label}</rdf:li></rdf:Alt></dc:description>
</rdf:Description></rdf:RDF></x:xmpmeta>
<?xpacket end="w"?>"""
Order = Literal["little", "big"]


@dataclass(frozen=True, slots=True)
class Tags:
    """Empty where the image has none. `exif` begins with its TIFF header."""

    profile: bytes = b""
    exif: bytes = b""


def xmp_packet(marks: Marks) -> bytes:
    """The marks as an XMP packet."""
    return _XMP_PACKET.format(source=escape(marks.source_type), label=escape(marks.label)).encode()


def read_tags(form: str, data: bytes) -> Tags:
    """What an image of this format says."""
    match form:
        case "jpeg":
            return _jpeg_tags(data)
        case "png":
            return _png_tags(data)
        case "webp":
            chunks = dict(_webp_chunks(data))
            return Tags(chunks.get(b"ICCP", b""), chunks.get(b"EXIF", b"").removeprefix(_EXIF))
        case _:
            return Tags()


def orientation(form: str, data: bytes) -> int:
    """The EXIF orientation, 1 (upright) to 8."""
    exif = data if form == "tiff" else read_tags(form, data).exif
    order = _order(exif)
    for tag, place, _ in _entries(exif, _number(exif, 4, 4, order), order):
        if tag == _ORIENTATION:
            value = _number(exif, place + 8, 2, order)
            return value if 1 <= value <= 8 else 1
    return 1


def for_screen(tags: Tags, *, gray: bool = False) -> Tags:
    """The tags for an upright picture with other faces: no turn, no thumbnail, no profile of printing colours."""
    fits = tags.profile[16:20] == (b"GRAY" if gray else b"RGB ")
    return Tags(tags.profile if fits else b"", upright_exif(tags.exif))


def upright_exif(exif: bytes) -> bytes:
    """The same camera's data, for an upright picture, without the small copies of the old picture."""
    data, order = bytearray(exif), _order(exif)
    first = _number(exif, 4, 4, order)
    if exif[:2] not in (b"II", b"MM") or not first:
        return b""
    for tag, place, _ in _entries(exif, first, order):
        if tag == _ORIENTATION:
            data[place + 2 : place + 12] = struct.pack(_f(order, "HIHH"), 3, 1, 1, 0)
        elif tag == _CAMERA:
            for inner, at, extent in _entries(exif, _number(exif, place + 8, 4, order), order):
                if inner == _NOTE and b"\xff\xd8\xff" in exif[extent.start : extent.stop]:
                    data[extent.start : extent.stop] = bytes(len(extent))
                    data[at + 4 : at + 8] = bytes(4)
    link = first + 2 + 12 * _number(exif, first, 2, order)
    second = _number(exif, link, 4, order)
    if second:
        for _, place, extent in _entries(exif, second, order):
            data[extent.start : extent.stop] = bytes(len(extent))
            if _number(exif, place, 2, order) == 0x0201:  # where the thumbnail lies
                start = _number(exif, place + 8, 4, order)
                size = next(
                    (_number(exif, at + 8, 4, order) for tag, at, _ in _entries(exif, second, order) if tag == 0x0202),
                    0,
                )
                room = range(start, min(start + size, len(data)))
                data[room.start : room.stop] = bytes(len(room))
        data[link : link + 4] = bytes(4)
    return bytes(data)


def write_tags(form: str, data: bytes, tags: Tags, xmp: bytes) -> bytes | None:
    """The image with these tags instead of its own; None for a format that is not written here."""
    match form:
        case "jpeg":
            return _jpeg_tagged(data, tags, xmp)
        case "png":
            return _png_tagged(data, tags, xmp)
        case "webp":
            return _webp_tagged(data, tags, xmp)
        case _:
            return None


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, bytes, int]]:
    """Marker, content and end of each segment before the picture's data."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == 0xDA or length < 2:
            return
        yield marker, data[at + 4 : at + 2 + length], at + 2 + length
        at += 2 + length


def _jpeg_tags(data: bytes) -> Tags:
    profile, exif = b"", b""
    for marker, content, _ in _jpeg_segments(data):
        if marker == 0xE1 and content.startswith(_EXIF) and not exif:
            exif = content[len(_EXIF) :]
        elif marker == 0xE2 and content.startswith(_ICC):
            profile += content[len(_ICC) + 2 :]
    return Tags(profile, exif)


def _jpeg_tagged(data: bytes, tags: Tags, xmp: bytes) -> bytes:
    kept, at = b"", 2
    for marker, content, end in _jpeg_segments(data):
        if not (marker == 0xE1 or (marker == 0xE2 and content.startswith((_ICC, b"MPF\0")))):
            kept += data[at:end]
        at = end
    jfif = b""
    if kept[:2] == b"\xff\xe0":  # which must come first
        size = 2 + int.from_bytes(kept[2:4], "big")
        jfif, kept = kept[:size], kept[size:]
    blocks = [(0xE1, _EXIF + tags.exif)] if tags.exif and len(tags.exif) < 65_000 else []
    blocks += [(0xE1, _XMP + xmp)] if xmp else []
    pieces = [tags.profile[n : n + _SEGMENT] for n in range(0, len(tags.profile), _SEGMENT)]
    if len(pieces) < 256:
        blocks += [(0xE2, _ICC + bytes((n + 1, len(pieces))) + piece) for n, piece in enumerate(pieces)]
    head = b"".join(struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body for marker, body in blocks)
    return data[:2] + jfif + head + kept + data[at:]


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 8
    while at + 12 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        yield data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        at += 12 + length


def _png_tags(data: bytes) -> Tags:
    profile, exif = b"", b""
    for kind, body in _png_chunks(data):
        if kind == b"iCCP":
            unpacker = zlib.decompressobj()
            try:
                profile = unpacker.decompress(body.partition(b"\0")[2][1:], _PROFILE_MOST)
            except zlib.error:
                profile = b""
            profile = b"" if unpacker.unconsumed_tail else profile
        elif kind == b"eXIf":
            exif = body
    return Tags(profile, exif)


def _png_tagged(data: bytes, tags: Tags, xmp: bytes) -> bytes:
    new: list[tuple[bytes, bytes]] = []
    if tags.profile:
        new.append((b"iCCP", b"ICC profile\0\0" + zlib.compress(tags.profile)))
    if tags.exif:
        new.append((b"eXIf", tags.exif))
    if xmp:
        new.append((b"iTXt", _ITXT + xmp))
    # With a profile of its own a picture must not say another one.
    stale = {b"eXIf", b"iCCP", *((b"sRGB", b"gAMA", b"cHRM") if tags.profile else ())}
    out = [data[:8]]
    for kind, body in _png_chunks(data):
        if kind in stale or (kind == b"iTXt" and body.startswith(_ITXT[:18])):
            continue
        out.append(_png_chunk(kind, body))
        if kind == b"IHDR":
            out += [_png_chunk(*chunk) for chunk in new]
    return b"".join(out)


def _png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _webp_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 12
    while at + 8 <= len(data):
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        yield data[at : at + 4], data[at + 8 : at + 8 + length]
        at += 8 + length + length % 2


def _webp_tagged(data: bytes, tags: Tags, xmp: bytes) -> bytes | None:
    chunks = [(kind, body) for kind, body in _webp_chunks(data) if kind not in (b"ICCP", b"EXIF", b"XMP ")]
    extended = next((body for kind, body in chunks if kind == b"VP8X"), b"")
    pixels = next((chunk for chunk in chunks if chunk[0] in (b"VP8 ", b"VP8L")), None)
    if len(extended) >= 10:
        flags, size = extended[0], extended[4:10]
    elif pixels is not None and len(pixels[1]) >= 10:
        width, height, alpha = _webp_size(*pixels)
        flags = 0x10 if alpha else 0
        size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    else:
        return None
    for bit, body in ((0x20, tags.profile), (0x08, tags.exif), (0x04, xmp)):
        flags = flags | bit if body else flags & ~bit
    body = _webp_chunk(b"VP8X", bytes((flags, 0, 0, 0)) + size)
    if tags.profile:
        body += _webp_chunk(b"ICCP", tags.profile)
    body += b"".join(_webp_chunk(kind, content) for kind, content in chunks if kind != b"VP8X")
    body += _webp_chunk(b"EXIF", tags.exif) if tags.exif else b""
    body += _webp_chunk(b"XMP ", xmp) if xmp else b""
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def _webp_chunk(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


def _webp_size(kind: bytes, body: bytes) -> tuple[int, int, bool]:
    if kind == b"VP8L":
        bits = int.from_bytes(body[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1, bool(bits >> 28 & 1)
    return int.from_bytes(body[6:8], "little") & 0x3FFF, int.from_bytes(body[8:10], "little") & 0x3FFF, False


def _order(exif: bytes) -> Order:
    return "little" if exif[:2] == b"II" else "big"


def _f(order: Order, kinds: str) -> str:
    return ("<" if order == "little" else ">") + kinds


def _number(data: bytes, at: int, size: int, order: Order) -> int:
    return int.from_bytes(data[at : at + size], order)


def _entries(exif: bytes, at: int, order: Order) -> Iterator[tuple[int, int, range]]:
    """Tag and place of each entry of a directory, and where a value lies that does not fit into the entry."""
    if not 8 <= at <= len(exif) - 2:
        return
    widths = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}
    for number in range(_number(exif, at, 2, order)):
        place = at + 2 + 12 * number
        if place + 12 > len(exif):
            return
        size = widths.get(_number(exif, place + 2, 2, order), 0) * _number(exif, place + 4, 4, order)
        start = _number(exif, place + 8, 4, order) if size > 4 else 0
        yield (
            _number(exif, place, 2, order),
            place,
            range(start, min(start + size, len(exif))) if size > 4 else range(0),
        )
