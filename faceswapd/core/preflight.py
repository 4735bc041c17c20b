"""What an engine damages without a word, so that it is mended before."""

from enum import StrEnum


class Weakness(StrEnum):
    """A property of a target that an engine cannot bear. An engine without weaknesses gets the target as it is."""

    ROTATION = "rotation"  # a flag that players turn the picture by, in videos and images
    VARIABLE_RATE = "variable_rate"  # pictures at uneven moments
    SOUND = "sound"  # sound that is longer than the picture, or that the engine would code anew
    NO_DURATION = "no_duration"  # a container that does not say how long it is
    HDR = "hdr"  # more brightness than a standard screen has; needs tone mapping
    UNUSUAL = "unusual"  # codings that its readers cannot open (CMYK, 16 bit, alpha, odd pixel formats)
