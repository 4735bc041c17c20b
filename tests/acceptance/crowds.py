"""Thousands of files that come at once, each in one of the ways in which people's programs bring them."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

FOLDERS: Final = 50  # into which the files are sorted, where the way does not say it otherwise

Way = Callable[[Path, Path], None]


def make(folder: Path, photo: bytes, first: int, count: int, *, each: int | None = None) -> list[Path]:
    """Small images (JPEG), no two of them alike; `each` of them in a folder. Returns where they are, below `folder`."""
    made = []
    folders = -(-count // each) if each else min(FOLDERS, count)
    for number in range(folders):
        (folder / f"folder-{number}").mkdir(parents=True)
    for number in range(count):
        place = Path(f"folder-{number % folders}", f"{first + number}.jpg")
        words = f"number {first + number}".encode()
        comment = b"\xff\xfe" + (len(words) + 2).to_bytes(2, "big") + words
        (folder / place).write_bytes(photo[:2] + comment + photo[2:])
        made.append(place)
    return made


def copied(source: Path, target: Path) -> None:
    run("cp", "-r", f"{source}/.", target)


def moved_one_by_one(source: Path, target: Path) -> None:
    for folder in source.iterdir():
        (target / folder.name).mkdir()
        run("mv", "-t", target / folder.name, *folder.iterdir())


def rsynced(source: Path, target: Path) -> None:
    run("rsync", "-a", f"{source}/", target)


def renamed_in(source: Path, target: Path) -> None:
    """Each is written beside the inbox and then renamed."""
    aside = source.with_name("aside")
    for path in files(source):
        shutil.copyfile(path, aside)
        wanted = target / path.relative_to(source)
        wanted.parent.mkdir(exist_ok=True)
        aside.rename(wanted)


def linked(source: Path, target: Path) -> None:
    run("cp", "-rl", f"{source}/.", target)


def moved_as_a_whole(source: Path, target: Path) -> None:
    source.rename(target / "all of it")


def filled(source: Path, target: Path) -> None:
    """Each folder is made, and filled at once."""
    for folder in source.iterdir():
        (target / folder.name).mkdir()
        for path in folder.iterdir():
            (target / folder.name / path.name).write_bytes(path.read_bytes())


WAYS: Final[dict[str, Way]] = {
    "copied": copied,
    "moved one by one": moved_one_by_one,
    "rsynced": rsynced,
    "renamed in": renamed_in,
    "linked": linked,
    "moved as a whole": moved_as_a_whole,
    "new folders": filled,
}


def files(folder: Path) -> Iterator[Path]:
    """All files below a folder."""
    for root, _, found in os.walk(folder):
        yield from (Path(root, name) for name in found)


def run(*words: str | Path) -> None:
    subprocess.run(words, check=True)
