"""How long something still takes, from its own progress and from past executions."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from statistics import median

from faceswapd.core.target import Kind

TRUST = 0.15  # from this progress on, a job's own speed is all that counts


@dataclass(frozen=True, slots=True)
class Sort:
    """Work of one sort takes about as long for each frame. An image's one frame takes longer than a video's."""

    kind: Kind
    preset: str


@dataclass(frozen=True, slots=True)
class Speed:
    """What past executions took: a fixed part, and a part for each frame, in seconds."""

    overhead: float
    per_frame: float


@dataclass(frozen=True, slots=True)
class Past:
    """One past execution that succeeded."""

    sort: Sort
    frames: int
    engine_seconds: float  # spent on the frames
    seconds: float  # from its start to its end


@dataclass(frozen=True, slots=True)
class Pile:
    """Jobs of one sort that wait."""

    sort: Sort
    jobs: int
    frames: int  # of all of them


def learn(past: Iterable[Past]) -> dict[Sort, Speed]:
    """The speed of each sort of work, out of the last executions of one engine."""
    known: dict[Sort, list[Past]] = {}
    for one in past:
        if one.frames > 0:
            known.setdefault(one.sort, []).append(one)
    return {
        sort: Speed(
            overhead=median(max(0.0, one.seconds - one.engine_seconds) for one in group),
            per_frame=median(one.engine_seconds / one.frames for one in group),
        )
        for sort, group in known.items()
    }


def is_slow(frames: int, seconds: float, speed: Speed | None) -> bool:
    """Whether an execution made less than a quarter of the frames per second that are known of its sort. A few frames
    tell nothing."""
    if speed is None or frames < _TELLING or seconds < _TELLING_SECONDS:
        return False
    return seconds > _MUCH_SLOWER * frames * speed.per_frame


_TELLING = 10  # frames
_TELLING_SECONDS = 10.0  # a model may be loaded among the first frames
_MUCH_SLOWER = 4.0


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


def queue(
    piles: Iterable[Pile], running: Collection[float | None], speeds: Mapping[Sort, Speed], slots: int
) -> float | None:
    """Seconds until all that waits and all that runs (seconds left of each) is done, if nothing holds it.

    None when there is nothing to do, or when part of it was never done before: half an answer is no answer.
    """
    total, longest = 0.0, 0.0
    for seconds in running:
        if seconds is None:
            return None
        total, longest = total + seconds, max(longest, seconds)
    for pile in piles:
        speed = speeds.get(pile.sort)
        if speed is None:
            return None
        total += pile.jobs * speed.overhead + pile.frames * speed.per_frame
    return max(longest, total / slots) or None
