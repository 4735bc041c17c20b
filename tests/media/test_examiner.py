import asyncio
import os
import random
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import psutil
import pytest

from faceswapd.children.child import ChildFailure
from faceswapd.core.failures import Failure
from faceswapd.core.target import Facts, Kind, Proof, Unreadable
from faceswapd.media.examiner import Examiner
from tests.media.media_files import FRAMES, make_image, png_bomb

Videos = Mapping[str, Path]

STAND_IN = [sys.executable, str(Path(__file__).parent / "stand_in.py")]
FACTS = Facts(Kind.IMAGE, "0", 1, 1, 1, 1, None, 0, 0)


@pytest.fixture
async def examiner() -> AsyncIterator[Examiner]:
    """The real child."""
    examiner = Examiner()
    yield examiner
    await examiner.close()


@pytest.fixture
async def stand_in() -> AsyncIterator[Examiner]:
    """A child that misbehaves on demand."""
    examiner = Examiner(argv=STAND_IN)
    yield examiner
    await examiner.close()


async def pid_of(examiner: Examiner) -> int:
    """Ask something harmless; the stand-in answers with its pid."""
    answer = await examiner.probe(Path("fine.mp4"))
    assert isinstance(answer, Unreadable)
    return int(answer.sentence)


def test_the_daemons_side_is_light() -> None:
    code = (
        "import sys, faceswapd.media.examiner; heavy = {'av', 'cv2', 'numpy'} & set(sys.modules); "
        "sys.exit(' '.join(heavy) or 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# The real child


async def test_probe_and_verify(examiner: Examiner, videos: Videos, tmp_path: Path) -> None:
    path = videos["plain.mp4"]
    facts = await examiner.probe(path)
    assert isinstance(facts, Facts)
    assert facts.frames == FRAMES
    assert await examiner.verify(path, path, facts) == Proof(facts.content, facts.size, FRAMES, facts.duration)
    answer = await examiner.verify(path, tmp_path / "none.mp4", facts)
    assert answer == Failure("output_damaged", "The engine said it was done, but made no file.")
    assert await examiner.probe(tmp_path / "none.mp4") == Unreadable("The file is no longer there.")
    interlaced = await examiner.probe(videos["interlaced.mp4"])  # decoded as a whole, with more time for it
    assert isinstance(interlaced, Facts)


async def test_names_that_are_not_text_travel(examiner: Examiner, tmp_path: Path) -> None:
    for name in (b"\xff\xfe.jpg", b"a\nb.jpg", "\N{SNOWMAN}.jpg".encode()):
        path = tmp_path / os.fsdecode(name)
        make_image(tmp_path / "plain.jpg").rename(path)
        assert isinstance(await examiner.probe(path), Facts)


async def test_one_child_answers_many_that_ask_at_once(examiner: Examiner, tmp_path: Path) -> None:
    paths = [make_image(tmp_path / f"{n}.png", 30 + n, 20) for n in range(12)]
    answers = await asyncio.gather(*(examiner.probe(path) for path in paths))
    assert [answer.width for answer in answers if isinstance(answer, Facts)] == list(range(30, 42))


async def test_a_child_that_was_killed_between_two_questions(examiner: Examiner, tmp_path: Path) -> None:
    path = make_image(tmp_path / "a.png")
    assert isinstance(await examiner.probe(path), Facts)
    assert examiner.child is not None
    os.kill(examiner.child.identity.pid, signal.SIGKILL)
    assert isinstance(await examiner.probe(path), Facts)


async def test_a_bomb_costs_no_memory(examiner: Examiner, tmp_path: Path) -> None:
    answer = await examiner.probe(png_bomb(tmp_path / "bomb.png", 60_000))
    assert isinstance(answer, Unreadable)
    assert examiner.child is not None
    assert psutil.Process(examiner.child.identity.pid).memory_info().rss < 300 << 20


async def test_the_child_may_write_no_file(examiner: Examiner, tmp_path: Path) -> None:
    await examiner.probe(tmp_path / "none.png")
    assert examiner.child is not None
    if sys.platform == "linux":
        process = psutil.Process(examiner.child.identity.pid)
        assert process.rlimit(psutil.RLIMIT_FSIZE) == (0, 0)
        assert process.rlimit(psutil.RLIMIT_CORE) == (0, 0)


DAMAGED = (
    "faststart.mp4",
    "fragments.mp4",
    "matroska.mkv",
    "vp8.webm",
    "vp9.webm",
    "mpeg4.avi",
    "program.mpeg",
    "transport.mpeg",
    "windows.wmv",
    "quicktime.mov",
)


def damage(data: bytes, rng: random.Random) -> bytes:
    """Change bytes: few or many, in the head or anywhere, or a block of them at once."""
    damaged = bytearray(data)
    reach = rng.choice((512, len(data)))
    for _ in range(rng.choice((1, 5, 50, 500))):
        damaged[rng.randrange(min(reach, len(data)))] = rng.randrange(256)
    if rng.random() < 0.3:
        start = rng.randrange(len(data))
        damaged[start : start + 2000] = rng.randbytes(min(2000, len(data) - start))
    return bytes(damaged)


async def test_damaged_videos_never_disturb_the_examiner(examiner: Examiner, videos: Videos, tmp_path: Path) -> None:
    rng = random.Random(1)
    for name in DAMAGED:
        facts = await examiner.probe(videos[name])
        assert isinstance(facts, Facts)
        data, path = videos[name].read_bytes(), tmp_path / name
        for number in range(8):
            path.write_bytes(damage(data, rng))
            async with asyncio.timeout(20):
                assert isinstance(await examiner.probe(path), Facts | Unreadable), (name, number)
                assert isinstance(await examiner.verify(videos[name], path, facts), Proof | Failure), (name, number)
    assert isinstance(await examiner.probe(videos["plain.mp4"]), Facts)


async def test_damaged_images_never_disturb_the_examiner(examiner: Examiner, tmp_path: Path) -> None:
    rng = random.Random(2)
    for suffix in (".jpg", ".png", ".webp", ".bmp", ".tiff"):
        data = make_image(tmp_path / f"whole{suffix}").read_bytes()
        path = tmp_path / f"damaged{suffix}"
        for number in range(20):
            path.write_bytes(damage(data, rng))
            async with asyncio.timeout(20):
                assert isinstance(await examiner.probe(path), Facts | Unreadable), (suffix, number)


# A child that misbehaves


async def test_a_child_that_dies_twice_on_a_file(stand_in: Examiner) -> None:
    answer = await stand_in.probe(Path("dies.mp4"))
    assert answer == Unreadable(
        "The file is damaged: the media examiner was ended by SIGSEGV. It was read twice.", incomplete=False
    )
    verdict = await stand_in.verify(Path("fine.mp4"), Path("dies.mp4"), FACTS)
    assert verdict == Failure(
        "output_damaged", "The output could not be checked: the media examiner was ended by SIGSEGV."
    )
    assert await pid_of(stand_in) > 0


async def test_a_child_that_was_ended_for_somebody_elses_sake(stand_in: Examiner, tmp_path: Path) -> None:
    answer = await stand_in.probe(tmp_path / "dies-once.mp4")
    assert isinstance(answer, Unreadable)
    assert answer.sentence.isdecimal()


@pytest.mark.parametrize("name", ["raises", "rubbish", "progress"])
async def test_a_child_that_talks_nonsense(name: str, stand_in: Examiner) -> None:
    answer = await stand_in.probe(Path(f"{name}.mp4"))
    assert isinstance(answer, Unreadable)
    assert answer.sentence.startswith("The file is damaged: the media examiner ")
    assert await pid_of(stand_in) > 0


async def test_too_little_memory(stand_in: Examiner) -> None:
    before = await pid_of(stand_in)
    answer = await stand_in.probe(Path("fat.mp4"))
    assert answer == Unreadable("The file needs more memory to be read than a file is given.")
    verdict = await stand_in.verify(Path("fine.mp4"), Path("fat.mp4"), FACTS)
    assert isinstance(verdict, Failure)
    assert verdict.category == "out_of_memory"
    assert await pid_of(stand_in) != before


async def test_the_time_limit() -> None:
    examiner = Examiner(argv=STAND_IN, base_seconds=0.1)
    answer = await examiner.probe(Path("hangs.mp4"))
    assert answer == Unreadable("The file could not be read: it was given 0 seconds, which was not enough.")
    verdict = await examiner.verify(Path("fine.mp4"), Path("hangs.mp4"), FACTS)
    assert isinstance(verdict, Failure)
    assert verdict.category == "output_damaged"
    assert examiner.child is None
    await examiner.close()


async def test_a_decoding_that_was_announced_gets_more_time(tmp_path: Path) -> None:
    examiner = Examiner(argv=STAND_IN, base_seconds=0.1)
    os.mkfifo(tmp_path / "long.mp4")
    asking = asyncio.create_task(examiner.probe(tmp_path / "long.mp4"))
    done, _ = await asyncio.wait({asking}, timeout=0.8)
    assert not done
    await asyncio.to_thread((tmp_path / "long.mp4").write_bytes, b"x")
    answer = await asking
    assert isinstance(answer, Unreadable)
    assert answer.sentence.isdecimal()
    await examiner.close()


async def test_an_idle_child_is_ended_and_started_anew() -> None:
    examiner = Examiner(argv=STAND_IN, idle_seconds=0.01)
    first = await pid_of(examiner)
    child = examiner.child
    if child is not None:  # else it has gone already
        await child._process.wait()
    assert examiner.child is None
    assert not psutil.pid_exists(first)
    assert await pid_of(examiner) != first
    await examiner.close()


async def test_a_warm_child_is_kept(stand_in: Examiner) -> None:
    assert len({await pid_of(stand_in) for _ in range(5)}) == 1


async def test_close_leaves_no_process(stand_in: Examiner) -> None:
    pid = await pid_of(stand_in)
    await stand_in.close()
    assert not psutil.pid_exists(pid)
    assert stand_in.child is None
    await stand_in.close()  # twice is harmless


async def test_a_cancelled_question_leaves_no_process(stand_in: Examiner) -> None:
    pid = await pid_of(stand_in)
    asking = asyncio.create_task(stand_in.probe(Path("hangs.mp4")))
    done, _ = await asyncio.wait({asking}, timeout=0.1)
    assert not done
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert not psutil.pid_exists(pid)
    assert await pid_of(stand_in) != pid


@pytest.mark.parametrize("argv", [["/no/such/program"], [sys.executable, "-c", "raise SystemExit(3)"]])
async def test_an_environment_in_which_no_child_starts(argv: list[str]) -> None:
    examiner = Examiner(argv=argv)
    with pytest.raises(ChildFailure) as caught:
        await examiner.probe(Path("fine.mp4"))
    assert caught.value.failure.category == "child_start"
    await examiner.close()
