"""What GET /api/faces, /api/inboxes and /api/presets say."""

from collections.abc import Sequence
from typing import NamedTuple


class FaceLine(NamedTuple):
    """A face, and what was asked of it."""

    name: str
    photos: Sequence[str]  # names of the files that lie at its place, the first few
    photo_count: int  # of all its photos, also of those in folders below
    problem: str | None  # why it cannot be used, one sentence
    jobs: int  # of all states
    waiting: int  # queued or running
    succeeded: int


class Faces(NamedTuple):
    """GET /api/faces: all that were ever seen, by name."""

    faces: Sequence[FaceLine]
    folder: str
    problem: str | None  # why nobody knows now which faces there are, one sentence


class InboxLine(NamedTuple):
    """An inbox, as the configuration has it, and how it is."""

    name: str
    path: str
    preset: str
    priority: int
    paused: bool
    watch: str  # events or polling
    note: str | None  # what a user should know of it, in sentences; None: all is well
    options: dict[str, str]  # laid over the preset's
    arriving: int  # files that are not complete yet
    skipped: int  # files that are not taken


class Inboxes(NamedTuple):
    """GET /api/inboxes, in the order of the configuration."""

    inboxes: Sequence[InboxLine]


class PresetLine(NamedTuple):
    """A preset."""

    name: str
    about: str  # one sentence
    base: str  # one of the three that are built in; its own name for these
    options: dict[str, str]  # laid over the base's, in FaceFusion's words
    preview: dict[str, str]  # what it means to the preview engine
    inboxes: Sequence[str]  # whose targets get it where nothing else is said


class Presets(NamedTuple):
    """GET /api/presets: those that are built in, then the configuration's own."""

    presets: Sequence[PresetLine]
