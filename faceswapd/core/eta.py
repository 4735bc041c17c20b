"""How long something still takes, from its own progress and from past executions."""

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median

TRUST = 0.15  # from this progress on, a job's own speed is all that counts


@dataclass(frozen=True, slots=True)
class Speed:
    """What past executions took: a fixed part, and a part for each frame, in seconds."""

    overhead: float
    per_frame: float


@dataclass(frozen=True, slots=True)
class Past:
    """One past execution that succeeded."""

    frames: int
    engine_seconds: float  # spent on the frames
    seconds: float  # from its start to its end


def learn(past: Iterable[Past]) -> Speed | None:
    """The speed out of the last executions of one engine, preset and kind; None without any."""
    known = [one for one in past if one.frames > 0]
    if not known:
        return None
    return Speed(
        overhead=median(max(0.0, one.seconds - one.engine_seconds) for one in known),
        per_frame=median(one.engine_seconds / one.frames for one in known),
    )


def whole(frames: int, speed: Speed | None) -> float | None:
    """Seconds for a job that has not started; None when nothing is known yet."""
    return None if speed is None else speed.overhead + frames * speed.per_frame


def left(progress: float, elapsed: float, frames: int, speed: Speed | None) -> float | None:
    """Seconds left of a running job: its own speed, and before that is known, the past's."""
    own = elapsed * (1 - progress) / progress if progress > 0 else None
    guess = whole(frames, speed)
    past = None if guess is None else max(0.0, guess - elapsed)
    if own is None or past is None:
        return own if past is None else past
    trust = min(1.0, progress / TRUST)
    return trust * own + (1 - trust) * past
