"""What is said about changed faces. Standard library only."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FaceAdded:
    """POST /api/faces/NAME."""

    name: str  # as its folder is called
    photos: list[str]  # the names that the photos got in it
    text: str


@dataclass(frozen=True, slots=True)
class FaceRemoved:
    """DELETE /api/faces/NAME."""

    name: str
    text: str
