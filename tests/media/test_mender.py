import os
import resource
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from faceswapd.children.child import ChildFailure
from faceswapd.core.failures import Failure
from faceswapd.core.preflight import Weakness
from faceswapd.core.target import Facts, Finished, Kind, Marks, Prepared, Proof, Trimmed
from faceswapd.core.wish import Trim
from faceswapd.media.mender import Mender
from faceswapd.media.probe import probe
from faceswapd.media.verify import verify
from tests.media.engine_files import engine_video
from tests.media.media_files import FRAMES

Videos = Mapping[str, Path]

STAND_IN = [sys.executable, str(Path(__file__).parent / "mending_stand_in.py")]
FACTS = Facts(Kind.IMAGE, "0", 1, 1, 1, 1, None, 0, 0)
ALL = frozenset(Weakness)
MARKS = Marks("face swapped with X by faceswapd")


def ignore(done: int, total: int) -> None:
    pass


@pytest.fixture
async def mender() -> AsyncIterator[Mender]:
    """The real child."""
    mender = Mender()
    yield mender
    await mender.close()


@pytest.fixture
async def stand_in() -> AsyncIterator[Mender]:
    """A child that misbehaves on demand."""
    mender = Mender(argv=STAND_IN)
    yield mender
    await mender.close()


async def ask(mender: Mender, name: str | Path) -> Prepared | Failure:
    return await mender.prepare(Path(name), Path("/nowhere"), FACTS, ALL, ignore)


def test_the_daemons_side_is_light() -> None:
    code = (
        "import sys, faceswapd.media.mender; heavy = {'av', 'cv2', 'numpy'} & set(sys.modules); "
        "sys.exit(' '.join(heavy) or 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


async def test_prepare_and_finish(mender: Mender, videos: Videos, tmp_path: Path) -> None:
    target, seen = videos["uneven.mp4"], []
    facts = probe(str(target), lambda _: None)
    assert isinstance(facts, Facts)
    prepared = await mender.prepare(target, tmp_path, facts, ALL, lambda done, total: seen.append((done, total)))
    assert prepared == Prepared(
        tmp_path / "prepared.mp4", ("Its pictures were given an even rate, which is undone at the end.",)
    )
    assert seen
    assert seen[0][0] == 1
    assert seen[0][1] == 2 * FRAMES
    made = engine_video(prepared.path, tmp_path / "made.mp4")
    output = tmp_path / "output.mp4"
    finished = await mender.finish(target, prepared.path, [made], output, facts, MARKS, ignore)
    assert finished == Finished(output)
    assert isinstance(verify(str(target), str(output), facts), Proof)


async def test_a_part_of_a_video(mender: Mender, videos: Videos, tmp_path: Path) -> None:
    target, seen = videos["uneven.mp4"], []
    facts = probe(str(target), lambda _: None)
    assert isinstance(facts, Facts)
    part = await mender.trim(target, tmp_path, facts, Trim(0.4, 1.2), lambda done, total: seen.append((done, total)))
    assert isinstance(part, Trimmed)
    assert part == Trimmed(
        tmp_path / "trimmed.mov",
        replace(facts, content=part.facts.content, size=part.facts.size, frames=20, duration=part.facts.duration),
        10,
    )
    assert seen[0] == (1, 3 * FRAMES)
    gone = await mender.trim(tmp_path / "gone.mp4", tmp_path, facts, Trim(0.4), ignore)
    assert gone == Failure("target_missing", "The file is no longer there.")


async def test_the_child_is_limited(mender: Mender, videos: Videos, tmp_path: Path) -> None:
    answer = await mender.prepare(videos["silent.mp4"], tmp_path, FACTS, frozenset(), ignore)
    assert isinstance(answer, Failure)  # these facts are an image's
    assert answer.category == "target_unreadable"
    assert mender.child is not None
    if sys.platform == "linux":
        process = psutil.Process(mender.child.identity.pid)
        assert 0 < process.rlimit(psutil.RLIMIT_FSIZE)[0] < 1 << 30
        assert process.rlimit(psutil.RLIMIT_AS)[0] != resource.RLIM_INFINITY


async def test_a_failure_of_a_file_leaves_the_child_alive(stand_in: Mender) -> None:
    first = await ask(stand_in, "fine.mp4")
    assert await ask(stand_in, "refuses.mp4") == Failure("disk_full", "The disk was full.")
    assert await ask(stand_in, "fine.mp4") == first


async def test_a_child_that_dies_is_asked_once_more(stand_in: Mender, tmp_path: Path) -> None:
    assert isinstance(await ask(stand_in, tmp_path / "dies-once.mp4"), Prepared)
    assert await ask(stand_in, "dies.mp4") == Failure("child_died", "The media mender was ended by SIGSEGV.")
    assert isinstance(await ask(stand_in, "fine.mp4"), Prepared)


@pytest.mark.parametrize("name", ["rubbish", "progress"])
async def test_an_answer_without_sense(name: str, stand_in: Mender) -> None:
    assert await ask(stand_in, name) == Failure("child_rubbish", "The media mender gave an answer without sense.")
    assert isinstance(await ask(stand_in, "fine.mp4"), Prepared)


async def test_too_little_memory(stand_in: Mender) -> None:
    first = await ask(stand_in, "fine.mp4")
    answer = await ask(stand_in, "fat.mp4")
    assert isinstance(answer, Failure)
    assert answer.category == "out_of_memory"
    assert await ask(stand_in, "fine.mp4") != first


async def test_a_child_that_hangs_is_ended() -> None:
    mender = Mender(argv=STAND_IN, base_seconds=0.2)
    answer = await ask(mender, "hangs.mp4")
    assert answer == Failure("stalled", "The media mender made no progress with the file for too long.")
    assert mender.child is None
    await mender.close()


async def test_progress_gives_more_time(tmp_path: Path) -> None:
    fifo = tmp_path / "slow.mp4"
    os.mkfifo(fifo)
    mender, seen = Mender(argv=STAND_IN, base_seconds=30.0), []

    def report(done: int, total: int) -> None:
        seen.append((done, total))
        with fifo.open("wb"):
            pass  # the child, which waits at the other end, goes on

    assert isinstance(await mender.prepare(fifo, tmp_path, FACTS, ALL, report), Prepared)
    assert seen == [(0, 4), (1, 4), (2, 4), (3, 4)]
    await mender.close()


async def test_a_child_that_was_killed_between_two_questions(stand_in: Mender) -> None:
    await ask(stand_in, "fine.mp4")
    assert stand_in.child is not None
    os.kill(stand_in.child.identity.pid, signal.SIGKILL)
    assert isinstance(await ask(stand_in, "fine.mp4"), Prepared)


async def test_no_child_is_the_environments_failure() -> None:
    mender = Mender(argv=["/nowhere/python"])
    with pytest.raises(ChildFailure) as raised:
        await ask(mender, "fine.mp4")
    assert raised.value.failure.category == "child_start"
    await mender.close()
