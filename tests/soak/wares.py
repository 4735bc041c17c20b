"""Media to drop: drawn scenes, each made different from all others by what no decoder minds."""

import struct
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from faceswapd.media.drawn import write_portrait
from faceswapd.media.drawn_scene import write_scene_image, write_scene_video
from tests.soak.dice import Dice


@dataclass(frozen=True, slots=True)
class Ware:
    """A file that is not on the disk yet."""

    suffix: str
    data: bytes
    sort: str  # whole, faceless, declined, damaged or unfinished


class Wares:
    """A few files of every sort, and as many different ones as are wanted."""

    def __init__(self, folder: Path, dice: Dice) -> None:
        folder.mkdir()
        self._dice = dice
        self.photos = tuple(_photo(folder / f"portrait-{seed}.png", seed) for seed in (4, 9, 12))
        self._common: list[Path] = []
        for seed in (5, 6, 8):
            for suffix in (".jpg", ".png"):
                self._common.append(folder / f"{seed}{suffix}")
                write_scene_image(self._common[-1], [seed], 160, 120)
        for seed, suffix in ((3, ".mp4"), (7, ".mp4"), (11, ".mov"), (13, ".m4v")):
            self._common.append(folder / f"{seed}{suffix}")
            write_scene_video(self._common[-1], [seed], 160, 120, 0.6, 10)
        write_scene_video(folder / "turned.mov", [2], 120, 160, 0.6, 10, rotation=90)
        write_scene_video(folder / "long.mp4", [7], 160, 120, 4.0, 10)
        self._common += [folder / "turned.mov", folder / "long.mp4"]
        self._rare: list[Path] = []  # without a place for a number: dropped again and again, they are duplicates
        for seed, suffix in ((14, ".webp"), (15, ".bmp"), (16, ".tiff"), (17, ".jpeg")):
            self._rare.append(folder / f"{seed}{suffix}")
            write_scene_image(self._rare[-1], [seed], 160, 120)
        for seed, suffix in ((21, ".mkv"), (22, ".avi"), (23, ".mpeg"), (24, ".wmv"), (25, ".webm")):
            self._rare.append(folder / f"{seed}{suffix}")
            write_scene_video(self._rare[-1], [seed], 160, 120, 0.6, 25)
        noise = np.random.default_rng(1).integers(0, 255, (120, 160, 3), dtype=np.uint8)
        cv2.imwrite(str(folder / "nobody.png"), noise)
        noise[..., :2] = 0
        noise[..., 2] = np.random.default_rng(3).integers(150, 255, (120, 160))
        cv2.imwrite(str(folder / "red.png"), noise)
        self.nobody, self._red = folder / "nobody.png", folder / "red.png"

    def any(self, *, may_be_unfinished: bool) -> Ware:
        """One of any sort; nine in ten are whole."""
        if not self._dice.chance(0.1):
            return self.whole()
        sort = self._dice.one(["faceless", "declined", "damaged", "unfinished" if may_be_unfinished else "damaged"])
        if sort in ("faceless", "declined"):
            path = self.nobody if sort == "faceless" else self._red
            return Ware(path.suffix, self._different(path), sort)
        if sort == "unfinished":
            data = self._different(self._common[6])
            return Ware(".mp4", data[: len(data) * self._dice.number(20, 80) // 100], sort)
        suffix = self._dice.one([".mp4", ".png", ".mkv", ".jpg"])
        return Ware(suffix, b"no media at all " + self._dice.bytes(self._dice.number(10, 4000)), sort)

    def whole(self) -> Ware:
        """One that can be swapped: nearly always one that there was not before."""
        if self._dice.chance(0.05):
            path = self._dice.one(self._rare)
            return Ware(path.suffix, path.read_bytes(), "whole")
        # Long ones are rare, and pictures more frequent than videos.
        path = self._dice.one(self._common[:6] if self._dice.chance(0.7) else self._common[6:])
        return Ware(path.suffix, self._different(path), "whole")

    def _different(self, path: Path) -> bytes:
        return _NUMBERED[path.suffix](path.read_bytes(), self._dice.bytes(16).hex().encode())


def _photo(path: Path, seed: int) -> Path:
    write_portrait(path, seed)
    return path


def _png(data: bytes, mark: bytes) -> bytes:
    """A text behind the header."""
    body = b"tEXtComment\0" + mark
    return data[:33] + struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body)) + data[33:]


def _jpeg(data: bytes, mark: bytes) -> bytes:
    """A comment behind the first mark."""
    return data[:2] + b"\xff\xfe" + struct.pack(">H", len(mark) + 2) + mark + data[2:]


def _mp4(data: bytes, mark: bytes) -> bytes:
    """A box of free space at the end."""
    return data + struct.pack(">I", len(mark) + 8) + b"free" + mark


_NUMBERED: dict[str, Callable[[bytes, bytes], bytes]] = {
    ".png": _png,
    ".jpg": _jpeg,
    ".mp4": _mp4,
    ".mov": _mp4,
    ".m4v": _mp4,
}


def pieces(data: bytes, count: int) -> Sequence[bytes]:
    """A file as a slow writer hands it out."""
    step = len(data) // count + 1
    return [data[start : start + step] for start in range(0, len(data), step)]
