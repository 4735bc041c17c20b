"""Files become jobs.

Events only wake the loop; the listing says what is there, core.intake says what is complete and whose face it
gets, the examiner says what it is, and the ledger makes each target one job.
"""

import asyncio
import os
import time
from collections.abc import Collection, Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import structlog

from faceswapd.children.child import ChildFailure
from faceswapd.children.shield import beating
from faceswapd.core import intake
from faceswapd.core.asking import NOTHING_TOLD, Told
from faceswapd.core.job import Parked
from faceswapd.core.target import Facts, Unreadable
from faceswapd.ledger import admission, outcomes, reports
from faceswapd.ledger.admission import Arrival
from faceswapd.ledger.connection import Ledger
from faceswapd.ledger.records import JobRecord
from faceswapd.media.examiner import Examiner
from faceswapd.runtime import notes
from faceswapd.runtime.health.beats import BEAT_SECONDS, Beats
from faceswapd.runtime.intake.arrivals import arrival_of, bundle_of
from faceswapd.runtime.intake.faces import FacesFolder
from faceswapd.runtime.intake.footings import Footings
from faceswapd.runtime.intake.listing import LATENCY, Found, made, seen_since, signature_of
from faceswapd.runtime.intake.place import Later, Place
from faceswapd.runtime.intake.rehearing import Rehearing, Words
from faceswapd.runtime.intake.watching import Watch
from faceswapd.runtime.intake.writers import Writer, writer_of
from faceswapd.settings import Settings

WRITER_SECONDS = 3.0  # a file of which nobody says in this time who writes to it lies on a disk that hangs
LET_GO_SECONDS = 0.5  # between two looks at a file that another program has open, at least
BLIND = (10.0, 3.0)  # seconds, or so many settle times, of quiet where writers cannot be seen
FORBIDDEN = "It cannot be read: Permission denied. Give the daemon's user the right to."
NO_TARGET = "It is neither a video nor an image that can be swapped, by its name's ending."
FORGOTTEN_AT_ONCE = 500  # files that are gone, under one commit: the ledger is wanted by others, too
LOOK_SECONDS = 15.0  # a folder that vanished or came back is noticed within this
PASS_SECONDS = 2.0  # of probing, before the folders are listed again
PATIENCE = (10.0, 3.0)  # a cut-off file is parked after this many seconds, or so many settle times, without change

T = TypeVar("T")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A settled file that is to be probed."""

    place: Place
    path: str
    found: Found
    quiet: float  # seconds without change


class Inbox:
    """All inboxes and the faces folder."""

    def __init__(self, settings: Settings, ledger: Ledger, examiner: Examiner, beats: Beats) -> None:
        self._settings = settings
        self._ledger = ledger
        self._examiner = examiner
        self._beats = beats
        self._wake = asyncio.Event()
        self._sighted: dict[str, admission.Sighting] = {}
        self._footings = Footings(ledger)
        self.places = tuple(Place.of(inbox, settings.intake, self.wake) for inbox in settings.inbox)
        watch = Watch(settings.faces, None, settings.intake.poll, self.wake)
        self.faces = FacesFolder(settings, ledger, watch, self._footings)
        self._rehearing = Rehearing(ledger, self._sighted, lambda: self.faces.rules)

    def wake(self) -> None:
        """Look at the folders now."""
        self._wake.set()

    def note_of(self, path: str) -> str | None:
        """Why a file that was dealt with has no job of its own, if it has none: it may have gone over to a copy."""
        sighting = self._sighted.get(path)
        if sighting is None or sighting.note is not None or sighting.job is None:
            return None if sighting is None else sighting.note
        return f"It has the same content, face and preset as job {sighting.job}: one job does for both."

    def told_of(self, path: str) -> Told:
        """What its sidecar and the defaults of its folders say of a file."""
        place = next((one for one in self.places if path.startswith(f"{one.settings.path}{os.sep}")), None)
        if place is None:
            return NOTHING_TOLD
        parts = Path(path).relative_to(place.settings.path).parts
        found = place.listing.files.get(path)
        return place.sidecars.of(path, parts).told(self.faces.rules, time.time() if found is None else found.changed)

    async def run(self) -> None:
        """Look, and look again at every event and at least every `rescan` seconds, until cancelled."""
        for sighting in await admission.sightings(self._ledger):
            self._sighted[sighting.target] = sighting
        await self._footings.load()
        async with asyncio.TaskGroup() as group:
            group.create_task(self.listen(), name="watches")
            while True:
                self._wake.clear()
                next_look = await self.look()
                await self._rest(next_look)

    async def listen(self) -> None:
        """Let the events of all folders wake, until cancelled."""
        async with asyncio.TaskGroup() as group:
            for watch in self.watches:
                group.create_task(watch.run(), name="watch")

    @property
    def watches(self) -> tuple[Watch, ...]:
        """Of the faces folder and all inboxes."""
        return (self.faces.watch, *(place.watch for place in self.places))

    @property
    def away(self) -> frozenset[str]:
        """The inboxes of which nobody knows now which files are there, or which faces."""
        away = [place for place in self.places if place.away or self.faces.problem is not None]
        return frozenset(place.settings.name for place in away)

    async def has_gone(self, inbox: str) -> bool:
        """Whether an inbox or the faces are away this moment, so that a file which is not there need not be gone."""
        places = [place for place in self.places if place.settings.name == inbox]
        if not (await self.faces.has_gone() or [place for place in places if await place.has_gone(self._footings)]):
            return False
        self._wake.set()
        return True

    def give_up(self, inbox: str) -> None:
        """Files that an inbox lacks are not to be waited for."""
        self._footings.give_up(inbox)
        self._wake.set()

    @property
    def remarks(self) -> tuple[str, ...]:
        """What a user should do about the way in which the folders are watched, in sentences."""
        limits = dict.fromkeys(watch.limit for watch in self.watches if watch.limit is not None)
        return tuple(f"{limit.sentence} More: {limit.command}" for limit in limits)

    async def _rest(self, next_look: float) -> None:
        """Until something happens or it is time, beating all the while."""
        while (left := next_look - time.monotonic()) > 0:
            self._beat()
            try:
                async with asyncio.timeout(min(left, BEAT_SECONDS)):
                    await self._wake.wait()
            except TimeoutError:
                continue
            return

    async def look(self) -> float:
        """One pass over everything. Returns when the next one is due, on the monotonic clock."""
        self._beat()
        started, away = time.monotonic(), self.away
        faces_due = await self._alive(self.faces.look())
        due = [started + min(self._settings.intake.rescan, LOOK_SECONDS)]
        if faces_due is not None:
            due.append(faces_due)
        candidates: list[Candidate] = []
        for place in self.places:
            if place.watch.rests_until() > time.monotonic() or not await self._alive(place.look(self._footings)):
                continue
            await self._forget_gone(place)
            words_due = await self._alive(place.sidecars.look(place.listing))
            if words_due is not None:
                due.append(words_due)
            place.anew = await self._alive(
                self._rehearing.look(Words(place.settings.path, place.listing, place.sidecars))
            )
            self._beat()
            next_at, ready = self._settle(place, faces_settling=faces_due is not None)
            candidates += ready
            if next_at is not None:
                due.append(next_at)
        candidates.sort(key=lambda candidate: (candidate.found.changed, candidate.path))  # as they were dropped
        if not await self._admit(candidates, until=time.monotonic() + PASS_SECONDS):
            due.append(started)  # more is waiting
            for place in self.places:
                place.watch.hurry()
        due += [later.at for place in self.places for later in place.later.values() if later.at > started]
        self._beat()
        parked = await self._pair_parked()
        await self._alive(asyncio.to_thread(self._keep_folders))
        await self._keep_notes(parked)
        if self.away != away:
            self._ledger.bell.ring()  # what waits in one that is back may start
        due += [at for watch in self.watches if (at := watch.due()) is not None]
        return min(due)

    async def _alive(self, work: Coroutine[Any, Any, T]) -> T:
        """Wait for what rightly takes long: the loop lives."""
        return await beating(work, self._beat, BEAT_SECONDS)

    def _beat(self) -> None:
        self._beats.beat("inbox")

    async def _forget_gone(self, place: Place) -> None:
        """Files that were taken away take what still waits for them along. Not while the inbox itself is away."""
        if place.listing.problem is not None:
            return
        root = os.fspath(place.settings.path) + os.sep
        gone = [path for path in self._sighted if path.startswith(root) and place.listing.lacks(path)]
        if gone:
            reason = "The file was taken out of the inbox."
            for start in range(0, len(gone), FORGOTTEN_AT_ONCE):
                self._beat()
                some = gone[start : start + FORGOTTEN_AT_ONCE]
                for path in await admission.forget(self._ledger, some, time.time(), reason):
                    self._sighted.pop(path, None)

    def _settle(self, place: Place, *, faces_settling: bool) -> tuple[float | None, list[Candidate]]:
        """Which files of an inbox are new and complete; when the next one may be."""
        fresh = {
            path: found
            for path, found in place.listing.files.items()
            if self._is_new(place, path, found) and self._wanted(place, path, found)
        }
        now = time.monotonic()
        quiet = self._settings.intake.settle
        seen = seen_since(place.seen, fresh, LATENCY)
        settling = intake.settle(seen, {path: found.signature for path, found in fresh.items()}, now, quiet)
        place.seen = dict(settling.seen)
        place.bundles = frozenset(
            found.parts[:-1]
            for found in place.listing.files.values()
            if intake.bundle_photo(found.parts, self.faces.rules.faces)
        )
        place.hangs = False
        place.later = {path: one for path, one in place.later.items() if one.at > now and one.found == fresh.get(path)}
        coming = fresh.keys() - set(settling.ready)
        place.arriving = dict.fromkeys(coming, "It is still being written.")
        unsettled = self._folders_settling(place, coming)
        next_at = settling.next_at
        ready = []
        for path in settling.ready:
            found = fresh[path]
            own_folder = len(found.parts) > 1 and not intake.face_folder(found.parts, self.faces.rules.faces)
            if faces_settling or (own_folder and found.parts[:-1] in unsettled):
                place.arriving[path] = "It waits until all that lies beside it and all new photos are complete."
                next_at = min(next_at or now + quiet, now + quiet)
            elif place.sidecars.coming(path, found.parts):
                place.arriving[path] = "It waits until its sidecar and its folder's defaults are complete."
            elif path in place.later:
                place.tell(path, place.later[path])
            else:
                ready.append(Candidate(place, path, found, now - place.seen[path].since))
        return next_at, ready

    def _is_new(self, place: Place, path: str, found: Found) -> bool:
        sighting = self._sighted.get(path)
        return sighting is None or sighting.signature != found.signature or path in place.anew

    def _wanted(self, place: Place, path: str, found: Found) -> bool:
        """Whether a file is a target at all; otherwise it is listed with the reason."""
        if intake.own_note(found.parts):
            return False
        if not intake.is_target(found.parts[-1]):
            if not place.sidecars.is_one(path):
                place.listing.skipped.setdefault(path, NO_TARGET)
            return False
        if intake.bundle_photo(found.parts, self.faces.rules.faces):
            place.listing.skipped[path] = (
                "It is a photo of this folder's own face (its name begins with face or source)."
            )
            return False
        if not found.signature.size:
            place.listing.skipped[path] = "It is empty."
            return False
        return True

    def _folders_settling(self, place: Place, coming: Collection[str]) -> set[intake.Parts]:
        """The folders in which something that could be a face for what lies beside it is still coming."""
        now = time.time()
        return {
            found.parts[:-1]
            for path, found in place.listing.files.items()
            if path in coming
            or (
                abs(now - found.changed) < self._settings.intake.settle  # one of a clock that is ahead is old, too
                and intake.bundle_photo(found.parts, self.faces.rules.faces)
            )
        }

    async def _admit(self, candidates: Sequence[Candidate], until: float) -> bool:
        """Probe and admit. False: time is over before the last one."""
        arrivals: list[Arrival] = []
        done = True
        for candidate in candidates:
            self._beat()
            try:
                arrival = await self._arrival(candidate)
            except ChildFailure as error:  # nothing can be read now; what was read already is taken
                self._cannot_read(candidates, error)
                break
            if arrival is not None:
                arrivals.append(arrival)
                if arrival.parked is Parked.MISTAKEN:
                    self._wake.set()  # the next look tells it beside the file
            if time.monotonic() > until:
                done = candidate is candidates[-1]
                break
        if arrivals:
            admitted = await self._alive(admission.admit(self._ledger, arrivals, time.time()))
            noted = admission.sightings_of(self._ledger, [one.target for one in arrivals])
            kept = {one.target: one for one in await self._alive(noted)}
            for arrival, answer in zip(arrivals, admitted, strict=True):
                for freed in (arrival.target, *answer.freed):
                    self._sighted.pop(freed, None)
                if answer.was is not None:
                    self._beat()
                    await asyncio.to_thread(notes.remove_error_note, self._settings.failed, answer.was, answer.job)
                log.info("target", outcome=str(answer.outcome), job=answer.job, target=ascii(arrival.relative))
            self._sighted |= kept  # one that was freed at the same time is not among them
        return done

    async def _arrival(self, candidate: Candidate) -> Arrival | None:
        """A settled file as the ledger takes it; None when it is not complete after all."""
        path, found, place = candidate.path, candidate.found, candidate.place
        if not await self._let_go(candidate):
            return None
        answer = await self._facts_known(candidate) or await self._probed(path)
        if not await asyncio.to_thread(_is_as_before, path, found.signature):
            place.seen.pop(path, None)  # it changed while it was read, or is about to: it settles anew
            return None
        if isinstance(answer, Unreadable) and answer.incomplete and candidate.quiet < self._patience:
            left = max(0.05, self._patience - candidate.quiet)
            place.leave(path, Later(found, time.monotonic() + left, f"{answer.sentence} Waiting for the rest."))
            return None
        place.arriving.pop(path, None)
        return arrival_of(
            path, found, answer, place.sidecars.of(path, found.parts), self.faces.rules, place.bundles, place.settings
        )

    async def _facts_known(self, candidate: Candidate) -> Facts | None:
        """What was read of a file that is the same as then, and only asked about anew."""
        sighting = self._sighted.get(candidate.path)
        if sighting is None or sighting.signature != candidate.found.signature or sighting.job is None:
            return None
        job = await reports.job(self._ledger, sighting.job)
        return job.facts if job is not None and job.target == candidate.path else None

    async def _let_go(self, candidate: Candidate) -> bool:
        """Whether nobody writes to a settled file any more. Where that cannot be seen, a longer quiet time says it."""
        quiet = self._settings.intake.settle
        try:
            asked = None if candidate.place.hangs else asyncio.to_thread(writer_of, candidate.path)
            writer = None if asked is None else await asyncio.wait_for(asked, WRITER_SECONDS)
        except TimeoutError:
            writer = None
        match writer:
            case Writer.NOBODY:
                return True
            case None:  # the others on it are spared in this pass, so that they hold up nothing
                candidate.place.hangs = True
                sentence, left = "Its disk does not answer.", LOOK_SECONDS
            case Writer.SOMEBODY:  # when it is closed comes no event
                sentence, left = "It is still open in another program.", max(LET_GO_SECONDS, quiet)
            case Writer.FORBIDDEN:
                sentence, left = FORBIDDEN, LOOK_SECONDS
            case Writer.UNKNOWN:
                left = max(BLIND[0], BLIND[1] * quiet) - candidate.quiet
                if left <= 0:
                    return True
                sentence = "It cannot be seen here whether it is still written to: it must be quiet for longer."
        later = Later(candidate.found, time.monotonic() + max(0.05, left), sentence, writer is Writer.FORBIDDEN)
        candidate.place.leave(candidate.path, later)
        return False

    async def _probed(self, path: str) -> Facts | Unreadable:
        """The examiner's answer. A large file may take it minutes, which it limits itself: the loop lives."""
        return await self._alive(self._examiner.probe(Path(path)))

    def _cannot_read(self, candidates: Sequence[Candidate], error: ChildFailure) -> None:
        log.warning("files cannot be examined", why=str(error))
        for candidate in candidates:
            if self._is_new(candidate.place, candidate.path, candidate.found):
                candidate.place.arriving[candidate.path] = f"{error} It is tried again."

    @property
    def _patience(self) -> float:
        return max(PATIENCE[0], PATIENCE[1] * self._settings.intake.settle)

    async def _pair_parked(self) -> list[JobRecord]:
        """A face that has come since settles what was parked for want of it. Returns what stays so."""
        left = []
        for job in await self._alive(reports.parked_needing_face(self._ledger)):
            place = next((place for place in self.places if place.settings.name == job.inbox), None)
            left.append(job)
            if place is None:
                continue
            self._beat()
            if job.target in place.anew:
                continue  # something else is asked of it by now
            pairing = intake.pair(tuple(job.relative.split("/")), self.faces.rules, place.bundles)
            if pairing.face is not None and pairing.rule is not None:
                bundle = bundle_of(place.settings, pairing)
                assignment = outcomes.Assignment(pairing.face, pairing.rule, job.preset, bundle)
                await outcomes.assign(self._ledger, job.id, assignment, time.time())
                left.pop()
        return left

    def _keep_folders(self) -> None:
        """Every face has its folder in every inbox, so that the places to drop are seen."""
        for place in self.places:
            if place.away or place.read_only:
                continue
            there = {intake.fold(parts[0]) for parts in place.listing.folders if len(parts) == 1}
            for folded, person in self.faces.people.items():
                if person.photos and folded not in there:
                    made(place.settings.path / person.name)

    async def _keep_notes(self, parked: Sequence[JobRecord]) -> None:
        """Beside each target that needs a face, or its sidecar mended, a text says so, and beside no other."""
        away = self.away
        wanted = {str(notes.face_note(job.target)): job for job in parked if job.inbox not in away}
        there, mending = (
            {
                path
                for place in self.places
                for path, found in place.listing.files.items()
                if found.parts[-1].endswith(ending)
            }
            for ending in (intake.FACE_NOTE, intake.MENDING_NOTE)
        )

        def keep() -> None:
            for path in there - wanted.keys():
                notes.remove(Path(path))
            for path in wanted.keys() - there:
                notes.write_face_note(wanted[path].target, wanted[path].reason or "")
            self._rehearing.keep_notes(mending, [place.settings.path for place in self.places if place.away])

        await self._alive(asyncio.to_thread(keep))


def _is_as_before(path: str, signature: intake.Signature) -> bool:
    """Whether a file that was read is the one that had settled, and nobody has begun to write to it. Blocks."""
    return signature_of(path) == signature and writer_of(path) is not Writer.SOMEBODY
