"""A ledger with as many jobs as one likes. The rows are made by SQL inside the file: a million in seconds."""

import asyncio
import contextlib
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from faceswapd.core.job import State
from faceswapd.ledger.connection import Ledger

INBOX = "inbox"
ENGINE = "preview"

# What a long-lived ledger looks like, one letter a job: most have succeeded, some wait, failed, or are parked.
USUAL: Sequence[State] = (
    *(State.QUEUED,) * 5,
    *(State.FAILED,) * 2,
    State.PARKED,
    State.CANCELLED,
    *(State.SUCCEEDED,) * 91,
)

_JOBS = """
WITH RECURSIVE numbers (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < :jobs)
INSERT INTO jobs (state, kind, inbox, target, relative, face, preset, priority, afterwards, rule, fingerprint, content,
    size, width, height, frames, duration, rotation, audio, parked, category, reason, output, output_content,
    created_at, started_at, finished_at)
SELECT state, 'video', :inbox, CAST(printf('/inbox/alice/clip-%d.mp4', n) AS BLOB),
    CAST(printf('alice/clip-%d.mp4', n) AS BLOB), 'alice', 'balanced', n % 3, 'keep', 'its folder',
    iif(state = 'parked', NULL, printf('%064x/alice/balanced', n)), printf('%064x', n), 5000000, 854, 480,
    100 + n % 400, 10.0, 0, 1,
    iif(state = 'parked', 'unreadable', NULL), iif(state = 'failed', 'no_face_in_target', NULL),
    iif(state IN ('failed', 'parked'), 'There is no face in it.', NULL),
    iif(state = 'succeeded', CAST(printf('/outbox/alice/clip-%d.mp4', n) AS BLOB), NULL),
    iif(state = 'succeeded', printf('f%063x', n), NULL), 1.7e9 + n,
    iif(state IN ('failed', 'succeeded'), 1.7e9 + n, NULL),
    iif(state IN ('failed', 'succeeded', 'cancelled'), 1.7e9 + n + 5, NULL)
FROM numbers JOIN mix ON mix.place = n % :kinds
"""
_SEGMENTS = """
INSERT INTO segments (job, number, state, inbox, priority, attempt, not_before)
SELECT id, 0, state, inbox, priority, 0, iif(state = 'queued' AND id % 50 = 1, 4e9 + id, NULL) FROM jobs
"""
_EXECUTIONS = """
INSERT INTO executions (segment, attempt, boot, slot, engine, device, kind, preset, started_at, finished_at, outcome,
    frames, seconds)
SELECT id, 1, 'before', 1, :engine, 'CPU', 'video', 'balanced', 1.7e9 + id, 1.7e9 + id + 20, state, 300, 15.0
FROM segments WHERE state IN ('succeeded', 'failed')
"""


def fill(path: Path, jobs: int, mix: Sequence[State] = USUAL) -> None:
    """Make a ledger of so many jobs, with their states by turns out of `mix`. Its own triggers count them."""
    asyncio.run(_make(path))
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -400000", "temp_store = MEMORY"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("CREATE TEMP TABLE mix (place INTEGER PRIMARY KEY, state TEXT)")
        connection.executemany("INSERT INTO mix VALUES (?, ?)", list(enumerate(map(str, mix))))
        connection.execute("BEGIN")
        connection.execute(_JOBS, {"jobs": jobs, "inbox": INBOX, "kinds": len(mix)})
        connection.execute(_SEGMENTS)
        connection.execute(_EXECUTIONS, {"engine": ENGINE})
        connection.execute("COMMIT")


async def _make(path: Path) -> None:
    ledger = await Ledger.open(path)
    await ledger.close()
