"""The warm driver and the launcher, on the stand-in."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from faceswapd.children.child import ChildFailure
from faceswapd.engines.facefusion.installation import Installation
from faceswapd.engines.facefusion.runner import Runner
from faceswapd.media.drawn import write_portrait
from faceswapd.media.drawn_scene import write_scene_image
from tests.children.small_children import gone
from tests.fakes.facefusion_root import make_root, write_settings

Arguments = Callable[[str], tuple[str, ...]]


def installed(root: Path) -> Installation:
    return Installation(
        root, Path(sys.executable), (3, 8, 1), "3.8.1", frozenset({"headless-run"}), {}, ("cpu",), (), unaltered=True
    )


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make_root(tmp_path / "facefusion")


@pytest.fixture(params=[True, False], ids=["warm", "cold"])
async def runner(request: pytest.FixtureRequest, root: Path) -> AsyncIterator[Runner]:
    runner = Runner(installed(root), warm=request.param)
    yield runner
    await runner.close()


@pytest.fixture
def arguments(tmp_path: Path) -> Arguments:
    """The command line that swaps one image into `tmp_path/NAME`."""
    write_portrait(tmp_path / "face.png", 4, 128)
    write_scene_image(tmp_path / "target.png", [11], 160, 120)

    def made(name: str) -> tuple[str, ...]:
        folders = ("--jobs-path", str(tmp_path / f"jobs-{name}"), "--temp-path", str(tmp_path / f"temp-{name}"))
        files = ("-s", str(tmp_path / "face.png"), "-t", str(tmp_path / "target.png"), "-o", str(tmp_path / name))
        return ("headless-run", *folders, *files, "--log-level", "debug")

    return made


async def test_one_command_line_after_the_other_and_each_ones_words_whole(
    runner: Runner, arguments: Arguments, tmp_path: Path
) -> None:
    children = set()
    for number in range(3):
        heard: list[bytes] = []
        ran = await runner.run(arguments(f"out-{number}.png"), heard.append)
        assert (ran.code, ran.error, ran.died) == (0, None, None)
        assert (tmp_path / f"out-{number}.png").exists()
        words = b"".join(heard)
        assert words.count(b"processing step 1 of 1") == 1
        assert words.rstrip().endswith(b"clearing temporary resources")
        children.add(runner.child)
    assert len(children) == 1, "the child stays"


async def test_asked_for_several_at_once_it_takes_one_after_the_other_with_one_child(
    runner: Runner, arguments: Arguments, tmp_path: Path
) -> None:
    heard: list[list[bytes]] = [[], [], []]
    starts = [runner.start() for _ in heard]
    runs = [runner.run(arguments(f"out-{number}.png"), heard[number].append) for number in range(3)]
    told = await asyncio.gather(*starts, *runs)
    assert len(set(told[:3])) == 1, "one child for all"
    for number in range(3):
        assert (tmp_path / f"out-{number}.png").exists()
        assert b"".join(heard[number]).count(b"processing step 1 of 1") == 1, "each hears its own"


async def test_retired_it_does_first_what_it_was_asked_and_keeps_no_child(
    runner: Runner, arguments: Arguments, tmp_path: Path
) -> None:
    child = await runner.start()
    run = asyncio.create_task(runner.run(arguments("out.png"), lambda _: None))
    await asyncio.sleep(0)  # it has its turn
    await runner.retire()
    assert (await run).code == 0
    assert (tmp_path / "out.png").exists()
    assert gone([child.pid], 5)
    late = await runner.run(arguments("late.png"), lambda _: None)
    assert late.code == 0
    assert runner.child is None, "nobody would end it"


async def test_warm_it_hands_out_what_the_step_returned(root: Path, arguments: Arguments) -> None:
    write_settings(root, fault="nsfw")
    runner = Runner(installed(root), warm=True)
    ran = await runner.run(arguments("out.png"), lambda _: None)
    await runner.close()
    assert (ran.code, ran.inner) == (1, 3)


@pytest.mark.parametrize(("fault", "code"), [("model_load", 1), ("killed", -9), ("segfault", -11)])
async def test_warm_the_end_of_the_process_is_an_answer_with_its_code_and_the_next_one_runs(
    root: Path, arguments: Arguments, fault: str, code: int
) -> None:
    once = root / "once"
    once.touch()
    write_settings(root, fault=fault, fault_file=str(once))
    runner = Runner(installed(root), warm=True)
    ran = await runner.run(arguments("out.png"), lambda _: None)
    assert ran.code == code
    assert ran.died is not None
    assert (await runner.run(arguments("again.png"), lambda _: None)).code == 0
    await runner.close()


async def test_an_installation_that_dies_at_its_import_is_a_child_that_cannot_be_started(
    root: Path, arguments: Arguments
) -> None:
    write_settings(root, fault="dies_at_import")
    runner = Runner(installed(root), warm=True)
    with pytest.raises(ChildFailure):
        await runner.run(arguments("out.png"), lambda _: None)
    assert runner.child is None


async def test_closed_it_is_gone(runner: Runner) -> None:
    child = await runner.start()
    await runner.close()
    assert gone([child.pid], 5)
