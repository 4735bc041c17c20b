"""What the ledger hands out: frozen values that know no database."""

import json
import os
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from faceswapd.core.job import TRANSITIONS, Event, Parked, State
from faceswapd.core.target import Facts, Kind
from faceswapd.core.wish import NOTHING, Pass, Trim, Wish

JOB_COLUMNS: Final = """jobs.id, jobs.state, jobs.kind, jobs.inbox, jobs.target, jobs.relative, jobs.face, jobs.bundle,
    jobs.preset, jobs.priority, jobs.afterwards, jobs.rule, jobs.content, jobs.size, jobs.width, jobs.height,
    jobs.frames, jobs.duration, jobs.rotation, jobs.audio, jobs.parked, jobs.category, jobs.reason, jobs.output,
    jobs.options, jobs.wish, jobs.created_at, jobs.started_at, jobs.finished_at, jobs.cancel_requested_at"""
SEGMENT_COLUMNS: Final = """segments.id AS segment, segments.attempt, segments.interruptions, segments.not_before,
    segments.progress, segments.phase, segments.rung"""


Row = sqlite3.Row | Mapping[str, Any]
Options = tuple[tuple[str, str], ...]  # names and values, as an engine's command line says them


class JobRecord(NamedTuple):
    """A job with its one segment, as the ledger has it. A named tuple is made in a quarter of a data class's time, and
    lists have many."""

    id: int
    state: State
    kind: Kind
    inbox: str
    target: str  # file names that are not UTF-8 keep their bytes as lone surrogates
    relative: str
    face: str | None
    bundle: str | None
    preset: str
    priority: int
    afterwards: str
    rule: str | None
    facts: Facts | None  # None while it could not be read
    parked: Parked | None
    category: str | None
    reason: str | None
    output: str | None
    options: Options  # laid over the preset's
    wish: Wish  # trim, output, passes and not_before; the rest of it stands in the fields above
    created_at: float
    started_at: float | None
    finished_at: float | None
    cancel_requested_at: float | None
    segment: int
    attempt: int
    interruptions: int
    not_before: float | None
    progress: float
    phase: str | None
    rung: int  # of the resource ladder

    @classmethod
    def of(cls, row: Row) -> "JobRecord":
        """A record out of a row with JOB_COLUMNS and SEGMENT_COLUMNS."""
        if isinstance(row, sqlite3.Row):  # which looks for each name from its first column on
            row = dict(zip(row.keys(), row, strict=True))
        return cls(
            id=row["id"],
            state=State(row["state"]),
            kind=Kind(row["kind"]),
            inbox=row["inbox"],
            target=os.fsdecode(row["target"]),
            relative=os.fsdecode(row["relative"]),
            face=row["face"],
            bundle=None if row["bundle"] is None else os.fsdecode(row["bundle"]),
            preset=row["preset"],
            priority=row["priority"],
            afterwards=row["afterwards"],
            rule=row["rule"],
            facts=facts_of(row),
            parked=None if row["parked"] is None else Parked(row["parked"]),
            category=row["category"],
            reason=row["reason"],
            output=None if row["output"] is None else os.fsdecode(row["output"]),
            options=options_of(row["options"]),
            wish=wish_of(row["wish"]),
            created_at=row["created_at"],
            started_at=row["started_at"],
            finished_at=row["finished_at"],
            cancel_requested_at=row["cancel_requested_at"],
            segment=row["segment"],
            attempt=row["attempt"],
            interruptions=row["interruptions"],
            not_before=row["not_before"],
            progress=row["progress"],
            phase=row["phase"],
            rung=row["rung"],
        )


def records_of(rows: Iterable[Row]) -> list[JobRecord]:
    """A record out of each row."""
    return [JobRecord.of(row) for row in rows]


def options_text(options: Options) -> str:
    """Options as the ledger keeps them."""
    return json.dumps(options) if options else ""


def options_of(words: str) -> Options:
    """Options as `options_text` has written them."""
    return tuple((name, value) for name, value in json.loads(words)) if words else ()


def wish_text(wish: Wish) -> str:
    """What the ledger keeps of a wish: all that has no column of its own."""
    said = {
        "trim": None if wish.trim is None else [wish.trim.start, wish.trim.end],
        "output": wish.output,
        "passes": [[one.face, one.position, one.frame] for one in wish.passes] or None,
        "not_before": wish.not_before,
    }
    kept = {key: value for key, value in said.items() if value is not None}
    return json.dumps(kept) if kept else ""


def wish_of(words: str) -> Wish:
    """A wish as `wish_text` has written it."""
    if not words:
        return NOTHING
    kept = json.loads(words)
    return Wish(
        trim=None if "trim" not in kept else Trim(*kept["trim"]),
        output=kept.get("output"),
        passes=tuple(Pass(*one) for one in kept.get("passes", ())),
        not_before=kept.get("not_before"),
    )


def facts_of(row: Row) -> Facts | None:
    """What a row of a job tells of its target; None where that could not be read."""
    if row["content"] is None:
        return None
    return Facts(
        kind=Kind(row["kind"]),
        content=row["content"],
        size=row["size"],
        width=row["width"],
        height=row["height"],
        frames=row["frames"],
        duration=row["duration"],
        rotation=row["rotation"],
        audio=row["audio"],
    )


@dataclass(frozen=True, slots=True)
class ExecutionRecord:
    """One run of a segment."""

    id: int
    attempt: int
    engine: str
    started_at: float
    finished_at: float | None
    outcome: str | None
    sentence: str | None
    frames: int | None
    seconds: float | None
    log: str | None


@dataclass(frozen=True, slots=True)
class EventRecord:
    """One line of the history."""

    id: int
    at: float
    job: int | None
    kind: str
    text: str


def sources(event: Event) -> str:
    """The states from which an event may come, as SQL: `state IN ('queued')`."""
    states = ", ".join(f"'{state}'" for state in sorted(TRANSITIONS[event].sources))
    return f"state IN ({states})"


def destination(event: Event) -> str:
    """The state that an event leads to."""
    return TRANSITIONS[event].destination.value


def text(words: str) -> str:
    """Words as SQLite takes them: bytes of a file name that are not UTF-8 are spelled out."""
    return words.encode(errors="backslashreplace").decode()


def marks(values: Iterable[object] | Mapping[str, object]) -> str:
    """As many question marks as values, for an IN or a VALUES."""
    return ", ".join("?" for _ in values)
