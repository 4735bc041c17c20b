"""A control group (cgroup v2) for each child, where the system has left a part of its tree to us.

systemd does so for a unit with `Delegate=`, and says it on the group itself; what is not marked so, a login session's
group for one, is never touched. The daemon moves itself into the leaf `daemon`, since a group with processes may have
no groups with limits below it. A warm child keeps its group for its life, over several executions: its limit is the
same for all of them, and the peak is begun anew for each where the kernel can (6.12); before that it is the child's
so far. Killing a group leaves nobody out, whatever session he has made for himself.
"""

import contextlib
import os
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

DELEGATED: Final = ("user.delegate", "trusted.delegate")  # attributes in which systemd says so
DAEMON: Final = "daemon"
PREFIX: Final = "child-"
WANTED: Final = ("memory", "pids")
EMPTY_SECONDS: Final = 5.0  # from the killing of a group to its being empty
PAUSE_SECONDS: Final = 0.01


class Group:
    """The group of one child."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._measure: int | None = None  # an open memory.peak: the kernel begins anew for this one alone
        self._kills = 0  # before the peak was begun

    def take(self, pid: int) -> None:
        """Move a process in. Done right after its start, before it has started anybody itself."""
        with contextlib.suppress(OSError):  # it has ended already
            _write(self.path / "cgroup.procs", str(pid))

    def begin_peak(self) -> None:
        """Measure the peak from here on, where the kernel can, and count who is ended for want of memory."""
        self._kills = self._killed()
        self._close()
        with contextlib.suppress(OSError):
            handle = os.open(self.path / "memory.peak", os.O_RDWR | os.O_CLOEXEC)
            try:
                os.write(handle, b"reset")
            except OSError:
                os.close(handle)
                raise
            self._measure = handle

    @property
    def peak(self) -> int | None:
        """Bytes that it held at most; None where memory is not counted."""
        try:
            if self._measure is not None:
                return int(os.pread(self._measure, 64, 0))
            return int((self.path / "memory.peak").read_text(encoding="ascii"))
        except (OSError, ValueError):
            return None

    @property
    def memory_ran_out(self) -> bool:
        """Whether the kernel has ended one of its processes for want of memory since then."""
        return self._killed() > self._kills

    def _killed(self) -> int:
        try:
            lines = (self.path / "memory.events").read_text(encoding="ascii").splitlines()
        except OSError:
            return 0
        return next((int(line.split()[1]) for line in lines if line.startswith("oom_kill ")), 0)

    def _close(self) -> None:
        if self._measure is not None:
            os.close(self._measure)
            self._measure = None

    def end(self) -> None:
        """KILL all that is in it, and remove it. Blocks until it is empty, at most EMPTY_SECONDS."""
        self._close()
        with contextlib.suppress(OSError):  # before Linux 5.14 there is no such file: others end them
            _write(self.path / "cgroup.kill", "1")
        deadline = time.monotonic() + EMPTY_SECONDS
        while time.monotonic() < deadline:
            try:
                self.path.rmdir()
            except FileNotFoundError:
                return
            except OSError:  # busy: the kernel has not buried all of them
                time.sleep(PAUSE_SECONDS)
            else:
                return


@dataclass(frozen=True, slots=True)
class Groups:
    """Makes the groups below the one that was left to us."""

    root: Path
    memory_max: int | None = None  # bytes for each child

    @classmethod
    def taken(cls, root: Path, memory_max: int | None) -> Self | None:
        """Take a delegated group over, ending what an earlier life left in it. None where the system refuses."""
        try:
            for left in root.glob(f"{PREFIX}*"):
                Group(left).end()
            (root / DAEMON).mkdir(exist_ok=True)
            _write(root / DAEMON / "cgroup.procs", str(os.getpid()))
            there = (root / "cgroup.controllers").read_text(encoding="ascii").split()
        except OSError:
            return None
        for controller in WANTED:
            if controller in there:
                with contextlib.suppress(OSError):
                    _write(root / "cgroup.subtree_control", f"+{controller}")
        return cls(root, memory_max)

    def new(self) -> Group | None:
        """A group for a child that has just been started; None where none can be made any more."""
        path = self.root / f"{PREFIX}{uuid.uuid4().hex}"
        try:
            path.mkdir()
        except OSError:
            return None
        if self.memory_max is not None and (path / "memory.max").exists():
            with contextlib.suppress(OSError):
                _write(path / "memory.max", str(self.memory_max))
                _write(path / "memory.swap.max", "0")
        return Group(path)


def delegated(process: Path = Path("/proc/self")) -> Path | None:
    """The group of a process, if it was left to the process; None otherwise, and where there is no cgroup v2."""
    try:
        lines = (process / "cgroup").read_text(encoding="utf-8").splitlines()
        name = next((line[3:] for line in lines if line.startswith("0::")), None)
        if name is None:
            return None
        for root, place in _mounts(process):
            if name == root or name.startswith(root.rstrip("/") + "/"):
                path = Path(place + name.removeprefix(root.rstrip("/")))
                return path if _is_ours(path) else None
    except OSError:
        return None
    return None


def _mounts(process: Path) -> Iterator[tuple[str, str]]:
    """Where control groups of version 2 are mounted, with the group that is seen there."""
    for line in (process / "mountinfo").read_text(encoding="utf-8").splitlines():
        words, _, kind = line.partition(" - ")
        if kind.startswith("cgroup2 "):
            root, place = words.split()[3:5]
            yield root, place


def _is_ours(path: Path) -> bool:
    """Whether systemd has said so, and we may make groups there."""
    for name in DELEGATED:
        with contextlib.suppress(OSError, AttributeError):  # macOS has no such attributes
            if os.getxattr(path, name) == b"1":
                return os.access(path, os.W_OK) and os.access(path / "cgroup.procs", os.W_OK)
    return False


def _write(path: Path, text: str) -> None:
    """Into a file that is there: the kernel makes them."""
    with path.open("r+", encoding="ascii") as file:
        file.write(text)
