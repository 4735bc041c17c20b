import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator

import psutil
import pytest

from faceswapd.children import kin
from faceswapd.children.child import ChildId
from faceswapd.children.orphans import end_orphans
from tests.children.small_children import GRANDCHILD, argv, escaped, gone

FAMILY = f"exec({GRANDCHILD!r}); print(one.pid, flush=True); one.wait()"


@pytest.fixture
def family() -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A group leader, and the pid of its child that ignores TERM."""
    with subprocess.Popen(argv(FAMILY), stdout=subprocess.PIPE, start_new_session=True) as leader:
        assert leader.stdout is not None
        yield leader, int(leader.stdout.readline())
        with contextlib.suppress(ProcessLookupError):
            os.killpg(leader.pid, signal.SIGKILL)


def identity(pid: int) -> ChildId:
    return ChildId(pid, psutil.Process(pid).create_time())


def test_what_was_left_running_is_ended_with_its_whole_group(family: tuple[subprocess.Popen[bytes], int]) -> None:
    leader, grandchild = family
    left = identity(leader.pid)
    assert end_orphans([left]) == [left.pid]
    assert gone([leader.pid, grandchild], seconds=5)


def test_a_process_that_got_the_pid_since_is_a_stranger(family: tuple[subprocess.Popen[bytes], int]) -> None:
    leader, grandchild = family
    mine = identity(leader.pid)
    assert end_orphans([ChildId(mine.pid, mine.started - 1), ChildId(mine.pid, mine.started + 1)]) == []
    assert leader.poll() is None
    assert psutil.Process(grandchild).is_running()


def test_one_that_has_ended_since_is_nobody(family: tuple[subprocess.Popen[bytes], int]) -> None:
    leader, _ = family
    left = identity(leader.pid)
    end_orphans([left])
    leader.wait(5)
    assert end_orphans([left]) == []


LEFT_BEHIND = "import os; os.fork() and os._exit(0); print(os.getpid(), flush=True); import time; time.sleep(600)"


def leaderless(mark: str) -> tuple[ChildId, int]:
    """A process group whose leader has ended, as it was written down, and who is left of it."""
    environment = {**os.environ, kin.VARIABLE: mark}
    with subprocess.Popen(argv(LEFT_BEHIND), stdout=subprocess.PIPE, start_new_session=True, env=environment) as leader:
        started = psutil.Process(leader.pid).create_time()
        assert leader.stdout is not None
        member = int(leader.stdout.readline())
        leader.wait(5)
    assert os.getpgid(member) == leader.pid
    return ChildId(leader.pid, started), member


def test_a_group_whose_leader_has_ended_is_found_by_its_mark() -> None:
    left, member = leaderless("a family/a child")
    try:
        assert end_orphans([left], "a family") == [member]
        assert gone([member], seconds=5)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(member, signal.SIGKILL)


@pytest.mark.parametrize("mark", ["", "another family/a child", "a family that is longer/a child"])
def test_a_group_of_the_same_number_without_the_mark_is_a_stranger(mark: str) -> None:
    left, member = leaderless(mark)
    try:
        assert end_orphans([left], "a family") == []
        assert psutil.pid_exists(member)
    finally:
        os.kill(member, signal.SIGKILL)


def test_who_has_left_the_group_and_whose_start_reads_differently_is_found_by_its_mark(
    family: tuple[subprocess.Popen[bytes], int],
) -> None:
    """The clock was set since, so that nothing that was written down fits any more."""
    with kin.family("a family"):
        far = escaped(kin.new_mark())
    leader, _ = family
    assert end_orphans([ChildId(leader.pid, 1.0)], "a family") == [far]
    assert gone([far], seconds=5)
    assert leader.poll() is None
