"""Single options that a user may lay over a preset, in FaceFusion's words, and whether their values can be right.

Only what changes the look of a result is here; not its size or its pictures per second, since an output must have those
of its target. What reaches files, folders, the network, devices or the content check is no option of a job, and nothing
on this list touches that check.
"""

import difflib
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

_SHOWN = 8  # values that a sentence lists at most
_RANGE: Final = re.compile(r"\[(-?[\d.]+)\.\.(-?[\d.]+):([\d.]+)\]")
_PLAIN: Final = re.compile(r"(?:[A-Za-z0-9]|-(?=[\d.]))[A-Za-z0-9._/+-]*")  # never anything that looks like an option
BOOSTS: Final = (128, 256, 384, 512, 768, 1024)


@dataclass(frozen=True, slots=True)
class Option:
    """One option that may be set."""

    most: int = 1  # how many values it takes, with blanks between
    choices: tuple[str, ...] = field(default=())  # where no installation tells any; a range is `[0..100:1]`


_ONE: Final = Option()
_SCORE: Final = Option(choices=("[0.0..1.0:0.05]",))
_PERCENT: Final = Option(choices=("[0..100:1]",))
_SIDES: Final = Option(4, ("[0..100:1]",))

ALLOWED: Final[Mapping[str, Option]] = {
    "processors": Option(8),
    "face_swapper_model": _ONE,
    "face_swapper_pixel_boost": _ONE,
    "face_swapper_weight": _SCORE,
    "face_enhancer_model": _ONE,
    "face_enhancer_blend": _PERCENT,
    "face_enhancer_weight": _SCORE,
    "frame_enhancer_model": _ONE,
    "frame_enhancer_blend": _PERCENT,
    "expression_restorer_model": _ONE,
    "expression_restorer_factor": _PERCENT,
    "face_selector_mode": Option(choices=("many", "one", "reference")),
    "face_selector_order": _ONE,
    "face_selector_gender": _ONE,
    "face_selector_race": _ONE,
    "face_selector_age_start": _PERCENT,
    "face_selector_age_end": _PERCENT,
    "reference_face_position": Option(choices=("[0..100:1]",)),
    "reference_face_distance": _SCORE,
    "reference_frame_number": Option(choices=("[0..100000000:1]",)),
    "face_occluder_model": _ONE,
    "face_parser_model": _ONE,
    "face_mask_types": Option(4, ("box", "occlusion", "area", "region")),
    "face_mask_areas": Option(3),
    "face_mask_regions": Option(10),
    "face_mask_blur": _SCORE,
    "face_mask_padding": _SIDES,
    "face_detector_model": _ONE,
    "face_detector_score": _SCORE,
    "face_detector_angles": Option(4, ("0", "90", "180", "270")),
    "face_detector_margin": _SIDES,
    "face_landmarker_model": _ONE,
    "face_landmarker_score": _SCORE,
    "output_image_quality": _PERCENT,
    "output_video_encoder": _ONE,
    "output_video_preset": _ONE,
    "output_video_quality": _PERCENT,
}
SWAPPER: Final = "face_swapper"
_MODEL: Final = "face_swapper_model"
_BOOST: Final = "face_swapper_pixel_boost"


def flag(name: str) -> str:
    """`face_swapper_model` as the command line says it: `--face-swapper-model`."""
    return "--" + name.replace("_", "-")


def boosts(model: str) -> tuple[str, ...]:
    """The pixel boosts that a swapper takes, smallest first, by the size that its name tells. FaceFusion lists only
    those of the model that it was asked with."""
    size = next((int(part) for part in re.split(r"[_.]", model) if part.isdigit() and int(part) in BOOSTS), 256)
    small = size == 128 or model.startswith("blendswap")
    return tuple(f"{one}x{one}" for one in BOOSTS if one >= size and (one != 384 or small))


def check(
    options: Iterable[tuple[str, str]], choices: Mapping[str, Sequence[str]], swapper: str | None = None
) -> list[str]:
    """What is wrong with options, each in a sentence; none where all can be used.

    `options` are names and values as a user writes them, several values with blanks between. `choices` are those of
    an installation, by flag, and empty where none is known: then only names and the shape of values are looked at.
    `swapper` is the model that a pixel boost is for where the options name none.
    """
    told = dict(options)
    problems = []
    for name, value in told.items():
        option = ALLOWED.get(name)
        if option is None:
            problems.append(_unknown(name))
        elif choices and flag(name) not in choices:
            problems.append(f"{name}: the installed FaceFusion does not have this option.")
        else:
            problems += _wrong(name, value, option, _choices(name, option, told.get(_MODEL, swapper), choices))
    processors = told.get("processors")
    if processors is not None and SWAPPER not in processors.split():
        problems.append(f"processors = {_short(processors)}: {SWAPPER} must be among them, or no face is swapped.")
    return problems


def _unknown(name: str) -> str:
    wanted = name.strip().lstrip("-").replace("-", "_").lower()
    near = difflib.get_close_matches(wanted, ALLOWED, 1)
    hint = f" Did you mean {near[0]}?" if near else ""
    return f"{_short(name)}: this is no option that a preset or a job can set.{hint}"


def _choices(name: str, option: Option, swapper: str | None, choices: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    if name == _BOOST:
        return tuple(f"{one}x{one}" for one in BOOSTS) if swapper is None else boosts(swapper)
    return tuple(choices.get(flag(name), ())) or option.choices


def _wrong(name: str, value: str, option: Option, choices: tuple[str, ...]) -> list[str]:
    values = value.split()
    if not values:
        return [f"{name}: the value is empty."]
    if len(values) > option.most:
        most = "one value" if option.most == 1 else f"at most {option.most} values"
        return [f"{name} = {_short(value)}: it takes {most}."]
    strange = next((one for one in values if not _PLAIN.fullmatch(one)), None)
    if strange is not None:
        return [f"{name} = {_short(value)}: {_short(strange)} is no value of an option."]
    wrong = (_not_among(one, choices) for one in values)
    return [f"{name} = {_short(one)}: {why}" for one, why in zip(values, wrong, strict=True) if why]


def _not_among(value: str, choices: tuple[str, ...]) -> str | None:
    """Why a value is not allowed."""
    if not choices or value in choices:
        return None
    number = _number(value)
    limits = _RANGE.fullmatch(choices[0])
    if limits is not None:
        return _not_within(number, *map(float, limits.groups()))
    if number is not None and number in map(_number, choices):
        return None  # 1 for 1.0
    near = difflib.get_close_matches(value.lower(), choices, 1)
    hint = f" Did you mean {near[0]}?" if near else ""
    return f"it is not known.{hint} Allowed: {_listed(choices)}."


def _not_within(number: float | None, low: float, high: float, step: float) -> str | None:
    if number is None or not low <= number <= high:
        return f"it must be a number from {low:g} to {high:g}."
    steps = (number - low) / step
    if math.isclose(steps, round(steps), abs_tol=1e-6):
        return None
    return f"it must be in steps of {step:g}; the nearest is {low + round(steps) * step:g}."


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _listed(choices: Sequence[str]) -> str:
    more = f" and {len(choices) - _SHOWN} more" if len(choices) > _SHOWN else ""
    return ", ".join(choices[:_SHOWN]) + more


def _short(text: str) -> str:
    shown = "".join(letter if letter.isprintable() else "?" for letter in text.strip())
    return shown if len(shown) <= 60 else shown[:57] + "..."
