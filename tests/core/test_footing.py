"""When missing files are gone, and when only their disk is."""

from dataclasses import replace

import pytest

from faceswapd.core.footing import Footing, doubt, same, unchanged

ROOT = Footing("/", "ext4", "/dev/sda1", "/", "8:1", 111)
DISK = Footing("/disk", "ext4", "/dev/sdb1", "/", "8:17", 222)
NAS = Footing("/disk", "nfs4", "nas:/export", "/", "0:40", 0)
TMPFS = Footing("/disk/inbox", "tmpfs", "tmpfs", "/", "0:50", 0)
STICK = Footing("/disk/inbox/stick", "vfat", "/dev/sdc1", "/", "8:33", 33)
WAITING = ["/disk/inbox/a.mp4", "/disk/inbox/stick/b.mp4", "/disk/inbox/stick/c.mp4"]


@pytest.mark.parametrize(
    ("one", "other", "answer"),
    [
        (DISK, DISK, True),
        (DISK, replace(DISK, source="/dev/sdc1", device="8:33"), True),  # named anew after a restart
        (DISK, replace(DISK, system=0), True),
        (DISK, replace(DISK, point="/media"), False),
        (DISK, replace(DISK, root="/other"), False),
        (DISK, replace(DISK, system=333, source="/dev/sdc1"), False),  # another stick
        (NAS, replace(NAS, device="0:77"), True),  # mounted again
        (NAS, replace(NAS, source="nas:/other"), False),
        (TMPFS, replace(TMPFS, device="0:77"), False),  # a new and empty one
        (DISK, ROOT, False),
    ],
)
def test_what_is_the_same_file_system_in_the_same_place(one: Footing, other: Footing, answer: bool) -> None:  # noqa: FBT001
    assert same(one, other) is same(other, one) is answer


@pytest.mark.parametrize(
    ("now", "here", "told"),
    [
        ([DISK, STICK], [], None),  # everything is mounted: what is missing is gone
        ([DISK, STICK, replace(STICK, point="/disk/inbox/more")], [], None),
        (
            [ROOT],
            [],
            "lacks all 3 files that wait: the disk that was mounted at /disk (/dev/sdb1 (ext4)) is not there",
        ),
        ([TMPFS], [], "lacks all 3 files that wait: tmpfs (tmpfs) is mounted over it at /disk/inbox"),
        (
            [NAS],
            [],
            "lacks all 3 files that wait: at /disk, nas:/export (nfs4) is mounted, and before it was /dev/sdb1 (ext4)",
        ),
        ([NAS], ["/disk/inbox/other.mp4"], "lacks all 3 files"),
        ([NAS], WAITING[:1], "lacks all 2 files"),  # the files themselves are there, but for those of the stick
        ([NAS], [WAITING[0], WAITING[2]], None),
        (
            [DISK],
            WAITING[:1],
            "lacks all 2 files that wait: the disk that was mounted at /disk/inbox/stick (/dev/sdc1 (vfat)) is not",
        ),
        ([DISK], WAITING, None),
    ],
)
def test_files_that_a_disk_took_along_are_waited_for(now: list[Footing], here: list[str], told: str | None) -> None:
    why = doubt([DISK, STICK], now, WAITING, here)
    assert (why is None) == (told is None), why
    assert why is None or why.startswith(told or "")


def test_one_file_is_said_as_one() -> None:
    assert (doubt([DISK], [ROOT], WAITING[:1], []) or "").startswith("lacks a file that waits: ")


def test_where_nothing_waits_nothing_is_doubted() -> None:
    assert doubt([DISK, STICK], [ROOT], [], []) is None
    assert doubt([DISK, STICK], [DISK], WAITING[:1], []) is None  # what is missing did not lie on the stick


def test_what_was_never_seen_well_is_unchanged() -> None:
    assert unchanged((), [ROOT])
    assert doubt((), [ROOT], WAITING, []) is None
    assert not unchanged([DISK], [ROOT])
    assert not unchanged([DISK, STICK], [DISK])
