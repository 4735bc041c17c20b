"""The named presets: how much care is taken for how much time. Plain data."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Preset:
    """Named options. The numbers are those of the preview engine."""

    name: str
    about: str  # one sentence for the user
    detect_every: int  # frames from one search for faces to the next; the flow of the picture bridges them
    detect_limit: int  # pixels of the picture's longer side while faces are searched
    levels: int  # bands in which a face is blended, for a face 256 pixels wide
    crf: int  # H.264's constant rate factor: lower is better and larger
    encoder_speed: str  # x264's name for it


DEFAULT_PRESET: Final = "balanced"

PRESETS: Final[Mapping[str, Preset]] = {
    preset.name: preset
    for preset in (
        Preset("fast", "The quickest look; small or turned faces may be missed.", 10, 360, 3, 23, "ultrafast"),
        Preset("balanced", "Good pictures in reasonable time; right for most videos.", 6, 480, 4, 18, "veryfast"),
        Preset(
            "best",
            "Finds smaller faces, follows them more closely, and takes its time.",
            3,
            720,
            5,
            15,
            "faster",
        ),
    )
}


@dataclass(frozen=True, slots=True)
class PresetSpec:
    """A preset as it was configured: one of PRESETS, or the user's own on top of one."""

    name: str
    base: str  # one of PRESETS
    options: tuple[tuple[str, str], ...] = ()  # in FaceFusion's words, laid over the base's


def preset_of(name: str) -> Preset:
    """The preset of this name; one that is not known here behaves as the default."""
    return PRESETS.get(name, PRESETS[DEFAULT_PRESET])
