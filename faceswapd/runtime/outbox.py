"""A proved output is put into place: once, whole, and never over another file."""

import asyncio
import contextlib
import errno
import hashlib
import itertools
import os
import shutil
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

from faceswapd.core.failures import Failure
from faceswapd.core.intake import Signature
from faceswapd.engines.engine import EngineFailure
from faceswapd.ledger import admission
from faceswapd.ledger.connection import Ledger
from faceswapd.ledger.records import JobRecord
from faceswapd.runtime.listing import signature_of
from faceswapd.settings import Settings

STAGING = ".faceswapd"  # in the outbox and in done/, for what comes from another file system
NAME_BYTES = 255  # of one file name, on every usual file system
NO_LINKS = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EACCES})


def place_for(settings: Settings, job: JobRecord) -> Path:
    """Where the output of a job belongs, by the template."""
    relative = Path(job.relative)
    rendered = settings.output.format(
        folder=relative.parent.as_posix(),
        name=relative.stem,
        suffix=relative.suffix,
        face=(job.face or "").replace("/", "-"),
        preset=job.preset,
        job=job.id,
    )
    return settings.outbox / rendered


def candidates(place: Path) -> Iterator[Path]:
    """The place itself, then `clip (2).mp4`, `clip (3).mp4`, ..."""
    yield _fitting(place, "")
    for number in itertools.count(2):
        yield _fitting(place, f" ({number})")


def _fitting(place: Path, mark: str) -> Path:
    """The place with a mark after its stem, which is cut where the name would be longer than a name can be."""
    stem, ending = place.stem, mark + place.suffix
    while len(os.fsencode(stem + ending)) > NAME_BYTES and len(stem) > 1:
        stem = stem[:-1]
    return place.with_name(stem + ending)


async def publish(made: Path, place: Path, settings: Settings, announce: Callable[[Path], Awaitable[None]]) -> Path:
    """Put a proved output into the outbox and return where it lies.

    `announce` writes down each place before it is tried, so that a crash right after the rename finds its file.
    Raises EngineFailure with an environment failure when the outbox cannot take it; `made` is still there then.
    """
    staged = made
    try:
        await asyncio.to_thread(_prepare, made, place)
        staged = await asyncio.to_thread(_staged, made, _disk_of(place, settings.outbox))
        for candidate in candidates(place):
            if await asyncio.to_thread(os.path.lexists, candidate):
                continue
            await announce(candidate)
            if await asyncio.to_thread(_put_in, staged, candidate):
                with contextlib.suppress(OSError):  # its other name; it goes with the scratch folder otherwise
                    await asyncio.to_thread(made.unlink, missing_ok=True)
                return candidate
    except OSError as error:
        raise EngineFailure(failure_of(error, place)) from error
    finally:
        if staged != made:
            await asyncio.to_thread(_unstage, staged)
    raise AssertionError("candidates never end")


def failure_of(error: OSError, place: Path) -> Failure:
    """An environment failure out of what the system said about writing to a place."""
    shown = ascii(str(place))[1:-1]
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return Failure("disk_full", f"The disk is full: {shown} could not be written.")
    return Failure("not_writable", f"{shown} could not be written: {error.strerror}.")


def _prepare(made: Path, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    _sync(made)


def _disk_of(place: Path, outbox: Path) -> Path:
    """The folder whose file system a place is on: the outbox, or its own where a part of the outbox is another disk."""
    return outbox if place.parent.stat().st_dev == outbox.stat().st_dev else place.parent


def _staged(made: Path, root: Path) -> Path:
    """A file on the file system of `root`: itself, or a whole copy in a hidden folder there."""
    if made.stat().st_dev == root.stat().st_dev:
        return made
    folder = root / STAGING
    folder.mkdir(exist_ok=True)
    copy = folder / f"{made.parent.name}-{os.getpid()}{made.suffix}"  # another daemon may use the same outbox
    try:
        shutil.copyfile(made, copy)
        with contextlib.suppress(OSError):  # a file system without rights or times
            shutil.copystat(made, copy)
        _sync(copy)
    except BaseException:
        _unstage(copy)
        raise
    return copy


def _unstage(copy: Path) -> None:
    """Take away a copy that was not moved on, and its folder when that is empty."""
    with contextlib.suppress(OSError):
        copy.unlink(missing_ok=True)
        copy.parent.rmdir()


def _put_in(staged: Path, place: Path) -> bool:
    """One atomic step that never replaces a file. False: somebody else has that name.

    `staged` may be left as a second name of the file. What fails after the step is no failure: the file is there.
    """
    try:
        os.link(staged, place)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in NO_LINKS:
            raise
        if not _reserve_and_replace(staged, place):
            return False
    with contextlib.suppress(OSError):  # not every file system syncs folders
        _sync(place.parent)
    return True


def _reserve_and_replace(staged: Path, place: Path) -> bool:
    """For file systems without hard links: an empty file of our own holds the name for the rename."""
    try:
        os.close(os.open(place, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    except FileExistsError:
        return False
    try:
        staged.replace(place)
    except BaseException:
        place.unlink(missing_ok=True)
        raise
    return True


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def digest(path: Path) -> str | None:
    """BLAKE2b-256 of a file's bytes, in hexadecimal; None when there is no such file."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=32)).hexdigest()
    except OSError:
        return None


def clean_staging(settings: Settings) -> None:
    """Take away what a crash left half-copied."""
    for root in (settings.outbox, settings.done):
        shutil.rmtree(root / STAGING, ignore_errors=True)


async def settle_target(ledger: Ledger, job: JobRecord, settings: Settings) -> str | None:
    """Do with a target that succeeded what its inbox's policy wants. Returns what could not be done, as a sentence.

    Another file that has the target's name by now is not this job's, and stays.
    """
    if job.afterwards == "keep":
        return None
    known = await admission.sightings_of(ledger, [job.target])
    if not known or known[0].job != job.id:
        return None
    return await asyncio.to_thread(_settle, job, known[0].signature, settings)


def _settle(job: JobRecord, signature: Signature, settings: Settings) -> str | None:
    target = Path(job.target)
    if signature_of(job.target) != signature:
        return None
    try:
        if job.afterwards == "archive":
            _archive(target, settings.done, job.relative)
        else:
            target.unlink()
    except OSError as error:
        return f"The target could not be {job.afterwards}d: {error.strerror}."
    return None


def _archive(target: Path, done: Path, relative: str) -> None:
    place = done / relative
    place.parent.mkdir(parents=True, exist_ok=True)
    staged = _staged(target, done)
    try:
        next(candidate for candidate in candidates(place) if _put_in(staged, candidate))
    finally:
        if staged != target:
            _unstage(staged)
    target.unlink(missing_ok=True)  # gone already, where it was renamed


def remove_scratch(folder: Path) -> None:
    """Take an execution's scratch folder away."""
    with contextlib.suppress(OSError):
        shutil.rmtree(folder)
