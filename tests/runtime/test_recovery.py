"""What an earlier life of the daemon left. Its death is told by what the ledger and the folders hold."""

import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from faceswapd.core.failures import usual
from faceswapd.core.job import State
from faceswapd.ledger import claims, outcomes
from faceswapd.ledger.claims import Claim, Runner
from faceswapd.runtime import notes, outbox, recovery
from tests.children.small_children import gone
from tests.runtime.workplace import Workplace, names


async def claimed(place: Workplace, number: int) -> Claim:
    return await claims.claim(
        place.ledger, (await place.job(number)).segment, Runner("an-earlier-boot", 1, "fake", "CPU"), 1.0
    )


async def publishing(place: Workplace, number: int, output: Path, content: bytes) -> None:
    """An execution that has announced where its output is about to appear."""
    claim = await claimed(place, number)
    proved = place.settings.state / "proved"
    proved.write_bytes(content)
    digest = outbox.digest(proved)
    assert digest is not None
    await outcomes.publishing(place.ledger, claim.execution, str(output), digest)


@pytest.mark.parametrize("afterwards", ["keep", "delete"])
async def test_an_output_that_was_published_is_found_by_its_hash(place: Workplace, afterwards: str) -> None:
    job = await place.drop("clip.mp4", afterwards=afterwards)
    output = place.settings.outbox / "clip.mp4"
    await publishing(place, job, output, b"swapped")
    output.write_bytes(b"swapped")
    notes.write_error_note(place.settings.failed, "clip.mp4", usual("stalled"), job)
    await recovery.recover(place.ledger, place.settings, clean=False)
    found = await place.job(job)
    assert (found.state, found.output) == (State.SUCCEEDED, str(output))
    assert (place.inbox / "clip.mp4").exists() is (afterwards == "keep")
    assert list(place.settings.failed.iterdir()) == []


async def test_a_target_that_was_replaced_meanwhile_is_not_taken_for_the_one_that_succeeded(place: Workplace) -> None:
    job = await place.drop("clip.mp4", afterwards="delete")
    output = place.settings.outbox / "clip.mp4"
    await publishing(place, job, output, b"swapped")
    output.write_bytes(b"swapped")
    (place.inbox / "clip.mp4").write_text("new content", encoding="utf-8")
    await recovery.recover(place.ledger, place.settings, clean=False)
    assert (await place.job(job)).state is State.SUCCEEDED
    assert (place.inbox / "clip.mp4").read_text(encoding="utf-8") == "new content"


@pytest.mark.parametrize("there", [None, b"", b"somebody else's"])
async def test_an_output_that_was_not_published_is_made_again(place: Workplace, there: bytes | None) -> None:
    job = await place.drop("clip.mp4")
    output = place.settings.outbox / "clip.mp4"
    await publishing(place, job, output, b"swapped")
    if there is not None:
        output.write_bytes(there)
    await recovery.recover(place.ledger, place.settings, clean=False)
    waiting = await place.job(job)
    assert (waiting.state, waiting.attempt, waiting.interruptions) == (State.QUEUED, 0, 1)
    assert [one.outcome for one in await place.executions(job)] == ["released"]


async def test_a_job_that_takes_the_daemon_down_three_times_fails(place: Workplace) -> None:
    job = await place.drop("clip.mp4")
    for _ in range(3):
        assert (await place.job(job)).state is State.QUEUED
        await claimed(place, job)
        await recovery.recover(place.ledger, place.settings, clean=False)
    failed = await place.job(job)
    assert (failed.state, failed.category) == (State.FAILED, "interrupted")


async def test_an_end_of_the_daemon_that_was_clean_counts_against_nobody(place: Workplace) -> None:
    job = await place.drop("clip.mp4")
    for _ in range(4):
        await claimed(place, job)
        await recovery.recover(place.ledger, place.settings, clean=True)
    assert ((await place.job(job)).state, (await place.job(job)).interruptions) == (State.QUEUED, 0)


def left_running() -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, start_new_session=True)


async def test_a_child_that_was_left_running_is_ended_and_a_stranger_with_its_pid_is_not(place: Workplace) -> None:
    child, stranger = left_running(), left_running()
    for name, process, earlier in (("1.mp4", child, 0.0), ("2.mp4", stranger, 100.0)):
        claim = await claimed(place, await place.drop(name))
        started = psutil.Process(process.pid).create_time() - earlier
        await outcomes.child_known(place.ledger, claim.execution, process.pid, started)
    await recovery.recover(place.ledger, place.settings, clean=False)
    assert stranger.poll() is None
    assert gone([child.pid], 0)
    for process in (child, stranger):
        process.communicate()


async def test_only_what_is_ours_is_removed_from_scratch_and_outbox(place: Workplace) -> None:
    scratch = place.settings.scratch_folder
    for folder in (
        scratch / "execution-1",
        scratch / "execution-22",
        scratch / "mine",
        place.settings.outbox / "alice",
    ):
        folder.mkdir(parents=True)
        (folder / "file").touch()
    for root in (place.settings.outbox, place.settings.done):
        (root / outbox.STAGING).mkdir()
        (root / outbox.STAGING / "half").touch()
    await recovery.recover(place.ledger, place.settings, clean=True)
    assert names(scratch) == ["mine"]
    assert names(place.settings.outbox) == ["alice"]
    assert names(place.settings.done) == []
