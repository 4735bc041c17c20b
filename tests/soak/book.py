"""What was dropped where. Kept by us alone: the daemon's word is never asked."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace


def content_of(data: bytes) -> str:
    """As the ledger names a content: BLAKE2b-256, in hexadecimal."""
    return hashlib.blake2b(data, digest_size=32).hexdigest()


@dataclass(frozen=True, slots=True)
class Drop:
    """One file that was left with the daemon."""

    number: int
    how: str
    sort: str  # whole, faceless, declined, damaged, unfinished, output, or `no target`
    path: str
    content: str
    face: str | None  # whose folder it lies in; None: nobody's
    preset: str
    afterwards: str  # what the inbox does with a target that succeeded
    taken: str | None = None  # how we took it away again, if we did


class Book:
    """All drops, and which of them lies where by our own doing."""

    def __init__(self) -> None:
        self._drops: list[Drop] = []
        self._lying: dict[str, int] = {}
        self.parts: dict[str, str] = {}  # contents of files that were being written -> their path
        self.cancelled: set[int] = set()  # jobs whose cancel was acknowledged, and that nobody asked for again
        self.assigned: set[int] = set()  # jobs that were given a face by hand

    def __len__(self) -> int:
        return len(self._drops)

    def __iter__(self) -> Iterator[Drop]:
        return iter(self._drops)

    def add(self, how: str, sort: str, path: str, content: str, place: "Place") -> Drop:
        """Write a drop down; what lay there before is replaced by it."""
        self.take(path, "replaced")
        drop = Drop(len(self._drops), how, sort, path, content, place.face, place.preset, place.afterwards)
        self._drops.append(drop)
        self._lying[path] = drop.number
        return drop

    def take(self, path: str, how: str) -> Drop | None:
        """We took away what lay there."""
        number = self._lying.pop(path, None)
        if number is None:
            return None
        self._drops[number] = replace(self._drops[number], taken=how)
        return self._drops[number]

    def lying(self, path: str) -> Drop | None:
        """What lies there, by our own doing."""
        number = self._lying.get(path)
        return None if number is None else self._drops[number]

    def all_lying(self) -> list[Drop]:
        """In the order in which they were dropped."""
        return [self._drops[number] for number in sorted(self._lying.values())]


@dataclass(frozen=True, slots=True)
class Place:
    """What a folder says about the files in it."""

    face: str | None
    preset: str
    afterwards: str
