"""The daemon: opens everything, runs the loops in one group, and takes it apart again in order."""

import asyncio
import contextlib
import gc
import os
import signal
import socket
import time
import uuid
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from faceswapd.children import control_group, kin
from faceswapd.control import server
from faceswapd.control.doors.port import NoPortError, Port, open_port
from faceswapd.control.files import face_folder
from faceswapd.control.files.storage import Storage
from faceswapd.control.files.thumbnails import Thumbnails
from faceswapd.control.live import CourseLive, House, InboxLive, Live, LogLive, Orders, SlotLive
from faceswapd.control.own_link import own_link
from faceswapd.control.wire import address
from faceswapd.core.gate import Gate, Held
from faceswapd.core.wish import frames_of
from faceswapd.engines.facefusion.engine import FaceFusionEngine
from faceswapd.ledger import footings, standing
from faceswapd.ledger.connection import Ledger
from faceswapd.ledger.outcomes import Again
from faceswapd.ledger.tallies import Tallies
from faceswapd.media.examiner import Examiner
from faceswapd.media.mender import Mender
from faceswapd.runtime import notes, uploads
from faceswapd.runtime.health import freezing, notify, slices
from faceswapd.runtime.health.beats import STALE_SECONDS, Beats
from faceswapd.runtime.health.readings import Readings
from faceswapd.runtime.health.watchdog import Watchdog
from faceswapd.runtime.housekeeping import Housekeeping
from faceswapd.runtime.intake.desk import Desk
from faceswapd.runtime.intake.ground import is_mounted
from faceswapd.runtime.intake.inbox import Inbox
from faceswapd.runtime.jobs import recovery
from faceswapd.runtime.jobs.course import Slot, Workshop
from faceswapd.runtime.jobs.fleet import Fleet, chosen_fleet
from faceswapd.runtime.jobs.scheduler import Scheduler
from faceswapd.runtime.notifying.desktop import Desktop
from faceswapd.runtime.notifying.notices import Notices
from faceswapd.runtime.notifying.webhooks import Webhooks
from faceswapd.settings import Settings

STARTING = ("control", "inbox", "scheduler", "readings")
THREADS = 32  # for what blocks: some of them may hang in a folder on a network that is gone
SLOW_SECONDS = (1.0, 60.0)  # a ledger that works so long on one thing is on a slow disk; longer, and it hangs
_LEDGER_FULL = Held(
    "ledger", "The disk of the ledger is full: all waits for space.", "nothing free", "what a record takes"
)

log = structlog.get_logger(__name__)


class CannotStart(Exception):
    """The daemon cannot start; the text says why and what to do."""


async def run(settings: Settings, watchdog: Watchdog, ready: Callable[[str], None] = lambda _: None) -> None:
    """Run until stopped. `ready` is called with one sentence when the socket answers.

    Raises LedgerError, LedgerFullError, CannotStart, and whatever a loop raised, by the same orderly way out.
    """
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(THREADS, "blocking"))
    _make_folders(settings)
    async with contextlib.AsyncExitStack() as stack:
        ledger = await Ledger.open(settings.ledger_path)
        stack.push_async_callback(ledger.close)
        await slices.shorten_all(ledger)
        _make_watched(settings, await footings.known(ledger))
        stack.enter_context(kin.family(kin.family_of(settings.ledger_path)))  # for all children from here on
        boot = uuid.uuid4().hex
        clean = await standing.begin(ledger, boot, os.getpid())
        await recovery.recover(ledger, settings, clean=clean)
        await asyncio.to_thread(face_folder.clean, settings.faces)
        await uploads.clear(settings, ledger, time.time(), starting=True)
        lookers = _Lookers(Examiner(), Examiner(), Examiner(), Examiner(idle_seconds=20.0), Mender())
        for one in lookers.all:
            stack.push_async_callback(one.close)
        fleet = await chosen_fleet(settings, control_group.delegated())
        if fleet.problems:
            raise CannotStart("\n".join(fleet.problems))
        house = _Rooms(settings, ledger, fleet, lookers, boot, watchdog)
        listening, said = open_socket(settings.socket_path)
        stack.callback(listening.close)
        stack.callback(_unlink, Path(listening.getsockname()))
        link = stack.enter_context(own_link(Path(listening.getsockname())))
        port = house.open_port()
        if port is not None:
            stack.callback(port.listening.close)
        await house.run(listening, port, lambda: ready(" ".join(filter(None, (said, link)))))
        await standing.end(ledger, time.time())


def _hear_signals(act: Callable[[], object]) -> None:
    """Act whenever somebody asks the process to end. Not by the event loop's own means, which give the signals back to
    the system as soon as the loop is closed: the system would end us in the middle of our last words."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: act())


@dataclass(frozen=True, slots=True)
class _Lookers:
    """Who opens files. Several examiners, so that neither the proof of a long output, nor a thousand files that are
    submitted, nor a page full of pictures hold up an arrival."""

    arrivals: Examiner
    submissions: Examiner
    proofs: Examiner
    pictures: Examiner
    mender: Mender

    @property
    def all(self) -> tuple[Examiner | Mender, ...]:
        """Each of them."""
        return self.arrivals, self.submissions, self.proofs, self.pictures, self.mender


class _Rooms:
    """The loops, knitted together for one life of the daemon."""

    def __init__(
        self,
        settings: Settings,
        ledger: Ledger,
        fleet: Fleet,
        lookers: "_Lookers",
        boot: str,
        watchdog: Watchdog,
    ) -> None:
        self._settings = settings
        self._ledger = ledger
        self._watchdog = watchdog
        self._started_at = time.time()
        self._beats = Beats()
        for loop in STARTING:
            self._beats.beat(loop)
        ledger.while_full = self._beats.forgive
        self._inbox = Inbox(settings, ledger, lookers.arrivals, self._beats)
        self._desk = Desk(ledger, lookers.submissions)
        self._storage = Storage(settings, Thumbnails(settings.state / "thumbnails", lookers.pictures))
        self._fleet, slots = fleet, list(fleet.slots)
        self._notices = Notices()
        self._presets = tuple(spec for name in settings.preset_names() if (spec := settings.preset_spec(name)))
        self._webhooks = Webhooks(settings.webhook, ledger, self._notices.tell, self._beats)

        def children() -> list[int]:
            warm = [slot.engine.child for slot in slots] + [
                one.child.identity if one.child else None for one in lookers.all
            ]
            return [child.pid for child in warm if child is not None]

        self._readings = Readings(settings, ledger, children, self._beats)
        photos, tell = self._inbox.faces.photos, self._notices.tell
        shop = Workshop(
            settings,
            ledger,
            lookers.proofs,
            lookers.mender,
            photos,
            tell,
            self._readings.outbox_mounted,
            lambda: self._inbox.away,
            self._inbox.has_gone,
        )
        self._mender = lookers.mender
        self._scheduler = Scheduler(shop, slots, self._readings, self._beats, boot)
        self._slots = slots

    def open_port(self) -> Port | None:
        """The TCP port, where one is wanted. One that cannot be had is told of, and keeps nothing from going on."""
        if not self._settings.http.enabled:
            return None
        try:
            port = open_port(self._settings.http, self._settings.token_path)
        except NoPortError as error:
            log.warning("the API is on no TCP port", why=str(error))
            self._notices.tell("port", str(error))
            return None
        log.info("the API is on a TCP port", url=port.network.url)
        return port

    async def run(self, listening: socket.socket, port: Port | None, ready: Callable[[], None]) -> None:
        """All loops, until the scheduler has drained; the control socket closes last."""
        inbox = self._inbox
        orders = Orders(
            self._stop,
            inbox.wake,
            inbox.note_of,
            self._asked_again,
            inbox.told_of,
            inbox.give_up,
            inbox.faces.names_of,
            self._log_of,
        )
        models = None if self._fleet.site is None else self._fleet.site.models
        network = None if port is None else port.network
        tallies = await Tallies.begin(self._ledger, self._started_at)
        house = House(
            self._ledger.without_waiting(),
            self._live,
            orders,
            self._desk,
            models,
            network,
            self._readings.history,
            tallies,
            self._storage,
            self._webhooks,
        )
        await self._webhooks.begin()
        doors = server.Server(house, listening, lambda: self._beats.beat("control"), port)
        loop = asyncio.get_running_loop()
        _hear_signals(lambda: loop.call_soon_threadsafe(self._stop))
        try:
            async with asyncio.TaskGroup() as group:

                def begin(name: str, loop: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
                    return group.create_task(self._loop(name, loop), name=name)

                control = begin("control", doors.run())
                others = [
                    begin("readings", self._readings.run(lambda: self._scheduler.waiting, self._pace)),
                    begin("inbox", self._inbox.run()),
                    begin(
                        "beats",
                        notify.watch(self._beats, self._status_line, self._ledger_is_slow, self._watchdog.looked),
                    ),
                ]
                others.append(begin("housekeeping", Housekeeping(self._settings, self._ledger, self._beats).run()))
                if self._settings.webhook:
                    others.append(begin("webhooks", self._webhooks.run()))
                if self._settings.notify.desktop:
                    desktop = Desktop(self._ledger, self._notices.tell, self._beats)
                    await desktop.begin()
                    others.append(begin("desktop", desktop.run()))
                if any(slot.engine.weaknesses for slot in self._slots):
                    others.append(begin("mender", self._mender.warm()))
                if models is not None:
                    others.append(begin("models", models.run(lambda: self._beats.beat("models"))))
                scheduler = begin("scheduler", self._scheduler.run())
                notify.tell("READY=1", f"STATUS={self._status_line()}")
                ready()
                gc.collect()
                gc.freeze()  # what is there stays anyway: looking through it would stop each answer for 50 ms
                await scheduler
                self._watchdog.looked(over=True)
                for task in (*others, control):
                    task.cancel()
        finally:
            _hear_signals(lambda: None)  # it ends already, and a further one must not cut that short
            await self._desk.close()
            await self._storage.thumbnails.close()
            for slot in self._slots:
                await slot.engine.close()

    async def _loop(self, name: str, loop: Coroutine[Any, Any, None]) -> None:
        """A loop that ends everything when it raises."""
        try:
            await freezing.run(name, loop)
        except Exception as error:
            log.exception("a loop failed", loop=name, error=repr(error)[:300])
            self._watchdog.failing()
            raise

    def _asked_again(self, jobs: Sequence[Again]) -> None:
        """What is said of a failure that somebody wants to be tried again is no longer so."""

        def forget() -> None:
            for one in jobs:
                notes.remove_error_note(self._settings.failed, one.relative, one.job)

        asyncio.get_running_loop().run_in_executor(None, forget)

    def _log_of(self, job: int) -> LogLive | None:
        course = self._scheduler.course_of(job)
        if course is None:
            return None
        running = course.claim.job.segment in self._scheduler.courses
        return LogLive(course.claim.execution, course.claim.job.attempt, running, course.log)

    def _ledger_is_slow(self) -> bool:
        slow, hangs = SLOW_SECONDS
        return slow < self._ledger.busy() < hangs

    def _stop(self) -> str:
        """The first call drains, the second insists."""
        insisting = self._scheduler.draining
        self._scheduler.drain()
        self._ledger.hurry()
        running = len(self._scheduler.courses)
        notify.tell("STOPPING=1", f"STATUS=stopping, {running} running")
        log.info("stopping", insisting=insisting, running=running)
        if insisting:
            return "The daemon stops at once. What was running waits in the queue for the next start."
        if not running:
            return "The daemon stops."
        jobs = "1 running job" if running == 1 else f"{running} running jobs"
        return (
            f"The daemon stops as soon as {jobs} ended, in {self._settings.grace:.0f} s at the latest. "
            "`faceswapctl stop` once more stops it at once."
        )

    def _status_line(self) -> str:
        running = len(self._scheduler.courses)
        return f"{running} running" + ("" if self._readings.gate.open else f", held: {self._readings.gate.why}")

    def _pace(self) -> float:
        """Frames a second of all that runs now."""
        now = time.monotonic()
        return sum(
            course.fraction * frames_of(course.claim.job.facts, course.claim.job.wish) / elapsed
            for course in self._scheduler.courses.values()
            if (elapsed := now - course.started_at) > 0
        )

    def _slot_live(self, slot: Slot) -> SlotLive:
        courses, engine = self._scheduler.courses.values(), slot.engine
        return SlotLive(
            slot.number,
            engine.name,
            slot.device,
            tuple(course.claim.job.id for course in courses if course.slot is slot),
            str(engine.level) if isinstance(engine, FaceFusionEngine) else None,
            None if engine.child is None else engine.child.pid,
        )

    def _live(self) -> Live:
        now = time.monotonic()
        return Live(
            gate=Gate((_LEDGER_FULL, *self._readings.gate.held)) if self._ledger.full else self._readings.gate,
            reading=self._readings.latest,
            inboxes=tuple(
                InboxLive(
                    name=place.settings.name,
                    path=str(place.settings.path),
                    preset=place.settings.preset,
                    priority=place.settings.priority,
                    problem=place.listing.problem,
                    watching=place.watch.way,
                    arriving=place.arriving,
                    skipped=place.listing.skipped,
                    bundles=place.bundles,
                    options=tuple(sorted(place.settings.options.items())),
                    remarks=place.remarks,
                )
                for place in self._inbox.places
            ),
            rules=self._inbox.faces.rules,
            courses=tuple(
                CourseLive(
                    job=course.claim.job.id,
                    progress=course.fraction,
                    phase="starting" if course.latest is None else course.latest.phase,
                    elapsed=now - course.started_at,
                )
                for course in self._scheduler.courses.values()
            ),
            draining=self._scheduler.draining,
            engine=self._slots[0].engine.name,
            engine_why=self._fleet.why,
            slots=len(self._slots),
            started_at=self._started_at,
            folder=str(self._settings.faces.parent),
            outbox=str(self._settings.outbox),
            breaker=self._scheduler.breaker,
            silent=self._beats.silent(STALE_SECONDS),
            webhook_backlog=sum(one.waiting for one in self._webhooks.states()),
            beats=self._beats.ages(),
            limits=self._settings.gate_limits(),
            places=tuple(self._slot_live(slot) for slot in self._slots),
            gate_since=self._readings.gate_since,
            engine_version=None if self._fleet.site is None else self._fleet.site.credit,
            presets=self._presets,
            faces=str(self._settings.faces),
            short=self._scheduler.short,
            faces_problem=self._inbox.faces.problem,
            remarks=(*self._fleet.remarks, *self._notices.all, *self._inbox.remarks),
        )


def _make_folders(settings: Settings) -> None:
    """The folders that people see, and our own. An outbox that cannot be made holds the queue later, with its
    reason; a state folder that cannot be made ends the start here."""
    for folder in (settings.outbox, settings.failed):
        with contextlib.suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
    try:
        settings.state.mkdir(parents=True, exist_ok=True, mode=0o700)
        settings.socket_path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CannotStart(f"The folder {error.filename} cannot be made: {error.strerror}.") from error


def _make_watched(settings: Settings, known: footings.Footings) -> None:
    """None is made below a disk that it lay on before and that is not mounted now."""
    for folder in (settings.faces, *(inbox.path for inbox in settings.inbox)):
        if all(is_mounted(one) for one in known.get(str(folder), ())[:1]):
            with contextlib.suppress(OSError):
                folder.mkdir(parents=True, exist_ok=True)
            if folder != settings.faces:
                notes.write_readme(folder)


def open_socket(wanted: Path) -> tuple[socket.socket, str | None]:
    """The control socket, and what is to be said of its place. Raises CannotStart."""
    place, said = address.place_for(wanted), None
    if place != wanted:
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        said = (
            f"The path of the control socket {wanted} is longer than the {address.LIMIT} bytes that the system allows: "
            f"it is {place}."
        )
    try:
        return server.listen(place), said
    except OSError as error:
        raise CannotStart(f"The control socket {place} cannot be made: {error.strerror or error}.") from error


def _unlink(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()
