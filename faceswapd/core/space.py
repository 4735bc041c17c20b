"""What an execution needs on the disks, estimated before it starts, and what is left there for it.

The estimates are rather too large than too small: one that is too large lets a job wait for a while, one that is too
small fills the disk in the middle of it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from faceswapd.core.gate import FolderReading, size_text
from faceswapd.core.target import Facts, Kind
from faceswapd.core.wish import NOTHING as NO_WISH
from faceswapd.core.wish import Wish, wanted

OUTBOX: Final = "outbox"  # as FolderReading names them
SCRATCH: Final = "scratch folder"

# A video is coded anew. Grainy targets of x264 at CRF 18 and 23 became 0.5 to 1.7 times as large in the preview engine
# (CRF 18 to 23); FaceFusion's usual quality is about CRF 10. Where the target was coded hard, at CRF 28, the output
# grew 5 times, to at most 0.02 bytes for each pixel. The larger one of the two estimates counts.
VIDEO_GROWTH: Final = 3.0  # times the size of the target
VIDEO_PIXEL: Final = 0.05  # bytes for each pixel of each frame
# An image without loss takes no more than its plain pixels.
IMAGE_PIXEL: Final = 3.0
# Frames on disk are PNG: 4 GB for a minute of 1080p at 30 frames a second, as FaceFusion's users measure it, are 1.1
# bytes for each pixel; film grain takes more.
FRAME_PIXEL: Final = 1.5
SMALL: Final = 1_000_000  # bytes for what comes along: containers, job files, the blocks of the file system


@dataclass(frozen=True, slots=True)
class Making:
    """How an engine makes an output, as far as the disk sees it."""

    prepares: bool = False  # a target may be mended in a copy
    finishes: bool = False  # the output is put together beside what the engine made
    copies: bool = False  # the outbox is on another disk than the scratch folder: the output is copied over


@dataclass(frozen=True, slots=True)
class Need:
    """Bytes on the disk of the scratch folder, and on the outbox's where that is another one."""

    scratch: int = 0
    outbox: int = 0

    def __add__(self, other: "Need") -> "Need":
        """Both together."""
        return Need(self.scratch + other.scratch, self.outbox + other.outbox)

    def __sub__(self, other: "Need") -> "Need":
        """What is left of this beside the other; below zero where it is too little."""
        return Need(self.scratch - other.scratch, self.outbox - other.outbox)

    def fits(self, left: "Need") -> bool:
        """Whether there is as much left. What needs nothing of a disk fits however full that is."""
        return (not self.scratch or self.scratch <= left.scratch) and (not self.outbox or self.outbox <= left.outbox)


@dataclass(frozen=True, slots=True)
class Room:
    """What executions may use of the disks."""

    left: Need  # now, beside what runs
    whole: Need  # when nothing runs


NOTHING: Final = Need()


def need_of(facts: Facts | None, making: Making, wish: Wish = NO_WISH, *, frames_on_disk: bool = False) -> Need:
    """What an execution needs. `frames_on_disk`: its rung of the resource ladder takes frames through the disk."""
    if facts is None:
        return NOTHING
    facts = wanted(facts, wish)
    pixels = facts.width * facts.height * facts.frames
    coded = SMALL + int(
        max(
            VIDEO_GROWTH * facts.size,
            pixels * (IMAGE_PIXEL if facts.kind is Kind.IMAGE else VIDEO_PIXEL),
        )
    )
    files = 1 + making.prepares + making.finishes + (wish.trim is not None) + (len(wish.passes) > 1)
    frames = int(pixels * FRAME_PIXEL) if frames_on_disk and facts.kind is Kind.VIDEO else 0
    return Need(files * coded + frames, coded if making.copies else 0)


def one_disk(folders: Iterable[FolderReading]) -> bool:
    """Whether scratch and outbox are on the same disk, so that an output goes over without being copied. Unknown ones
    count as two."""
    devices = {folder.device for folder in folders if folder.name in (OUTBOX, SCRATCH)}
    return len(devices) == 1 and None not in devices


def room_of(folders: Iterable[FolderReading], limit: int, running: Iterable[Need]) -> Room:
    """What is left when `limit` bytes stay free on each disk, and each that runs may still take what it needs.

    What the scratch folder holds already is a part of what the running ones need.
    """
    folders = tuple(folders)
    free = {folder.name: folder.free or 0 for folder in folders}
    reserved = sum(running, NOTHING)
    used = min(reserved.scratch, sum(folder.used for folder in folders if folder.name == SCRATCH))
    empty = Need(free.get(SCRATCH, 0) - limit + used, free.get(OUTBOX, 0) - limit)
    return Room(empty - reserved, empty)


def lack(need: Need, left: Need) -> str | None:
    """Why it has to wait, in one sentence; None where it fits."""
    for name, needed, there in ((SCRATCH, need.scratch, left.scratch), (OUTBOX, need.outbox, left.outbox)):
        if needed and needed > there:
            wanted, free = size_text(needed), size_text(max(0, there))
            told = f"{free} are free" if free != wanted else "a little less is free"
            return f"It needs {wanted} of space on the disk of the {name}, and {told}."
    return None
