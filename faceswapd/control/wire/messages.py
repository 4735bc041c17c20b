"""The wire: what faceswapctl and every other client send and get, as JSON over HTTP.

Standard library only, since the client imports this and nothing else of the daemon. Times are seconds
since 1970 (UTC), durations are seconds, sizes bytes, progress 0.0 to 1.0. A file name that is not UTF-8
keeps its bytes as lone surrogates (`os.fsencode` gives them back).

Messages are named tuples: ten data classes take 25 ms to make, a quarter of what `faceswapctl status` has.
`routes/table.py` lists every request, and which message answers it. An error is answered with its HTTP status and an
Error.
"""

from collections.abc import Sequence
from types import NoneType, UnionType
from typing import Any, NamedTuple, TypeVar, Union, cast, get_args, get_origin

WIRE_VERSION = 1
WISHED = "It is not to start before"  # the first words of why a job waits for the time that was asked for
OWN_PHOTOS = "photos-"  # begins the name of a face that is the photos which came with one target
OWN_DIGITS = 9  # hexadecimal ones, which follow
OF_PHOTOS = ("no_source_face", "source_unreadable")  # failures whose cause is a photo of the face


def are_own_photos(face: str | None) -> bool:
    """Whether a face is nothing but the photos that were sent with a target."""
    if face is None or not face.startswith(OWN_PHOTOS):
        return False
    digits = face[len(OWN_PHOTOS) :]
    return len(digits) == OWN_DIGITS and all(digit in "0123456789abcdef" for digit in digits)


def must_be_sent_again(face: str | None, category: str | None) -> bool:
    """Whether no retry can help: the photos that came with the target are wrong, and nobody can change them."""
    return category in OF_PHOTOS and are_own_photos(face)


class Job(NamedTuple):
    """One line of the job list."""

    id: int
    state: str  # parked, queued, running, succeeded, failed, cancelled
    face: str | None
    target: str
    output: str | None
    preset: str
    priority: int
    attempt: int
    progress: float
    reason: str | None  # why it waits, is parked, failed or was cancelled
    inbox: str = ""  # empty: it was submitted, and belongs to none
    kind: str = ""  # image or video
    category: str | None = None  # of the failure; of a parked job: needs_face, unreadable or incomplete
    advice: str | None = None  # what to do
    phase: str | None = None  # of a running job
    seconds_left: float | None = None  # of a running job
    frames: int | None = None
    created_at: float = 0.0
    started_at: float | None = None
    finished_at: float | None = None
    not_before: float | None = None  # it does not start earlier: a retry, or as it is wished
    cancel_requested: bool = False


class Jobs(NamedTuple):
    """GET /api/jobs: newest first; `total` counts all that match, shown or not."""

    jobs: Sequence[Job]
    total: int
    next: int | None = None  # `before` of the piece that follows; None: nothing follows


class Held(NamedTuple):
    """One reason why the gate is closed."""

    reason: str  # one sentence
    reading: str
    limit: str


class Inbox(NamedTuple):
    """One inbox, as status shows it."""

    name: str
    path: str
    preset: str
    priority: int
    paused: bool
    problem: str | None  # one sentence; None when all is well
    arriving: int  # files that are not complete yet
    watching: str  # events or polling
    watching_why: str = ""  # one sentence
    file_system: str | None = None  # its kind, where that is known
    remarks: Sequence[str] = ()  # what a user should know of it, in sentences


class Face(NamedTuple):
    """One face."""

    name: str
    photos: int
    problem: str | None


class Skipped(NamedTuple):
    """A file in an inbox that is not taken, and why."""

    path: str
    reason: str


class Status(NamedTuple):
    """GET /api/status."""

    version: str
    wire: int
    pid: int
    started_at: float
    now: float
    state: str  # running, paused, held, draining
    why: str | None  # why nothing new starts, one sentence
    engine: str
    engine_why: str  # why this engine
    slots: int
    counts: dict[str, int]  # jobs by state
    held: Sequence[Held]
    running: Sequence[Job]
    waiting: Sequence[Job]  # the next few, each with its reason
    failed: Sequence[Job]  # the last few
    parked: Sequence[Job]  # the last few
    arriving: Sequence[Skipped]  # files that settle or are incomplete, the first few
    skipped: Sequence[Skipped]  # files that are not taken, the first few
    inboxes: Sequence[Inbox]
    faces: Sequence[Face]
    queue_seconds_left: float | None  # until all that waits and runs is done, if nothing holds it; None: not known
    folder: str  # where faces/, inbox/ and outbox/ lie, for what status advises
    outbox: str
    readings: dict[str, float]  # cpu_percent_of_others, load_per_core, memory_free, disk_free (bytes), as last read
    remarks: Sequence[str] = ()  # what a user should know of the engine, in sentences


class Ready(NamedTuple):
    """GET /readyz: whether every loop lives, the ledger answers and the daemon is not stopping."""

    ready: bool
    reasons: Sequence[str]  # why it is not, in sentences


class Done(NamedTuple):
    """An order was carried out; `text` says what happened."""

    text: str


class Error(NamedTuple):
    """An order was refused; `error` says why in one sentence, `advice` what to do."""

    error: str
    advice: str | None = None


T = TypeVar("T")
_PLAIN = frozenset({str, int, float, bool, NoneType})


class NotAsWrittenError(ValueError):
    """A value is not what a message wants: where, and what is wanted; None: it lacks."""

    def __init__(self, where: str, wanted: str | None) -> None:
        super().__init__(f"{where} is missing" if wanted is None else f"{where} is no {wanted}")
        self.where = where
        self.wanted = wanted


def to_wire(message: Any) -> Any:
    """A message as plain values for json.dumps, which would make a list of a named tuple."""
    kind: Any = type(message)
    if kind in _PLAIN:
        return message
    if is_message(kind):
        return {  # most are plain, and to ask that here takes a third of the time
            name: value if type(value) in _PLAIN else to_wire(value)
            for name, value in zip(kind._fields, message, strict=True)
        }
    if isinstance(message, list | tuple):
        return [to_wire(item) for item in message]
    if isinstance(message, dict):
        return {key: to_wire(item) for key, item in message.items()}
    return message


def is_message(kind: Any) -> bool:
    """Whether a type is one of a message."""
    return isinstance(kind, type) and issubclass(kind, tuple) and hasattr(kind, "_fields")


def from_wire(kind: type[T], value: Any) -> T:
    """A message out of plain values. Unknown keys are left out, so that an older client understands a newer daemon; a
    missing key without a default, or a value of another type, raises NotAsWrittenError."""
    return cast("T", _message(kind, value, kind.__name__))


def _message(kind: Any, value: Any, where: str) -> Any:
    if not isinstance(value, dict):
        raise NotAsWrittenError(where, "object")
    given: dict[str, Any] = {}
    for name, hint in kind.__annotations__.items():
        if name in value:
            given[name] = _convert(hint, value[name], f"{where}.{name}")
        elif name not in kind._field_defaults:
            raise NotAsWrittenError(f"{where}.{name}", None)
    return kind(**given)


def _convert(hint: Any, value: Any, where: str) -> Any:
    hint = _arm(hint, value)
    if hint is NoneType:
        return None
    origin = get_origin(hint)
    if origin is Sequence and isinstance(value, list):
        return [_convert(get_args(hint)[0], item, where) for item in value]
    if origin is dict and isinstance(value, dict):
        return {str(key): _convert(get_args(hint)[1], item, where) for key, item in value.items()}
    if is_message(hint):
        return _message(hint, value, where)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(hint, type) and isinstance(value, hint) and not (hint is int and isinstance(value, bool)):
        return value
    raise NotAsWrittenError(where, _WANTED.get(origin or hint, "object"))


def _arm(hint: Any, value: Any) -> Any:
    """Which of the types that a field may have is meant."""
    if get_origin(hint) not in (Union, UnionType):
        return hint
    if value is None:
        return NoneType if NoneType in get_args(hint) else hint
    arms = [arm for arm in get_args(hint) if arm is not NoneType]
    return str if str in arms and isinstance(value, str) else arms[0]


_WANTED = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "truth value",
    Sequence: "list",
    dict: "object",
}
