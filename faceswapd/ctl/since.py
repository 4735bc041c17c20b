"""When something began, as people say it."""

import re
import time
from datetime import date, datetime, timedelta
from datetime import time as clock
from typing import Final

UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
ADVICE: Final = "write 2h (or 30s, 5m, 3d, 1w), 22:00 or 2026-12-24T22:00:00"


def since(text: str, now: float | None = None) -> float:
    """Seconds since 1970 (UTC): so long ago, the last time that a clock here showed this, or a date and time. Raises
    ValueError, which says what is right."""
    now = time.time() if now is None else now
    ago = re.fullmatch(r"([0-9]{1,9})([smhdw])", text, re.ASCII)
    try:
        at = now - int(ago[1]) * UNITS[ago[2]] if ago else _of_the_calendar(text, now)
    except (ValueError, OverflowError, OSError):
        raise ValueError(f"{text!r} is no time: {ADVICE}") from None
    return max(at, 0.0)


def _of_the_calendar(text: str, now: float) -> float:
    if "-" in text[:8]:
        return datetime.fromisoformat(text).timestamp()  # one without its zone is local
    shown = clock.fromisoformat(text if ":" in text else "")
    came = datetime.fromtimestamp(now, shown.tzinfo)
    today = datetime.combine(date(came.year, came.month, came.day), shown)
    return (today if today <= came else today - timedelta(days=1)).timestamp()
