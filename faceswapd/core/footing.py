"""Whether files are gone, or only the disk that they lie on.

A folder on a disk that is unmounted is still there: it shows what lies below the mount point, as a rule nothing. What
waits for the files of that disk must not be taken for removed.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from faceswapd.core.mounts import NETWORK


@dataclass(frozen=True, slots=True)
class Footing:
    """A file system that holds a folder or a part of it, as far as it is known again after a restart."""

    point: str  # where it is mounted
    kind: str
    source: str  # a disk, a server's folder, or any word
    root: str  # which folder of it is seen there
    device: str  # major:minor, of this mount
    system: int  # a number that the file system keeps; 0 where it has none


def same(one: Footing, other: Footing) -> bool:
    """Whether they are one file system, mounted in one place. Devices may be numbered anew after a restart, and those
    of a network are with every mount."""
    if (one.point, one.kind, one.root) != (other.point, other.kind, other.root):
        return False
    if one.system and one.system == other.system:
        return True
    return one.source == other.source and (one.device == other.device or one.kind in NETWORK)


def unchanged(before: Sequence[Footing], now: Sequence[Footing]) -> bool:
    """Whether all that was mounted still is. The first of each holds the folder itself."""
    return not any(_lost(before, now))


def _lost(before: Sequence[Footing], now: Sequence[Footing]) -> Iterator[tuple[int, Footing]]:
    """What is no longer mounted where it was."""
    for number, footing in enumerate(before):
        if not any(same(footing, other) for other in (now[1:] if number else now[:1])):
            yield number, footing


def doubt(
    before: Sequence[Footing], now: Sequence[Footing], waiting: Collection[str], here: Collection[str]
) -> str | None:
    """Why missing files may only be on a disk that is away, without subject and full stop; None: they are gone.

    The first footing of a folder holds all of it, and each further one what lies below its point. `waiting` are the
    files for which something waits, and `here` those that are there. A single one of the first among the second says
    that it is the same disk, however it is called now.
    """
    for number, footing in _lost(before, now):
        inside = footing.point.rstrip("/") + "/" if number else "/"
        missing = [path for path in waiting if path.startswith(inside)]
        if missing and not any(path in here for path in missing):
            files = "a file that waits" if len(missing) == 1 else f"all {len(missing)} files that wait"
            return f"lacks {files}: {_what(footing, now[1:] if number else now[:1])}"
    return None


def replaced(before: Sequence[Footing], now: Sequence[Footing]) -> str | None:
    """Why the disk that held a folder may be away, without full stop; None: it is there."""
    lost = next(_lost(before, now), None)
    return None if lost is None else _what(lost[1], now[1:] if lost[0] else now[:1])


def _what(footing: Footing, now: Sequence[Footing]) -> str:
    inside = footing.point.rstrip("/") + "/"
    for other in now:
        if other.point == footing.point:
            return f"at {footing.point}, {_named(other)} is mounted, and before it was {_named(footing)}"
        if other.point.startswith(inside):
            return f"{_named(other)} is mounted over it at {other.point}"
    return f"the disk that was mounted at {footing.point} ({_named(footing)}) is not there"


def _named(footing: Footing) -> str:
    return f"{footing.source} ({footing.kind})" if footing.kind else f"disk {footing.device}"
