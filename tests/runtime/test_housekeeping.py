"""What has been kept for long enough goes, and nothing else."""

import os
import time
from pathlib import Path

import pytest

from faceswapd.core.webhook import EVENTS
from faceswapd.ledger import claims, deliveries, outcomes, reports
from faceswapd.ledger.claims import Runner
from faceswapd.ledger.outcomes import Ran
from faceswapd.runtime.health.beats import Beats
from faceswapd.runtime.housekeeping import Housekeeping
from faceswapd.settings.schema import RetentionSettings
from tests.runtime.workplace import Workplace


def housekeeping(place: Workplace, **kept: float) -> Housekeeping:
    retention = RetentionSettings(**{"events": 0.0, "executions": 0.0, **kept})
    return Housekeeping(place.settings.model_copy(update={"retention": retention}), place.ledger, Beats())


def put(place: Workplace, name: str, content: str) -> Path:
    path = place.settings.done / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")
    return path


async def succeeded(place: Workplace, name: str) -> int:
    number = await place.drop(name)
    claim = await claims.claim(place.ledger, (await place.job(number)).segment, Runner("b", 1, "fake", "CPU"), 1.0)
    await outcomes.succeed(place.ledger, Ran(claim.execution, claim.job.segment, number), "/out", "hash", 2.0)
    return number


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """A day later: how long something lies there is told by the system alone."""
    monkeypatch.setattr(time, "time", lambda now=time.time: now() + 86400.0)


async def test_archived_targets_go_where_that_is_wanted(place: Workplace, later: None) -> None:
    await succeeded(place, "alice/clip.mp4")
    archived = put(place, "alice/clip.mp4", "content of alice/clip.mp4")
    mine = put(place, "alice/notes.txt", "somebody's own")
    (place.settings.done / "link").symlink_to(mine)
    await housekeeping(place).once()
    assert archived.exists(), "the default is for ever"
    await housekeeping(place, done=2 * 86400.0).once()
    assert archived.exists(), "it lies there for a day"
    await housekeeping(place, done=3600.0).once()
    assert not archived.exists()
    assert mine.exists(), "what is no target of a job that succeeded is not ours to remove"
    assert (place.settings.done / "link").is_symlink()


async def test_what_was_told_to_webhooks_long_ago_goes_with_the_events(place: Workplace, later: None) -> None:
    await deliveries.know(place.ledger, ["hook"], 1.0, 2.0)
    await place.drop("alice/clip.mp4")
    await deliveries.fill(place.ledger, {"hook": EVENTS})
    (one,) = await deliveries.due(place.ledger, "hook", time.time(), 5)
    await deliveries.delivered(place.ledger, one, 1.0)
    await housekeeping(place).once()
    assert await place.ledger.rows("SELECT id FROM deliveries")
    await housekeeping(place, events=3600.0).once()
    assert not await place.ledger.rows("SELECT id FROM deliveries")


async def test_an_empty_folder_goes_along(place: Workplace, later: None) -> None:
    await succeeded(place, "alice/clip.mp4")
    put(place, "alice/deep/clip.mp4", "content of alice/clip.mp4")
    await housekeeping(place, done=3600.0).once()
    assert os.listdir(place.settings.done) == []  # noqa: PTH208  as a list


async def test_the_history_goes_by_the_settings(place: Workplace, later: None) -> None:
    number = await succeeded(place, "clip.mp4")
    await housekeeping(place).once()
    assert await reports.events_of(place.ledger, number, 9)
    await housekeeping(place, events=3600.0).once()
    assert not await reports.events_of(place.ledger, number, 9)
    assert (await place.job(number)).output == "/out"
