"""What is known of a target: before it is swapped, when it is handed to an engine, and of its output."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final


class Kind(StrEnum):
    """The two kinds of target."""

    IMAGE = "image"
    VIDEO = "video"


# FaceFusion's own lists of what it takes.
IMAGE_SUFFIXES: Final = frozenset({".bmp", ".jpeg", ".jpg", ".png", ".tiff", ".webp"})
VIDEO_SUFFIXES: Final = frozenset({".avi", ".m4v", ".mkv", ".mp4", ".mpeg", ".mov", ".mxf", ".webm", ".wmv"})


def kind_of(suffix: str) -> Kind | None:
    """The kind that a file name's ending (with its dot, any case) stands for; None for no target."""
    suffix = suffix.lower()
    if suffix in IMAGE_SUFFIXES:
        return Kind.IMAGE
    return Kind.VIDEO if suffix in VIDEO_SUFFIXES else None


@dataclass(frozen=True, slots=True)
class Facts:
    """What a probe found out by reading the whole file once.

    Width and height are in pixels, upright: as a player shows the picture, after rotation.
    """

    kind: Kind
    content: str  # BLAKE2b-256 of the bytes, in hexadecimal
    size: int  # bytes
    width: int
    height: int
    frames: int  # exact, counted; 1 for an image
    duration: float | None  # seconds; None for an image
    rotation: int  # degrees clockwise that a player turns the coded picture: 0, 90, 180 or 270
    audio: int  # number of sound streams


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Why a file is no target. `incomplete`: it may still be on its way, and more bytes could mend it."""

    sentence: str
    incomplete: bool = False


@dataclass(frozen=True, slots=True)
class Proof:
    """An output that was proved whole."""

    content: str  # BLAKE2b-256 of the bytes, in hexadecimal
    size: int  # bytes
    frames: int
    duration: float | None  # seconds; None for an image


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A small picture of a file, upright."""

    jpeg: str  # in base64


# IPTC's term for a picture of which a part was made by a trained model.
COMPOSITE: Final = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"


@dataclass(frozen=True, slots=True)
class Prepared:
    """What an engine gets instead of a target that it would damage."""

    path: Path  # a staged file; the target itself where nothing had to be mended
    mended: tuple[str, ...] = ()  # what was done, for people: "its rotation by 90 degrees was baked in"


@dataclass(frozen=True, slots=True)
class Trimmed:
    """The part of a video that is wanted, in a file of its own."""

    path: Path
    facts: Facts  # of this file
    first: int = 0  # the number of its first frame in the whole video
    left_out: tuple[str, ...] = ()  # sentences about what its container cannot hold, or must not


@dataclass(frozen=True, slots=True)
class Marks:
    """What an output says about itself, in its metadata."""

    label: str  # for people: "face swapped with FaceFusion 3.8.1 by faceswapd"
    source_type: str = COMPOSITE  # for programs: IPTC's digital source type


@dataclass(frozen=True, slots=True)
class Finished:
    """An output that was put together: the engine's pictures, and the target's own everything else."""

    path: Path
    left_out: tuple[str, ...] = ()  # sentences about what the output's container cannot hold, or must not
    unmarked: str | None = None  # a sentence, where the marks could not be written
