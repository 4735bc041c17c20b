"""The mount table as Linux writes it, and what follows from it."""

import pytest

from faceswapd.core.mounts import How, below, mount_of, parse, way_of

TABLE = r"""22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard
30 27 0:30 / /home/ann/nas rw,relatime shared:5 - nfs4 nas.lan:/export/ann rw,vers=4.2
31 27 0:31 / /home/ann/win ro,relatime - cifs //nas/win rw
32 27 0:32 / /home/ann/My\040Disk\134x\011y rw,relatime shared:7 master:2 propagate_from:1 - vfat /dev/sdb1 rw
33 27 254:0 /srv/videos /home/ann/videos rw,relatime - ext4 /dev/vda rw
34 30 0:34 / /home/ann/nas/cache rw - tmpfs tmpfs rw
"""
MOUNTS = parse(TABLE)


def at(path: str, table: str = TABLE) -> str | None:
    mount = mount_of(path, parse(table))
    return None if mount is None else mount.kind


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "ext4"),
        ("/home/ann", "ext4"),
        ("/home/ann/nas", "nfs4"),
        ("/home/ann/nas/inbox/deep", "nfs4"),
        ("/home/ann/nas/cache/x", "tmpfs"),
        ("/home/ann/nasty", "ext4"),
        ("/home/ann/win/inbox", "cifs"),
        ("/home/ann/My Disk\\x\ty/inbox", "vfat"),
        ("/home/ann/videos/inbox", "ext4"),
        ("/proc/self", "proc"),
    ],
)
def test_a_path_lies_on_the_mount_that_is_nearest_above_it(path: str, kind: str) -> None:
    assert at(path) == kind


def test_fields_of_a_line() -> None:
    nas, win, disk, videos = MOUNTS[2:6]
    assert (nas.number, nas.parent, nas.device, nas.source) == (30, 27, "0:30", "nas.lan:/export/ann")
    assert (nas.read_only, win.read_only) == (False, True)
    assert disk.point == "/home/ann/My Disk\\x\ty"
    assert videos.root == "/srv/videos"


def test_what_is_mounted_over_a_folder_hides_what_was_mounted_below_it() -> None:
    over = "40 27 0:40 / /home/ann rw - btrfs /dev/sdc rw\n"
    assert at("/home/ann/nas/inbox", TABLE + over) == "btrfs"
    assert [mount.kind for mount in below("/home/ann", parse(TABLE + over))] == []
    assert [mount.kind for mount in below("/home/ann", MOUNTS)] == ["nfs4", "cifs", "vfat", "ext4", "tmpfs"]


def test_of_several_at_one_place_the_last_is_seen() -> None:
    second = "41 30 0:41 / /home/ann/nas rw - tmpfs over rw\n"
    assert at("/home/ann/nas", TABLE + second) == "tmpfs"
    assert at("/home/ann/nas/cache", TABLE + second) == "tmpfs"
    assert (
        mount_of("/home/ann/nas", parse(TABLE + second + second.replace("41 30", "42 41").replace("over", "top")))
        == (parse("42 41 0:41 / /home/ann/nas rw - tmpfs top rw")[0])
    )


@pytest.mark.parametrize(
    "table", ["", "nonsense\n", "1 2 3\n\n - \n", "x 27 0:1 / / rw - ext4 a rw\n", "1 0 0:1 / / rw"]
)
def test_a_table_that_tells_nothing_tells_of_no_mount(table: str) -> None:
    assert at("/home/ann", table) is None


def test_a_folder_in_a_root_of_its_own_that_is_no_mount() -> None:
    """As after a chroot: of what lies on the outer disk nothing is listed."""
    assert at("/data/inbox", "50 27 0:50 / /data rw - xfs /dev/sdd rw\n") == "xfs"
    assert at("/other", "50 27 0:50 / /data rw - xfs /dev/sdd rw\n") is None


@pytest.mark.parametrize(
    ("kinds", "how"),
    [
        (
            "ext2 ext3 ext4 xfs btrfs zfs f2fs vfat exfat ntfs3 fuseblk tmpfs overlay hfsplus apfs unheard_of",
            How.EVENTS,
        ),
        ("nfs nfs4 cifs smb3 smbfs 9p afs ceph glusterfs lustre davfs", How.POLLING),
        ("fuse fuse.sshfs fuse.rclone fuse.mergerfs fuse.glusterfs fuse.gvfsd-fuse fuse.davfs2", How.POLLING),
        ("virtiofs vboxsf prl_fs vmhgfs drvfs fakeowner autofs ecryptfs", How.POLLING),
    ],
)
def test_how_a_folder_is_watched_follows_from_its_file_system(kinds: str, how: How) -> None:
    for kind in kinds.split():
        way = way_of(kind)
        assert (way.how, way.kind) == (how, kind), kind
        assert kind in way.why
        assert way.why.endswith(".")


@pytest.mark.parametrize("wish", list(How))
def test_the_configuration_has_the_last_word(wish: How) -> None:
    for kind in ("nfs4", "ext4", ""):
        assert way_of(kind, wish).how is wish


def test_where_the_system_does_not_tell_events_are_waited_for() -> None:
    assert way_of("").how is How.EVENTS
