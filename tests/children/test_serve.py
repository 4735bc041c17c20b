"""The child's side, as a process of its own that the daemon's side speaks to."""

import json
import signal
import subprocess
from pathlib import Path

import pytest

from faceswapd.children.child import Child, ChildFailure
from tests.children.small_children import GRANDCHILD, NAME, argv, gone

SERVING = f"""
import os, sys, time
from faceswapd.children.serve import Refusal, serve

def shout(args, say):
    print("a library prints")
    os.system("echo a program prints")
    os.write(1, b"a C library prints")
    say({{"done": 1}})
    return {{"said": args["say"]}}

def refuse(args, say):
    raise Refusal("unsupported", "Not this one.")

def swallow(args, say):
    raise MemoryError

def fail(args, say):
    raise LookupError("an error of the child itself")

def breed(args, say):
    exec({GRANDCHILD!r}, globals())
    say({{"grandchild": globals()["one"].pid}})
    time.sleep(600)

serve({{"shout": shout, "refuse": refuse, "swallow": swallow, "fail": fail, "breed": breed}}, {{"version": 3}})
"""


async def serving() -> Child:
    return await Child.start(argv(SERVING), name=NAME)


async def test_what_libraries_print_does_not_disturb_the_answers() -> None:
    child = await serving()
    heard: list[object] = []
    assert await child.ask("shout", {"say": "snow ☃ and bytes \udcff"}, heard.append) == {
        "said": "snow ☃ and bytes \udcff"
    }
    assert heard == [{"done": 1}]
    await child.stop()
    printed = "\n".join(child.tail)
    assert all(f"a {who} prints" in printed for who in ("library", "program", "C library"))


async def test_a_refusal_and_a_want_of_memory_leave_the_child_alive() -> None:
    child = await serving()
    for verb, category in (("refuse", "unsupported"), ("swallow", "out_of_memory")):
        with pytest.raises(ChildFailure) as caught:
            await child.ask(verb, {})
        assert caught.value.failure.category == category
    assert await child.ask("shout", {"say": 1}) == {"said": 1}
    await child.stop()


@pytest.mark.parametrize("verb", ["fail", "no such verb"])
async def test_an_error_of_the_child_itself_ends_it_with_its_traceback(verb: str) -> None:
    child = await serving()
    with pytest.raises(ChildFailure) as caught:
        await child.ask(verb, {})
    assert caught.value.failure.category == "child_died"
    assert "Error" in caught.value.failure.sentence
    assert any("Traceback" in line for line in child.tail)


def alone() -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        argv(SERVING),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    assert process.stdout is not None
    assert json.loads(process.stdout.readline()) == {"ready": {"version": 3}}
    return process


def test_it_ends_with_its_stdin() -> None:
    with alone() as process:
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(5) == -signal.SIGKILL


def test_in_the_middle_of_its_work_it_ends_with_its_stdin_and_takes_its_grandchildren_along() -> None:
    with alone() as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b'{"id": 1, "verb": "breed", "args": {}}\n')
        process.stdin.flush()
        grandchild = json.loads(process.stdout.readline())["progress"]["grandchild"]
        process.stdin.close()
        assert process.wait(5) == -signal.SIGKILL
        assert gone([grandchild], seconds=5)


def test_one_that_leads_no_group_ends_alone(tmp_path: Path) -> None:
    """It does not end those who started it: here a Python that goes on and says so."""
    (tmp_path / "serving.py").write_text(SERVING, encoding="utf-8")
    outer = (
        "import subprocess, sys\n"
        "done = subprocess.run([sys.executable, 'serving.py'], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)\n"
        "print('went on', done.returncode)"
    )
    told = subprocess.run(argv(outer), cwd=tmp_path, capture_output=True, text=True, timeout=20, start_new_session=True)
    assert told.stdout == "went on 0\n", told.stderr
