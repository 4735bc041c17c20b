"""What is said about changed faces. Standard library only."""

from collections.abc import Sequence
from typing import NamedTuple


class FaceAdded(NamedTuple):
    """POST /api/faces/NAME."""

    name: str  # as its folder is called
    photos: Sequence[str]  # the names that the photos got in it
    text: str


class FaceRemoved(NamedTuple):
    """DELETE /api/faces/NAME."""

    name: str
    text: str
