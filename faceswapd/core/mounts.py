"""The mount table, and what it says of a folder: on which file system it lies, and whether its events tell everything.

Events come from the kernel of this machine. Of what another machine does with files on a network, or what lies beneath
a file system that a program makes (FUSE), it hears nothing: such folders are listed again and again instead.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

NETWORK: Final = frozenset(
    """nfs nfs4 cifs smb smb2 smb3 smbfs 9p afs ceph glusterfs lustre gpfs beegfs orangefs pvfs2 ocfs2 gfs2 coda ncpfs
    davfs""".split()  # noqa: SIM905  a list to be read
)  # other machines write to these
SHARED: Final = frozenset({"virtiofs", "vboxsf", "prl_fs", "vmhgfs", "drvfs", "osxfs", "grpcfuse", "fakeowner"})
LOCAL_FUSE: Final = frozenset(
    {"fuseblk"}
)  # a disk of this machine (NTFS, exFAT): whoever writes there does it through us
STACKED: Final = frozenset({"ecryptfs", "autofs"})  # what is written beneath, or mounted later, makes no events above
_OCTAL: Final = re.compile(r"\\([0-7]{3})")


class How(StrEnum):
    """How new files in a folder are noticed."""

    EVENTS = "events"
    POLLING = "polling"


@dataclass(frozen=True, slots=True)
class Mount:
    """One line of the mount table."""

    number: int  # of this mount, while it lasts
    parent: int  # the mount that it stands on
    device: str  # major:minor
    root: str  # which folder of the file system is seen here: "/" but for bind mounts and subvolumes
    point: str  # where
    kind: str  # of file system, as the kernel calls it
    source: str  # a disk, a server's folder, or any word
    read_only: bool


@dataclass(frozen=True, slots=True)
class Way:
    """How a folder is watched."""

    how: How
    why: str  # one sentence
    kind: str = ""  # of file system; empty where it is not known


def parse(table: str) -> tuple[Mount, ...]:
    """The lines of /proc/self/mountinfo. A line that is none of it is passed over."""
    return tuple(mount for line in table.split("\n") if (mount := _mount(line)) is not None)


def _mount(line: str) -> Mount | None:
    """36 35 98:0 /root /point rw,noatime shared:1 - ext4 /dev/sda1 rw: no, one or more fields stand before the dash."""
    before, dash, after = line.partition(" - ")
    here, there = before.split(" "), after.split(" ")
    if not dash or len(here) < 6 or len(there) < 2 or not (here[0].isdecimal() and here[1].isdecimal()):
        return None
    root, point, kind, source = map(_plain, (here[3], here[4], there[0], there[1]))
    read_only = "ro" in here[5].split(",") or (len(there) > 2 and "ro" in there[2].split(","))
    return Mount(int(here[0]), int(here[1]), here[2], root, point, kind, source, read_only)


def _plain(field: str) -> str:
    r"""Blanks, tabs, line ends, # and backslashes stand as \040 and so on."""
    return _OCTAL.sub(lambda match: chr(int(match[1], 8)), field)


def mount_of(path: str, mounts: Sequence[Mount]) -> Mount | None:
    """The mount on which an absolute path without links lies.

    From the root downwards, as the kernel goes: what was mounted over a folder hides all mounts below that folder, and
    of several at one place the last is seen. None: the table does not tell.
    """
    numbers = {mount.number for mount in mounts}
    current: Mount | None = None
    for point in _upwards(path)[::-1]:
        while (next_one := _on(current, point, mounts, numbers)) is not None:
            current = next_one
    return current


def _on(current: Mount | None, point: str, mounts: Iterable[Mount], numbers: set[int]) -> Mount | None:
    """What is mounted at a place of the current mount. The first mount of all stands on none that is listed."""
    found = None
    for mount in mounts:
        if mount.point != point or mount is current:
            continue
        foundation = mount.parent == current.number if current is not None else mount.parent not in numbers
        if foundation or (current is None and mount.parent == mount.number):
            found = mount
    return found


def _upwards(path: str) -> list[str]:
    """A path and all above it."""
    parts = [part for part in path.split("/") if part]
    return ["/" + "/".join(parts[:count]) for count in range(len(parts), -1, -1)]


def below(path: str, mounts: Sequence[Mount]) -> tuple[Mount, ...]:
    """The mounts that are seen below a folder."""
    inside = path.rstrip("/") + "/"
    return tuple(mount for mount in mounts if mount.point.startswith(inside) and mount_of(mount.point, mounts) is mount)


def way_of(kind: str, wish: How | None = None) -> Way:
    """How a folder on a file system of this kind is watched. `wish`: what the configuration says; None: choose."""
    if wish is not None:
        return Way(wish, "The configuration says so.", kind)
    if not kind:
        return Way(How.EVENTS, "This system does not tell on which file system it lies.")
    if kind in NETWORK:
        return Way(How.POLLING, f"On {kind}, what other machines write makes no events.", kind)
    if kind in SHARED:
        return Way(How.POLLING, f"On {kind}, what the machine around this one writes makes no events.", kind)
    if kind in LOCAL_FUSE or not (kind in STACKED or kind.partition(".")[0] == "fuse"):
        return Way(How.EVENTS, f"On {kind}, every new file makes an event.", kind)
    return Way(How.POLLING, f"On {kind}, what is written beneath it makes no events.", kind)
