"""The faces folder: which people there are, and their photos."""

import asyncio
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import structlog

from faceswapd.core import intake
from faceswapd.core.intake import fold, is_photo
from faceswapd.ledger import standing
from faceswapd.ledger.connection import Ledger
from faceswapd.ledger.standing import FaceRecord
from faceswapd.runtime.intake.footings import Footings
from faceswapd.runtime.intake.ground import ground_of
from faceswapd.runtime.intake.listing import LATENCY, Found, Listing, Survey, list_folder, made, seen_since, survey
from faceswapd.runtime.intake.place import GROUND_SECONDS, LISTING_SECONDS
from faceswapd.runtime.intake.watching import Watch
from faceswapd.runtime.lookout import Lookout
from faceswapd.settings import Settings

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Person:
    """One face: its photos, as absolute paths, sorted."""

    name: str
    photos: tuple[str, ...]


def persons(listing: Listing) -> dict[str, Person]:
    """Everybody in the faces folder, by folded name; a folder without a photo is a person without photos."""
    found = {fold(parts[0]): Person(parts[0], ()) for parts in listing.folders if len(parts) == 1}
    for path, file in sorted(listing.files.items()):
        name = file.parts[0] if len(file.parts) > 1 else Path(file.parts[0]).stem
        if len(file.parts) == 1 and not is_photo(file.parts[0]):
            continue
        person = found.get(fold(name), Person(name, ()))
        if is_photo(file.parts[-1]) and file.signature.size:
            person = Person(person.name, (*person.photos, path))
        found[fold(name)] = person
    return found


def photos_of(listing: Listing) -> dict[str, Found]:
    """What settles in the faces folder."""
    return {path: file for path, file in listing.files.items() if is_photo(file.parts[-1])}


def records(people: Mapping[str, Person], known: Mapping[str, str]) -> list[FaceRecord]:
    """What the ledger keeps of the people, and of those who are gone (`known`: names by folded name)."""
    here = [
        FaceRecord(person.name, len(person.photos), None if person.photos else "has no photo yet")
        for person in people.values()
    ]
    gone = [
        FaceRecord(name, 0, "is gone from the faces folder") for folded, name in known.items() if folded not in people
    ]
    return here + gone


class FacesFolder:
    """The faces folder as it was at the last look, and the rules of pairing that follow from it."""

    def __init__(self, settings: Settings, ledger: Ledger, watch: Watch, footings: Footings) -> None:
        self.watch = watch
        self.problem: str | None = None  # why nobody knows now who is there, without subject and full stop
        self._footings = footings
        self._grounds = Lookout(lambda: ground_of(settings.faces))
        self._settings = settings
        self._ledger = ledger
        self._seen: dict[str, intake.Seen] = {}
        self._looked = False
        self._lookout = Lookout(lambda: survey(settings.faces))
        self.people: dict[str, Person] = {}  # by folded name
        self.rules = intake.Rules.of((), settings.preset_names(), settings.default_face)

    async def look(self) -> float | None:
        """Who is there. Returns when a photo that is still being copied may be complete; None when all are."""
        try:
            seen_now = await self._lookout.within(LISTING_SECONDS)
        except TimeoutError:
            log.warning("the faces folder does not answer", folder=str(self._settings.faces))
            self.watch.unanswered()
            self.problem = f"has not answered for {LISTING_SECONDS:.0f} seconds"
            return None
        listing = seen_now.listing
        self.watch.listed(seen_now.ground, seen_now.took)
        before, self.problem = self.problem, await self._wrong(seen_now)
        if self.problem is not None:
            if before != self.problem:
                log.warning("the faces folder cannot be used", folder=str(self._settings.faces), why=self.problem)
            return None
        first = not self._looked
        self._looked = True
        # Photos that lay there before the daemon are old enough; one that changes now must settle first.
        photos = photos_of(listing)
        seen = seen_since(self._seen, photos, time.time() if first else LATENCY)
        signatures = {path: found.signature for path, found in photos.items()}
        settling = intake.settle(seen, signatures, time.monotonic(), self._settings.intake.settle)
        self._seen = dict(settling.seen)
        settled = {path: listing.files[path] for path in settling.ready}
        people = persons(Listing(None, settled, listing.folders))
        if people != self.people or first:
            self.people = people
            await self._keep()
        return settling.next_at

    async def _wrong(self, seen: Survey) -> str | None:
        """Why the faces are not to be learned from this listing. A folder that is missing is made, but never where a
        disk is missing."""
        listing = seen.listing
        if listing.problem is None and seen.ground is not None:
            empty = not any(person.photos for person in persons(listing).values())
            return await self._footings.doubt_faces(self._settings.faces, seen.ground, empty=empty)
        if seen.ground is None and self._footings.mounted(self._settings.faces):
            await asyncio.to_thread(made, self._settings.faces)
        return listing.problem

    async def has_gone(self) -> bool:
        """Whether the folder is away this moment, so that a photo which is not there need not be gone."""
        if self.problem is not None:
            return True
        try:
            ground = await self._grounds.within(GROUND_SECONDS)
        except TimeoutError:
            ground = None
        if ground is None or not self._footings.unchanged(self._settings.faces, ground):
            self.problem = "is not there"
        return self.problem is not None

    async def _keep(self) -> None:
        known = {intake.fold(record.name): record.name for record in await standing.faces(self._ledger)}
        kept = records(self.people, known)
        await standing.see_faces(self._ledger, kept, time.time())
        self.rules = intake.Rules.of(
            (intake.Face(record.name, record.problem) for record in kept),
            self._settings.preset_names(),
            self._settings.default_face,
        )
        log.info("faces", names=sorted(person.name for person in self.people.values() if person.photos))

    def names_of(self, face: str) -> tuple[str, ...]:
        """The names of the photos that lie at a face's own place, and not in a folder below it."""
        person = self.people.get(intake.fold(face))
        if person is None:
            return ()
        folder = self._settings.faces
        paths = map(Path, person.photos)
        return tuple(path.name for path in paths if folder in (path.parent, path.parent.parent))

    def photos(self, face: str, bundle: str | None) -> tuple[Path, ...]:
        """The photos that a job's face has now."""
        if bundle is not None:
            return tuple(sorted(_bundle_photos(Path(bundle))))
        person = self.people.get(intake.fold(face))
        return () if person is None else tuple(Path(photo) for photo in person.photos)


def _bundle_photos(folder: Path) -> Iterator[Path]:
    listing = list_folder(folder)
    for path, found in listing.files.items():
        if len(found.parts) == 1 and intake.bundle_photo((folder.name, found.parts[0]), {}):
            yield Path(path)
