"""Arrivals and executions as the tests need them. What a test does not name is usual."""

from typing import Any

from faceswapd.core.intake import Signature
from faceswapd.core.job import Parked
from faceswapd.core.target import Facts, Kind
from faceswapd.ledger import admission, claims, reports
from faceswapd.ledger.admission import Arrival
from faceswapd.ledger.claims import Claim, Runner
from faceswapd.ledger.connection import Ledger
from faceswapd.ledger.outcomes import Ran
from faceswapd.ledger.records import JobRecord

NOW = 1_763_816_400.0
RUNNER = Runner(boot="first-boot", slot=1, engine="preview", device="CPU")


def facts(content: str, **given: Any) -> Facts:
    values: dict[str, Any] = {
        "kind": Kind.VIDEO,
        "content": content,
        "size": 1000,
        "width": 640,
        "height": 480,
        "frames": 100,
        "duration": 4.0,
        "rotation": 0,
        "audio": 1,
    }
    return Facts(**{**values, **given})


def arrival(relative: str = "alice/clip.mp4", content: str | None = None, **given: Any) -> Arrival:
    """A video that gets the face alice. Its content is its name, unless another one is given."""
    inbox = given.pop("inbox", "main")
    values: dict[str, Any] = {
        "target": f"/{inbox}/{relative}",
        "relative": relative,
        "signature": Signature(inode=1, size=1000, modified=1),
        "kind": Kind.VIDEO,
        "inbox": inbox,
        "preset": "balanced",
        "priority": 0,
        "afterwards": "keep",
        "facts": facts(relative.encode(errors="backslashreplace").decode() if content is None else content),
        "face": "alice",
        "rule": "it lies in the folder with the face's name",
    }
    return Arrival(**{**values, **given})


def faceless(relative: str = "clip.mp4", content: str | None = None, **given: Any) -> Arrival:
    """A video of which nobody said whose face it gets."""
    reason = "It is not said which of the 2 faces it gets."
    parked: dict[str, Any] = {"face": None, "rule": None, "parked": Parked.NEEDS_FACE, "reason": reason}
    return arrival(relative, content, **{**parked, **given})


async def admit(ledger: Ledger, *arrivals: Arrival, now: float = NOW) -> list[int]:
    """Admit, and return the jobs."""
    return [one.job for one in await admission.admit(ledger, arrivals, now)]


async def record(ledger: Ledger, job: int) -> JobRecord:
    found = await reports.job(ledger, job)
    assert found is not None
    return found


async def claim(ledger: Ledger, job: int, now: float = NOW) -> Claim:
    return await claims.claim(ledger, (await record(ledger, job)).segment, RUNNER, now)


def ran(claimed: Claim) -> Ran:
    return Ran(claimed.execution, claimed.job.segment, claimed.job.id)


async def running(ledger: Ledger, one: Arrival | None = None) -> Ran:
    """Admit and claim."""
    (job,) = await admit(ledger, arrival() if one is None else one)
    return ran(await claim(ledger, job))


async def dump(ledger: Ledger) -> list[tuple[Any, ...]]:
    """Everything that the ledger says, to see that nothing changed."""
    tables = (
        "jobs",
        "segments",
        "executions",
        "sightings",
        "submissions",
        "events",
        "job_counts",
        "daemon",
        "paused_inboxes",
    )
    return [(table, *row) for table in tables for row in await ledger.rows(f"SELECT * FROM {table} ORDER BY 1")]
