# ruff: noqa: ASYNC240  the files are small and local
"""Control groups: the real ones where this machine lets a test make some, and folders that look like them."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from faceswapd.children import control_group
from faceswapd.children.child import Child, ChildFailure
from faceswapd.children.control_group import Group, Groups, delegated
from tests.children.small_children import NAME, READY, argv, escaped, gone


def cgroup2() -> Path | None:
    """Where control groups of version 2 are mounted."""
    try:
        return next((Path(place) for _, place in control_group._mounts(Path("/proc/self"))), None)
    except OSError:
        return None


def removed(folder: Path) -> None:
    deadline = time.monotonic() + 20
    while folder.exists():
        for path, _, _ in os.walk(folder, topdown=False):
            with contextlib.suppress(OSError):
                Path(path).rmdir()
        assert time.monotonic() < deadline, f"{folder} is busy"


@pytest.fixture
def root() -> Iterator[Path]:
    """A real group of this test's own."""
    mount = cgroup2()
    made = None if mount is None else mount / f"faceswapd-test-{os.getpid()}"
    try:
        assert made is not None
        made.mkdir()
    except (AssertionError, OSError):
        pytest.skip("no control group of version 2 can be made here")
    if not (made / "cgroup.kill").exists():
        made.rmdir()
        pytest.skip("this kernel has no cgroup.kill")
    yield made
    removed(made)


def members(group: Path) -> set[int]:
    return {int(pid) for pid in (group / "cgroup.procs").read_text().split()}


async def test_a_child_and_all_that_descends_from_it_are_in_one_group_and_end_with_it(root: Path) -> None:
    groups = Groups(root)
    code = f"import subprocess\n{READY}\nimport time\ntime.sleep(600)"
    child = await Child.start(argv(code), name=NAME, groups=groups)
    (group,) = root.glob("child-*")
    assert members(group) == {child.identity.pid}
    await child.stop()
    assert gone([child.identity.pid], 0)
    assert list(root.glob("child-*")) == []


def test_one_that_has_left_everybody_and_has_no_mark_is_killed_with_its_group(root: Path) -> None:
    group = Groups(root).new()
    assert group is not None
    far = escaped("")
    group.take(far)
    group.end()
    assert gone([far], 10)
    assert not group.path.exists()


TAKEN = """
import os, sys
from pathlib import Path
from faceswapd.children.control_group import Groups
root = Path(sys.argv[1])
(root / "cgroup.procs").write_text(str(os.getpid()))
groups = Groups.taken(root, None)
print((root / "daemon" / "cgroup.procs").read_text().split() == [str(os.getpid())], (root / "cgroup.procs").read_text())
print([path.name for path in root.glob("child-*")], groups.new().path.parent == root)
"""


def test_the_daemon_moves_into_a_leaf_and_ends_what_an_earlier_life_left(root: Path) -> None:
    left = Group(root / "child-left")
    left.path.mkdir()
    far = escaped("")
    left.take(far)
    done = subprocess.run([sys.executable, "-c", TAKEN, str(root)], capture_output=True, text=True, timeout=30)
    assert (done.stdout.split("\n"), done.stderr) == (["True ", "[] True", ""], "")
    assert gone([far], 10)


def test_a_group_that_nobody_left_to_us_is_never_touched(root: Path, tmp_path: Path) -> None:
    assert delegated() is None, "this test runs in no delegated group"
    process = root_as_own(root, tmp_path)
    assert delegated(process) is None
    for name in ("user.delegate", "trusted.delegate"):
        try:
            os.setxattr(root, name, b"1")
        except OSError:
            continue
        assert delegated(process) == root
        os.setxattr(root, name, b"0")
        assert delegated(process) is None


def root_as_own(root: Path, process: Path) -> Path:
    """What /proc says of a process in a group."""
    mount = cgroup2()
    assert mount is not None
    (process / "cgroup").write_text(f"1:name=systemd:/x\n0::/{root.relative_to(mount)}\n")
    (process / "mountinfo").write_text(Path("/proc/self/mountinfo").read_text())
    return process


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the files that the kernel would make."""
    for name, text in (
        ("cgroup.controllers", "cpu memory pids\n"),
        ("cgroup.procs", ""),
        ("cgroup.subtree_control", ""),
    ):
        (tmp_path / name).write_text(text)
    (tmp_path / "daemon").mkdir()
    (tmp_path / "daemon" / "cgroup.procs").touch()
    return tmp_path


def with_memory(group: Group, killed: int, peak: int) -> None:
    (group.path / "memory.events").write_text(f"low 0\noom 1\noom_kill {killed}\noom_group_kill 0\n")
    (group.path / "memory.peak").write_text(f"{peak}\n")


def test_controllers_are_enabled_and_a_limit_is_set(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    enabled: list[str] = []
    write = control_group._write

    def written(path: Path, text: str) -> None:
        if path.name == "cgroup.subtree_control":
            enabled.append(text)
        write(path, text)

    monkeypatch.setattr(control_group, "_write", written)
    groups = Groups.taken(folder, 123_000_000)
    assert groups is not None
    assert (folder / "daemon" / "cgroup.procs").read_text() == str(os.getpid())
    assert enabled == ["+memory", "+pids"]
    mkdir = Path.mkdir

    def made(path: Path) -> None:
        mkdir(path)
        for name in ("memory.max", "memory.swap.max"):
            (path / name).touch()

    monkeypatch.setattr(Path, "mkdir", made)
    group = groups.new()
    assert group is not None
    assert (group.path / "memory.max").read_text() == "123000000"
    assert (group.path / "memory.swap.max").read_text() == "0"


def test_the_peak_and_who_was_ended_are_those_since_the_peak_was_begun(folder: Path) -> None:
    group = Groups(folder).new()
    assert group is not None
    assert (group.peak, group.memory_ran_out) == (None, False)
    with_memory(group, 1, 5_000)
    assert (group.peak, group.memory_ran_out) == (5_000, True)
    group.begin_peak()
    assert not group.memory_ran_out
    with_memory(group, 2, 7_000)
    assert (group.peak, group.memory_ran_out) == (7_000, True)


async def test_a_child_that_the_kernel_ended_for_want_of_memory_says_so(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control_group, "EMPTY_SECONDS", 0.1)  # no kernel takes the files of this folder away
    code = f"import os, sys\n{READY}\nsys.stdin.readline()\nos.kill(os.getpid(), 9)"
    child = await Child.start(argv(code), name=NAME, groups=Groups(folder))
    (path,) = folder.glob("child-*")
    with_memory(Group(path), 1, 5_000)
    with pytest.raises(ChildFailure) as caught:
        await child.ask("swap", {})
    assert caught.value.failure.category == "out_of_memory"


async def test_without_a_group_the_peak_is_that_of_the_child_and_what_it_started() -> None:
    code = (
        f"import subprocess, sys\n{READY}\n"
        "for line in sys.stdin:\n"
        "    held = bytearray(200_000_000)\n"
        "    del held\n"
        "    print('{\"id\": ' + str(json.loads(line)['id']) + ', \"result\": {}}', flush=True)\n"
    )
    child = await Child.start(argv(f"import json\n{code}"), name=NAME)
    child.begin_peak()
    before = child.peak_memory
    assert before is not None
    await child.ask("hold", {})
    after = child.peak_memory
    assert after is not None
    assert after - before > 150_000_000
    child.begin_peak()
    begun = child.peak_memory
    assert begun is not None
    if sys.platform == "linux":
        assert begun < after - 100_000_000
    await child.stop()
    assert child.peak_memory is None
