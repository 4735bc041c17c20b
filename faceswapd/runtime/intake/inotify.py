"""How many folders the kernel lets one user watch, and the library's words when it is one too many."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

_WATCHES: Final = "OS file watch limit reached"  # no further folder can be watched
_INSTANCES: Final = "os error 24"  # no further watcher can be made


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit of the system that a watcher has reached."""

    setting: str
    command: str  # raises it

    @property
    def sentence(self) -> str:
        """What it means."""
        return f"The system lets us watch no more folders ({self.setting}): they are listed every few seconds instead."


def limit_of(words: str) -> Limit | None:
    """The limit that the library speaks of; None where it is about something else."""
    for sign, name, usual in ((_WATCHES, "watches", 1_048_576), (_INSTANCES, "instances", 1024)):
        if sign in words:
            setting = f"fs.inotify.max_user_{name}"
            return Limit(setting, f"sudo sysctl {setting}={max(4 * _now(name), usual)}")
    return None


def _now(name: str) -> int:
    try:
        return int(Path(f"/proc/sys/fs/inotify/max_user_{name}").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return 0
