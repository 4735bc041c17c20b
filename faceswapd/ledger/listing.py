"""The list of jobs, newest first, in pieces: those in some states, or with something in common.

A state steps through its index. Whatever else is asked for is looked for among a bounded number of ids at a time, so
that nobody else's question waits for the end of a million jobs.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from faceswapd.core.job import State
from faceswapd.ledger.connection import Reads
from faceswapd.ledger.records import JOB_COLUMNS, SEGMENT_COLUMNS, JobRecord, marks, records_of, text

STEP: Final = 20_000  # ids that are looked at in one go
_FROM: Final = "FROM jobs JOIN segments ON segments.job = jobs.id"
_TAIL: Final = "jobs.id < ? AND jobs.id >= ? ORDER BY jobs.id DESC LIMIT ?"
# Those that have a category: of one that was cancelled none is shown, and one that succeeded has none any more.
_WITH_CATEGORY: Final = (State.PARKED, State.QUEUED, State.RUNNING, State.FAILED)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which jobs are meant: those of which all of this is so."""

    states: Sequence[State] = ()  # none: all
    inbox: str | None = None
    face: str | None = None
    preset: str | None = None
    category: str | None = None  # of the failure, or why it is parked
    text: str | None = None  # stands somewhere in the target's relative name; small and capital letters are the same

    @property
    def by_state_alone(self) -> bool:
        """Whether its index finds them, and no job is looked at that is not one of them."""
        return (self.inbox, self.face, self.preset, self.category, self.text) == (None,) * 5


@dataclass(frozen=True, slots=True)
class Page:
    """A piece of the list."""

    jobs: tuple[JobRecord, ...]
    next: int | None  # `before` of the piece that follows; None: this was the last one


async def page(ledger: Reads, wanted: Wanted, limit: int, before: int | None = None) -> Page:
    """The first `limit` jobs, newest first, of those whose id is below `before`."""
    wanted, (top, bottom) = _sharpened(wanted), await _ends(ledger)
    top = top if before is None else min(top, before - 1)
    found: list[JobRecord] = []
    while top >= bottom and len(found) <= limit:
        low = bottom if wanted.by_state_alone else max(bottom, top - STEP + 1)
        found += await _among(ledger, wanted, (low, top), limit + 1 - len(found))
        top = low - 1
    return Page(tuple(found[:limit]), found[limit - 1].id if len(found) > limit else None)


async def total(ledger: Reads, wanted: Wanted) -> int:
    """How many there are. States and presets are counted already; for the rest each job is looked at."""
    wanted = _sharpened(wanted)
    if replace(wanted, preset=None).by_state_alone:
        return await _counted(ledger, wanted)
    top, bottom = await _ends(ledger)
    condition, values = _condition(wanted)
    number = 0
    while top >= bottom:
        low = max(bottom, top - STEP + 1)
        for state in wanted.states or (None,):
            sql = count_statement(condition, by_state=state is not None)
            row = await ledger.row(sql, (*(() if state is None else (state,)), *values, top, low))
            number += 0 if row is None else row["jobs"]
        top = low - 1
    return number


async def _counted(ledger: Reads, wanted: Wanted) -> int:
    conditions, values = ["true"], list[str]()
    if wanted.states:
        conditions.append(f"state IN ({marks(wanted.states)})")
        values += wanted.states
    if wanted.preset is not None:
        conditions.append("preset = ?")
        values.append(text(wanted.preset))
    sql = f"SELECT coalesce(sum(jobs), 0) AS jobs FROM job_counts WHERE {' AND '.join(conditions)}"
    row = await ledger.row(sql, values)
    return 0 if row is None else int(row["jobs"])


def _sharpened(wanted: Wanted) -> Wanted:
    """The same; each state once, and where a category is asked for without a state, those that have one."""
    all_of_them = () if wanted.category is None else _WITH_CATEGORY
    return replace(wanted, states=tuple(dict.fromkeys(wanted.states or all_of_them)))


async def _among(ledger: Reads, wanted: Wanted, ids: tuple[int, int], limit: int) -> list[JobRecord]:
    """Those with an id from the first to the second."""
    low, top = ids
    condition, values = _condition(wanted)
    rows = [
        row
        for state in wanted.states or (None,)  # all of them in one query would be sorted as a whole
        for row in await ledger.rows(
            statement(condition, by_state=state is not None),
            (*(() if state is None else (state,)), *values, top + 1, low, limit),
        )
    ]
    return sorted(records_of(rows), key=lambda one: -one.id)[:limit]


def statement(condition: str, *, by_state: bool) -> str:
    """The query for a piece of the list; its values: the state, those of the condition, two ids and the limit."""
    state = "jobs.state = ? AND " if by_state else ""
    return f"SELECT {JOB_COLUMNS}, {SEGMENT_COLUMNS} {_FROM} WHERE {state}{condition}{_TAIL}"


def count_statement(condition: str, *, by_state: bool) -> str:
    """The query for their number; its values: the state, those of the condition, and two ids."""
    state = "jobs.state = ? AND " if by_state else ""
    return f"SELECT count(*) AS jobs FROM jobs WHERE {state}{condition}jobs.id <= ? AND jobs.id >= ?"


def _condition(wanted: Wanted) -> tuple[str, list[str | bytes]]:
    """What is asked for beside the state, as SQL that ends with an AND, and its values."""
    parts: list[str] = []
    values: list[str | bytes] = []
    for column, value in (("inbox", wanted.inbox), ("face", wanted.face), ("preset", wanted.preset)):
        if value is not None:
            parts.append(f"+jobs.{column} = ? AND ")  # +: an index of theirs would have all of them sorted
            values.append(text(value))
    if wanted.category is not None:
        parts.append("jobs.state <> 'cancelled' AND coalesce(jobs.category, jobs.parked) = ? AND ")
        values.append(text(wanted.category))
    if wanted.text is not None:  # names are bytes; lower() knows the letters of ASCII, as bytes.lower() does
        parts.append("instr(CAST(lower(CAST(jobs.relative AS TEXT)) AS BLOB), ?) > 0 AND ")
        values.append(os.fsencode(wanted.text).lower())
    return "".join(parts), values


async def _ends(ledger: Reads) -> tuple[int, int]:
    """The highest and the lowest id; none lies between them where there are no jobs."""
    row = await ledger.row("SELECT (SELECT max(id) FROM jobs) AS high, (SELECT min(id) FROM jobs) AS low")
    return (0, 1) if row is None or row["high"] is None else (row["high"], row["low"])
