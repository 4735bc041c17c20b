"""Writers as people's programs are: each makes one file in its own way, in a process of its own.

`python writing.py WAY WHOLE TARGET REST PAUSE`: WHOLE is the file as it is to be in the end. Outside the inbox a writer
may use what is named like WHOLE, with an ending of its own. In a rest a file does not settle, in a pause it would.
"""

import contextlib
import mmap
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

LONG_AGO: Final = 1_000_000_000.0  # seconds since 1970
PIECES: Final = 6


@dataclass(frozen=True, slots=True)
class Order:
    """What one writer is to do."""

    whole: Path
    target: Path
    rest_seconds: float  # less than a file must stay unchanged for the daemon
    pause_seconds: float  # more than that

    @property
    def content(self) -> bytes:
        return self.whole.read_bytes()

    @property
    def aside(self) -> Path:
        """A place on the same file system, outside the inbox."""
        return self.whole.with_name(f"{self.whole.name}.aside")

    def pieces(self) -> list[tuple[int, bytes]]:
        """The content in pieces, each with its place."""
        content = self.content
        size = -(-len(content) // PIECES)
        return [(start, content[start : start + size]) for start in range(0, len(content), size)]

    def rest(self) -> None:
        """A pause in which a file does not settle."""
        time.sleep(self.rest_seconds)

    def pause(self) -> None:
        """A pause in which a file would settle."""
        time.sleep(self.pause_seconds)


@contextlib.contextmanager
def opened(path: Path, flags: int) -> Iterator[int]:
    fd = os.open(path, flags | os.O_CREAT, 0o644)
    try:
        yield fd
    finally:
        os.close(fd)


def in_halves(path: Path, order: Order) -> None:
    """Open all the time, and quiet in the middle."""
    content = order.content
    with opened(path, os.O_WRONLY | os.O_TRUNC) as fd:
        os.write(fd, content[: len(content) // 2])
        order.pause()
        os.write(fd, content[len(content) // 2 :])


def copied(order: Order) -> None:
    run("cp", order.whole, order.target)


def slow(order: Order) -> None:
    with opened(order.target, os.O_WRONLY) as fd:
        for _, piece in order.pieces():
            os.write(fd, piece)
            order.rest()


def pausing(order: Order) -> None:
    in_halves(order.target, order)


def renamed_in(order: Order) -> None:
    in_halves(order.aside, order)
    order.aside.rename(order.target)


def part_renamed(order: Order) -> None:
    part = order.target.with_name(f"{order.target.name}.part")
    in_halves(part, order)
    part.rename(order.target)


def browser(order: Order) -> None:
    """An empty file holds the name while the content comes beside it."""
    order.target.touch()
    part_renamed(order)


def rsynced(order: Order) -> None:
    run("rsync", "-a", order.whole, order.target)


def rsynced_in_place(order: Order) -> None:
    run("rsync", "-a", "--inplace", f"--bwlimit={rate(order)}", order.whole, order.target)


def rsynced_slowly(order: Order) -> None:
    run("rsync", "-a", f"--bwlimit={rate(order)}", order.whole, order.target)


def moved_from_elsewhere(order: Order) -> None:
    """From another file system, as old as the file is there."""
    shared = Path("/dev/shm")
    elsewhere = shared / f"faceswapd-{os.getpid()}" if os.access(shared, os.W_OK) else order.aside
    try:
        elsewhere.write_bytes(order.content)
        os.utime(elsewhere, (LONG_AGO, LONG_AGO))
        run("mv", elsewhere, order.target)
    finally:
        elsewhere.unlink(missing_ok=True)


def copied_with_its_date(order: Order) -> None:
    os.utime(order.whole, (LONG_AGO, LONG_AGO))
    run("cp", "-p", order.whole, order.target)


def of_the_future(order: Order) -> None:
    run("cp", order.whole, order.target)
    os.utime(order.target, (4e9, 4e9))


def preallocated(order: Order) -> None:
    """As large as it will be from the start, and quiet between the pieces."""
    with opened(order.target, os.O_RDWR) as fd:
        os.posix_fallocate(fd, 0, len(order.content))
        for number, (start, piece) in enumerate(order.pieces()):
            order.pause() if number == PIECES // 2 else order.rest()
            os.pwrite(fd, piece, start)


def mapped(order: Order) -> None:
    """Written in memory, closed long before, and with the time of its first page's first byte."""
    content = order.content
    with opened(order.target, os.O_RDWR) as fd:
        os.truncate(fd, len(content))
        memory = mmap.mmap(fd, len(content))
    with memory:
        for start in range(0, len(content), mmap.PAGESIZE):
            memory[start] = 1
        memory[: len(content) // 2] = content[: len(content) // 2]
        order.pause()
        memory[len(content) // 2 :] = content[len(content) // 2 :]


def in_two_sessions(order: Order) -> None:
    content = order.content
    with opened(order.target, os.O_WRONLY) as fd:
        os.write(fd, content[: len(content) // 2])
    order.rest()
    with opened(order.target, os.O_WRONLY | os.O_APPEND) as fd:
        order.pause()
        os.write(fd, content[len(content) // 2 :])


def linked_meanwhile(order: Order) -> None:
    """A hard link of a file that is still written to under its other name."""
    content = order.content
    with opened(order.aside, os.O_WRONLY) as fd:
        os.write(fd, content[: len(content) // 2])
        os.link(order.aside, order.target)
        order.pause()
        os.write(fd, content[len(content) // 2 :])


def dd_in_pieces(order: Order) -> None:
    """Opened and closed for each piece."""
    size = -(-len(order.content) // PIECES)
    for number in range(PIECES):
        skip = (f"skip={number}", f"seek={number}", "count=1", "conv=notrunc", "status=none")
        run("dd", f"if={order.whole}", f"of={order.target}", f"bs={size}", *skip)
        order.rest()


def uploaded(order: Order) -> None:
    """As an sftp server does: pieces on their way at once, then the rights and the date, then it is closed."""
    pieces = order.pieces()
    pieces[2], pieces[3] = pieces[3], pieces[2]
    with opened(order.target, os.O_WRONLY | os.O_TRUNC) as fd:
        for start, piece in pieces:
            os.pwrite(fd, piece, start)
            order.rest()
        order.pause()
        os.fchmod(fd, 0o600)
        os.utime(fd, (LONG_AGO, LONG_AGO))


def swarm(order: Order) -> None:
    """As a torrent client does: a sparse file of full size, pieces in any order, opened and closed for each."""
    (first, *others) = order.pieces()
    random.Random(3).shuffle(others)
    with opened(order.target, os.O_WRONLY) as fd:
        os.truncate(fd, len(order.content))
    for start, piece in (first, *others):
        with opened(order.target, os.O_WRONLY) as fd:
            os.pwrite(fd, piece, start)
        order.rest()


def child_goes_on(order: Order) -> None:
    """Who opened it has ended; a child still writes."""
    content = order.content
    with opened(order.target, os.O_WRONLY) as fd:
        os.write(fd, content[: len(content) // 2])
        words = ("sh", "-c", f"sleep {order.pause_seconds}; tail -c +{len(content) // 2 + 1} '{order.whole}'")
        subprocess.Popen(words, stdout=fd, stdin=subprocess.DEVNULL)


def stays_open(order: Order) -> None:
    """All is written, and it stays open until somebody says a line."""
    with opened(order.target, os.O_RDWR) as fd:
        os.write(fd, order.content)
        sys.stdin.readline()


def in_place(order: Order) -> None:
    """What was there before is overwritten in halves."""
    content = order.content
    with opened(order.target, os.O_WRONLY) as fd:
        os.write(fd, content[: len(content) // 2])
        order.pause()
        os.write(fd, content[len(content) // 2 :])
        os.truncate(fd, len(content))


def rate(order: Order) -> int:
    """KiB a second at which it takes longer than a file settles."""
    return max(1, int(len(order.content) / 1024 / order.pause_seconds))


def run(*words: str | Path) -> None:
    subprocess.run(words, check=True)


WAYS: Final[dict[str, Callable[[Order], None]]] = {
    way.__name__.replace("_", "-"): way
    for way in (
        copied,
        slow,
        pausing,
        renamed_in,
        part_renamed,
        browser,
        rsynced,
        rsynced_in_place,
        rsynced_slowly,
        moved_from_elsewhere,
        copied_with_its_date,
        of_the_future,
        preallocated,
        mapped,
        in_two_sessions,
        linked_meanwhile,
        dd_in_pieces,
        uploaded,
        swarm,
        child_goes_on,
    )
}
SPECIAL: Final = {"stays-open": stays_open, "in-place": in_place}  # what they make takes more than one look


def start(way: str, whole: Path, target: Path, rest: float, pause: float) -> subprocess.Popen[str]:
    """Start a writer, with its rests and pauses in seconds."""
    words = [sys.executable, "-I", "-S", __file__, way, str(whole), str(target), str(rest), str(pause)]
    return subprocess.Popen(words, stdin=subprocess.PIPE, text=True)


if __name__ == "__main__":
    named, made, wanted, short, long = sys.argv[1:]
    {**WAYS, **SPECIAL}[named](Order(Path(made), Path(wanted), float(short), float(long)))
