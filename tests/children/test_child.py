import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest

from faceswapd.children.child import LINE_LIMIT, TAIL_LINES, TAIL_WIDTH, Child, ChildFailure
from faceswapd.children.shield import to_the_end
from tests.children.small_children import GRANDCHILD, NAME, argv, gone, started

ECHO = """
    for line in sys.stdin:
        question = json.loads(line)
        args, number = question["args"], question["id"]
        if question["verb"] == "refuse":
            print(json.dumps({"id": number, "failure": {"category": "no_source_face", "sentence": "No face."}}))
        else:
            for done in range(args.get("steps", 0)):
                print(json.dumps({"id": number, "progress": {"done": done}}))
            print(json.dumps({"id": number, "result": {"said": args.get("say")}}))
        sys.stdout.flush()
"""


async def refused(child: Child, verb: str = "anything") -> ChildFailure:
    with pytest.raises(ChildFailure) as caught:
        await child.ask(verb, {})
    return caught.value


async def test_it_answers_one_question_after_the_other() -> None:
    child = await started(ECHO)
    assert child.alive
    assert child.identity.started == psutil.Process(child.identity.pid).create_time()
    assert await child.ask("echo", {"say": "one"}) == {"said": "one"}
    assert await child.ask("echo", {"say": "zwei \udcff"}) == {"said": "zwei \udcff"}
    await child.stop()
    assert not child.alive


async def test_progress_is_handed_on_before_the_answer() -> None:
    child = await started(ECHO)
    heard: list[Mapping[str, Any]] = []
    await child.ask("echo", {"steps": 3}, heard.append)
    assert heard == [{"done": 0}, {"done": 1}, {"done": 2}]
    await child.stop()


async def test_a_refusal_is_a_failure_of_its_own_and_the_child_lives_on() -> None:
    child = await started(ECHO)
    error = await refused(child, "refuse")
    assert (error.failure.category, error.failure.sentence) == ("no_source_face", "No face.")
    assert await child.ask("echo", {"say": 1}) == {"said": 1}
    await child.stop()


async def test_a_child_that_dies_leaves_its_exit_code_and_its_last_words() -> None:
    child = await started("sys.stdin.readline(); print('first\\nout of luck\\n', file=sys.stderr); sys.exit(7)")
    error = await refused(child)
    assert error.failure.category == "child_died"
    assert error.failure.sentence == f"The {NAME} ended with exit code 7, last words: out of luck."
    assert not child.alive


@pytest.mark.parametrize(("number", "told"), [(9, "SIGKILL"), (11, "SIGSEGV"), (signal.SIGRTMIN + 3, "signal")])
async def test_a_child_that_is_killed_is_told_by_its_signal(number: int, told: str) -> None:
    child = await started(f"import os; sys.stdin.readline(); os.kill(os.getpid(), {number})")
    error = await refused(child)
    assert error.failure.category == "child_died"
    assert f"was ended by {told}" in error.failure.sentence


async def test_a_child_that_died_while_nobody_asked_is_found_dead() -> None:
    child = await started("sys.exit(3)")
    assert gone([child.identity.pid], 5)
    error = await refused(child)
    assert (error.failure.category, child.alive) == ("child_died", False)


@pytest.mark.parametrize(
    "answer",
    [
        "'Segmentation fault'",
        "'[1, 2]'",
        "'{}'",
        "'{\"id\": 1}'",
        '\'{"id": 1, "result": 5}\'',
        '\'{"id": 1, "failure": "no"}\'',
        '\'{"id": 1, "progress": []}\'',
        '\'{"id": 2, "result": {}}\'',
        "'[' * 100000",
        "'\\x00\\xff'",
    ],
)
async def test_rubbish_ends_the_child(answer: str) -> None:
    child = await started(f"sys.stdin.readline(); print({answer}, flush=True); sys.stdin.read()")
    error = await refused(child)
    assert error.failure.category == "child_rubbish"
    assert len(error.failure.sentence) < 250
    assert not child.alive


async def test_a_line_without_end_is_rubbish() -> None:
    child = await started(
        f"sys.stdin.readline()\nwhile True: sys.stdout.write('x' * {LINE_LIMIT // 4}); sys.stdout.flush()"
    )
    error = await refused(child)
    assert (error.failure.category, child.alive) == ("child_rubbish", False)


async def test_a_child_that_closes_its_answers_and_goes_on_is_stopped() -> None:
    child = await started("import os, time; sys.stdin.readline(); os.close(1); time.sleep(600)")
    error = await refused(child)
    assert (error.failure.category, child.alive) == ("child_died", False)
    assert "closed its answers" in error.failure.sentence


async def test_a_child_that_is_never_ready_is_stopped(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    code = f"import os, time, pathlib; pathlib.Path({str(note)!r}).write_text(str(os.getpid())); time.sleep(600)"
    with pytest.raises(ChildFailure) as caught:
        await Child.start(argv(code), name=NAME, ready_seconds=1.0)
    assert caught.value.failure.category == "child_start"
    assert caught.value.failure.sentence == f"The {NAME} was not ready after 1 seconds."
    assert not psutil.pid_exists(int(note.read_text()))


async def test_a_child_whose_first_words_are_others_is_stopped() -> None:
    with pytest.raises(ChildFailure) as caught:
        await Child.start(argv("print('{\"hello\": 1}', flush=True); input()"), name=NAME)
    assert caught.value.failure.category == "child_rubbish"


@pytest.mark.parametrize("program", ["/no/such/program", "/"])
async def test_a_program_that_cannot_be_started_is_told(program: str) -> None:
    with pytest.raises(ChildFailure) as caught:
        await Child.start([program], name=NAME)
    assert caught.value.failure.category == "child_start"
    assert program in caught.value.failure.sentence


async def test_a_flood_on_stderr_holds_nothing_up_and_its_end_is_kept() -> None:
    child = await started(
        """
        sys.stdin.readline()
        for number in range(20_000):
            print(f"line {number} " + "x" * 50, file=sys.stderr)
        print("y" * 2_000_000, file=sys.stderr)
        print("the end", file=sys.stderr, flush=True)
        print('{"id": 1, "result": {}}', flush=True)
        sys.stdin.read()
        """
    )
    await child.ask("anything", {})
    await child.stop()
    assert len(child.tail) == TAIL_LINES
    assert child.tail[-1] == "the end"
    assert child.tail[0].startswith("line 19962 ")
    assert max(map(len, child.tail)) == TAIL_WIDTH


async def test_a_cancel_in_the_middle_of_a_question_ends_the_child() -> None:
    child = await started(
        'sys.stdin.readline(); print(\'{"id": 1, "progress": {}}\', flush=True); sys.stdin.readline()'
    )
    working = asyncio.Event()
    asking = asyncio.create_task(child.ask("anything", {}, lambda _: working.set()))
    await working.wait()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert not child.alive


async def test_a_child_and_a_grandchild_that_ignore_term_are_gone_though_the_caller_is_cancelled_twice() -> None:
    child = await started(
        f"""
        import signal
        signal.signal(signal.SIGTERM, lambda *_: print('{{"id": 1, "progress": {{"heard": "TERM"}}}}', flush=True))
        exec({GRANDCHILD!r})
        sys.stdin.readline()
        print(json.dumps({{"id": 1, "progress": {{"grandchild": one.pid}}}}), flush=True)
        while True: signal.pause()
        """
    )
    heard: list[Mapping[str, Any]] = []
    working = asyncio.Event()

    def hear(progress: Mapping[str, Any]) -> None:
        heard.append(progress)
        working.set()

    asking = asyncio.create_task(child.ask("anything", {}, hear))
    await working.wait()
    family = [child.identity.pid, heard[0]["grandchild"]]
    for _ in range(3):
        asking.cancel()
        await asyncio.wait([asking], timeout=0.05)
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert gone(family, seconds=1)


async def test_a_grandchild_that_outlives_a_child_which_ends_by_itself_is_ended_with_it() -> None:
    child = await started(f"exec({GRANDCHILD!r}); print(one.pid, file=sys.stderr, flush=True); one.stdout.close()")
    assert (await refused(child)).failure.category == "child_died"
    grandchild = int(next(line for line in child.tail if line.isdigit()))
    assert gone([grandchild], seconds=5)


LAST_PID = Path("/proc/sys/kernel/ns_last_pid")


def stranger_with(pid: int) -> "subprocess.Popen[bytes]":
    """A group leader with this pid, which is free."""
    for _ in range(200):  # somebody else may be quicker
        LAST_PID.write_text(str(pid - 1))
        stranger = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, start_new_session=True)
        if stranger.pid == pid:
            return stranger
        stranger.communicate()
    pytest.skip("the pid was always taken by others")


@pytest.mark.skipif(os.geteuid() != 0 or not LAST_PID.exists(), reason="only root on Linux can choose the next pid")
async def test_a_stranger_that_got_the_pid_of_a_child_that_is_gone_is_left_alone() -> None:
    child = await started("sys.stdin.read()")
    os.kill(child.identity.pid, signal.SIGKILL)
    with pytest.raises(ChildFailure):
        await child.ask("anything", {})
    stranger = stranger_with(child.identity.pid)
    await child.stop()
    stranger.communicate()
    assert stranger.returncode == 1  # by the end of its input, and not by KILL


async def test_stopping_twice_is_harmless() -> None:
    child = await started("sys.stdin.read()")
    await asyncio.gather(child.stop(), child.stop())
    await child.stop()
    assert not child.alive


async def test_what_is_done_to_its_end_reports_its_own_failure_before_the_cancel() -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        begun.set()
        await go_on.wait()
        raise LookupError

    caller = asyncio.create_task(to_the_end(work()))
    await begun.wait()
    for _ in range(3):
        caller.cancel()
        await asyncio.wait([caller], timeout=0.01)
    go_on.set()
    with pytest.raises(LookupError):
        await caller
