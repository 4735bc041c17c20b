"""A target that was touched, or is gone while a copy of it is there: the job goes on. A real scheduler and ledger."""

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from faceswapd.core.job import State
from faceswapd.core.target import Facts, Kind
from faceswapd.ledger import submission
from faceswapd.ledger.admission import Arrival
from faceswapd.runtime.intake.listing import signature_of
from faceswapd.runtime.jobs.outbox import digest
from tests.runtime.conftest import NewPlace
from tests.runtime.workplace import NOW, Workplace, names, shift


def offer(target: Path, **given: Any) -> Arrival:
    """A file that is submitted with the face alice."""
    signature, content = signature_of(str(target)), digest(target)
    assert signature is not None
    assert content is not None
    usual: dict[str, Any] = {
        "target": str(target),
        "relative": f"alice/{target.name}",
        "signature": signature,
        "kind": Kind.VIDEO,
        "inbox": "",
        "preset": "balanced",
        "priority": 0,
        "afterwards": "keep",
        "facts": Facts(Kind.VIDEO, content, signature.size, 64, 48, 10, 1.0, 0, 0),
        "face": "alice",
        "rule": "it was submitted with this face",
    }
    return Arrival(**{**usual, **given})


async def submitted(place: Workplace, name: str, content: str) -> tuple[int, Path]:
    """A file beside the inbox, and the job that is made for it."""
    target = place.settings.faces.parent / "elsewhere" / name
    target.parent.mkdir(exist_ok=True)
    target.write_text(content, encoding="utf-8")
    (taken,) = await submission.submit(place.ledger, [offer(target)], NOW)
    assert taken.job is not None
    return taken.job, target


async def test_a_target_that_was_touched_while_it_waited_goes_on(place: Workplace) -> None:
    job = await place.drop("clip.mp4")
    os.utime(place.inbox / "clip.mp4")
    async with shift(place):
        (await place.begun()).succeed()
        assert (await place.until(job, State.SUCCEEDED)).reason is None


async def test_a_target_that_was_copied_over_itself_goes_on_and_is_archived_as_the_inbox_wants(
    new_place: NewPlace,
) -> None:
    place = await new_place()
    job = await place.drop("clip.mp4", afterwards="archive")
    target = place.inbox / "clip.mp4"
    shutil.copyfile(target, target.with_suffix(".new"))
    target.with_suffix(".new").replace(target)  # another inode and time, the same content
    async with shift(place) as at_work:
        (await place.begun()).succeed()
        await place.until(job, State.SUCCEEDED)
        at_work.scheduler.drain()
        await at_work.drained()
    assert not target.exists()
    assert names(place.settings.done) == ["clip.mp4"]


async def test_a_submitted_file_is_swapped_and_stays_as_it_is(place: Workplace) -> None:
    job, target = await submitted(place, "clip.mp4", "film")
    before = target.stat()
    async with shift(place):
        (await place.begun()).succeed()
        done = await place.until(job, State.SUCCEEDED)
    assert done.output == str(place.settings.outbox / "alice" / "clip.mp4")
    assert target.stat() == before
    assert names(target.parent) == ["clip.mp4"]


@pytest.mark.parametrize(
    ("content", "category", "sentence"),
    [
        (None, "target_missing", "The target is no longer where it was submitted from."),
        ("another film", "target_changed", "The target was replaced by another file of the same name."),
    ],
)
async def test_a_submitted_file_that_is_gone_or_replaced_fails_with_a_sentence(
    place: Workplace, content: str | None, category: str, sentence: str
) -> None:
    job, target = await submitted(place, "clip.mp4", "film")
    if content is None:
        target.unlink()
    else:
        target.write_text(content, encoding="utf-8")
    async with shift(place):
        failed = await place.until(job, State.FAILED)
    assert (failed.category, failed.reason) == (category, sentence)
    assert "ubmit" in (place.settings.failed / "alice" / "clip.mp4.error.txt").read_text(encoding="utf-8")


async def test_a_submitted_file_that_is_deleted_leaves_the_job_to_a_copy_in_an_inbox(place: Workplace) -> None:
    job, target = await submitted(place, "clip.mp4", "film")
    assert await place.drop("copy.mp4", "film", afterwards="delete") == job
    assert (await place.job(job)).target == str(target), "it stays with what was submitted"
    target.unlink()
    async with shift(place) as at_work:
        (await place.begun()).succeed()
        done = await place.until(job, State.SUCCEEDED)
        at_work.scheduler.drain()
        await at_work.drained()
    copy = place.inbox / "copy.mp4"
    assert (done.target, done.inbox, done.afterwards) == (str(copy), "inbox", "keep")
    assert done.output == str(place.settings.outbox / "copy.mp4")


async def test_no_copy_does_that_has_other_content_by_now(place: Workplace) -> None:
    job, target = await submitted(place, "clip.mp4", "film")
    assert await place.drop("copy.mp4", "film") == job
    target.unlink()
    (place.inbox / "copy.mp4").write_text("FILM", encoding="utf-8")
    async with shift(place):
        assert (await place.until(job, State.FAILED)).category == "target_missing"
    assert place.bench.empty()
