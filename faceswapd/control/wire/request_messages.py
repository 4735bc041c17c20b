"""What clients send: the bodies of requests. As in `messages`, unknown keys are left out, and nothing is a default that
stands here without one."""

from collections.abc import Sequence
from typing import NamedTuple

from faceswapd.core.submitting import Words


class Which(NamedTuple):
    """POST /api/pause and /api/resume."""

    inbox: str | None = None  # None: the whole daemon


class Assign(NamedTuple):
    """POST /api/jobs/ID/assign."""

    face: str


class Prioritise(NamedTuple):
    """POST /api/jobs/ID/priority."""

    priority: int  # from -100 to 100; higher goes first


class RetryFailed(NamedTuple):
    """POST /api/retry."""

    category: str | None = None  # None: of every category


class Submit(NamedTuple):
    """POST /api/submit."""

    targets: Sequence[str]  # absolute paths
    faces: Sequence[str] = ()
    presets: Sequence[str] = ()
    matrix: bool = False  # where no face is named: all of them
    priority: int | None = None
    not_before: float | str | None = None  # seconds since 1970, or as a sidecar says it
    dry_run: bool = False  # nothing is written

    @property
    def words(self) -> Words:
        """What is said beside the targets."""
        return Words(self.faces, self.presets, self.matrix, self.priority, self.not_before)


class Backup(NamedTuple):
    """POST /api/ledger/backup."""

    path: str  # absolute


class Prune(NamedTuple):
    """POST /api/models/prune."""

    remove: bool = False
