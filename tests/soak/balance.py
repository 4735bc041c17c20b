"""The book against the ledger, the outbox and the folders: everything that was dropped is exactly one thing."""

import os
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from faceswapd.core.intake import FACE_NOTE
from tests.soak.book import Book, Drop, content_of
from tests.soak.farm import INBOXES, Farm

SHOWN = 10  # of one sort of complaint


@dataclass(frozen=True, slots=True)
class Row:
    """A job, as the ledger tells it."""

    id: int
    state: str
    parked: str | None
    category: str | None
    reason: str | None
    target: str
    content: str | None
    face: str | None
    preset: str
    output: str | None
    output_content: str | None


@dataclass(slots=True)
class Balance:
    """What everything became, and what must not be."""

    drops: Counter[str] = field(default_factory=Counter)
    jobs: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    left_behind: int = 0  # targets that succeeded, and that a crash kept from being archived or deleted
    told: list[str] = field(default_factory=list)


class Books:
    """The ledger of a daemon that has ended, read once."""

    def __init__(self, farm: Farm, book: Book) -> None:
        self._farm, self._book = farm, book
        self._balance = Balance()
        ledger = sqlite3.connect(f"file:{farm.ledger}?mode=ro", uri=True)
        ledger.row_factory = sqlite3.Row
        try:
            self._jobs = {row["id"]: _row(row) for row in ledger.execute("SELECT * FROM jobs")}
            self._sightings = {
                os.fsdecode(row["target"]): (row["job"], row["note"])
                for row in ledger.execute("SELECT target, job, note FROM sightings")
            }
            self._balance.told += _ledger_complaints(ledger)
        finally:
            ledger.close()
        self._by_content: dict[str | None, list[Row]] = defaultdict(list)
        for job in self._jobs.values():
            self._by_content[job.content].append(job)
        self._succeeded: set[str | None] = set()
        self._archived: set[str | None] = set()
        self._outputs = {job.output_content: job for job in self._jobs.values() if job.output_content is not None}

    def close(self) -> Balance:
        """Everything that can be compared."""
        told = self._balance.told
        used: set[int] = set()
        became = {drop.number: self._became(drop, used) for drop in self._book}
        self._balance.drops.update(became.values())
        self._balance.jobs.update(job.state for job in self._jobs.values())
        told += _few("lost", (f"{drop.how} {drop.path!r}" for drop in self._book if became[drop.number] == "lost"))
        told += _few("unknown job", self._unknown(used))
        told += _few("job", self._job_complaints())
        told += _few("outbox", self._outbox_complaints())
        told += _few("original", self._original_complaints())
        told += _few("scratch", map(repr, _files(self._farm.folder / "state" / "scratch", folders=True)))
        return self._balance

    def _became(self, drop: Drop, used: set[int]) -> str:
        if drop.sort == "no target":
            return "lost" if drop.path in self._sightings else "not a target"
        jobs = [job for job in self._by_content[drop.content] if self._does(job, drop)]
        if jobs:
            live = [job for job in jobs if job.state != "cancelled"] or jobs[-1:]
            if drop.face is not None and len([job for job in jobs if job.state != "parked"]) > 1:
                self._balance.told.append(f"twice: {drop.path!r} is the jobs {[job.id for job in jobs]}.")
            return self._first(live[-1], used)
        if drop.content in self._outputs:
            return "output recognised"
        for job in self._by_content[None]:
            if job.target == drop.path and job.id not in used:
                return self._first(job, used)
        sighted, note = self._sightings.get(drop.path, (None, None))
        if drop.taken is None and sighted is not None and note is not None:
            return "duplicate"
        return "taken out before it was a job" if drop.taken is not None else "lost"

    def _does(self, job: Row, drop: Drop) -> bool:
        """Whether it is this drop's job."""
        if job.preset != drop.preset:
            return False
        if drop.face is None or job.face is None:
            return job.target == drop.path or self._sightings.get(drop.path, (None, None))[0] == job.id
        return job.face.casefold() == drop.face.casefold()

    def _first(self, job: Row, used: set[int]) -> str:
        if job.id in used:
            return "duplicate"
        used.add(job.id)
        return job.state

    def _unknown(self, used: set[int]) -> Iterator[str]:
        known = {(drop.path, drop.content) for drop in self._book}
        paths = {drop.path for drop in self._book}
        for job in self._jobs.values():
            if job.id in used or (job.target, job.content) in known:
                continue
            if job.content in self._book.parts:
                yield f"job {job.id} took {job.target!r} before it was whole ({job.state}: {job.reason})"
            elif job.content is not None or job.target not in paths:
                yield f"job {job.id} of {job.target!r} ({job.state}: {job.reason}) is of nothing that was dropped"

    def _job_complaints(self) -> Iterator[str]:
        for job in self._jobs.values():
            if job.state in ("queued", "running"):
                yield f"{job.id} is still {job.state}: {job.reason}"
            if job.state in ("failed", "parked") and not job.reason:
                yield f"{job.id} is {job.state} without a reason"
            if job.state == "failed":
                self._balance.reasons[job.category or "no category"] += 1
                if job.category in (None, "unknown") or "faceswapd itself" in (job.reason or ""):
                    yield f"{job.id} failed by nobody's fault but ours: {job.category}: {job.reason}"
            if job.id in self._book.cancelled and job.state != "cancelled" and not self._again(job):
                yield f"{job.id} was cancelled, which was acknowledged, and is {job.state}"

    def _again(self, job: Row) -> bool:
        """Whether its content was dropped more than once: the last drop asks for it again."""
        return sum(drop.content == job.content for drop in self._book) > 1 or job.face is None

    def _outbox_complaints(self) -> Iterator[str]:
        wanted = {job.output: job for job in self._jobs.values() if job.state == "succeeded" and job.output is not None}
        there = set(_files(self._farm.outbox))
        for path in there - wanted.keys():
            yield f"{path!r} belongs to no job"
        for path, job in wanted.items():
            if path not in there:
                yield f"{path!r} of job {job.id} is not there"
            elif content_of(Path(path).read_bytes()) != job.output_content:
                yield f"{path!r} is not what job {job.id} published"
        if len(wanted) != sum(job.state == "succeeded" for job in self._jobs.values()):
            yield "two jobs have the same output"

    def _original_complaints(self) -> Iterator[str]:
        self._succeeded = {job.content for job in self._jobs.values() if job.state == "succeeded"}
        self._archived = {content_of(Path(path).read_bytes()) for path in _files(self._farm.folder / "done")}
        for content in self._archived - self._succeeded:
            yield f"done/ holds {content}, which did not succeed"
        lying = {drop.path: drop for drop in self._book.all_lying()}
        for name in INBOXES:
            for path in _files(self._farm.folder / name):
                if path not in lying and not path.endswith((FACE_NOTE, "README.txt")):
                    yield f"{path!r} was put there by nobody"
        for drop in lying.values():
            yield from self._original(drop)

    def _original(self, drop: Drop) -> Iterator[str]:
        """What must be true of a file that we did not take out."""
        if Path(drop.path).exists():
            if content_of(Path(drop.path).read_bytes()) != drop.content:
                yield f"{drop.path!r} is not what was dropped"
            job = self._jobs.get(self._sightings.get(drop.path, (0, None))[0] or 0)
            here = job is not None and (job.target, job.content) == (drop.path, drop.content)
            if here and job is not None and job.state == "succeeded" and drop.afterwards != "keep":
                self._balance.left_behind += 1
        elif drop.afterwards == "keep" or drop.content not in self._succeeded:
            yield f"{drop.path!r} is gone, and nobody took it out"
        elif drop.afterwards == "archive" and drop.content not in self._archived:
            yield f"{drop.path!r} is neither in the inbox nor in done/"


def _row(row: sqlite3.Row) -> Row:
    return Row(
        row["id"],
        row["state"],
        row["parked"],
        row["category"],
        row["reason"],
        os.fsdecode(row["target"]),
        row["content"],
        row["face"],
        row["preset"],
        None if row["output"] is None else os.fsdecode(row["output"]),
        row["output_content"],
    )


def _ledger_complaints(ledger: sqlite3.Connection) -> list[str]:
    """What the ledger says of itself."""
    told = [f"integrity_check: {row[0]}" for row in ledger.execute("PRAGMA integrity_check") if row[0] != "ok"]
    told += [f"foreign_key_check: {tuple(row)}" for row in ledger.execute("PRAGMA foreign_key_check")]
    counted = set(map(tuple, ledger.execute("SELECT state, kind, preset, jobs, frames FROM job_counts WHERE jobs")))
    true = "SELECT state, kind, preset, count(*), sum(frames) FROM jobs GROUP BY state, kind, preset"
    if counted != set(map(tuple, ledger.execute(true))):
        told.append("job_counts is not what the jobs are.")
    open_ones = ledger.execute("SELECT id FROM executions WHERE finished_at IS NULL").fetchall()
    told += [f"Execution {row[0]} has no end." for row in open_ones]
    apart = "SELECT jobs.id FROM jobs JOIN segments ON segments.job = jobs.id WHERE segments.state <> jobs.state"
    told += [f"Job {row[0]} and its segment are in different states." for row in ledger.execute(apart)]
    return told


def _files(folder: Path, *, folders: bool = False) -> list[str]:
    return [str(path) for path in folder.rglob("*") if folders or path.is_file() or path.is_symlink()]


def _few(sort: str, complaints: Iterable[str]) -> list[str]:
    """The first of one sort, and how many there are."""
    found = list(complaints)
    more = [f"{sort}: and {len(found) - SHOWN} more"] if len(found) > SHOWN else []
    return [f"{sort}: {one}" for one in found[:SHOWN]] + more
