"""Files that are handed over by hand are looked at: by a child of its own, so that they hold up no inbox.

One file is read at a time. Reading goes on when the one who asked has gone or cannot wait any longer, and what was read
is remembered: whoever asks again gets the answer.
"""

import asyncio
import os
import stat
from collections import OrderedDict
from pathlib import Path
from typing import Final

from faceswapd.children.child import ChildFailure
from faceswapd.core.intake import Signature, is_target
from faceswapd.core.submitting import Looked
from faceswapd.core.target import Facts
from faceswapd.ledger import submission
from faceswapd.ledger.connection import Ledger
from faceswapd.media.examiner import Examiner
from faceswapd.runtime.intake.inbox import NO_TARGET, WRITER_SECONDS
from faceswapd.runtime.intake.listing import signature_of
from faceswapd.runtime.intake.writers import Writer, writer_of

REMEMBERED: Final = 4096  # files of which it is known what they are
CHANGED: Final = "It changed while it was read. Submit it again when it is complete."

Key = tuple[str, Signature]


class Desk:
    """Looks at files, wherever they lie."""

    def __init__(self, ledger: Ledger, examiner: Examiner) -> None:
        self._ledger = ledger
        self._examiner = examiner
        self._known: OrderedDict[Key, Facts | str] = OrderedDict()
        self._reading: tuple[Key, asyncio.Task[Facts | str]] | None = None

    async def look(self, target: str) -> Looked | str:
        """What a file is, or in one sentence why it cannot be taken. May take minutes, and may be given up."""
        try:
            before = await asyncio.wait_for(asyncio.to_thread(_ordinary, target), WRITER_SECONDS)
        except TimeoutError:
            return "Its disk does not answer."
        if isinstance(before, str):
            return before
        facts = await submission.facts_known(self._ledger, target, before)
        read = await self._read((target, before)) if facts is None else facts
        if await asyncio.to_thread(signature_of, target) != before:
            return CHANGED
        return read if isinstance(read, str) else Looked(before, read)

    async def close(self) -> None:
        """Give up what is being read."""
        if self._reading is not None:
            self._reading[1].cancel()
            await asyncio.wait([self._reading[1]])

    async def _read(self, key: Key) -> Facts | str:
        while (found := self._known.get(key)) is None:
            if self._reading is None or self._reading[1].done():
                self._reading = key, asyncio.create_task(self._probe(key), name="a submitted file is read")
            which, task = self._reading
            await asyncio.wait([task])  # somebody else's file, perhaps
            if which == key:
                return "The daemon is stopping." if task.cancelled() else task.result()
        self._known.move_to_end(key)
        return found

    async def _probe(self, key: Key) -> Facts | str:
        try:
            read = await self._examiner.probe(Path(key[0]))
        except ChildFailure as error:  # that says nothing of the file
            return str(error)
        self._known[key] = found = read if isinstance(read, Facts) else read.sentence
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return found


def _ordinary(target: str) -> Signature | str:
    """What an ordinary file is like; else why it is none. Opens nothing that could wait."""
    try:
        status = os.lstat(target)
    except FileNotFoundError:
        return "There is no such file."
    except OSError as error:
        return f"It cannot be looked at: {error.strerror}."
    problem = _strange(status) or _unready(target, status)
    return problem or Signature(status.st_ino, status.st_size, status.st_mtime_ns)


def _strange(status: os.stat_result) -> str | None:
    """Why it is no file."""
    if stat.S_ISREG(status.st_mode):
        return None
    if stat.S_ISDIR(status.st_mode):
        return "It is a folder: name the files in it."
    what = "a link" if stat.S_ISLNK(status.st_mode) else "a pipe, a socket or a device"
    return f"It is {what}, and no file."


def _unready(target: str, status: os.stat_result) -> str | None:
    """Why a file cannot be read as a target, or not now."""
    if not is_target(target.rpartition(os.sep)[2]):
        return NO_TARGET
    if not status.st_size:
        return "It is empty."
    if not os.access(target, os.R_OK):
        return "It cannot be read: give the daemon's user the right to."
    if writer_of(target) is Writer.SOMEBODY:
        return "It is still open in another program that writes to it: submit it again when it is complete."
    return None
