"""What the ledger knows of the files that are given out and taken in."""

import os
from dataclasses import dataclass

from faceswapd.core.eta import Pile, Sort
from faceswapd.core.intake import fold
from faceswapd.core.job import ENDED, State
from faceswapd.core.target import Kind
from faceswapd.ledger.connection import Ledger
from faceswapd.ledger.records import JobRecord, wish_of


async def output_content(ledger: Ledger, job: int) -> str | None:
    """The BLAKE2b-256 of a job's output, in hexadecimal; None for a job without one."""
    row = await ledger.row("SELECT output_content FROM jobs WHERE id = ?", (job,))
    return None if row is None else row["output_content"]


async def jobs_needing_face(ledger: Ledger, name: str) -> list[int]:
    """The jobs that wait or run and need the photos of a person."""
    rows = await ledger.rows(
        "SELECT id, face, wish FROM jobs WHERE state IN ('queued', 'running') AND bundle IS NULL ORDER BY id"
    )
    wanted = fold(name)
    return [
        row["id"]
        for row in rows
        if wanted in {fold(row["face"] or ""), *(fold(one.face) for one in wish_of(row["wish"]).passes)}
    ]


async def piles_ahead(ledger: Ledger, job: JobRecord) -> list[Pile]:
    """What waits in the queue and goes before a job, and itself, by its sort."""
    rows = await ledger.rows(
        """SELECT kind, preset, count(*) AS jobs, sum(frames) AS frames FROM jobs
           WHERE state = 'queued' AND (priority > ? OR (priority = ? AND id <= ?)) GROUP BY kind, preset""",
        (job.priority, job.priority, job.id),
    )
    return [Pile(Sort(Kind(row["kind"]), row["preset"]), row["jobs"], row["frames"]) for row in rows]


@dataclass(frozen=True, slots=True)
class Use:
    """What the ledger knows of a folder of files that were sent."""

    known: bool  # whether any job was made of what lies there
    needed: bool  # whether one of them has not ended, or not for long


async def use_of(ledger: Ledger, folder: str, before: float) -> Use:
    """Who needs what lies in a folder: targets, or photos that are a face. `before`: what ended earlier needs it no
    more."""
    path = os.fsencode(folder)
    below = path + b"/", path + b"0"  # the letter after the slash
    rows = await ledger.rows(
        """SELECT state, coalesce(finished_at, created_at) AS at FROM jobs WHERE id IN (
               SELECT id FROM jobs WHERE target > ? AND target < ?
               UNION SELECT job FROM submissions WHERE target > ? AND target < ?
               UNION SELECT id FROM jobs WHERE bundle = ?)""",
        (*below, *below, path),
    )
    return Use(bool(rows), any(State(row["state"]) not in ENDED or row["at"] >= before for row in rows))
