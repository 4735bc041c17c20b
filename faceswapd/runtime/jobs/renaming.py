"""A rename that never replaces a file, as one step of the system's, for file systems without hard links."""

import ctypes
import errno
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

NO_REPLACE: Final = 1  # of Linux's renameat2
EXCLUSIVE: Final = 4  # of macOS's renamex_np
HERE: Final = -100  # AT_FDCWD
# The system, or this file system, knows no such rename.
UNKNOWN: Final = frozenset({errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EPERM})


class NoSuchRename(Exception):
    """It cannot be done here in one step."""


def rename_to_new(file: Path, place: Path) -> None:
    """Raises FileExistsError where the place is taken, NoSuchRename, and OSError."""
    call = _call()
    if call is None:
        raise NoSuchRename
    if call(os.fsencode(file), os.fsencode(place)) == 0:
        return
    number = ctypes.get_errno()
    if number in UNKNOWN:
        raise NoSuchRename
    raise OSError(number, os.strerror(number), str(file), None, str(place))


def _call() -> Callable[[bytes, bytes], int] | None:
    """The system's own function; None where there is none."""
    library = ctypes.CDLL(None, use_errno=True)
    try:
        if sys.platform == "darwin":
            exclusive = library.renamex_np
            return lambda file, place: int(exclusive(file, place, EXCLUSIVE))
        at = library.renameat2
    except AttributeError:
        return None
    return lambda file, place: int(at(HERE, file, HERE, place, NO_REPLACE))
