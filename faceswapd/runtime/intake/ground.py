"""What a folder stands on: which folder it is at the moment, and on which file systems."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from faceswapd.core.footing import Footing
from faceswapd.core.mounts import Mount, below, mount_of, parse

TABLE: Final = Path("/proc/self/mountinfo")  # of Linux; other systems tell nothing


@dataclass(frozen=True, slots=True)
class Ground:
    """Two that are equal are the same folder on the same mounts."""

    device: int
    inode: int
    read_only: bool
    mounts: tuple[int, ...]  # numbers of the mounts, as the kernel counts them
    footings: tuple[Footing, ...]  # its own file system, and those that are mounted below it

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of its file systems, its own first; an empty one is not known."""
        return tuple(one.kind for one in self.footings)


def ground_of(folder: Path) -> Ground | None:
    """The ground of a folder; None when it is not there. Blocks while its disk does not answer."""
    try:
        real = folder.resolve()
        status, system = real.stat(), os.statvfs(real)
    except OSError:
        return None
    table = mounts()
    own = mount_of(str(real), table)
    inner = below(str(real), table)
    number = f"{os.major(status.st_dev)}:{os.minor(status.st_dev)}"
    first = Footing(str(_point(real)), "", "", "/", number, system.f_fsid) if own is None else _footing(own)
    return Ground(
        status.st_dev,
        status.st_ino,
        bool(system.f_flag & os.ST_RDONLY),
        _numbers(own, inner),
        (first, *(replace(_footing(one), point=str(folder / Path(one.point).relative_to(real))) for one in inner)),
    )


def mounts() -> tuple[Mount, ...]:
    """What is mounted where; nothing where the system does not tell."""
    try:
        table = TABLE.read_bytes()
    except OSError:
        return ()
    return parse(os.fsdecode(table))


def one_mount(one: Path, other: Path) -> bool:
    """Whether two paths lie on one mount, so that a file can be linked and renamed from one to the other: between two
    mounts that show the same disk it cannot. Raises OSError."""
    if one.stat().st_dev != other.stat().st_dev:
        return False
    table = mounts()
    return mount_of(str(one.resolve()), table) == mount_of(str(other.resolve()), table)


def is_mounted(footing: Footing) -> bool:
    """Whether anything is mounted where this was."""
    return os.path.ismount(footing.point)


def _footing(mount: Mount) -> Footing:
    try:
        system = os.statvfs(mount.point).f_fsid
    except OSError:
        system = 0
    return Footing(mount.point, mount.kind, mount.source, mount.root, mount.device, system)


def _numbers(own: Mount | None, inner: Sequence[Mount]) -> tuple[int, ...]:
    return tuple(mount.number for mount in (own, *inner) if mount is not None)


def _point(folder: Path) -> Path:
    """Where the disk of a folder is mounted, where there is no table of mounts."""
    return next(place for place in (folder, *folder.parents) if place.is_mount() or place == place.parent)
