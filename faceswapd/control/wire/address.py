"""Where the socket of a user's own daemon is found. Standard library only: daemon and client share this rule."""

import os
import stat
import sys
from pathlib import Path
from typing import Final

# Bytes that fit into sockaddr_un.sun_path beside the closing zero: 108 on Linux, 104 on macOS and the BSDs.
LIMIT: Final = 107 if sys.platform.startswith("linux") else 103
SOCKET_NAME: Final = "control.sock"


def runtime_folder() -> Path:
    """The running user's folder for what lives as long as the daemon. Nothing is made, it may be missing.

    `$XDG_RUNTIME_DIR/faceswapd` where the system gives such a folder, else a folder of the user's own in
    the temporary folder; that one must pass `is_private` before anything in it is believed.
    """
    given = Path(os.environ.get("XDG_RUNTIME_DIR", ""))
    if given.is_absolute() and given.is_dir():
        return given / "faceswapd"
    # Not tempfile.gettempdir(): it writes a file to try the folder, and its import costs 10 ms.
    temporary = Path(os.environ.get("TMPDIR", ""))
    if not (temporary.is_absolute() and temporary.is_dir()):
        temporary = Path("/tmp")  # noqa: S108 - shared with everybody, hence is_private
    return temporary / f"faceswapd-{os.getuid()}"


def is_private(folder: Path) -> bool:
    """Whether a folder is the running user's and nobody else may enter it (mode 0700), and is no link."""
    try:
        facts = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(facts.st_mode) and facts.st_uid == os.getuid() and not facts.st_mode & 0o077


def home_folder() -> Path:
    """Where a user's faces, inbox and outbox lie who never said otherwise."""
    # Path.expanduser raises where nobody knows a home; this leaves the ~, and the path is simply not there.
    return Path(os.path.expanduser("~"), "FaceSwap")  # noqa: PTH111


def place_for(wanted: Path) -> Path:
    """Where the socket really is: as wanted, or in the runtime folder where the system takes no path so long."""
    if len(os.fsencode(wanted)) <= LIMIT:
        return wanted
    import hashlib

    return runtime_folder() / f"{hashlib.blake2b(os.fsencode(wanted), digest_size=6).hexdigest()}.sock"
