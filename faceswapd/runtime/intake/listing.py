"""What lies in a folder that people drop files into. The listing is the truth; events only wake it."""

import os
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from faceswapd.core.intake import Parts, Seen, Signature, ignored_file, ignored_folder
from faceswapd.core.sidecar import DEFAULTS
from faceswapd.runtime.intake.ground import Ground, ground_of

LATENCY = 1.0  # seconds that an event may come late and still count as quiet time


@dataclass(frozen=True, slots=True)
class Found:
    """One regular file."""

    parts: Parts  # below the folder
    signature: Signature
    changed: float  # when its content or its name changed last, seconds since 1970


@dataclass(frozen=True, slots=True)
class Listing:
    """All of a folder at one moment."""

    problem: str | None  # why it could not be listed, a sentence without its subject and full stop
    files: dict[str, Found] = field(default_factory=dict)  # by absolute path
    folders: set[Parts] = field(default_factory=set)
    skipped: dict[str, str] = field(default_factory=dict)  # what is not taken, by absolute path, and why
    defaults: dict[str, Found] = field(default_factory=dict)  # .faceswapd.toml, by absolute path
    strange: dict[str, tuple[Parts, str]] = field(default_factory=dict)  # links and pipes, and the same words
    unread: set[str] = field(default_factory=set)  # absolute paths of which nobody knows what they are, or hold

    def lacks(self, path: str) -> bool:
        """Whether a file is gone: it is not here, and lies in no folder that could not be read."""
        if path in self.files:
            return False
        return not self.unread or not any(str(above) in self.unread for above in (path, *Path(path).parents))


@dataclass(frozen=True, slots=True)
class Survey:
    """A listing, and what it was made of."""

    listing: Listing
    ground: Ground | None  # None: it is not there
    took: float  # seconds


def survey(root: Path) -> Survey:
    """List a folder that may be mounted over or made anew at any time. Blocks: call it in a thread."""
    started = time.monotonic()
    before = ground_of(root)
    listing = list_folder(root)
    ground = ground_of(root)
    if listing.problem is None and ground != before:  # nobody knows which of the two was listed
        listing = Listing("has become another folder this moment")
    return Survey(listing, ground, time.monotonic() - started)


def list_folder(root: Path) -> Listing:
    """List a folder and all below it. One entry that cannot be read hides no other. Blocks: call it in a thread."""
    try:
        if not stat.S_ISDIR(root.stat().st_mode):
            return Listing("is not a folder")
        top = _entries(str(root))
    except FileNotFoundError:
        return Listing("is not there")
    except OSError as error:
        return Listing(f"cannot be read: {error.strerror}")
    listing = Listing(None)
    folders: list[tuple[Parts, list[os.DirEntry[str]]]] = [((), top)]
    while folders:
        parts, entries = folders.pop()
        for entry in entries:
            folders.extend(_sort_in(entry, (*parts, entry.name), listing))
    listing.skipped.update((path, why) for path, (parts, why) in listing.strange.items() if not ignored_file(parts[-1]))
    return listing


def signature_of(path: str) -> Signature | None:
    """What a file is like now; None when it is gone."""
    try:
        return _signature(os.lstat(path))
    except OSError:
        return None


def _signature(status: os.stat_result) -> Signature:
    return Signature(status.st_ino, status.st_size, status.st_mtime_ns)


def _entries(folder: str) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        return list(entries)


def _sort_in(entry: os.DirEntry[str], parts: Parts, listing: Listing) -> Iterator[tuple[Parts, list[os.DirEntry[str]]]]:
    """File one entry; yields a folder to go on with."""
    try:
        if entry.is_symlink():
            listing.strange[entry.path] = parts, "It is a link. Put the file itself here, or a hard link to it."
        elif entry.is_dir(follow_symlinks=False):
            if not ignored_folder(entry.name):
                listing.folders.add(parts)
                yield parts, _entries(entry.path)
        elif ignored_file(entry.name) and entry.name != DEFAULTS:
            pass
        elif entry.is_file(follow_symlinks=False):
            status = entry.stat(follow_symlinks=False)
            found = Found(parts, _signature(status), max(status.st_mtime, status.st_ctime))
            (listing.defaults if entry.name == DEFAULTS else listing.files)[entry.path] = found
        else:
            listing.strange[entry.path] = parts, "It is a pipe, a socket or a device, and no file."
    except FileNotFoundError:  # gone between the listing and the look at it
        pass
    except OSError as error:
        listing.unread.add(entry.path)
        listing.skipped[entry.path] = f"It cannot be read: {error.strerror}. Give the daemon's user the right to."


def seen_since(before: dict[str, Seen], files: dict[str, Found], latency: float) -> dict[str, Seen]:
    """Since when files are as they are, on the monotonic clock.

    An event comes a moment after the change that it tells of: the file's own time says how long it was quiet, and is
    believed for `latency` seconds.
    """
    now, wall = time.monotonic(), time.time()
    return {
        path: before.get(path) or Seen(found.signature, now - min(latency, max(0.0, wall - found.changed)))
        for path, found in files.items()
    }


def made(folder: Path) -> bool:
    """Make a folder; whether it is there now."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return True
