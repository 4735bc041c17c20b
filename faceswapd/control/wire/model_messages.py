"""What is said of FaceFusion's models. Standard library only."""

from collections.abc import Sequence
from typing import NamedTuple


class Model(NamedTuple):
    """One model file of FaceFusion's that a preset needs."""

    name: str
    path: str
    state: str  # present, missing, corrupt, hash_missing
    presets: Sequence[str]
    needed_by: str  # the part of FaceFusion, e.g. face_swapper; empty: not known
    size: int | None  # bytes; of a missing one about, None where nobody knows
    licence: str
    non_commercial: bool | None  # whether it forbids commercial use; None: not known


class Pulling(NamedTuple):
    """How far the download is, over all files that are fetched."""

    name: str  # of the model; empty while it begins, or waits for another process that fetches
    done: int  # bytes
    total: int  # bytes; 0: not known yet


class Models(NamedTuple):
    """GET /api/models."""

    facefusion: str  # the installation's version, in its own words
    folder: str
    models: Sequence[Model]
    whole: bool  # nothing lacks
    sentence: str  # what lacks, or that nothing does
    missing: int  # bytes that lack, about
    pulling: Pulling | None  # None: nothing is being fetched
    problem: str | None = None  # why the last download ended, if it failed
    advice: str | None = None
    notices: Sequence[str] = ()  # what the licences forbid, in sentences


class Unneeded(NamedTuple):
    """A file that no preset needs."""

    path: str
    size: int  # bytes


class Pruned(NamedTuple):
    """POST /api/models/prune: what no preset needs; without `remove` it is only shown."""

    files: Sequence[Unneeded]
    size: int  # bytes of all of them
    removed: bool
    text: str  # what happened, in one sentence
