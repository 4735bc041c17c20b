"""Fetches the model files that lack: one process at a time, resumed, verified, and put into place by one rename.

FaceFusion's own download waits for ever when its connection dies, and two processes write into the same file. So its
models are fetched here, with the `curl` that it demands anyway (which knows the proxies of the environment).
"""

import asyncio
import contextlib
import errno
import fcntl
import os
import re
import shutil
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from faceswapd.children import kin, program
from faceswapd.core.failures import Failure
from faceswapd.engines.facefusion import models
from faceswapd.engines.facefusion.models import LOCK, ModelFile, ModelState

MARGIN = 1.1  # how much more room than the files need must be free
SIZE_SECONDS = 20.0  # for the answer how large a file is
LOCK_SECONDS = 0.5  # between two looks whether another process has done; the system tells no one
REPORT_SECONDS = 0.5
_WRITING, _NO_RESUME, _STANDS, _REFUSED = 23, 33, 28, 22  # curl's exit codes
_FULL = (errno.ENOSPC, errno.EDQUOT)
_NETWORK = (5, 6, 7, 35, 97)  # no proxy, no name, no connection, no TLS


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a download is believed in. A download that grows has all the time it needs."""

    connect: float = 15.0  # seconds until a server must have answered
    still: float = 30.0  # seconds with less than `least` before it counts as standing still
    least: int = 1024  # bytes a second
    tries: int = 4  # in a row without a byte more, for each address
    pause: float = 2.0  # seconds between two of them


@dataclass(frozen=True, slots=True)
class Pulling:
    """How far the download is."""

    name: str  # of the model that is being fetched
    done: int  # bytes, over all files that are fetched
    total: int  # bytes, over all files that are fetched; grows where a server tells no size


Report = Callable[[Pulling], None]


class PullFailure(Exception):
    """The models could not be fetched; `failure` says why."""

    def __init__(self, category: str, sentence: str) -> None:
        super().__init__(sentence)
        self.failure = Failure(category, sentence)


class _Broken(Exception):
    """One address gave up: which category, and what was said."""

    def __init__(self, category: str, said: str) -> None:
        super().__init__(said)
        self.category = category


async def pull(
    files: Iterable[ModelFile],
    folder: Path,
    memory: Path,
    report: Report = lambda _: None,
    *,
    offline: bool = False,
    patience: Patience | None = None,
) -> tuple[ModelState, ...]:
    """Fetch those of `files` that lack into the models' `folder`, and return how all of them stand.

    Only one download runs at a time, over all processes: a second caller waits, and then finds the files there.
    What was fetched of a file is kept when the await is cancelled or the connection dies, and is gone on with. `memory`
    is that of `models.check`. Raises PullFailure: `download_failed` (with what to place where by hand),
    `download_stalled`, `disk_full`, `model_corrupt`, `not_writable`.
    """
    wanted = tuple(files)
    try:
        states = await models.check(wanted, memory)
        if models.whole(states):
            return states
        if offline:
            raise PullFailure("download_failed", offline_sentence(models.lacking(states)))
        async with locked(folder) as lock:
            states = await models.check(wanted, memory)
            lacking = models.lacking(states)
            if lacking:
                await _Fetch(lacking, folder, memory, report, patience or Patience(), lock).run()
            return await models.check(wanted, memory)
    except OSError as error:
        raise _told_of(error, folder) from error
    except program.ProgramError as error:
        raise PullFailure("download_failed", f"{error.failure.sentence} FaceFusion needs curl, too.") from error


def offline_sentence(files: Sequence[ModelFile]) -> str:
    """What somebody without a network has to place where."""
    lines = []
    for file in files:
        if not file.urls:
            lines.append(f"{file.path.name} has no known address.")
            continue
        parts = f"{file.path.name}{_sized(file)} and {file.hash_path.name}"
        lines.append(f"Place {parts} from {file.urls[0].rpartition('/')[0]}/ into {file.path.parent}.")
    return " ".join(lines)


@contextlib.asynccontextmanager
async def locked(folder: Path, *, wait: bool = True) -> AsyncIterator["Lock"]:
    """Be the only one who changes the models' folder. Raises OSError; BlockingIOError where somebody else is and
    `wait` is False. A download that outlived its daemon is ended first."""
    handle = _lock_file(folder)
    try:
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if not wait:
                    raise
                await asyncio.sleep(LOCK_SECONDS)
        lock = Lock(handle)
        await asyncio.to_thread(lock.end_orphan)
        yield lock
    finally:
        os.close(handle)


class Lock:
    """The held lock. Its file holds the mark of the curl that runs, for a daemon that comes after a killed one."""

    def __init__(self, handle: int) -> None:
        self._handle = handle

    def note(self, mark: str) -> None:
        """A child that bears this mark is about to write into the folder."""
        os.ftruncate(self._handle, 0)
        os.pwrite(self._handle, mark.encode(), 0)

    def end_orphan(self) -> None:
        """End what an earlier holder left running, and forget it."""
        mark = os.pread(self._handle, kin.LONGEST_MARK, 0).decode(errors="replace")
        if kin.is_mark_of_child(mark):
            kin.end_all(mark)
        os.ftruncate(self._handle, 0)


def _lock_file(folder: Path) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    return os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)


class _Fetch:
    """One download of several files, under the lock."""

    def __init__(
        self,
        files: Sequence[ModelFile],
        folder: Path,
        memory: Path,
        report: Report,
        patience: Patience,
        lock: Lock,
    ) -> None:
        self._files = files
        self._folder = folder
        self._memory = memory
        self._report = report
        self._patience = patience
        self._lock = lock
        self._sizes: dict[Path, int] = {}  # bytes of each file, as far as they are known
        self._done = 0  # bytes of the files that are in place

    async def run(self) -> None:
        left = []
        for file in self._files:
            await self._fetch_checksum(file)
            if not models.whole(await models.check([file], self._memory)):
                left.append(file)
        for file in left:
            self._sizes[file.path] = await self._size_of(file)
        self._check_room(left)
        for file in left:
            await self._fetch_model(file, left)
            self._done += self._sizes[file.path]

    async def _fetch_checksum(self, file: ModelFile) -> None:
        """It comes first, and anew even where there is one: the model on the server may be a newer one."""
        part = file.hash_path.with_name(file.hash_path.name + models.PART)
        said = None
        for url in file.hash_urls:
            part.unlink(missing_ok=True)
            try:
                await self._curl(url, part, file)
            except _Broken as broken:
                said = broken
                continue
            if models.checksum_in(part) is not None:
                part.replace(file.hash_path)
                return
            said = _Broken("download_failed", f"what came from {url} is no checksum")
        part.unlink(missing_ok=True)
        if models.checksum_in(file.hash_path) is None:
            raise self._given_up(file, said)

    async def _fetch_model(self, file: ModelFile, left: Sequence[ModelFile]) -> None:
        """From the first address that gives it. What came is proved; a wrong one is fetched anew once."""
        part, wanted = file.part_path, models.checksum_in(file.hash_path)
        urls, wrong, said = list(file.urls), 0, None
        while urls:
            url = urls.pop(0)
            try:
                if self._sizes[file.path] <= 0 or _size(part) != self._sizes[file.path]:
                    async with self._told(file, part):
                        await self._curl(url, part, file)
            except _Broken as broken:
                said = broken
                if broken.category == "disk_full":
                    break
                continue
            if await asyncio.to_thread(models.crc_of, part) == wanted:
                self._sizes[file.path] = _size(part)
                await asyncio.to_thread(_put, part, file.path)
                return
            part.unlink()
            wrong += 1
            if wrong == 2:
                break
            urls = [*urls, url]  # the next address, or the same once more
        if wrong:
            raise PullFailure(
                "model_corrupt",
                f"{file.path.name} came with another checksum than {file.hash_path.name} says: it was thrown away.",
            )
        raise self._given_up(file, said, left)

    def _given_up(self, file: ModelFile, said: _Broken | None, left: Sequence[ModelFile] = ()) -> PullFailure:
        category = "download_failed" if said is None else said.category
        if category == "disk_full":
            return PullFailure(category, f"{file.path.name} could not be written: {said}.")
        if category == "not_writable":
            return PullFailure(category, f"{file.path.name} cannot be written into {self._folder}: {said}.")
        why = f"{file.name} could not be fetched: {said}." if said is not None else ""
        lacking = [one for one in left or self._files if not one.path.exists()] or [file]
        return PullFailure(category, f"{why} Without a network: {offline_sentence(lacking)}".strip())

    async def _curl(self, url: str, path: Path, file: ModelFile) -> None:
        """Fetch into `path`, going on behind what is there. Raises _Broken, when `tries` in a row brought nothing."""
        patience, tries = self._patience, 0
        while True:
            before = _size(path)
            ended = await program.run(
                (
                    *("curl", "--fail", "--location", "--silent", "--show-error", "--proto", "=http,https"),
                    # Its own --retry would throw away what came since it was started, and gives up a cut connection.
                    *("--connect-timeout", f"{patience.connect:g}", "--speed-limit", f"{patience.least}"),
                    *("--speed-time", f"{patience.still:g}", "--continue-at", "-", "--output", str(path), url),
                ),
                before_start=self._lock.note,
            )
            if ended.code == 0 and _size(path) > 0:
                return
            said = _last_line(ended.err) or "nothing came"
            http = _http_status(said) if ended.code == _REFUSED else None
            if ended.code == _NO_RESUME or http == 416:  # no more of it there, or not from the middle
                if http == 416 and self._sizes.get(file.path, 0) <= 0 < before:
                    return  # perhaps it is complete: the checksum tells
                _remove(path)
                if before == 0:
                    raise _Broken("download_failed", said)
                continue
            if ended.code == _WRITING:
                raise await asyncio.to_thread(_why_not_written, path, said)
            if http is not None and http < 500 and http not in (408, 429):
                raise _Broken("download_failed", f"{url} answers {http}")
            tries = 0 if _size(path) > before else tries + 1
            if tries >= patience.tries or (ended.code in _NETWORK and tries >= 2):
                stands = ended.code == _STANDS and "too slow" in said
                raise _Broken("download_stalled" if stands else "download_failed", f"{url}: {_without_prefix(said)}")
            await asyncio.sleep(patience.pause)

    async def _size_of(self, file: ModelFile) -> int:
        """Bytes, as a server says; else as the table says; 0 where nobody does."""
        for url in file.urls:
            arguments = ("--head", "--silent", "--fail", "--location", "--proto", "=http,https")
            seconds = f"{min(SIZE_SECONDS, self._patience.connect):g}"
            ended = await program.run(("curl", *arguments, "--max-time", seconds, url))
            lengths = re.findall(r"^content-length:\s*(\d+)\s*$", ended.out, re.IGNORECASE | re.MULTILINE)
            if ended.code == 0 and lengths:  # the last answer is the file's, the others lead to it
                return int(lengths[-1])
        return file.expected or 0

    def _check_room(self, left: Sequence[ModelFile]) -> None:
        missing = sum(max(0, self._sizes[file.path] - _size(file.part_path)) for file in left)
        free = shutil.disk_usage(self._folder).free
        if missing * MARGIN > free:
            raise PullFailure(
                "disk_full",
                f"The models need {_megabytes(round(missing * MARGIN))} in {self._folder}, "
                f"and {_megabytes(free)} are free.",
            )

    @contextlib.asynccontextmanager
    async def _told(self, file: ModelFile, part: Path) -> AsyncIterator[None]:
        """Report twice a second how large the file has grown."""

        def tell() -> None:
            size = _size(part)
            self._sizes[file.path] = max(self._sizes[file.path], size)
            self._report(Pulling(file.name, self._done + size, sum(self._sizes.values())))

        async def tell_on() -> None:
            while True:
                tell()
                await asyncio.sleep(REPORT_SECONDS)

        telling = asyncio.create_task(tell_on(), name=f"size of {part.name}")
        try:
            yield
            tell()
        finally:
            telling.cancel()
            await asyncio.wait([telling])


def _why_not_written(path: Path, said: str) -> _Broken:
    """The reason, which curl does not tell: found by writing something there."""
    try:
        with path.open("ab") as stream:
            end = stream.tell()
            stream.write(b"\0" * 65536)
            stream.flush()
            os.fsync(stream.fileno())
            stream.truncate(end)
    except OSError as error:
        full = error.errno in _FULL
        return _Broken("disk_full" if full else "not_writable", error.strerror or str(error))
    return _Broken("not_writable", _without_prefix(said))


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)


def _put(part: Path, path: Path) -> None:
    with part.open("rb") as stream:
        os.fsync(stream.fileno())
    part.replace(path)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _told_of(error: OSError, folder: Path) -> PullFailure:
    if error.errno in _FULL:
        return PullFailure("disk_full", f"The disk of {folder} is full.")
    return PullFailure("not_writable", f"The models' folder {folder} cannot be used: {error.strerror or error}.")


def _sized(file: ModelFile) -> str:
    return "" if file.expected is None else f" ({_megabytes(file.expected)})"


def _megabytes(size: int) -> str:
    return f"{size / models.MEGABYTE:.0f} MB"


def _last_line(text: str) -> str:
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "")


def _without_prefix(said: str) -> str:
    """What curl itself said, without `curl: (28)`."""
    return re.sub(r"^curl: \(\d+\)\s*", "", said).rstrip(".")


def _http_status(said: str) -> int | None:
    found = re.search(r"error: (\d{3})", said)
    return int(found.group(1)) if found else None
