"""What was done: counted from the jobs and executions that ended in a span of time."""

from faceswapd.core.intake import fold
from faceswapd.core.job import State
from faceswapd.ledger.connection import Ledger


async def jobs_of_faces(ledger: Ledger) -> dict[str, dict[State, int]]:
    """Jobs by folded name of their face and by state."""
    rows = await ledger.rows(
        "SELECT face, state, count(*) AS jobs FROM jobs WHERE face IS NOT NULL GROUP BY face, state"
    )
    found: dict[str, dict[State, int]] = {}
    for row in rows:
        of_face = found.setdefault(fold(row["face"]), {})
        state = State(row["state"])
        of_face[state] = of_face.get(state, 0) + row["jobs"]
    return found
