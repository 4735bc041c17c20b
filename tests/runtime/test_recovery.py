"""What an earlier life of the daemon left. Its death is told by what the ledger and the folders hold."""

import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from faceswapd.children.orphans import machine_boot
from faceswapd.core.failures import Failure, usual
from faceswapd.core.job import State
from faceswapd.core.retry import GiveUp
from faceswapd.ledger import claims, outcomes
from faceswapd.ledger.claims import Claim, Runner
from faceswapd.ledger.outcomes import Ran
from faceswapd.runtime import notes
from faceswapd.runtime.jobs import outbox, recovery
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


@pytest.mark.parametrize("recorded", [True, False])
async def test_of_two_jobs_with_equal_outputs_under_one_name_only_one_has_it(
    place: Workplace,
    recorded: bool,  # noqa: FBT001
) -> None:
    """Both were about to take the name, one of them did, and perhaps that was still recorded."""
    jobs = [await place.drop("one.mp4"), await place.drop("two.mp4")]
    output = place.settings.outbox / "same.mp4"
    for job in jobs:
        await publishing(place, job, output, b"swapped")
    output.write_bytes(b"swapped")
    if recorded:
        first = (await claims.leftovers(place.ledger))[0]
        assert first.publishing_content is not None
        ran = Ran(first.execution, first.segment, first.job)
        await outcomes.succeed(place.ledger, ran, str(output), first.publishing_content, 2.0)
    await recovery.recover(place.ledger, place.settings, clean=False)
    states = [(await place.job(job)).state for job in jobs]
    assert sorted(states) == [State.QUEUED, State.SUCCEEDED]


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


@pytest.mark.parametrize(("afterwards", "output"), [("archive", True), ("delete", True), ("delete", False)])
async def test_a_target_is_settled_when_the_crash_came_after_the_record(
    place: Workplace, afterwards: str, *, output: bool
) -> None:
    """But never when the output is gone: the target may be all that is left."""
    job = await place.drop("clip.mp4", afterwards=afterwards)
    claim = await claimed(place, job)
    ran = outcomes.Ran(claim.execution, claim.job.segment, job)
    made = place.settings.outbox / "clip.mp4"
    await outcomes.succeed(place.ledger, ran, str(made), "digest", 2.0)
    if output:
        made.write_bytes(b"swapped")
    await recovery.recover(place.ledger, place.settings, clean=False)
    assert (place.inbox / "clip.mp4").exists() is not output
    assert names(place.settings.done) == (["clip.mp4"] if afterwards == "archive" else [])


async def test_the_texts_beside_the_files_are_those_of_the_last_records(place: Workplace) -> None:
    failed, mended = await place.drop("failed.mp4"), await place.drop("mended.mp4")
    aside = await place.drop("aside.mp4")
    failure = Failure("no_target_face", "No face was found in the target.")
    for job in (failed, mended):
        claim = await claimed(place, job)
        ran = outcomes.Ran(claim.execution, claim.job.segment, job)
        if job == failed:
            await outcomes.failed(place.ledger, ran, failure, GiveUp(failure), 2.0)
        else:
            await outcomes.succeed(place.ledger, ran, str(place.settings.outbox / "mended.mp4"), "digest", 2.0)
            notes.write_error_note(place.settings.failed, "mended.mp4", failure, job)
    for _ in range(3):
        await claimed(place, aside)
        await recovery.recover(place.ledger, place.settings, clean=False)
    assert names(place.settings.failed) == ["aside.mp4.error.txt", "failed.mp4.error.txt"]
    assert failure.sentence in notes.error_note(place.settings.failed, "failed.mp4").read_text()


async def test_a_pid_of_before_a_reboot_means_nothing(place: Workplace) -> None:
    """Where the clock begins anew with each boot, a stranger may have the pid and even the start time."""
    stranger = left_running()
    kept = place.settings.state / recovery.MACHINE_BOOT
    for boot, ended in (("another boot", False), (kept, True)):
        if isinstance(boot, str):
            kept.write_text(boot)
        claim = await claimed(place, await place.drop(f"{ended}.mp4"))
        started = psutil.Process(stranger.pid).create_time()
        await outcomes.child_known(place.ledger, claim.execution, stranger.pid, started)
        await recovery.recover(place.ledger, place.settings, clean=False)
        assert (stranger.poll() is not None or gone([stranger.pid], 0)) is ended
    stranger.communicate()
    assert kept.read_text() == machine_boot()


async def test_half_a_copy_in_a_part_of_the_outbox_that_is_another_disk_is_removed(place: Workplace) -> None:
    claim = await claimed(place, await place.drop("alice/clip.mp4"))
    staging = outbox.place_for(place.settings, claim.job).parent / outbox.STAGING
    staging.mkdir(parents=True)
    (staging / "half").touch()
    await recovery.recover(place.ledger, place.settings, clean=False)
    assert not staging.exists()
