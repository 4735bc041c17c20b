"""What is asked of files that were taken already: said differently by now, or mended, it is a new question."""

import os
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from pathlib import Path

from faceswapd.core.intake import Rules
from faceswapd.core.job import Parked
from faceswapd.core.sidecar import DEFAULTS
from faceswapd.ledger import admission, reports
from faceswapd.ledger.admission import Sighting
from faceswapd.ledger.connection import Ledger
from faceswapd.ledger.records import JobRecord
from faceswapd.runtime import notes
from faceswapd.runtime.intake.listing import Listing
from faceswapd.runtime.intake.sidecars import Failed, Sheet, Sidecars


@dataclass(slots=True)
class Words:
    """What is said in one inbox."""

    root: Path
    listing: Listing
    sidecars: Sidecars


class Rehearing:
    """Looks, in one inbox after the other, for files of which something else is asked than when they were taken."""

    def __init__(self, ledger: Ledger, sighted: dict[str, Sighting], rules: Callable[[], Rules]) -> None:
        """`sighted` is the inboxes' own, by path."""
        self._ledger = ledger
        self._sighted = sighted
        self._rules = rules
        self.mistakes: dict[Path, tuple[str, str]] = {}  # the file, and what is wrong in it, by where that is told

    async def look(self, words: Words) -> frozenset[str]:
        """The files that are to be taken anew. A default that has changed asks nothing new of what runs or has
        succeeded, and neither does a sidecar that was taken away: that is only noted."""
        if words.listing.problem is not None:
            return frozenset()
        changed = dict(self._changed(words))
        anew = {path for path in changed if self._asks(words, path)}
        others = changed.keys() - anew
        if others:
            waiting = await reports.waiting_of(
                self._ledger, [job for path in others if (job := self._sighted[path].job) is not None]
            )
            anew |= {path for path in others if self._sighted[path].job in waiting}
            heard = {path: changed[path] for path in others - anew}
            await admission.hear(self._ledger, heard)
            self._sighted.update((path, replace(self._sighted[path], sidecar=text)) for path, text in heard.items())
        return frozenset(anew | await self._mended(words))

    def _changed(self, words: Words) -> list[tuple[str, str]]:
        """Files of which other words are said than when they were taken, and these words."""
        found = []
        for path, file in words.listing.files.items():
            sighting = self._sighted.get(path)
            if sighting is None or sighting.signature != file.signature:
                continue
            if (words.sidecars.silent and not sighting.sidecar) or words.sidecars.coming(path, file.parts):
                continue
            text = words.sidecars.of(path, file.parts).text
            if text != sighting.sidecar:
                found.append((path, text))
        return found

    def _asks(self, words: Words, path: str) -> bool:
        sheets = words.sidecars.of(path, words.listing.files[path].parts)
        return sheets.asks_anew(self._sighted[path].sidecar)

    async def _mended(self, words: Words) -> set[str]:
        """Parked files whose mistake is another one by now, or none: a face may have come, or a preset."""
        root, mended = os.fspath(words.root) + os.sep, set()
        self.mistakes = {note: one for note, one in self.mistakes.items() if not str(note).startswith(root)}
        for job in await reports.parked(self._ledger, Parked.MISTAKEN):
            if job.target in words.listing.files and not self._is_mistaken(words, job):
                mended.add(job.target)
        return mended

    def _is_mistaken(self, words: Words, job: JobRecord) -> bool:
        found = words.listing.files[job.target]
        if words.sidecars.coming(job.target, found.parts):
            return True
        asked = words.sidecars.of(job.target, found.parts).asked(self._rules(), job.facts, found.changed)
        if not isinstance(asked, Failed):
            return False
        self.mistakes[_note_of(asked.sheet, job.target)] = (asked.sheet.name, asked.sentence)
        return asked.sentence == job.reason

    def keep_notes(self, there: set[str], away: Collection[Path]) -> None:
        """Beside each file with a mistake lies a text that names it, and beside no other. `there` are those that lie
        there now; nothing is written into inboxes that are away. Blocks."""
        for path in there - set(map(str, self.mistakes)):
            notes.remove_mending_note(Path(path))
        for note, (file, sentence) in self.mistakes.items():
            if not any(note.is_relative_to(inbox) for inbox in away):
                notes.write_mending_note(note, file, sentence)


def _note_of(sheet: Sheet, target: str) -> Path:
    """One text for one mistake: a folder's defaults may be those of ten thousand targets."""
    if Path(sheet.path).name == DEFAULTS:
        return Path(sheet.path).with_name(DEFAULTS.removeprefix(".").removesuffix(".toml") + notes.MENDING)
    return Path(f"{target}{notes.MENDING}")
