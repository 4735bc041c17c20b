"""What clients send: the bodies of requests. As in `messages`, unknown keys are left out, and nothing is a default that
stands here without one."""

from dataclasses import dataclass, field

from faceswapd.core.submitting import Words


@dataclass(frozen=True)
class Which:
    """POST /api/pause and /api/resume."""

    inbox: str | None = None  # None: the whole daemon


@dataclass(frozen=True)
class Assign:
    """POST /api/jobs/ID/assign."""

    face: str


@dataclass(frozen=True)
class Prioritise:
    """POST /api/jobs/ID/priority."""

    priority: int  # from -100 to 100; higher goes first


@dataclass(frozen=True)
class RetryFailed:
    """POST /api/retry."""

    category: str | None = None  # None: of every category


@dataclass(frozen=True)
class Submit:
    """POST /api/submit."""

    targets: list[str]  # absolute paths
    faces: list[str] = field(default_factory=list)
    presets: list[str] = field(default_factory=list)
    matrix: bool = False  # where no face is named: all of them
    priority: int | None = None
    not_before: float | str | None = None  # seconds since 1970, or as a sidecar says it
    dry_run: bool = False  # nothing is written

    @property
    def words(self) -> Words:
        """What is said beside the targets."""
        return Words(self.faces, self.presets, self.matrix, self.priority, self.not_before)


@dataclass(frozen=True)
class Backup:
    """POST /api/ledger/backup."""

    path: str  # absolute


@dataclass(frozen=True)
class Prune:
    """POST /api/models/prune."""

    remove: bool = False
