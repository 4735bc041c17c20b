"""Ways in which people leave files, move them and take them away."""

import os
import shutil
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.soak.book import Book, Drop, Place, content_of
from tests.soak.dice import Dice
from tests.soak.farm import FACES, INBOXES, UNUSABLE, Farm
from tests.soak.wares import Ware, pieces

HOSTILE = (
    b"new\nline %d",
    b"bad\xff\xfe %d",
    b"-rf %d",
    "\u202egnp.exe %d".encode(),
    b"q" * 240 + b"%d",
    b"$(id);'\" %d",
    "caf\u00e9 \U0001f600 %d".encode(),
)
PIECE_SECONDS = 0.3  # between two pieces of a slow writer: less than the settle time


@dataclass(slots=True)
class Growing:
    """A file that is being written."""

    file: int  # descriptor
    path: str
    ware: Ware
    place: Place
    left: list[bytes]
    written: bytes = b""
    next_at: float = 0.0


@dataclass(slots=True)
class Drops:
    """All ways to drop; each is written into the book in the moment in which the file lies there."""

    farm: Farm
    book: Book
    dice: Dice
    unfinished: bool = True  # whether files that never become whole may still be dropped
    counts: Counter[str] = field(default_factory=Counter)
    _number: int = 0
    _growing: list[Growing] = field(default_factory=list)

    def drop(self) -> None:
        """One of all ways."""
        ways: list[tuple[Callable[[], None], int]] = [
            (self._copied, 30),
            (self._renamed_in, 25),
            (self._hard_link, 8),
            (self._slowly, 10),
            (self._folder, 6),
            (self._twice, 8),
            (self._new_content, 8),
            (self._bundle, 3),
            (self._no_target, 5),
            (self._output_back, 6),
        ]
        self.dice.one([way for way, weight in ways for _ in range(weight)])()

    def write_on(self, *, all_of_it: bool = False) -> None:
        """The slow writers write their next pieces."""
        now = time.monotonic()
        for one in [one for one in self._growing if all_of_it or now >= one.next_at]:
            while one.left:
                one.next_at = now + PIECE_SECONDS
                if not _written(one) or not all_of_it:
                    break
            if one.left and one.written:
                self.book.parts[content_of(one.written)] = one.path
            if not one.left:
                os.close(one.file)
                self._growing.remove(one)
                self._added("slowly", one.ware, one.path, one.place)

    def _ware(self) -> Ware:
        return self.dice_ware(whole=False)

    def dice_ware(self, *, whole: bool) -> Ware:
        wares = self.farm.wares
        return wares.whole() if whole else wares.any(may_be_unfinished=self.unfinished)

    def _place(self, suffix: str) -> tuple[Path, Place]:
        """Where the next file goes, under a name that was never used."""
        self._number += 1
        inbox = self.dice.one(["inbox", "inbox", "rush", "night"])
        place = INBOXES[inbox]
        stem = f"file {self._number}" if self.dice.chance(0.9) else os.fsdecode(self.dice.one(HOSTILE) % self._number)
        if self.dice.chance(0.05):
            return self.farm.folder / inbox / f"{stem}{suffix}", place  # nobody's: there are two faces
        face = self.dice.one([*FACES * 8, UNUSABLE])
        place = replace(place, face=face)
        if self.dice.chance(0.1):
            place = replace(place, preset="best")
            stem += "@best"
        folder = self.farm.folder / inbox / face
        if self.dice.chance(0.2):
            folder /= f"day {self.dice.number(1, 3)}"
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"{stem}{suffix}", place

    def _added(self, how: str, ware: Ware, path: str, place: Place) -> Drop:
        self.counts[how] += 1
        return self.book.add(how, ware.sort, path, content_of(ware.data), place)

    def _aside(self, data: bytes) -> Path:
        self._number += 1
        path = self.farm.aside / f"{self._number}.part"
        _write(path, data)
        return path

    def _copied(self) -> None:
        ware = self._ware()
        path, place = self._place(ware.suffix)
        _write(path, ware.data)
        self._added("copied", ware, str(path), place)

    def _renamed_in(self) -> None:
        ware = self._ware()
        path, place = self._place(ware.suffix)
        self._aside(ware.data).rename(path)
        self._added("renamed in", ware, str(path), place)

    def _hard_link(self) -> None:
        ware = self._ware()
        path, place = self._place(ware.suffix)
        aside = self._aside(ware.data)
        os.link(aside, path)
        aside.unlink()
        self._added("linked", ware, str(path), place)

    def _slowly(self) -> None:
        ware = self._ware()
        path, place = self._place(ware.suffix)
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        self._growing.append(Growing(file, str(path), ware, place, list(pieces(ware.data, self.dice.number(2, 12)))))

    def _folder(self) -> None:
        """A folder with files is moved in."""
        self._number += 1
        aside = self.farm.aside / f"trip {self._number}"
        aside.mkdir()
        try:
            wares = [self._ware() for _ in range(self.dice.number(2, 4))]
            for number, ware in enumerate(wares):
                (aside / f"{number}{ware.suffix}").write_bytes(ware.data)
            face = self.dice.one(FACES)
            place = replace(INBOXES["inbox"], face=face)
            folder = self.farm.folder / "inbox" / face / aside.name
            folder.parent.mkdir(exist_ok=True)
            aside.rename(folder)
        except OSError:
            shutil.rmtree(aside, ignore_errors=True)
            raise
        for number, ware in enumerate(wares):
            self._added("folder", ware, str(folder / f"{number}{ware.suffix}"), place)

    def _twice(self) -> None:
        """The same content under two names."""
        ware = self._ware()
        for _ in range(2):
            path, place = self._place(ware.suffix)
            self._aside(ware.data).rename(path)
            self._added("twice", ware, str(path), place)

    def _new_content(self) -> None:
        """Another content under a name that is there already, whatever its job does at this moment."""
        old = self.some(lambda drop: drop.sort == "whole")
        if old is not None:
            self.replace_target(old.path, "new content")

    def replace_target(self, path: str, how: str) -> bool:
        """Put another file into a target's place. False: it has been moved away meanwhile."""
        old = self.book.lying(path)
        if old is None or not os.path.lexists(path):
            return False
        ware = self.dice_ware(whole=True)
        while ware.suffix != Path(path).suffix:
            ware = self.dice_ware(whole=True)
        self._aside(ware.data).rename(path)
        self._added(how, ware, path, Place(old.face, old.preset, old.afterwards))
        return True

    def _bundle(self) -> None:
        """A folder that brings the photo of its face along."""
        self._number += 1
        ware = self._ware()
        aside = self.farm.aside / f"bundle {self._number}"
        aside.mkdir()
        try:
            photo = self.farm.wares.photos[0].read_bytes()
            (aside / "face.png").write_bytes(photo)
            (aside / f"target{ware.suffix}").write_bytes(ware.data)
            folder = self.farm.folder / "inbox" / aside.name
            aside.rename(folder)
        except OSError:
            shutil.rmtree(aside, ignore_errors=True)
            raise
        place = replace(INBOXES["inbox"], face=aside.name)
        self._added("bundle", ware, str(folder / f"target{ware.suffix}"), place)
        self._added("bundle", Ware(".png", photo, "no target"), str(folder / "face.png"), place)

    def _no_target(self) -> None:
        """What is never taken."""
        name, data = self.dice.one(
            [(".hidden %d.mp4", b"x"), ("x %d.mp4.part", b"x"), ("notes %d.pdf", b"%PDF-"), ("empty %d.mp4", b"")]
        )
        self._number += 1
        path = self.farm.folder / "inbox" / "alice" / (name % self._number)
        path.parent.mkdir(exist_ok=True)
        _write(path, data)
        self._added("no target", Ware(path.suffix, data, "no target"), str(path), INBOXES["inbox"])

    def _output_back(self) -> None:
        """A result is dropped into an inbox."""
        results = [path for path in self.farm.outbox.rglob("*") if path.is_file() and ".faceswapd" not in path.parts]
        if not results:
            return
        result = self.dice.one(sorted(results))
        ware = Ware(result.suffix, result.read_bytes(), "output")
        path, place = self._place(ware.suffix)
        self._aside(ware.data).rename(path)
        self._added("output dropped back", ware, str(path), place)

    def rename(self) -> None:
        """A file that lies in an inbox gets another name there: for the daemon one is gone and one has come."""
        old = self.some(lambda drop: drop.sort == "whole" and drop.face in FACES)
        if old is None:
            return
        self._number += 1
        path = Path(old.path)
        new = path.with_name(f"again {self._number}{'@best' if '@best' in path.stem else ''}{path.suffix}")
        try:
            path.rename(new)
        except FileNotFoundError:  # archived or deleted meanwhile
            return
        self.book.take(old.path, "renamed")
        self.counts["renamed"] += 1
        self.book.add("renamed", old.sort, str(new), old.content, Place(old.face, old.preset, old.afterwards))

    def remove(self, path: str, how: str) -> bool:
        """Take a file out. False: it was not there any more."""
        try:
            Path(path).unlink()
        except FileNotFoundError:
            return False
        self.book.take(path, how)
        self.counts[how] += 1
        return True

    def some(self, wanted: Callable[[Drop], bool]) -> Drop | None:
        """One of those that lie there, the newer ones more often."""
        lying = [drop for drop in self.book.all_lying() if wanted(drop)]
        return self.dice.one(lying[-40:]) if lying else None


def _write(path: Path, data: bytes) -> None:
    """All of it or nothing, as a copy does it whose disk is full."""
    try:
        path.write_bytes(data)
    except OSError:
        path.unlink(missing_ok=True)
        raise


def _written(one: Growing) -> bool:
    """Write the next piece. False where the disk is full: it stays for later, as with a copy that waits."""
    piece = one.left.pop(0)
    try:
        done = os.write(one.file, piece)
    except OSError:
        done = 0
    one.written += piece[:done]
    if done < len(piece):
        one.left.insert(0, piece[done:])
    return done == len(piece)
