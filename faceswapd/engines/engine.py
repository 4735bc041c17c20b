"""The door to every engine: one verb.

`await engine.run(work, report)` returns an Output when the swap is done and raises EngineFailure when
it is not; cancelling the await is cancelling the swap, and when the await has ended, nothing of it runs
any more.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from faceswapd.children.child import ChildId
from faceswapd.core.failures import Failure
from faceswapd.core.ladder import RUNGS, Rung
from faceswapd.core.preflight import Weakness
from faceswapd.core.target import Facts


@dataclass(frozen=True, slots=True)
class Person:
    """One person of several in a target. Nobody else may be swapped."""

    frame: int  # in which the person is meant, from 0
    position: int  # among the faces of that frame from the left, from 0
    shown: Path  # the target before anybody in it was swapped: an engine may find its persons there


Say = Callable[[str], None]  # a line of what is said on the way


def unheard(_line: str) -> None:
    """Nobody listens."""


@dataclass(frozen=True, slots=True)
class Work:
    """One execution, as an engine sees it. All paths are absolute and lie in the execution's own scratch,
    so that names are harmless and no path is ever used twice for other content."""

    sources: tuple[Path, ...]  # the face's photos
    target: Path
    output: Path  # where the result goes; its suffix is the target's
    preset: str
    facts: Facts
    options: tuple[tuple[str, str], ...] = ()  # single options laid over the preset's, by name
    rung: Rung = RUNGS[0]  # how much smaller than usual it must be
    person: Person | None = None  # who is meant; None: whom the engine takes by itself
    say: Say = field(default=unheard, compare=False, repr=False)  # hears what the child says beside its answers


WAITING = "waiting"  # the phase of a run that has not begun: the engine has others before it

DOWNLOADING = "downloading"  # the phase in which it fetches what it needs


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an execution is."""

    phase: str
    done: int  # frames
    total: int  # frames
    life: int = 0  # grows with every sign of life that is no frame, such as a model that was loaded


@dataclass(frozen=True, slots=True)
class Output:
    """What an engine made."""

    frames: int
    faces: int | None  # faces swapped, summed over the frames; None: the engine does not tell
    seconds: float  # spent on the frames, the child's start left out
    parts: tuple[Path, ...] = ()  # a video that was made in parts, in their order; empty: it is Work.output
    warnings: tuple[str, ...] = field(default=())  # sentences for the user; the output is good all the same


Report = Callable[[Progress], None]


class EngineFailure(Exception):
    """The swap failed; `failure` says why."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.sentence)
        self.failure = failure


class Engine(Protocol):
    """What swaps, in one slot. It may keep a child warm between two runs."""

    @property
    def name(self) -> str:
        """The engine's name, as the ledger and `status` say it."""

    @property
    def weaknesses(self) -> frozenset[Weakness]:
        """What must be mended in a target before this engine gets it. Empty: it takes targets as they are."""

    @property
    def credit(self) -> str | None:
        """What the output's own words say did the swap; None where the engine writes them itself."""

    @property
    def room(self) -> int:
        """How many runs it takes at the same time."""

    @property
    def ahead(self) -> int:
        """How many further works may be made ready while it runs; it takes them one after the other. With 0 its slot
        is free again only when all is done with the work before."""

    @property
    def has_ladder(self) -> bool:
        """Whether it knows the rungs of the resource ladder."""

    @property
    def frames_on_disk(self) -> bool:
        """Whether the frames of every video lie on the disk meanwhile, whatever the rung."""

    @property
    def remarks(self) -> tuple[str, ...]:
        """What a user should know of it at the moment, in sentences; e.g. why it is driven the slower way."""

    @property
    def child(self) -> ChildId | None:
        """The child that runs now or waits warm; None where there is none."""

    @property
    def tail(self) -> tuple[str, ...]:
        """The last lines that the child said beside its answers, for the log of a failed execution."""

    @property
    def peak_memory(self) -> int | None:
        """Bytes that the child and all that it started held at most in the run that is going on or was the last;
        None where nothing is known."""

    async def run(self, work: Work, report: Report) -> Output:
        """Swap. Raises EngineFailure; cancelling stops everything that it started."""

    async def start(self) -> ChildId | None:
        """Make the child ready, so that its identity is known before the run. Raises EngineFailure."""

    async def close(self) -> None:
        """End the warm child. Harmless when there is none."""
