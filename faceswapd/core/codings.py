"""How pictures are coded in each kind of container, where they are coded anew. Plain data."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Final


@dataclass(frozen=True, slots=True)
class Coding:
    """How pictures are coded in one kind of container."""

    codec: str  # FFmpeg's name of the encoder
    pixels: str = "yuv420p"
    fixed_rate: bool = False  # each picture takes one tick of the rate; else each has its own moment
    standard_rate: bool = False  # only television's rates
    container: tuple[tuple[str, str], ...] = ()  # FFmpeg's options of the container
    holds: frozenset[str] = frozenset()  # codecs whose pictures it takes as they are


_H264_FAMILY = frozenset({"h264", "hevc"})
_MP4 = Coding("libx264", container=(("movflags", "+faststart"),), holds=_H264_FAMILY | {"mpeg4", "av1", "vp9"})
# By the file name's ending.
CODINGS: Final[Mapping[str, Coding]] = {
    ".mp4": _MP4,
    ".m4v": Coding("libx264", container=_MP4.container, holds=frozenset({"h264", "mpeg4"})),
    ".mov": Coding("libx264", container=_MP4.container, holds=_H264_FAMILY | {"mpeg4", "mjpeg", "prores"}),
    ".mkv": Coding("libx264", holds=_MP4.holds | {"vp8", "ffv1", "mjpeg", "prores"}),
    ".webm": Coding("libvpx-vp9", holds=frozenset({"vp8", "vp9", "av1"})),
    ".avi": Coding("mpeg4", fixed_rate=True, holds=frozenset({"mjpeg"})),
    ".mpeg": Coding("mpeg2video", fixed_rate=True, standard_rate=True),
    ".wmv": Coding("wmv2"),
    ".mxf": Coding("mpeg2video", pixels="yuv422p", fixed_rate=True, standard_rate=True),
}
TRANSPORT: Final = Coding("libx264", holds=_H264_FAMILY)  # an MPEG transport stream, whatever its name

STANDARD_RATES: Final = tuple(
    Fraction(*rate)
    for rate in ((24000, 1001), (24, 1), (25, 1), (30000, 1001), (30, 1), (50, 1), (60000, 1001), (60, 1))
)


def coded_rate(rate: Fraction, *, standard: bool) -> Fraction:
    """The rate that an encoder is told for pictures that come at this rate (per second)."""
    if not standard:
        return rate
    # A whole multiple keeps every moment; else the next higher rate keeps every picture.
    multiples = [known for known in STANDARD_RATES if (known / rate).denominator == 1]
    higher = [known for known in STANDARD_RATES if known > rate * Fraction(999, 1000)]
    return next(iter(multiples or higher), STANDARD_RATES[-1])
