"""What a folder stands on: which folder of which file system it is at the moment."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from faceswapd.core.mounts import Mount, mount_of, parse

TABLE: Final = Path("/proc/self/mountinfo")  # of Linux; other systems tell nothing


@dataclass(frozen=True, slots=True)
class Ground:
    """Two that are equal are the same folder on the same mount."""

    device: int
    inode: int
    system: int  # a number of the file system's own that stays; 0 where it has none
    read_only: bool
    mount: Mount | None  # None where the system does not tell

    @property
    def kind(self) -> str:
        """The kind of file system; empty where it is not known."""
        return "" if self.mount is None else self.mount.kind


def ground_of(folder: Path) -> Ground | None:
    """The ground of a folder; None when it is not there. Blocks while its disk does not answer."""
    try:
        real = folder.resolve()
        status, system = real.stat(), os.statvfs(real)
    except OSError:
        return None
    read_only = bool(system.f_flag & os.ST_RDONLY)
    return Ground(status.st_dev, status.st_ino, system.f_fsid, read_only, mount_of(str(real), mounts()))


def mounts() -> tuple[Mount, ...]:
    """What is mounted where; nothing where the system does not tell."""
    try:
        table = TABLE.read_bytes()
    except OSError:
        return ()
    return parse(os.fsdecode(table))
