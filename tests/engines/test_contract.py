"""What every engine must do, whichever it is."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from faceswapd.core.failures import CATALOGUE
from faceswapd.engines.engine import Engine, EngineFailure, Output, Progress, Work
from faceswapd.engines.preview.engine import PreviewEngine
from tests.children.small_children import gone

MakeEngine = Callable[[Sequence[str] | None], Engine]
MakeWork = Callable[..., Work]

# Children that stand in for the real one. Each says that it is ready, takes one question, and misbehaves.
READY = """
import json, os, signal, sys, time
def say(**message): print(json.dumps(message), flush=True)
say(ready={})
question = json.loads(sys.stdin.readline())
number = question["id"]
"""
DIES = READY + "print('out of luck', file=sys.stderr); sys.exit(3)"
IS_KILLED = READY + "os.kill(os.getpid(), signal.SIGKILL)"
RUBBISH = READY + "print('Segmentation fault', flush=True); time.sleep(60)"
OTHER_ANSWER = READY + "say(id=number + 7, result={}); time.sleep(60)"
EMPTY_RESULT = READY + "say(id=number, result={}); time.sleep(60)"
WRONG_RESULT = READY + "say(id=number, result={'frames': 'many', 'faces': 1, 'seconds': 0.5}); time.sleep(60)"
LISTED_RESULT = READY + "say(id=number, result=[1]); time.sleep(60)"
WRONG_PROGRESS = READY + "say(id=number, progress={'phase': 'swap', 'done': None}); time.sleep(60)"
HANGS = READY + (
    "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    "child = os.fork()\n"  # a grandchild that ignores TERM as well
    "if child: say(id=number, progress={'phase': 'swap', 'done': child, 'total': child})\n"
    "time.sleep(60)"
)
NEVER_READY = "raise SystemExit('no such library')"


@pytest.fixture(params=[PreviewEngine], ids=["preview"])
def make_engine(request: pytest.FixtureRequest) -> MakeEngine:
    made: MakeEngine = request.param
    return made


@pytest.fixture
async def engine(make_engine: MakeEngine) -> AsyncIterator[Engine]:
    engine = make_engine(None)
    yield engine
    await engine.close()


async def _failure(engine: Engine, work: Work) -> EngineFailure:
    with pytest.raises(EngineFailure) as caught:
        await engine.run(work, lambda _: None)
    assert caught.value.failure.category in CATALOGUE
    assert caught.value.failure.sentence.endswith(".")
    return caught.value


async def test_a_swap_is_told_from_start_to_end(engine: Engine, media: Path, make_work: MakeWork) -> None:
    told: list[Progress] = []
    work = make_work(media / "clip.mp4")
    output = await engine.run(work, told.append)
    assert isinstance(output, Output)
    assert output.frames == 25
    assert output.faces == 25
    assert output.seconds > 0
    assert work.output.stat().st_size > 0
    done = [progress.done for progress in told]
    assert done == sorted(done)
    assert told[-1].done == told[-1].total == 25
    assert all(progress.phase and progress.total == 25 for progress in told)


async def test_the_child_stays_warm_and_ends_with_close(engine: Engine, media: Path, make_work: MakeWork) -> None:
    before = engine.child
    assert before is None
    started = await engine.start()
    assert started is not None
    first = await engine.run(make_work(media / "clip.mp4"), lambda _: None)
    assert engine.child == started
    second = await engine.run(make_work(media / "clip.mp4"), lambda _: None)
    assert engine.child == started
    assert first.frames == second.frames
    await engine.close()
    assert not psutil.pid_exists(started.pid)
    assert (await _failure(engine, make_work(media / "empty.mp4"))).failure.category == "no_target_face"
    assert engine.child != started
    await engine.close()
    await engine.close()


async def test_without_a_face_in_the_target(engine: Engine, media: Path, make_work: MakeWork) -> None:
    work = make_work(media / "empty.mp4", frames=8)
    failure = (await _failure(engine, work)).failure
    assert failure.category == "no_target_face"
    assert "8 frames" in failure.sentence
    assert not work.output.exists()
    assert engine.child is not None  # a refusal costs no child


async def test_without_a_face_in_the_photos(engine: Engine, media: Path, make_work: MakeWork, tmp_path: Path) -> None:
    text = tmp_path / "photo.jpg"
    text.write_bytes(b"this is no photo")
    work = make_work(media / "clip.mp4", sources=(text, tmp_path / "gone.png"))
    failure = (await _failure(engine, work)).failure
    assert failure.category == "no_source_face"
    assert "2 photos" in failure.sentence


async def test_cancelled_in_the_middle_nothing_runs_on(engine: Engine, media: Path, make_work: MakeWork) -> None:
    begun = asyncio.Event()
    run = asyncio.create_task(engine.run(make_work(media / "clip.mp4"), lambda _: begun.set()))
    await begun.wait()
    child = engine.child
    assert child is not None
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert not psutil.pid_exists(child.pid)
    assert engine.child is None
    output = await engine.run(make_work(media / "clip.mp4"), lambda _: None)  # with a new child
    assert output.frames == 25


@pytest.mark.parametrize(
    ("script", "category"),
    [
        pytest.param(DIES, "child_died", id="dies"),
        pytest.param(IS_KILLED, "child_died", id="is killed"),
        pytest.param(RUBBISH, "child_rubbish", id="says rubbish"),
        pytest.param(OTHER_ANSWER, "child_rubbish", id="answers another question"),
        pytest.param(EMPTY_RESULT, "child_rubbish", id="empty result"),
        pytest.param(WRONG_RESULT, "child_rubbish", id="wrong result"),
        pytest.param(LISTED_RESULT, "child_rubbish", id="a list as result"),
        pytest.param(WRONG_PROGRESS, "child_rubbish", id="wrong progress"),
        pytest.param(NEVER_READY, "child_died", id="never ready"),
    ],
)
async def test_a_child_that_fails(
    make_engine: MakeEngine, script: str, category: str, media: Path, make_work: MakeWork
) -> None:
    engine = make_engine([sys.executable, "-c", script])
    failure = (await _failure(engine, make_work(media / "clip.mp4"))).failure
    assert failure.category == category
    assert engine.child is None
    await engine.close()


async def test_a_child_that_cannot_be_started(make_engine: MakeEngine, media: Path, make_work: MakeWork) -> None:
    engine = make_engine(["/nonexistent/engine"])
    assert (await _failure(engine, make_work(media / "clip.mp4"))).failure.category == "child_start"


async def test_a_child_that_hangs_is_gone_with_its_children(
    make_engine: MakeEngine, media: Path, make_work: MakeWork
) -> None:
    engine = make_engine([sys.executable, "-c", HANGS])
    told: asyncio.Queue[Progress] = asyncio.Queue()
    run = asyncio.create_task(engine.run(make_work(media / "clip.mp4"), told.put_nowait))
    grandchild = (await told.get()).done
    child = engine.child
    assert child is not None
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert not psutil.pid_exists(child.pid)
    assert gone([grandchild], 2)


async def test_the_question_is_plain_json(make_engine: MakeEngine, media: Path, make_work: MakeWork) -> None:
    echo = READY + "say(id=number, failure={'category': 'unknown', 'sentence': json.dumps(question['args']) + '.'})"
    engine = make_engine([sys.executable, "-c", echo])
    work = make_work(media / "clip.mp4")
    args = json.loads((await _failure(engine, work)).failure.sentence[:-1])
    assert str(work.target) in args.values()
    assert str(work.output) in args.values()
    await engine.close()


async def test_what_the_child_says_is_heard_by_whose_run_it_is(
    make_engine: MakeEngine, media: Path, make_work: MakeWork
) -> None:
    engine = make_engine([sys.executable, "-c", DIES.replace("luck", "luck\\nand of \\udcff memory")])
    heard: list[str] = []
    await _failure(engine, replace(make_work(media / "clip.mp4"), say=heard.append))
    assert heard[0] == "out of luck"
    assert heard[1].startswith("and of ")
    await engine.close()
