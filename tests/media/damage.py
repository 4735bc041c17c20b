"""Damages media files as transfers, disks and people who mean harm do it. The same seed gives the same files."""

import random
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from faceswapd.core.target import IMAGE_SUFFIXES, VIDEO_SUFFIXES
from faceswapd.media.drawn_scene import write_scene_image, write_scene_video
from tests.media.media_files import RECIPES, chunk, make_video, png_bomb

NAMES: Final = (
    *(f"scene{suffix}" for suffix in sorted(VIDEO_SUFFIXES | IMAGE_SUFFIXES)),
    *RECIPES,
)
HUGE: Final = (b"\xff" * 4, b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f", b"\x80\0\0\0", b"\x3b\x9a\xca\0", bytes(4), b"\1")
# Where formats tell a size, a number or a place: the four bytes after each of these are worth a lie.
FIELDS: Final = (
    *(b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd", b"stts", b"stss", b"stsc", b"stsz", b"stco", b"ctts"),
    *(b"mvhd", b"tkhd", b"mdhd", b"elst", b"avc1", b"avcC", b"mdat", b"moof", b"tfhd", b"trun", b"dref", b"esds"),
    *(b"avih", b"strh", b"strf", b"idx1", b"movi", b"LIST", b"IHDR", b"IDAT", b"VP8 ", b"VP8X", b"VP8L", b"RIFF"),
    *(b"\x16\x54\xae\x6b", b"\x15\x49\xa9\x66", b"\x1f\x43\xb6\x75", b"\x1c\x53\xbb\x6b", b"\x11\x4d\x9b\x74"),
    *(b"\xff\xc0", b"\xff\xc4", b"\xff\xda", b"\xff\xdb", b"II*\0", b"BM", b"\x06\x0e\x2b\x34", b"\0\0\x01\xb3"),
    *(b"\x30\x26\xb2\x75", b"\xa1\xdc\xab\x8c", b"\xb0\xb2", b"\xba\x82", b"\x44\x89"),
)


@dataclass(frozen=True)
class Damaged:
    """A damaged file: its name, how it came to be, and its bytes."""

    name: str
    how: str
    data: bytes


class Whole(Mapping[str, bytes]):
    """Small whole files by name, made when they are first asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __getitem__(self, name: str) -> bytes:
        path = self._folder / name
        if not path.exists():
            self._make(path)
        return path.read_bytes()

    def _make(self, path: Path) -> None:
        if path.name in RECIPES:
            make_video(path, replace(RECIPES[path.name], width=96, height=64, frames=10))
        elif path.suffix in VIDEO_SUFFIXES:
            write_scene_video(path, [11], 160, 120, 0.4)
        else:
            write_scene_image(path, [11], 160, 120)

    def __iter__(self) -> Iterator[str]:
        return iter(NAMES)

    def __len__(self) -> int:
        return len(NAMES)


def damaged(whole: Whole, seed: int) -> Damaged:
    """One damaged file."""
    chance = random.Random(seed)
    name = NAMES[seed % len(NAMES)]
    how = list(KINDS)[seed // len(NAMES) % len(KINDS)]
    data = KINDS[how](whole[name], chance)
    if how == "spliced":
        other = whole[chance.choice(NAMES)]
        data = data[: chance.randrange(len(data))] + other[chance.randrange(len(other)) :]
    if how == "renamed":
        name = f"{Path(name).stem}{chance.choice(sorted(IMAGE_SUFFIXES | VIDEO_SUFFIXES))}"
    return Damaged(name, how, data)


def _as_it_is(data: bytes, chance: random.Random) -> bytes:
    return data


def _flipped(data: bytes, chance: random.Random) -> bytes:
    changed = bytearray(data)
    reach = chance.choice((64, 1024, len(data)))
    for _ in range(chance.choice((1, 1, 8, 100))):
        changed[chance.randrange(min(reach, len(data)))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def _cut(data: bytes, chance: random.Random) -> bytes:
    return data[: chance.choice((chance.randrange(1, min(200, len(data))), chance.randrange(1, len(data))))]


def _inserted(data: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(data))
    return data[:at] + chance.randbytes(chance.choice((1, 3, 100, 5000))) + data[at:]


def _block(data: bytes, chance: random.Random) -> tuple[int, int]:
    start = chance.randrange(len(data))
    return start, min(len(data), start + chance.choice((4, 64, 512, 4096)))


def _zeroed(data: bytes, chance: random.Random) -> bytes:
    start, end = _block(data, chance)
    return data[:start] + bytes(end - start) + data[end:]


def _doubled(data: bytes, chance: random.Random) -> bytes:
    start, end = _block(data, chance)
    return data[:end] + data[start:end] * chance.choice((1, 2, 50)) + data[end:]


def _swapped(data: bytes, chance: random.Random) -> bytes:
    one, other = sorted((chance.randrange(len(data)), chance.randrange(len(data))))
    size = min(chance.choice((16, 300, 4096)), other - one)
    middle = data[one + size : other]
    return data[:one] + data[other : other + size] + middle + data[one : one + size] + data[other + size :]


def _lying(data: bytes, chance: random.Random) -> bytes:
    """Sizes, numbers and places that formats tell are changed: huge, negative, none."""
    changed = bytearray(data)
    there = [field for field in FIELDS if field in data]
    for _ in range(chance.choice((1, 1, 3, 10))):
        if there and chance.random() < 0.8:
            field = chance.choice(there)
            places = [at for at in range(len(data)) if data.startswith(field, at)][:20]
            at = chance.choice(places) + chance.choice((-4, *range(len(field), 64)))
        else:
            at = chance.randrange(min(len(data), 600))
        lie = chance.choice(HUGE)
        at = max(0, min(at, len(data) - len(lie)))
        changed[at : at + len(lie)] = lie
    return bytes(changed)


def _looped(data: bytes, chance: random.Random) -> bytes:
    """A place that the file names becomes another place of it, before it or itself."""
    changed = bytearray(data)
    for _ in range(chance.choice((1, 4, 20))):
        at = chance.randrange(max(1, len(data) - 8))
        order = chance.choice((">", "<"))
        changed[at : at + 4] = struct.pack(f"{order}I", chance.choice((0, at, max(0, at - 16), 4, 8, len(data))))
    return bytes(changed[: len(data)])


def _nested(data: bytes, chance: random.Random) -> bytes:
    """Boxes in boxes, thousands deep."""
    box = chance.choice((b"moov", b"trak", b"udta", b"meta", b"LIST", b"moof"))
    depth = chance.choice((100, 3000, 20_000))
    nest = b"".join(struct.pack(">I4s", 8 * (depth - number) + 8, box) for number in range(depth))
    at = chance.choice((0, 32, len(data)))
    return data[:at] + nest + data[at:]


KINDS: Final[Mapping[str, Callable[[bytes, random.Random], bytes]]] = {
    "flipped": _flipped,
    "cut": _cut,
    "lying": _lying,
    "inserted": _inserted,
    "zeroed": _zeroed,
    "doubled": _doubled,
    "swapped": _swapped,
    "looped": _looped,
    "nested": _nested,
    "spliced": _as_it_is,
    "renamed": _as_it_is,
    "flipped too": _flipped,
    "lying too": _lying,
}


def hostile(folder: Path, whole: Whole, canary: Path, url: str) -> list[Damaged]:
    """Files that were made to do harm: bombs, lies about lengths, and those that ask for `canary` and `url`."""
    mov, made = whole["scene.mov"], []
    for name, text in {
        "playlist": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{}\n#EXT-X-ENDLIST\n",
        "concat": "ffconcat version 1.0\nfile '{}'\n",
        "svg": '<svg xmlns:xlink="http://www.w3.org/1999/xlink"><image xlink:href="{}"/></svg>',
        "xml": '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "{}">]><a>&b;</a>',
        "dash": '<?xml version="1.0"?><MPD><Period><AdaptationSet><Representation><BaseURL>{}</BaseURL>'
        "</Representation></AdaptationSet></Period></MPD>",
        "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\na=control:{}\nm=video 5004 RTP/AVP 96\n",
    }.items():
        for place in (f"file:{canary}", url):
            body = text.format(place).encode()
            made += [Damaged(f"{name}{suffix}", name, body) for suffix in (".mp4", ".avi", ".jpg", ".tiff")]
            made.append(Damaged(f"behind-{name}.mp4", name, mov[:48] + body + mov[48:]))
    made += [
        Damaged("alias.mov", "reference", with_reference(mov, _alias(str(canary)))),
        Damaged("alias.mp4", "reference", with_reference(mov, _alias(url))),
        Damaged("url.mov", "reference", with_reference(mov, _url(f"file://{canary}"))),
        Damaged("url.mp4", "reference", with_reference(mov, _url(url))),
        Damaged("bomb.png", "bomb", png_bomb(folder / "bomb.png", 50_000).read_bytes()),
        Damaged("wide.png", "bomb", _wide_png(12_000, 5000)),
        Damaged("animated.png", "bomb", _animated_png(whole["scene.png"])),
        Damaged("bomb.bmp", "bomb", _sized(whole["scene.bmp"], 18, "<II", 60_000, 60_000)),
        Damaged("bomb.jpg", "bomb", _sized(whole["scene.jpg"], whole["scene.jpg"].index(b"\xff\xc0") + 5, ">HH")),
        Damaged("samples.mp4", "bomb", _many_samples(mov)),
        Damaged("large.mp4", "bomb", _sized(mov, mov.index(b"avc1") + 28, ">HH")),
        Damaged("long.mp4", "bomb", _sized(mov, mov.index(b"mvhd") + 20, ">I", 0xFFFFFFFF)),
        Damaged("empty.mp4", "empty", b""),
        Damaged("zeros.mkv", "empty", bytes(70_000)),
        Damaged("byte.webp", "empty", b"R"),
    ]
    return made


def with_reference(mov: bytes, reference: bytes) -> bytes:
    """The MP4 or QuickTime file with other data references: a track whose pictures lie elsewhere."""
    data, at = bytearray(mov), 0
    for _ in range(mov.count(b"dref")):
        at = data.index(b"dref", at) - 4
        size = struct.unpack_from(">I", data, at)[0]
        new = struct.pack(">I4sII", 16 + len(reference), b"dref", 0, 1) + reference
        for box in (b"moov", b"trak", b"mdia", b"minf", b"dinf"):
            place = data.rindex(box, 0, at) - 4
            struct.pack_into(">I", data, place, struct.unpack_from(">I", data, place)[0] + len(new) - size)
        data[at : at + size] = new
        at += len(new)
    return bytes(data)


def _url(place: str) -> bytes:
    return struct.pack(">I4sI", 13 + len(place), b"url ", 0) + place.encode() + b"\0"


def _alias(path: str) -> bytes:
    """An old Macintosh's alias record, with a volume's name of no letters and a whole path."""
    name = path.encode() + bytes(len(path) % 2)
    body = bytes(10 + 1 + 27 + 12 + 1 + 63 + 16) + struct.pack(">HH", 1, 1) + bytes(16)
    body += struct.pack(">HH", 2, len(name)) + name + struct.pack(">HH", 0xFFFF, 0)
    return struct.pack(">I4sI", 12 + len(body), b"alis", 0) + body


def _sized(data: bytes, at: int, form: str, *values: int) -> bytes:
    changed = bytearray(data)
    struct.pack_into(form, changed, at, *(values or (65_000, 65_000)))
    return bytes(changed)


def _wide_png(width: int, height: int) -> bytes:
    """Within what is taken, and larger than any file of its size should become."""
    row = bytes(1 + 3 * width)
    packer = zlib.compressobj(9)
    body = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def _animated_png(data: bytes) -> bytes:
    """An animation that claims a thousand million pictures and has one."""
    control = chunk(b"acTL", struct.pack(">II", 1_000_000_000, 0))
    frame = chunk(b"fcTL", struct.pack(">IIIIIHHBB", 0, 160, 120, 0, 0, 1, 100, 0, 0))
    return data[:33] + control + frame + data[33:]


def _many_samples(mov: bytes) -> bytes:
    """A video that claims a thousand million pictures of the same size and duration."""
    changed = bytearray(mov)
    sizes, times = mov.index(b"stsz") + 8, mov.index(b"stts") + 12
    struct.pack_into(">II", changed, sizes, 1, 1_000_000_000)
    struct.pack_into(">I", changed, times, 1_000_000_000)
    return bytes(changed)
