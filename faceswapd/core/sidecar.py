"""What a sidecar says of its target, or a folder's defaults of all below it: values -> Said, or a Mistake.

Whatever is not understood is a mistake, told in one sentence with the file, the key, the value and what is right:
a target is never swapped differently from what somebody took the trouble to write down.
"""

import difflib
import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Final, TypeVar

from faceswapd.core import engine_options, output_name
from faceswapd.core.intake import Face, fold, is_target
from faceswapd.core.moments import MomentError, moment, place_in_video
from faceswapd.core.wish import NOTHING, PRIORITIES, Pass, Trim, Wish

ENDINGS: Final = (".toml", ".json")
DEFAULTS: Final = ".faceswapd.toml"  # in a folder, for all below it
LARGEST: Final = 64 << 10  # bytes; more is no sidecar
KEYS: Final = ("face", "faces", "preset", "priority", "not_before", "trim", "output", "options", "map")
_TRIM_KEYS: Final = ("start", "end")
MAP_KEYS: Final = ("face", "position", "frame", "at")
MOST_PERSONS: Final = 16
_FURTHEST: Final = 99  # faces from the left
_LAST_FRAME: Final = 100_000_000
_SHOWN: Final = 60  # letters of a value that a sentence shows
_HUGE: Final = 10**20  # a number that a sentence does not show

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Mistake:
    """Why what is said cannot be understood: one sentence that names the file."""

    sentence: str


@dataclass(frozen=True, slots=True)
class Said:
    """What one file says."""

    file: str  # its name, as sentences tell it
    wish: Wish = NOTHING
    moments: tuple[float | None, ...] = ()  # of each pass: the seconds that stand in the place of its frame


@dataclass(frozen=True, slots=True)
class Known:
    """What values are held against."""

    faces: Mapping[str, Face]  # by folded name
    presets: Collection[str]
    came: datetime  # when the target or its sidecar came last: local, without its zone


def target_of(name: str) -> str | None:
    """The name of the target that a sidecar of this name belongs to; None for no sidecar's name."""
    ending = name[-5:].lower()
    return name[:-5] if ending in ENDINGS and is_target(name[:-5]) and not name.startswith(".") else None


class _NotRight(ValueError):
    """A value is not right; the text says what is."""


class _Wrong(Exception):
    """One value is wrong: its key, itself, and what is right."""

    def __init__(self, key: str, value: object, right: str) -> None:
        super().__init__(f"{key} = {_short(value)}: {right}")


def understand(file: str, values: Mapping[str, object], known: Known) -> Said | Mistake:
    """What a file's values say."""
    try:
        return _said(file, values, known)
    except _Wrong as wrong:
        return Mistake(f"{file}: {wrong}.")


def _said(file: str, values: Mapping[str, object], known: Known) -> Said:
    _only(values, KEYS, "")
    face = _face(values, known)
    passes, moments = _passes(values.get("map"), known)
    if passes and face is not None:
        raise _Wrong("face", face, "[[map]] names the faces already; say one or the other")
    wish = Wish(
        face=face,
        preset=_each(values, "preset", lambda value: _preset(value, known)),
        priority=_each(values, "priority", _priority),
        not_before=_each(values, "not_before", lambda value: moment(value, known.came)),
        trim=_each(values, "trim", _trim),
        output=_each(values, "output", _output),
        options=_each(values, "options", _options) or (),
        passes=passes,
    )
    return Said(file, wish, moments)


def _only(values: Mapping[str, object], keys: Collection[str], above: str) -> None:
    for key, value in values.items():
        if key not in keys:
            near = difflib.get_close_matches(key.strip().lower().replace("-", "_")[:_SHOWN], keys, 1)
            hint = f"did you mean {near[0]}?" if near else f"the keys are {', '.join(keys)}"
            raise _Wrong(above + _plain(key), value, f"there is no such key; {hint}".rstrip("?"))


def _each(values: Mapping[str, object], key: str, read: Callable[[object], T]) -> T | None:
    """The value of a key, where it is there. `read` raises MomentError or _NotRight with what is right."""
    if key not in values:
        return None
    try:
        return read(values[key])
    except (MomentError, _NotRight) as error:
        raise _Wrong(key, values[key], str(error)) from None


def _face(values: Mapping[str, object], known: Known) -> str | None:
    """The one face that is named; `faces` with exactly one is the same as `face`."""
    if "faces" in values:
        faces = values["faces"]
        if "face" in values:
            raise _Wrong("faces", faces, "`face` is there already; say one of them")
        if isinstance(faces, str):
            raise _Wrong("faces", faces, "write it as `face`")
        if not isinstance(faces, list) or len(faces) != 1:
            raise _Wrong(
                "faces",
                faces,
                "one target gets one face; for several persons in one target use [[map]], for several results "
                "`faceswapctl submit`",
            )
        return _each({"faces": faces[0]}, "faces", lambda value: _known_face(value, known))
    return _each(values, "face", lambda value: _known_face(value, known))


def _known_face(value: object, known: Known) -> str:
    name = _text(value)
    face = known.faces.get(fold(name))
    if face is not None and face.problem is None:
        return face.name
    usable = sorted(one.name for one in known.faces.values() if one.problem is None)
    if face is not None:
        raise _NotRight(f"this face {face.problem}")
    raise _NotRight(_no_such("face", name, usable))


def _preset(value: object, known: Known) -> str:
    name = _text(value)
    found = next((preset for preset in known.presets if fold(preset) == fold(name)), None)
    if found is None:
        raise _NotRight(_no_such("preset", name, sorted(known.presets)))
    return found


def _no_such(what: str, name: str, there: list[str]) -> str:
    near = difflib.get_close_matches(name.lower()[:_SHOWN], there, 1)
    hint = (
        f"did you mean {_plain(near[0])}" if near else f"there are {', '.join(map(_plain, there[:10])) or 'none yet'}"
    )
    return f"there is no such {what}; {hint}"


def _priority(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value not in PRIORITIES:
        raise _NotRight(f"write a whole number from {PRIORITIES[0]} to {PRIORITIES[-1]}")
    return value


def _trim(value: object) -> Trim:
    if not isinstance(value, Mapping):
        raise _NotRight('write a table, such as trim = { start = "0:10", end = 25.5 }')
    _only(value, _TRIM_KEYS, "trim.")
    if not value:
        raise _NotRight("say its start, its end, or both")
    places = {key: _each({f"trim.{key}": one}, f"trim.{key}", place_in_video) for key, one in value.items()}
    start, end = places.get("start") or 0.0, places.get("end")
    if end is not None and end <= start:
        raise _Wrong("trim.end", value["end"], "it must come after the start")
    return Trim(start, end)


def _output(value: object) -> str:
    template = _text(value)
    problem = output_name.problem_of(template)
    if problem is not None:
        raise _NotRight(problem)
    return template


def _options(value: object) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, Mapping):
        raise _NotRight("write a table, such as [options] with face_mask_blur = 0.4 below it")
    told = {}
    for name, one in value.items():
        told[name] = _each({f"options.{_plain(name)}": one}, f"options.{_plain(name)}", _option) or ""
    for name, text in told.items():
        problems = engine_options.check([(name, text)], {})
        if problems:
            right = problems[0].removeprefix(f"{name}: ").removeprefix(f"{name} = {_plain(text)}: ")
            raise _Wrong(f"options.{_plain(name)}", value[name], right.rstrip("."))
    return tuple(sorted(told.items()))


def _option(value: object) -> str:
    """An option's value as a command line says it: numbers as text, a list with blanks between."""
    if isinstance(value, list):
        return " ".join(_option(one) for one in value if not isinstance(one, list))
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(_number(value)):
        return str(value)
    raise _NotRight("write a text, a number, or a list of them")


def _number(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _passes(value: object, known: Known) -> tuple[tuple[Pass, ...], tuple[float | None, ...]]:
    """Several persons, and for each the moment that stands in the place of its frame."""
    if value is None:
        return (), ()
    if not isinstance(value, list) or not all(isinstance(one, Mapping) for one in value) or not value:
        raise _Wrong("map", value, "write one [[map]] for each person, with `face` and `position`")
    if len(value) > MOST_PERSONS:
        raise _Wrong("map", len(value), f"there can be {MOST_PERSONS} persons at most")
    read = [_pass(one, f"map {number}: ", known) for number, one in enumerate(value, start=1)]
    places = [(one.position, one.frame, at) for one, at in read]
    for number, place in enumerate(places):
        if place in places[:number]:
            raise _Wrong(f"map {number + 1}: position", place[0] + 1, "this person has a face already")
    return tuple(one for one, _ in read), tuple(at for _, at in read)


def _pass(values: Mapping[str, object], above: str, known: Known) -> tuple[Pass, float | None]:
    _only(values, MAP_KEYS, above)
    told = {above + key: value for key, value in values.items()}
    for needed in ("face", "position"):
        if needed not in values:
            raise _Wrong(above + needed, "", f"say the {needed}; each [[map]] has a `face` and a `position`")
    if "frame" in values and "at" in values:
        raise _Wrong(above + "at", values["at"], "`frame` is there already; say one of them")
    face = _each(told, above + "face", lambda value: _known_face(value, known))
    position = _each(
        told,
        above + "position",
        lambda value: _counted(value, 1, _FURTHEST + 1, "the persons are counted from the left"),
    )
    frame = _each(told, above + "frame", lambda value: _counted(value, 0, _LAST_FRAME, "the first frame is 0"))
    at = _each(told, above + "at", place_in_video)
    assert face is not None
    assert position is not None
    return Pass(face, position - 1, frame or 0), at


def _counted(value: object, least: int, most: int, how: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise _NotRight(f"write a whole number from {least} on; {how}")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise _NotRight("write a text in quotation marks")
    return value


def _short(value: object) -> str:
    """A value as a sentence shows it: on one line, and not longer than a line."""
    if isinstance(value, str):
        return f'"{_plain(value)}"'
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, list):
        inner = ["[...]" if isinstance(one, list) else _short(one) for one in value[:4]]  # lists may be thousands deep
        return _plain(f"[{', '.join(inner)}{', ...' if len(value) > 4 else ''}]")
    if isinstance(value, Mapping):
        return "{...}"
    return _plain(str(value)) if not isinstance(value, int) or -_HUGE < value < _HUGE else "a number far too large"


def _plain(text: str) -> str:
    shown = "".join(letter if letter.isprintable() else "?" for letter in text[: _SHOWN + 1])
    return shown if len(shown) <= _SHOWN else shown[: _SHOWN - 3] + "..."
