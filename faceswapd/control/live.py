"""What the ledger does not know: how things go right now, and the orders that no row carries."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from faceswapd.control.doors.keys import Keys
from faceswapd.control.doors.wrong_keys import WrongKeys
from faceswapd.control.files.storage import Storage
from faceswapd.core.asking import NOTHING_TOLD, Told
from faceswapd.core.breaker import CLOSED, Breaker
from faceswapd.core.gate import NO_LIMITS, Gate, Limits, Reading
from faceswapd.core.intake import Parts, Rules
from faceswapd.core.mounts import Way
from faceswapd.core.presets import PresetSpec
from faceswapd.core.reading_history import ReadingHistory
from faceswapd.core.running_log import RunningLog
from faceswapd.core.submitting import Looked
from faceswapd.core.webhook import Sent, WebhookState
from faceswapd.engines.facefusion.model_store import Inventory, Pruned
from faceswapd.ledger.connection import Ledger
from faceswapd.ledger.outcomes import Again
from faceswapd.ledger.tallies import Tallies


@dataclass(frozen=True, slots=True)
class InboxLive:
    """One inbox."""

    name: str
    path: str
    preset: str
    priority: int
    problem: str | None
    watching: Way
    arriving: Mapping[str, str]  # by path, with what it waits for
    skipped: Mapping[str, str]  # by path, with the reason
    bundles: frozenset[Parts]
    options: tuple[tuple[str, str], ...] = ()  # laid over the preset's
    remarks: tuple[str, ...] = ()  # what a user should know of it, in sentences


@dataclass(frozen=True, slots=True)
class CourseLive:
    """One running execution."""

    job: int
    progress: float  # 0 to 1
    phase: str
    elapsed: float  # seconds


@dataclass(frozen=True, slots=True)
class SlotLive:
    """One slot."""

    number: int
    engine: str
    device: str
    jobs: tuple[int, ...] = ()  # that are under way there
    level: str | None = None  # how FaceFusion is driven
    child: int | None = None  # pid of the engine's child


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
    breaker: Breaker = CLOSED
    silent: tuple[str, ...] = ()  # the loops that do not answer
    short: Mapping[int, str] = field(default_factory=dict)  # by job, why one waits for space on a disk
    faces_problem: str | None = None  # why nobody knows now which faces there are, without subject and full stop
    remarks: tuple[str, ...] = ()  # what a user should know of the engine and its devices, in sentences
    beats: Mapping[str, float] = field(default_factory=dict)  # seconds since each loop showed that it lives
    limits: Limits = NO_LIMITS
    places: tuple[SlotLive, ...] = ()  # the slots, each by itself
    gate_since: float = 0.0  # seconds since 1970
    engine_version: str | None = None  # in its own words; None: it is built in
    presets: tuple[PresetSpec, ...] = ()
    faces: str = ""  # the faces folder
    webhook_backlog: int = 0  # notices that no webhook has taken yet


@dataclass(frozen=True, slots=True)
class LogLive:
    """What an execution says, as it is at the moment of looking."""

    execution: int
    attempt: int
    running: bool
    log: RunningLog  # it grows


@dataclass(frozen=True, slots=True)
class Orders:
    """What a client may ask of the running daemon. Each returns at once."""

    stop: Callable[[], str]  # drains, or insists; says which
    look: Callable[[], None]  # list the inboxes now
    note_of: Callable[[str], str | None]  # why a file has no job of its own
    asked_again: Callable[[Sequence[Again]], None] = lambda _: None  # failed jobs wait again
    told_of: Callable[[str], Told] = lambda _: NOTHING_TOLD  # what its sidecar and its folders say of a file
    give_up: Callable[[str], None] = lambda _: None  # wait no more for the files that an inbox lacks
    photos_of: Callable[[str], tuple[str, ...]] = lambda _: ()  # the names of the files at a face's place
    log_of: Callable[[int], LogLive | None] = lambda _: None  # of a job's last execution, while it is known


class ModelsDoor(Protocol):
    """FaceFusion's models. Each raises StoreRefused."""

    async def list(self) -> Inventory:
        """All models that the presets need, as they are now."""

    async def pull(self) -> str:
        """Have what lacks fetched meanwhile; says in one sentence what happens."""

    async def verify(self) -> Inventory:
        """The same as `list`, with each model read anew."""

    async def prune(self, *, remove: bool) -> Pruned:
        """What no preset needs; with `remove` it is removed."""


class DeskDoor(Protocol):
    """Where files are handed over."""

    async def look(self, target: str) -> Looked | str:
        """What a file is, or in one sentence why it cannot be taken. May take minutes, and may be given up."""


class WebhooksDoor(Protocol):
    """The programs that are told what happens."""

    def states(self) -> tuple[WebhookState, ...]:
        """How each gets on."""

    async def test(self, name: str) -> Sent | None:
        """Send something right now. None: there is no such webhook."""


@dataclass(frozen=True, slots=True)
class Network:
    """The TCP port."""

    url: str  # of the port, without a path
    keys: Keys
    hosts: frozenset[str] = frozenset()  # names by which it is reached, in small letters
    tls: bool = False  # whether whoever asks does so by https
    behind_proxy: bool = False  # whether whoever connects is a proxy, which tells who asks
    failures: WrongKeys = field(default_factory=WrongKeys)


@dataclass(frozen=True, slots=True)
class House:
    """What handlers work with."""

    ledger: Ledger
    live: Callable[[], Live]
    orders: Orders
    desk: DeskDoor
    models: ModelsDoor | None = None  # None: this daemon works without FaceFusion
    network: Network | None = None  # None: the daemon is asked on its socket alone
    history: ReadingHistory = field(default_factory=ReadingHistory)
    tallies: Tallies | None = None  # None: nobody counts
    storage: Storage | None = None  # None: no files are handed over
    webhooks: WebhooksDoor | None = None  # None: as one without any
    keys_held: set[str] = field(default_factory=set)  # of the requests with an Idempotency-Key that are being answered
