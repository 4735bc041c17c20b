"""What is asked of one job beyond its file's place: by a sidecar, by a folder's defaults, by a submission.

Plain values. Who reads a sidecar checks it; here is only what it can say, and how one word lies over another.
"""

import math
from dataclasses import dataclass, fields, replace
from typing import Final

from faceswapd.core.moments import shown
from faceswapd.core.target import Facts


@dataclass(frozen=True, slots=True)
class Trim:
    """The part of a video that is wanted, in seconds from its beginning."""

    start: float = 0.0
    end: float | None = None  # None: to the video's end


@dataclass(frozen=True, slots=True)
class Pass:
    """One person of several in a target: who is meant, and whose face that person gets.

    The person is found in one frame of the target: the `position`-th face from the left, from 0.
    """

    face: str
    position: int = 0
    frame: int = 0


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked. None and () say nothing."""

    face: str | None = None
    preset: str | None = None
    priority: int | None = None  # from -100 to 100
    not_before: float | None = None  # seconds since 1970
    trim: Trim | None = None
    output: str | None = None  # the output's name below the outbox, as a template like the setting `output`
    options: tuple[tuple[str, str], ...] = ()  # single options of the engine, by name
    passes: tuple[Pass, ...] = ()  # several persons, one after the other

    def over(self, other: "Wish") -> "Wish":
        """One wish: this one where it says something, else the other one. Options are joined one by one."""
        said = {field.name: value for field in fields(self) if (value := getattr(self, field.name)) not in (None, ())}
        said["options"] = tuple({**dict(other.options), **dict(self.options)}.items())
        if self.face is not None and not self.passes:
            said["passes"] = ()  # a nearer word names one person
        return replace(other, **said)

    @property
    def persons(self) -> str | None:
        """Whose faces, for people and for the ledger's face: several joined by a plus."""
        return " + ".join(one.face for one in self.passes) or self.face


NOTHING: Final = Wish()
PRIORITIES: Final = range(-100, 101)


def wanted(facts: Facts, wish: Wish) -> Facts:
    """What the part of a target that is wanted will be like, as far as it can be told before it is cut out: its length,
    and as many of the frames and bytes as fall on it."""
    if wish.trim is None or not facts.duration:
        return facts
    end = facts.duration if wish.trim.end is None else min(wish.trim.end, facts.duration)
    length = max(0.0, end - wish.trim.start)
    share = length / facts.duration
    frames = min(facts.frames, max(1, math.ceil(facts.frames * share)))
    return replace(facts, duration=length, frames=frames, size=math.ceil(facts.size * share))


def frames_of(facts: Facts | None, wish: Wish) -> int:
    """How many frames are swapped, each as often as there are persons; 0 where nothing is known."""
    return 0 if facts is None else wanted(facts, wish).frames * max(1, len(wish.passes))


def told(wish: Wish) -> tuple[str, ...]:
    """What is asked, for people, one thing a line; the moment not before which it is to start is left out, since its
    day is the reader's."""
    lines = [f"person {one.position + 1} from the left in frame {one.frame}: {one.face}" for one in wish.passes]
    if wish.face is not None and not wish.passes:
        lines.append(f"face {wish.face}")
    if wish.preset is not None:
        lines.append(f"preset {wish.preset}")
    if wish.priority is not None:
        lines.append(f"priority {wish.priority}")
    if wish.trim is not None:
        lines.append(f"from {shown(wish.trim.start)} to {'the end' if wish.trim.end is None else shown(wish.trim.end)}")
    if wish.output is not None:
        lines.append(f"output {wish.output}")
    return (*lines, *(f"{name} = {value}" for name, value in wish.options))
