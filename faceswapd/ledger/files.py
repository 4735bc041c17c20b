"""What the ledger knows of the files that are given out."""

from faceswapd.core.intake import fold
from faceswapd.ledger.connection import Ledger
from faceswapd.ledger.records import wish_of


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
