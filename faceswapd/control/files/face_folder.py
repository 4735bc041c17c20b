"""The faces folder as the API changes it: photos are put into it without replacing any, and persons are taken out.

Each function blocks: call it in a thread. No link is followed below the faces folder.
"""

import contextlib
import errno
import os
import secrets
import shutil
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from faceswapd.control.files.places import enter
from faceswapd.core.intake import fold, is_photo

ASIDE: Final = ".faceswapd-"  # begins the names of our own folders there, which nobody looks into
_UNLINKED: Final = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EXDEV)
_MOST_NAMES: Final = 10_000


class LinkError(Exception):
    """Somebody has made a link where a folder is wanted."""


def aside(faces: Path) -> Path:
    """A new folder of our own beside the persons. Raises OSError."""
    folder = faces / f"{ASIDE}{secrets.token_hex(8)}"
    folder.mkdir(mode=0o700)
    return folder


def clean(faces: Path) -> None:
    """Take away what an earlier life of the daemon has left half done."""
    with contextlib.suppress(OSError), os.scandir(faces) as entries:
        for entry in list(entries):
            if entry.name.startswith(ASIDE) and entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.path, ignore_errors=True)


def name_of(faces: Path, name: str) -> str | None:
    """How a person's folder is written; None where there is none. Raises LinkError and OSError."""
    with os.scandir(faces) as entries:
        for entry in entries:
            if fold(entry.name) == fold(name):
                if entry.is_symlink():
                    raise LinkError
                if entry.is_dir(follow_symlinks=False):
                    return entry.name
    return None


def loose_photos(faces: Path, name: str) -> list[str]:
    """The photos of a person that lie beside the folders: alice.jpg. Raises OSError."""
    with os.scandir(faces) as entries:
        return [
            entry.name
            for entry in entries
            if is_photo(entry.name) and fold(Path(entry.name).stem) == fold(name) and not entry.is_dir()
        ]


def place(faces: Path, name: str, photos: Sequence[Path]) -> list[str]:
    """Put photos into a person's folder, which is made where it lacks; the names that they got. All of them or none.
    Raises LinkError and OSError."""
    there = name_of(faces, name)
    if there is None:
        (faces / name).mkdir()
    folder = enter(faces, [there or name])
    placed: list[str] = []
    try:
        try:
            for photo in photos:
                placed.append(_put(photo, folder))  # noqa: PERF401  what was placed before one failed is taken back
            os.fsync(folder)
        except BaseException:
            for one in placed:
                with contextlib.suppress(OSError):
                    os.unlink(one, dir_fd=folder)
            if there is None:
                with contextlib.suppress(OSError):
                    (faces / name).rmdir()
            raise
    finally:
        os.close(folder)
    return placed


def _put(photo: Path, folder: int) -> str:
    for number in range(1, _MOST_NAMES):
        name = photo.name if number == 1 else f"{photo.stem}-{number}{photo.suffix}"
        try:
            os.link(photo, name, dst_dir_fd=folder, follow_symlinks=False)
        except FileExistsError:
            continue
        except OSError as error:
            if error.errno not in _UNLINKED:
                raise
            if not _moved(photo, name, folder):
                continue
        return name
    raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), photo.name)


def _moved(photo: Path, name: str, folder: int) -> bool:
    """On a file system without hard links the name is reserved, and then taken."""
    try:
        os.close(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600, dir_fd=folder))
    except FileExistsError:
        return False
    os.replace(photo, name, dst_dir_fd=folder)
    return True


def remove(faces: Path, name: str) -> int:
    """Take a person out, with all photos; how many entries of the faces folder went. Raises OSError.

    What is wanted away is moved aside first, in one step, so that nobody finds half a person.
    """
    with os.scandir(faces) as entries:
        found = [entry.name for entry in entries if fold(entry.name) == fold(name)]
    found = [one for one in found if not stat.S_ISREG((faces / one).lstat().st_mode)] + loose_photos(faces, name)
    if not found:
        return 0
    away = aside(faces)
    try:
        for number, one in enumerate(found):
            (faces / one).rename(away / str(number))
    finally:
        shutil.rmtree(away, ignore_errors=True)  # which unlinks a link, and follows none
    return len(found)
