"""What is said of FaceFusion's models. Standard library only."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Model:
    """One model file of FaceFusion's that a preset needs."""

    name: str
    path: str
    state: str  # present, missing, corrupt, hash_missing
    presets: list[str]
    needed_by: str  # the part of FaceFusion, e.g. face_swapper; empty: not known
    size: int | None  # bytes; of a missing one about, None where nobody knows
    licence: str
    non_commercial: bool | None  # whether it forbids commercial use; None: not known


@dataclass(frozen=True)
class Pulling:
    """How far the download is, over all files that are fetched."""

    name: str  # of the model; empty while it begins, or waits for another process that fetches
    done: int  # bytes
    total: int  # bytes; 0: not known yet


@dataclass(frozen=True)
class Models:
    """GET /api/models."""

    facefusion: str  # the installation's version, in its own words
    folder: str
    models: list[Model]
    whole: bool  # nothing lacks
    sentence: str  # what lacks, or that nothing does
    missing: int  # bytes that lack, about
    pulling: Pulling | None  # None: nothing is being fetched
    problem: str | None = None  # why the last download ended, if it failed
    advice: str | None = None
    notices: list[str] = field(default_factory=list)  # what the licences forbid, in sentences


@dataclass(frozen=True)
class Unneeded:
    """A file that no preset needs."""

    path: str
    size: int  # bytes


@dataclass(frozen=True)
class Pruned:
    """POST /api/models/prune: what no preset needs; without `remove` it is only shown."""

    files: list[Unneeded]
    size: int  # bytes of all of them
    removed: bool
    text: str  # what happened, in one sentence
