"""Times as people write them: a place in a video, a moment of the calendar."""

import math
import re
from datetime import date, datetime, time, timedelta
from typing import Final

_CLOCK: Final = re.compile(r"(?:(\d{1,3}):)?(\d{1,4}):(\d{1,2}(?:\.\d{1,6})?)")
_LONGEST: Final = 1_000_000.0  # seconds; no video is longer
_LATEST: Final = 253_402_300_799.0  # the end of the year 9999, in seconds since 1970


class MomentError(ValueError):
    """It is no time; the text says what is right, without its subject."""


def place_in_video(value: object) -> float:
    """Seconds from the beginning, from 25.5, "25.5", "0:25.5" or "1:02:03". Raises MomentError."""
    seconds: float | None = None
    if isinstance(value, time) and value.tzinfo is None:
        seconds = value.hour * 3600 + value.minute * 60 + value.second + value.microsecond / 1e6
    elif isinstance(value, int | float) and not isinstance(value, bool):
        seconds = _finite(value)
    elif isinstance(value, str):
        seconds = _clock(value.strip())
    if seconds is None or not 0 <= seconds <= _LONGEST:
        raise MomentError('write seconds, or "m:ss" or "h:mm:ss", such as 25.5 or "0:25.5"')
    return seconds


def _clock(text: str) -> float | None:
    if re.fullmatch(r"\d{1,7}(?:\.\d{1,6})?", text):
        return float(text)
    match = _CLOCK.fullmatch(text)
    if match is None or float(match[3]) >= 60 or (match[1] and int(match[2]) >= 60):
        return None
    return int(match[1] or 0) * 3600 + int(match[2]) * 60 + float(match[3])


def moment(value: object, came: datetime) -> float:
    """Seconds since 1970, from a date and time, a date, a time of the day (the next one after `came`, a local time
    without its zone), the same as ISO text, or a number of seconds since 1970. Raises MomentError."""
    try:
        seconds = _moment(value, came)
    except (OverflowError, OSError, ValueError):
        seconds = None
    if seconds is None or not 0 <= seconds <= _LATEST:
        raise MomentError('write a date and time, or a time of the day, such as "22:00" or 2026-12-24T22:00:00')
    return seconds


def _moment(value: object, came: datetime) -> float | None:
    if isinstance(value, str):
        text = value.strip()
        return _moment(time.fromisoformat(text) if "-" not in text[:8] else datetime.fromisoformat(text), came)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _finite(value)
    if isinstance(value, datetime):
        return value.timestamp()  # one without its zone is local
    if isinstance(value, date):
        return datetime.combine(value, time()).timestamp()
    if isinstance(value, time):
        return _next(value, came)
    return None


def _next(value: time, came: datetime) -> float:
    """The next time that a clock shows this."""
    if value.tzinfo is not None:
        came = came.astimezone(value.tzinfo)
    today = datetime.combine(came.date(), value)
    return (today if today > came else today + timedelta(days=1)).timestamp()


def _finite(value: float) -> float | None:
    try:
        number = float(value)
    except OverflowError:  # an integer of hundreds of digits
        return None
    return number if math.isfinite(number) else None


def shown(seconds: float) -> str:
    """A place in a video for people: 0:25.5, 1:02:03."""
    minutes, rest = divmod(round(seconds, 3), 60)
    hours, minutes = divmod(int(minutes), 60)
    clock = f"{rest:06.3f}".rstrip("0").rstrip(".")
    return f"{hours}:{minutes:02}:{clock}" if hours else f"{minutes}:{clock}"
