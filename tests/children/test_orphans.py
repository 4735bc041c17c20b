import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator

import psutil
import pytest

from faceswapd.children.child import ChildId
from faceswapd.children.orphans import end_orphans
from tests.children.small_children import GRANDCHILD, argv, gone

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
    assert end_orphans([left]) == [left]
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
