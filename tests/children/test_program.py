import asyncio
import contextlib
import os
import sys
from pathlib import Path

import psutil
import pytest

from faceswapd.children import kin
from faceswapd.children.limits import NICE
from faceswapd.children.program import KEPT, ProgramError, run
from tests.children.small_children import gone


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


async def test_it_tells_how_a_program_ended_and_what_it_said() -> None:
    ended = await run(python("import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"))
    assert (ended.code, ended.out, ended.err) == (3, "out\n", "err\n")


async def test_a_signal_is_a_negative_code() -> None:
    assert (await run(python("import os; os.kill(os.getpid(), 9)"))).code == -9


async def test_it_runs_in_the_folder_and_the_environment_that_it_is_given(tmp_path: Path) -> None:
    code = "import os; print(os.getcwd(), os.environ['COLOUR'], 'PATH' in os.environ)"
    assert (await run(python(code), cwd=tmp_path, env={"COLOUR": "red"})).out == f"{tmp_path} red True\n"


@pytest.mark.parametrize("given", [None, {"ORT_DISABLE_TELEMETRY": "0"}])
async def test_onnx_runtime_tells_nobody_of_anything(tmp_path: Path, given: dict[str, str] | None) -> None:
    """Where it does, it keeps the session's name beside other temporary files."""
    code = "import onnxruntime, os; onnxruntime.get_available_providers(); print(os.environ['ORT_DISABLE_TELEMETRY'])"
    ended = await run(python(code), env={**(given or {}), "TMPDIR": str(tmp_path), "CI": ""})
    assert (ended.code, ended.out) == (0, "1\n"), ended.err
    assert await asyncio.to_thread(os.listdir, tmp_path) == []


async def test_nothing_is_on_its_stdin() -> None:
    assert (await run(python("import sys; print(repr(sys.stdin.read()))"))).out == "''\n"


async def test_one_that_cannot_be_started_is_told_in_a_sentence() -> None:
    with pytest.raises(ProgramError) as caught:
        await run(["/nowhere/to/be/found"])
    assert caught.value.failure.category == "child_start"
    assert caught.value.failure.sentence == "/nowhere/to/be/found could not be started: No such file or directory."


async def test_both_streams_are_drained_and_only_the_end_is_kept() -> None:
    code = "import sys\nfor stream in (sys.stderr, sys.stdout): stream.write('x' * 6_000_000 + 'end'); stream.flush()"
    heard: list[int] = []
    ended = await run(python(code), on_error_output=lambda data: heard.append(len(data)))
    assert len(ended.out) == len(ended.err) == KEPT
    assert ended.out.endswith("end")
    assert sum(heard) == 6_000_003


STUBBORN = """
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = os.fork()
if child: os.write(2, b'%d %d' % (os.getpid(), child))
time.sleep(600)
"""


async def test_after_its_time_the_program_is_gone_with_all_that_it_started() -> None:
    heard: list[bytes] = []
    with pytest.raises(ProgramError) as caught:
        await run(python(STUBBORN), seconds=1.5, on_error_output=heard.append)
    assert caught.value.failure.category == "stalled"
    both = [int(word) for word in heard[0].split()]
    assert len(both) == 2
    assert gone(both, 5)


async def test_cancelled_it_is_gone_when_the_await_has_ended() -> None:
    heard: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(run(python(STUBBORN), on_error_output=heard.set_result))
    both = [int(word) for word in (await heard).split()]
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert gone(both, 5)


async def test_the_mark_is_told_before_the_program_lives() -> None:
    """Who is killed in the moment of the start has kept it, and no program is left that nobody knows."""
    told: list[str] = []

    def keep(mark: str) -> None:
        assert not bearing(mark)
        told.append(mark)

    ended = await run(python(f"import os; print(os.environ[{kin.VARIABLE!r}])"), before_start=keep)
    assert ended.out.strip() == told[0]
    assert kin.is_mark_of_child(told[0])


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells it in /proc")
async def test_it_gives_way_to_the_daemon() -> None:
    code = """if True:
        import os, time
        ends = time.monotonic() + 20
        def score():
            with open('/proc/self/oom_score_adj') as file:
                return file.read().strip()
        while score() != '500' and time.monotonic() < ends:  # it is made to as soon as it has been started
            time.sleep(0.01)
        print(os.nice(0), score())"""
    ended = await run(python(code))
    assert ended.out.split() == [str(NICE), "500"]


def bearing(mark: str) -> list[int]:
    """Who bears a mark."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.environ().get(kin.VARIABLE) == mark:
                found.append(process.pid)
    return found
