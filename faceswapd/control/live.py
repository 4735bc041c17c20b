"""What the ledger does not know: how things go right now, and the orders that no row carries."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from faceswapd.core.gate import Gate, Reading
from faceswapd.core.intake import Parts, Rules
from faceswapd.ledger.connection import Ledger


@dataclass(frozen=True, slots=True)
class InboxLive:
    """One inbox."""

    name: str
    path: str
    preset: str
    priority: int
    problem: str | None
    watching: str
    arriving: Mapping[str, str]  # by path, with what it waits for
    skipped: Mapping[str, str]  # by path, with the reason
    bundles: frozenset[Parts]


@dataclass(frozen=True, slots=True)
class CourseLive:
    """One running execution."""

    job: int
    progress: float  # 0 to 1
    phase: str
    elapsed: float  # seconds


@dataclass(frozen=True, slots=True)
class Live:
    """Everything at one moment."""

    gate: Gate
    reading: Reading | None
    inboxes: tuple[InboxLive, ...]
    rules: Rules
    courses: tuple[CourseLive, ...]
    draining: bool
    engine: str
    engine_why: str
    slots: int
    started_at: float
    folder: str
    outbox: str


@dataclass(frozen=True, slots=True)
class Orders:
    """What a client may ask of the running daemon. Each returns at once."""

    stop: Callable[[], str]  # drains, or insists; says which
    look: Callable[[], None]  # list the inboxes now
    note_of: Callable[[str], str | None]  # why a file has no job of its own


@dataclass(frozen=True, slots=True)
class House:
    """What handlers work with."""

    ledger: Ledger
    live: Callable[[], Live]
    orders: Orders
