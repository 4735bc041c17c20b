"""Sidecars and folders' defaults, read as the files of strangers that they are: small ones only, no link and no pipe,
each read once for as long as it stays the same, and only when it is complete.
"""

import asyncio
import contextlib
import errno
import hashlib
import json
import os
import stat
import time
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from faceswapd.core.asking import NOTHING_ASKED, Question, Told, question
from faceswapd.core.intake import Parts, Rules, Seen, Signature, settle
from faceswapd.core.sidecar import DEFAULTS, ENDINGS, LARGEST, Known, Mistake, Said, target_of, understand
from faceswapd.core.target import Facts
from faceswapd.core.wish import told
from faceswapd.runtime.intake.listing import LATENCY, Found, Listing, seen_since

TWO: Final = "There are two sidecars, {}; keep one of them."
NOT_HERE: Final = "It belongs to {}, which is not here."
WHOLE_NAME: Final = (
    "It is no target. If it is meant as a sidecar: those have their target's whole name before their own ending, "
    "as clip.mp4{} has."
)


@dataclass(frozen=True, slots=True)
class Sheet:
    """One file that was read."""

    path: str
    name: str  # below its inbox, as sentences tell it
    digest: str  # of its content
    changed: float = 0.0  # seconds since 1970
    values: Mapping[str, object] = field(default_factory=dict)
    mistake: str | None = None  # why it holds no values, a sentence

    def said(self, known: Known) -> Said | Mistake:
        """What it says."""
        return Mistake(f"{self.name}: {self.mistake}") if self.mistake else understand(self.name, self.values, known)


@dataclass(frozen=True, slots=True)
class Failed:
    """A mistake, and in which file it is."""

    sheet: Sheet
    sentence: str


@dataclass(frozen=True, slots=True)
class Sheets:
    """All that is said of one target."""

    own: tuple[Sheet, ...] = ()  # two are a mistake
    folders: tuple[Sheet, ...] = ()  # the nearest one first

    @property
    def text(self) -> str:
        """The whole of it in a few letters: other words, another text. Empty where nothing is said."""
        if not self.own and not self.folders:
            return ""
        return "|".join(",".join(sheet.digest for sheet in sheets) for sheets in (self.own, self.folders))

    def asks_anew(self, before: str) -> bool:
        """Whether its own sidecar says something else than the `text` of before. Folders' defaults that changed, and a
        sidecar that was taken away, ask nothing new of a target that is done with."""
        return bool(self.own) and self.text.partition("|")[0] != before.partition("|")[0]

    def asked(self, rules: Rules, facts: Facts | None, changed: float) -> Question | Failed:
        """What is asked of a target that has changed last at this moment, in seconds since 1970."""
        if not self.own and not self.folders:
            return NOTHING_ASKED
        if len(self.own) > 1:
            names = " and ".join(Path(sheet.name).name for sheet in self.own)
            return Failed(self.own[0], f"{self.own[0].name}: {TWO.format(names)}")
        known = self._known(rules, changed)
        understood: list[Said] = []
        for sheet in (*self.own, *self.folders):
            said = sheet.said(known)
            if isinstance(said, Mistake):
                return Failed(sheet, said.sentence)
            understood.append(said)
        asked = question(understood[0] if self.own else None, understood[len(self.own) :], facts)
        if isinstance(asked, Question):
            return asked
        of = next(sheet for sheet in (*self.own, *self.folders) if asked.sentence.startswith(f"{sheet.name}: "))
        return Failed(of, asked.sentence)

    def told(self, rules: Rules, changed: float) -> Told:
        """What each file says, for people."""
        known = self._known(rules, changed)
        lines = []
        for sheet in (*self.own, *self.folders):
            said = sheet.said(known)
            words = "; ".join(told(said.wish)) or "nothing" if isinstance(said, Said) else said.sentence
            lines.append(f"{sheet.name} says: {words}" if isinstance(said, Said) else words)
        asked = self.asked(rules, None, changed)
        if isinstance(asked, Failed):
            return Told(tuple(lines), mistake=asked.sentence)
        return Told(tuple(lines), asked)

    def _known(self, rules: Rules, changed: float) -> Known:
        came = max(0.0, min(time.time(), max([changed, *(sheet.changed for sheet in self.own)])))  # dates may be any
        return Known(rules.faces, rules.presets, datetime.fromtimestamp(came))  # noqa: DTZ006  as clocks on walls show it


class Sidecars:
    """Those of one inbox, as they were at the last look."""

    def __init__(self, quiet: float) -> None:
        """`quiet`: seconds that a file must stay unchanged to be complete."""
        self._quiet = quiet
        self._seen: dict[str, Seen] = {}
        self._read: dict[str, tuple[Signature | None, Sheet]] = {}  # None: it is read anew at each look
        self._own: dict[str, list[str]] = {}  # paths, by their target's
        self._folders: dict[Parts, str] = {}
        self._above: dict[Parts, tuple[str, ...]] = {}

    @property
    def silent(self) -> bool:
        """Whether nothing at all is said in this inbox."""
        return not self._own and not self._folders

    async def look(self, listing: Listing) -> float | None:
        """Read what is complete and new. Returns when more may be complete, on the monotonic clock; None: all is.

        Those that belong to no target are told in the listing as skipped.
        """
        files = self._find(listing)
        strange = {path: sheet for path, (_, sheet) in self._read.items() if path not in files}
        if not files and not strange:
            self._seen, self._read = {}, {}
            return None
        seen = seen_since(self._seen, files, LATENCY)
        settling = settle(seen, {path: one.signature for path, one in files.items()}, time.monotonic(), self._quiet)
        self._seen = dict(settling.seen)
        for path in [path for path, (read, _) in self._read.items() if path in files and files[path].signature != read]:
            del self._read[path]
        due = {path: files[path] for path in settling.ready if path not in self._read}
        if due:
            self._read |= await asyncio.to_thread(_read_all, due)
        return settling.next_at

    def coming(self, path: str, parts: Parts) -> bool:
        """Whether something that is said of a target is not complete yet."""
        return any(one not in self._read for one in self._paths(path, parts))

    def of(self, path: str, parts: Parts) -> Sheets:
        """What is said of a target, as far as it is complete."""
        if self.silent:
            return NOTHING_SAID
        own = tuple(self._read[one][1] for one in sorted(self._own.get(path, ())) if one in self._read)
        return Sheets(own, tuple(self._read[one][1] for one in self._defaults(parts[:-1]) if one in self._read))

    def is_one(self, path: str) -> bool:
        """Whether a file is the sidecar of a target that is here."""
        target = target_of(path.rpartition(os.sep)[2])
        return target is not None and path in self._own.get(path[:-5], ())

    def _paths(self, path: str, parts: Parts) -> Iterator[str]:
        if not self.silent:
            yield from self._own.get(path, ())
            yield from self._defaults(parts[:-1])

    def _defaults(self, folder: Parts) -> tuple[str, ...]:
        """The defaults that count in a folder, the nearest one first."""
        if folder not in self._above:
            here = (self._folders[folder],) if folder in self._folders else ()
            self._above[folder] = (*here, *(self._defaults(folder[:-1]) if folder else ()))
        return self._above[folder]

    def _find(self, listing: Listing) -> dict[str, Found]:
        """All that are files, by path. What is none, but has the name of one, is a mistake, and is not opened."""
        self._own, self._folders, self._above = {}, {}, {}
        strange: dict[str, tuple[Signature | None, Sheet]] = {}
        files = {path: one for path, one in listing.files.items() if self._file(path, one.parts, listing)}
        for path, found in listing.defaults.items():
            self._folders[found.parts[:-1]] = path
            files[path] = found
        for path, (parts, why) in listing.strange.items():
            if parts[-1] == DEFAULTS:
                self._folders[parts[:-1]] = path
            elif not self._file(path, parts, listing):
                continue
            strange[path] = (None, Sheet(path, "/".join(parts), _digest(why.encode()), mistake=why))
        self._read = {path: read for path, read in self._read.items() if path in files} | strange
        # One that is empty is complete, too, and says nothing; `settle` waits for an empty file to grow.
        return {path: replace(one, signature=_grown(one.signature)) for path, one in files.items()}

    def _file(self, path: str, parts: Parts, listing: Listing) -> bool:
        """File one name, if it is a sidecar's."""
        name = parts[-1]
        if name[-5:].lower() not in ENDINGS:
            return False
        target = target_of(name)
        if target is None:
            listing.skipped[path] = WHOLE_NAME.format(name[-5:].lower())
            return False
        whole = path[: -len(name)] + target
        if whole not in listing.files:
            listing.skipped[path] = NOT_HERE.format(target)
            return False
        self._own.setdefault(whole, []).append(path)
        return True


NOTHING_SAID: Final = Sheets()


def sidecars_of(target: str, text: str) -> list[str]:
    """The sidecars of a target that say what they said when it was taken (`text` of Sheets). Blocks."""
    said = text.partition("|")[0].split(",")
    if not any(said):
        return []
    beside: list[str] = []
    with contextlib.suppress(OSError):
        name = Path(target).name
        beside = sorted(str(one) for one in Path(target).parent.iterdir() if target_of(one.name) == name)
    return [path for path in beside if _says(path, said)]


def _says(path: str, said: Sequence[str]) -> bool:
    try:
        return _digest(_opened(path)[0]) in said
    except OSError:
        return False


def _grown(signature: Signature) -> Signature:
    return replace(signature, size=signature.size + 1)


def _read_all(files: Mapping[str, Found]) -> dict[str, tuple[Signature | None, Sheet]]:
    """Read these files; one that changes meanwhile is left for the next look."""
    read: dict[str, tuple[Signature | None, Sheet]] = {}
    for path, found in files.items():
        name = "/".join(found.parts)
        try:
            content = _content(path, found.signature)
        except OSError as error:
            why = "It is a link, a pipe or a device, and no file." if error.errno in _NO_FILE else None
            why = why or f"It cannot be read: {error.strerror}. Give the daemon's user the right to."
            read[path] = (None, Sheet(path, name, _digest(why.encode()), found.changed, mistake=why))
            continue
        if content is not None:
            values = parsed(content, name)
            told = {"mistake": values} if isinstance(values, str) else {"values": values}
            read[path] = (found.signature, Sheet(path, name, _digest(content), found.changed, **told))
    return read


_NO_FILE: Final = frozenset({errno.ELOOP, errno.ENXIO, errno.EMLINK})


def _content(path: str, signature: Signature) -> bytes | None:
    """What a file holds; None: it is another one by now. Raises OSError."""
    content, status = _opened(path)
    now = Signature(status.st_ino, status.st_size + 1, status.st_mtime_ns)
    return content if now == signature else None


def _opened(path: str) -> tuple[bytes, os.stat_result]:
    """What a file holds, or its first bytes where it is far too long, and what it is. Never waits, and opens neither a
    link nor a pipe. Raises OSError."""
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.ENXIO, "it is no file")
        content = b""
        while len(content) <= LARGEST and (more := os.read(handle, LARGEST + 1 - len(content))):
            content += more
        return content, os.fstat(handle)
    finally:
        os.close(handle)


def parsed(content: bytes, name: str) -> Mapping[str, object] | str:
    """The values in a file's bytes, by its name's ending; a sentence where there are none. Never raises."""
    if len(content) > LARGEST:
        return f"It is larger than {LARGEST // 1024} KB; a sidecar is a few lines."
    try:
        text = content.decode("utf-8-sig")  # some editors put a mark before it
    except UnicodeDecodeError:
        return "It is not UTF-8 text; save it as UTF-8."
    try:
        if name.lower().endswith(".json"):
            values = json.loads(text, object_pairs_hook=_once) if text.strip() else {}
        else:
            values = tomllib.loads(text)
    except RecursionError:
        return "It holds lists in lists without end."
    except ValueError as error:  # TOML's and JSON's own errors among them
        kind = "JSON" if name.lower().endswith(".json") else "TOML"
        return f"It is not {kind}: {_one_line(str(error))}."
    return values if isinstance(values, dict) else "It must hold names and values, in { }."


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        raise ValueError("a name stands in it twice")
    return values


def _one_line(text: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in text[:160]).rstrip(".")


def _digest(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=8).hexdigest()
