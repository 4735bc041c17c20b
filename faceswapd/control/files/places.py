"""Files below the folders of the configuration, opened so that no link leads elsewhere."""

import os
import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC  # a pipe would wait for its writer


class ElsewhereError(Exception):
    """The path leads out of the folders that are allowed."""


@dataclass(frozen=True, slots=True)
class Found:
    """An ordinary file that is open; whoever has it closes it."""

    file: FileIO
    path: str  # without links
    status: os.stat_result


def open_below(roots: Iterable[Path], path: str) -> Found:
    """Open a file that lies below one of the folders. Blocks: call it in a thread.

    Links among the folders on the way are followed as long as they stay below the root; the file itself must be none.
    Raises ElsewhereError for anything else, and OSError.
    """
    name = os.path.basename(path)  # noqa: PTH119  a Path would change it
    folder = os.path.realpath(os.path.dirname(path))  # noqa: PTH120
    for root in roots:
        top = os.path.realpath(root)
        if folder == top or folder.startswith(top.rstrip(os.sep) + os.sep):
            inner = enter(top, Path(folder).relative_to(top).parts)
            try:
                return _opened(inner, name, os.path.join(folder, name))  # noqa: PTH118
            finally:
                os.close(inner)
    raise ElsewhereError


def enter(top: str | Path, parts: Sequence[str]) -> int:
    """A descriptor of a folder below `top`, come to without following any link. Raises OSError."""
    folder = os.open(top, _FOLDER)
    for part in parts:
        try:
            inner = os.open(part, _FOLDER, dir_fd=folder)
        finally:
            os.close(folder)
        folder = inner
    return folder


def _opened(folder: int, name: str, path: str) -> Found:
    try:
        number = os.open(name, _FILE, dir_fd=folder)
    except OSError:
        status = os.stat(name, dir_fd=folder, follow_symlinks=False)
        if not stat.S_ISREG(status.st_mode):  # a link, a socket
            raise ElsewhereError from None
        raise
    file = FileIO(number, "rb")
    status = os.fstat(number)
    if not stat.S_ISREG(status.st_mode):
        file.close()
        raise ElsewhereError
    return Found(file, path, status)
