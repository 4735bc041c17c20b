"""Whether the ledger is whole, and its books balance: each rule is one question, and what breaks it one sentence."""

import asyncio
import contextlib
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from faceswapd.ledger.connection import Ledger

SHOWN: Final = 5  # jobs that one sentence names
LARGEST_REPORT: Final = 20  # sentences of SQLite's own

# Each finds the jobs that break a rule. {jobs} stands for them in the sentence.
RULES: Final = (
    (
        "SELECT id FROM jobs WHERE state = 'succeeded' AND (output IS NULL OR output_content IS NULL)",
        "Succeeded without an output or its hash: {jobs}.",
    ),
    (
        "SELECT id FROM jobs WHERE NOT EXISTS (SELECT 1 FROM segments WHERE segments.job = jobs.id)",
        "Without any segment: {jobs}.",
    ),
    (
        """SELECT DISTINCT jobs.id FROM jobs JOIN segments ON segments.job = jobs.id WHERE segments.state <> jobs.state
           AND NOT (jobs.state = 'running' AND segments.state IN ('queued', 'succeeded'))""",
        "In another state than their segments: {jobs}.",
    ),
    (
        """SELECT id FROM jobs WHERE state = 'running'
           AND NOT EXISTS (SELECT 1 FROM segments WHERE segments.job = jobs.id AND segments.state = 'running')""",
        "Running without a running segment: {jobs}.",
    ),
    (
        """SELECT segments.job FROM executions JOIN segments ON segments.id = executions.segment
           WHERE executions.finished_at IS NULL AND segments.state <> 'running'""",
        "With an execution that is open although nothing runs: {jobs}.",
    ),
    (
        """SELECT job FROM segments WHERE state = 'running' AND NOT EXISTS (
               SELECT 1 FROM executions WHERE executions.segment = segments.id AND executions.finished_at IS NULL
           )""",
        "Running without an execution: {jobs}.",
    ),
    (
        """SELECT segments.job FROM executions JOIN segments ON segments.id = executions.segment, daemon
           WHERE executions.finished_at IS NULL AND executions.boot <> daemon.boot""",
        "With an execution that an earlier life of the daemon left open: {jobs}.",
    ),
)

_COUNTED = """
SELECT state, kind, preset, sum(jobs) AS jobs, sum(frames) AS frames FROM (
    SELECT state, kind, preset, jobs, frames FROM job_counts
    UNION ALL
    SELECT state, kind, preset, -count(*), -sum(frames) FROM jobs GROUP BY state, kind, preset
) GROUP BY state, kind, preset HAVING sum(jobs) <> 0 OR sum(frames) <> 0
"""


@dataclass(frozen=True, slots=True)
class Report:
    """What a check found. Without problems all is well."""

    problems: tuple[str, ...]
    jobs: int
    size: int  # bytes of the file


async def check(ledger: Ledger) -> Report:
    """Read the whole file and balance the books, as of one moment and beside the writer."""
    return await asyncio.to_thread(check_file, ledger.path)


def check_file(path: Path) -> Report:
    """The same for a file, which is only read."""
    with contextlib.closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, isolation_level=None)) as ledger:
        try:
            ledger.execute("BEGIN")
            problems = _damage(ledger)
            if not problems:  # of a file that is damaged, nothing else can be believed
                problems = _strays(ledger) + _books(ledger)
            jobs = ledger.execute("SELECT count(*) FROM jobs").fetchone()[0]
        except sqlite3.DatabaseError as error:
            return Report((f"The file cannot be read: {error}.",), 0, path.stat().st_size)
    return Report(tuple(problems), jobs, path.stat().st_size)


def _damage(ledger: sqlite3.Connection) -> list[str]:
    said = [row[0] for row in ledger.execute(f"PRAGMA integrity_check({LARGEST_REPORT})")]
    return [] if said == ["ok"] else [f"The file is damaged: {line}." for line in said]


def _strays(ledger: sqlite3.Connection) -> list[str]:
    strays = ledger.execute("PRAGMA foreign_key_check").fetchmany(LARGEST_REPORT)
    return [f"A row of {table} points to a row of {other} that is not there." for table, _, other, _ in strays]


def _books(ledger: sqlite3.Connection) -> list[str]:
    found = []
    for sql, sentence in RULES:
        jobs = [row[0] for row in ledger.execute(sql)]
        if jobs:
            named = ", ".join(map(str, jobs[:SHOWN]))
            more = f" and {len(jobs) - SHOWN} more" if len(jobs) > SHOWN else ""
            found.append(sentence.format(jobs=f"job {named}{more}"))
    found += [
        f"The count of {preset} {kind} jobs that are {state} is off by {jobs} jobs and {frames} frames."
        for state, kind, preset, jobs, frames in ledger.execute(_COUNTED)
    ]
    return found
