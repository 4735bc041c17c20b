"""What is known of a target before it is swapped."""

from dataclasses import dataclass
from enum import StrEnum
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
