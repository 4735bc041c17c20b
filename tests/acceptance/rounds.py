"""A farm on which everything happens that the daemon writes down, round after round, and an audit of its books."""

import contextlib
import os
import shutil
import sqlite3
import struct
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from faceswapd.control.wire import messages
from faceswapd.runtime.jobs.outbox import STAGING, digest
from tests.acceptance.farm import JOB_SECONDS, Farm, children, gone

ENDED = ("succeeded", "failed", "cancelled")
INBOXES = """
[[inbox]]
path = "archived"
afterwards = "archive"
[[inbox]]
path = "deleted"
afterwards = "delete"
"""
SETTINGS = f"[retry]\nfirst = 0.2\nfactor = 1.5\nlongest = 1.0\nattempts = 50\n{INBOXES}"
PATIENCE = 90.0  # seconds for a round, however busy the machine is


@dataclass(slots=True)
class Want:
    """A target, and how it shall end."""

    target: Path
    inbox: str
    end: str  # the state, or "gone" for one that is taken out again
    content: str
    retried: bool = False  # failed once, and retried by hand
    killed: float = 0.0  # when the run began whose child was killed
    job: messages.Job | None = None

    @property
    def done(self) -> bool:
        return self.job is not None and self.job.state == ("cancelled" if self.end == "gone" else self.end)


@dataclass
class Rounds:
    """Drops, gives orders, and looks whether all is right. Nothing here minds a daemon that dies meanwhile."""

    farm: Farm
    media: Path
    engine: str = "preview"  # what the command line of the engine's child says
    mended: bool = False  # whether a video is dropped, too, that the engine could not bear as it is
    wants: list[Want] = field(default_factory=list)
    number: int = 0

    def drop(self, *, video: bool = True) -> list[Want]:
        """The targets of one round, each of a content that never was before."""
        self.number += 1
        name = f"{self.number:03}"
        fresh = [
            self._put("photo.jpg", "inbox", f"alice/kept-{name}.jpg", "succeeded"),
            self._put("photo.jpg", "archived", f"alice/kept-{name}.jpg", "succeeded"),
            self._put("photo.png", "deleted", f"alice/kept-{name}.png", "succeeded"),
            self._put("nobody.png", "inbox", f"alice/nobody-{name}.png", "failed"),
            self._put("photo.png", "inbox", f"faceless-{name}.png", "succeeded"),
            self._put("photo.jpg", "inbox", f"taken-{name}.jpg", "gone"),
        ]
        if self.mended:
            fresh.append(self._put("phone.mov", "inbox", f"alice/phone-{name}.mov", "succeeded"))
        if video:
            fresh.append(self._put("long.mp4", "inbox", f"alice/long-{name}.mp4", "cancelled"))
        self.wants += fresh
        return fresh

    def drop_one_that_lasts(self) -> Want:
        """A video that runs for some seconds, and is left in peace."""
        want = self._put("long.mp4", "inbox", f"alice/lasting-{self.number:03}.mp4", "succeeded")
        self.wants.append(want)
        return want

    def _put(self, source: str, inbox: str, place: str, end: str) -> Want:
        target = self.farm.folder / inbox / place
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(marked(self.media / source, str(target)))
        content = digest(target)
        assert content is not None
        return Want(target, inbox, end, content)

    def drive(self, wants: list[Want]) -> bool:
        """Give the orders until all have come to their ends. False: the daemon died before."""
        deadline = time.monotonic() + PATIENCE
        process = self.farm.processes[-1]
        while process.poll() is None:
            self.step(wants)
            if all(want.done for want in wants):
                return True
            time.sleep(0.02)  # the daemon needs the processor more
            assert time.monotonic() < deadline, [
                (want.target.name, want.end, want.job) for want in wants if not want.done
            ]
        return False

    def step(self, wants: list[Want]) -> None:
        """One look, and the orders that follow from it."""
        self.refresh(wants)
        for want in wants:
            if want.job is not None:
                self._push(want, want.job)

    def refresh(self, wants: list[Want]) -> None:
        """How the jobs are; as they were, where nobody answers."""
        answer = self.farm.client.get(messages.Jobs, f"/api/jobs?limit={8 * len(wants)}")
        if isinstance(answer, messages.Jobs):
            known = {one.target: one for one in reversed(answer.jobs)}
            for want in wants:
                want.job = known.get(str(want.target), want.job)

    def _push(self, want: Want, job: messages.Job) -> None:
        match want.end, job.state:
            case "gone", "parked":
                want.target.unlink(missing_ok=True)
            case "succeeded", "parked":
                self.order(f"jobs/{job.id}/assign", face="alice")
            case "failed", "failed" if not want.retried:
                want.retried = True
                self.order(f"jobs/{job.id}/retry")
            case _, "failed" if job.category == "interrupted":
                self.order(f"jobs/{job.id}/retry")
            case "cancelled", "running" if not want.killed and job.progress > 0 and self._kill_engine():
                want.killed = job.started_at or 0.0
            case "cancelled", "running" if want.killed and job.started_at != want.killed:
                self.order(f"jobs/{job.id}/cancel")
            case _:
                pass

    def _kill_engine(self) -> bool:
        """Kill the child of each slot: which one has the job is not told."""
        killed = False
        for child in children(self.farm.processes[-1].pid):
            with contextlib.suppress(psutil.Error):
                if self.engine in " ".join(child.cmdline()):
                    child.kill()
                    killed = True
        return killed

    def order(self, route: str, **body: str) -> None:
        """An order whose answer may never come."""
        self.farm.client.post(messages.Done, f"/api/{route}", dict(body))

    def family(self) -> list[psutil.Process]:
        """Every process that descends from a daemon of this farm, and none of the daemons."""
        mine = f"XDG_RUNTIME_DIR={self.farm.folder / 'run'}".encode()
        daemons = {process.pid for process in self.farm.processes}
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(OSError, psutil.Error):
                words = Path(f"/proc/{process.pid}/environ").read_bytes().split(b"\0")
                if mine in words and process.pid not in daemons and process.pid != os.getpid():
                    found.append(process)
        return found

    def nobody_left(self, seconds: float = 10.0) -> bool:
        """Whether all children and grandchildren of a dead daemon end in time."""
        return gone(self.family(), seconds)

    def audit(self) -> None:
        """All that was ever dropped came to its end; nothing was lost, made twice, or left half."""
        self.refresh(self.wants)
        with self._ledger() as ledger:
            rows = ledger.execute("SELECT id, target, state, output, output_content, reason FROM jobs").fetchall()
            open_ones = ledger.execute("SELECT count(*) FROM executions WHERE finished_at IS NULL").fetchone()[0]
            broken = ledger.execute("PRAGMA quick_check").fetchone()[0]
        assert broken == "ok"
        assert open_ones == 0
        jobs = {
            os.fsdecode(target): (state, output, content, reason) for _, target, state, output, content, reason in rows
        }
        assert len(jobs) == len(rows), "a target has two jobs"
        outputs: dict[Path, str] = {}
        for want in self.wants:
            state, output, content, reason = jobs.pop(str(want.target))
            assert state == ("cancelled" if want.end == "gone" else want.end), (want, reason)
            if state == "succeeded":
                place = Path(os.fsdecode(output))
                assert place not in outputs, "two jobs have one output"
                outputs[place] = content
            self._audit_target(want)
        assert not jobs, "nobody dropped these"
        there = {path: digest(path) for path in self.farm.outbox.rglob("*") if not path.is_dir()}
        assert there == outputs
        for root in (self.farm.outbox, self.farm.folder / "done"):
            assert not list(root.rglob(STAGING))
        notes = {path.name for path in (self.farm.folder / "failed").rglob("*") if path.is_file()}
        assert notes == {f"{want.target.name}.error.txt" for want in self.wants if want.end == "failed"}

    def _audit_target(self, want: Want) -> None:
        archived = [
            path for path in (self.farm.folder / "done").rglob(want.target.name) if digest(path) == want.content
        ]
        if want.end == "gone" or (want.inbox == "deleted" and want.end == "succeeded"):
            assert not want.target.exists(), want
            assert not archived
        elif want.inbox == "archived" and want.end == "succeeded":
            assert not want.target.exists(), want
            assert len(archived) == 1, want
        else:
            assert digest(want.target) == want.content, want
            assert not archived

    @contextlib.contextmanager
    def _ledger(self) -> Iterator[sqlite3.Connection]:
        path = self.farm.folder / "state" / "ledger.sqlite3"
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as ledger:
            yield ledger

    def settled(self) -> None:
        """The audit, as soon as what follows from the last record is done, too."""
        eventually(self.audit)

    def interrupted(self) -> int:
        """How many segments have been set aside by the rule of three interruptions, so far."""
        with self._ledger() as ledger:
            return int(ledger.execute("SELECT count(*) FROM executions WHERE category = 'interrupted'").fetchone()[0])

    def released(self) -> int:
        """How many executions a death of the daemon has cut off, so far."""
        with self._ledger() as ledger:
            cut = "SELECT count(*) FROM executions WHERE outcome = 'released' OR category = 'interrupted'"
            return int(ledger.execute(cut).fetchone()[0])


def eventually(check: Callable[[], None], seconds: float = JOB_SECONDS) -> None:
    """Check until it holds; what it says at the last time is what counts."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with contextlib.suppress(AssertionError, KeyError, OSError, sqlite3.OperationalError):
            check()
            return
    check()


def marked(file: Path, mark: str) -> bytes:
    """The content of a media file with something in it that nobody sees."""
    whole, words = file.read_bytes(), mark.encode()
    match file.suffix:
        case ".jpg":  # a comment after the start of the image
            return whole[:2] + b"\xff\xfe" + struct.pack(">H", len(words) + 2) + words + whole[2:]
        case ".png":  # a text before the end of the image
            body = b"tEXtComment\0" + words
            return (
                whole[:-12]
                + struct.pack(">I", len(body) - 4)
                + body
                + struct.pack(">I", zlib.crc32(body))
                + whole[-12:]
            )
        case ".mp4" | ".mov":  # an atom that is skipped
            return whole + struct.pack(">I", len(words) + 8) + b"free" + words
    raise AssertionError(file)


def new_rounds(farm: Farm, media: Path) -> Rounds:
    """Two faces, so that a target outside of their folders waits for one of them."""
    (farm.folder / "faces" / "bob").mkdir()
    shutil.copy(media / "other.png", farm.folder / "faces" / "bob" / "one.png")
    for inbox in ("archived", "deleted"):
        (farm.folder / inbox).mkdir()
    return Rounds(farm, media)
