"""A proved output is put into place: once, whole, and never over another file."""

import asyncio
import contextlib
import errno
import hashlib
import itertools
import os
import shutil
import uuid
from collections.abc import Awaitable, Callable, Iterable, Iterator
from pathlib import Path

from faceswapd import faults
from faceswapd.core.failures import Failure
from faceswapd.core.output_name import below
from faceswapd.engines.engine import EngineFailure
from faceswapd.ledger import admission
from faceswapd.ledger.admission import Sighting
from faceswapd.ledger.connection import Ledger
from faceswapd.ledger.records import JobRecord
from faceswapd.runtime.intake.ground import one_mount
from faceswapd.runtime.intake.listing import signature_of
from faceswapd.runtime.intake.sidecars import sidecars_of
from faceswapd.runtime.jobs.renaming import NoSuchRename, rename_to_new
from faceswapd.settings import Settings

STAGING = ".faceswapd"  # in the outbox and in done/, for what comes from another file system
RESERVED = b"faceswapd holds this name for a file that is on its way.\n"
NAME_BYTES = 255  # of one file name, on every usual file system
NO_LINKS = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EACCES})


def place_for(settings: Settings, job: JobRecord) -> Path:
    """Where the output of a job belongs, by its own template or that of the configuration. Always below the outbox."""
    relative = Path(job.relative)
    rendered = (job.wish.output or settings.output).format(
        folder=relative.parent.as_posix(),
        name=relative.stem,
        suffix=relative.suffix,
        face=(job.face or "").replace("/", "-"),
        preset=job.preset,
        job=job.id,
    )
    return settings.outbox / below(rendered)


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
    faults.reached("before sync")
    _sync(made)
    faults.reached("after sync")


def _disk_of(place: Path, outbox: Path) -> Path:
    """The folder on whose mount a place is: the outbox, or its own where a part of the outbox is another one."""
    return outbox if one_mount(place.parent, outbox) else place.parent


def _staged(made: Path, root: Path) -> Path:
    """A file on the mount of `root`: itself, or a whole copy in a hidden folder there."""
    if one_mount(made, root):
        return made
    copy = root / STAGING / f"{uuid.uuid4().hex}{made.suffix}"  # another work, or another daemon, may be there, too
    _made_anew(copy)
    try:
        faults.reached("before copy")
        shutil.copyfile(made, copy)
        faults.reached("after copy")
        with contextlib.suppress(OSError):  # a file system without rights or times
            shutil.copystat(made, copy)
        _sync(copy)
    except BaseException:
        _unstage(copy)
        raise
    faults.reached("copy synced")
    return copy


def _made_anew(copy: Path) -> None:
    """An empty file in a folder that is made for it, and that somebody else may be taking away this moment."""
    while True:
        copy.parent.mkdir(exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            os.close(os.open(copy, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
            return


def _unstage(copy: Path) -> None:
    """Take away a copy that was not moved on, and its folder when that is empty."""
    faults.reached("before unstage")
    with contextlib.suppress(OSError):
        copy.unlink(missing_ok=True)
        faults.reached("after unstage")
        copy.parent.rmdir()


def _put_in(staged: Path, place: Path) -> bool:
    """One atomic step that never replaces a file. False: somebody else has that name.

    `staged` may be left as a second name of the file. What fails after the step is no failure: the file is there.
    """
    faults.reached("before link")
    try:
        os.link(staged, place)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in NO_LINKS:
            raise
        if not _renamed(staged, place):
            return False
    faults.reached("after link")
    with contextlib.suppress(OSError):  # not every file system syncs folders
        _sync(place.parent)
    return True


def _renamed(staged: Path, place: Path) -> bool:
    """For file systems without hard links."""
    try:
        rename_to_new(staged, place)
    except FileExistsError:
        return False
    except NoSuchRename:
        return _reserve_and_replace(staged, place)
    return True


def _reserve_and_replace(staged: Path, place: Path) -> bool:
    """Where there is no such rename either: a file of our own, which says so, holds the name. After a crash in
    between it is known by its words."""
    try:
        handle = os.open(place, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
    except FileExistsError:
        return False
    try:
        try:
            os.write(handle, RESERVED)
        finally:
            os.close(handle)
        faults.reached("name reserved")
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


def clean_staging(settings: Settings, places: Iterable[Path] = ()) -> None:
    """Take away what a crash left half-copied. `places` are those of outputs that were on their way: a part of the
    outbox may be another disk."""
    for root in {settings.outbox, settings.done, *(place.parent for place in places)}:
        shutil.rmtree(root / STAGING, ignore_errors=True)


def remove_reservation(place: Path) -> None:
    """Take away the file that held a name when a crash came, and no other."""
    with contextlib.suppress(OSError):
        if place.is_file() and place.stat().st_size <= len(RESERVED) and RESERVED.startswith(place.read_bytes()):
            place.unlink()


async def settle_target(ledger: Ledger, job: JobRecord, settings: Settings, *, again: bool = False) -> str | None:
    """Do with a target that succeeded what its inbox's policy wants. Returns what could not be done, as a sentence.

    Another file that has the target's name by now is not this job's, and stays. `again`: a crash may have come in
    the middle of it, so that the target may lie in the archive already.
    """
    if job.afterwards == "keep":
        return None
    known = await admission.sightings_of(ledger, [job.target])
    if not known or known[0].job != job.id:
        return None
    return await asyncio.to_thread(_settle, job, known[0], settings, again)


def _settle(job: JobRecord, known: Sighting, settings: Settings, again: bool) -> str | None:  # noqa: FBT001
    target = Path(job.target)
    if signature_of(job.target) != known.signature:
        return None
    if not os.access(target.parent, os.W_OK | os.X_OK):  # or its copy would lie in done/, and it would stay
        return f"The target could not be {job.afterwards}d: its folder cannot be written."
    faults.reached("before settling")
    try:
        sidecars = [Path(path) for path in sidecars_of(job.target, known.sidecar)]
        if job.afterwards == "archive":
            place = settings.done / job.relative
            there = _archived(target, place) if again else None
            there = _archive(target, place, settings.done) if there is None else there
            for sidecar in sidecars:
                _archive(sidecar, there.with_name(there.name + sidecar.suffix), settings.done)
            faults.reached("target archived")
        for sidecar in sidecars:
            sidecar.unlink(missing_ok=True)
        target.unlink(missing_ok=True)  # gone already, where it was renamed
        faults.reached("after settling")
    except OSError as error:
        return f"The target could not be {job.afterwards}d: {error.strerror}."
    return None


def _archived(target: Path, place: Path) -> Path | None:
    """Where it lies in the archive, if it does. A name that was only held for it is free again."""
    for candidate in candidates(place):
        remove_reservation(candidate)
        if not os.path.lexists(candidate):
            return None
        if candidate.stat().st_size == target.stat().st_size and digest(candidate) == digest(target):
            return candidate
    raise AssertionError("candidates never end")


def _archive(target: Path, place: Path, done: Path) -> Path:
    """Returns where it lies now."""
    place.parent.mkdir(parents=True, exist_ok=True)
    staged = _staged(target, _disk_of(place, done))
    try:
        return next(candidate for candidate in candidates(place) if _put_in(staged, candidate))
    finally:
        if staged != target:
            _unstage(staged)


def remove_scratch(folder: Path) -> None:
    """Take an execution's scratch folder away."""
    faults.reached("before scratch removed")
    with contextlib.suppress(OSError):
        shutil.rmtree(folder)
