"""What the ledger knows of the files that are given out."""

from faceswapd.ledger.connection import Ledger


async def output_content(ledger: Ledger, job: int) -> str | None:
    """The BLAKE2b-256 of a job's output, in hexadecimal; None for a job without one."""
    row = await ledger.row("SELECT output_content FROM jobs WHERE id = ?", (job,))
    return None if row is None else row["output_content"]
