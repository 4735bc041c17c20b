"""Whether somebody has a file open for writing.

Linux tells it by a lease: it gives one for reading only while nobody can write. It gives leases of our own files only
(or to root), and says of files on a network nothing that can be relied on. macOS has no leases.
"""

import errno
import fcntl
import os
import signal
import stat
from enum import Enum
from typing import Final

_FLAGS: Final = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW | getattr(os, "O_NOATIME", 0)


class Writer(Enum):
    """Who may still write to a file."""

    NOBODY = "nobody"
    SOMEBODY = "somebody"
    UNKNOWN = "unknown"  # it cannot be seen here
    FORBIDDEN = "forbidden"  # the file cannot even be read by us


def writer_of(path: str) -> Writer:
    """Look once. Never waits, never follows a link, and leaves no lease behind. Not for files on a network."""
    try:
        fd = _opened(path)
    except BlockingIOError:  # somebody has a lease for writing, and is now asked to give it back
        return Writer.SOMEBODY
    except PermissionError:
        return Writer.FORBIDDEN
    except OSError:
        return Writer.UNKNOWN
    try:
        if not hasattr(fcntl, "F_SETLEASE") or not stat.S_ISREG(os.fstat(fd).st_mode):
            return Writer.UNKNOWN
        # Should a writer come in just this moment, the kernel tells the lease's holder. By SIGIO, which it does unless
        # it is told another signal, that would end us; SIGURG does nothing.
        fcntl.fcntl(fd, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except OSError as error:
        return Writer.SOMEBODY if error.errno == errno.EAGAIN else Writer.UNKNOWN
    else:
        return Writer.NOBODY
    finally:
        os.close(fd)


def _opened(path: str) -> int:
    """The file, for a look at it. Its time of access stays where we may leave it."""
    try:
        return os.open(path, _FLAGS)
    except PermissionError:  # O_NOATIME is the owner's
        return os.open(path, _FLAGS & ~getattr(os, "O_NOATIME", 0))
