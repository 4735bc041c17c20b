"""What the test wishes: read once from `stand_in.toml` in the root, then from FACEFUSION_STAND_IN_* variables."""

import json
import os
import time
import tomllib
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent  # not resolved: the folder that we were started from, also where it is a link
MODELS = ROOT / ".assets" / "models"
_PREFIX = "FACEFUSION_STAND_IN_"


@dataclass(frozen=True, slots=True)
class Costs:
    """What work takes, in seconds, before `scale`."""

    start: float = 0.0  # of the imports
    encoders: float = 0.0  # of one question to ffmpeg for its encoders; a start asks seven times
    hash_per_gb: float = 0.0
    load_per_gb: float = 0.0
    per_image: float = 0.0  # of all processors together
    per_frame: float = 0.0  # likewise, for a frame of a video
    ffmpeg_call: float = 0.0
    slow_frame: float = 0.5  # on top of `per_frame`, under the fault "slow_cpu"


@dataclass(frozen=True, slots=True)
class Wishes:
    """One root's settings."""

    version: str = "3.8.1"
    fault: str = ""
    fault_on: int = 0  # only the Nth step of the process; 0: each
    fault_file: str = ""  # the fault happens only while this file exists, and takes it away
    oom_unless: str = ""  # strict, one_thread, disk or segment: out of memory unless the process works that way
    growth_mb: int = 64  # per step, under the fault "memory_growth"
    providers: tuple[str, ...] = ("cpu",)
    encoders: tuple[str, ...] = (
        "libx264",
        "libx264rgb",
        "libx265",
        "libvpx-vp9",
        "h264_nvenc",
        "hevc_nvenc",
        "rawvideo",
    )
    download_from: str = ""  # a folder with models; none: offline
    missing: tuple[str, ...] = ()  # of curl, ffmpeg, ffprobe
    journal: str = ""  # a file that gets a line for each step: its arguments, as JSON
    scale: float = 1.0  # of all costs
    costs: Costs = field(default_factory=Costs)

    @property
    def number(self) -> tuple[int, ...]:
        """The version as numbers."""
        return tuple(int(part) for part in self.version.split("."))


def _read() -> Wishes:
    path = ROOT / "stand_in.toml"
    told: dict[str, Any] = tomllib.loads(path.read_text("utf-8")) if path.exists() else {}
    costs = Costs(**{name: float(value) for name, value in told.pop("costs", {}).items()})
    costs = replace(costs, **_from_environment(costs, _PREFIX + "COST_"))
    known: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in told.items()}
    wishes = Wishes(costs=costs, **known)
    return replace(wishes, **_from_environment(wishes, _PREFIX))


def _from_environment(settings: Costs | Wishes, prefix: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for one in fields(settings):
        text, now = os.environ.get(prefix + one.name.upper()), getattr(settings, one.name)
        if text is not None:
            found[one.name] = tuple(text.split(",")) if isinstance(now, tuple) else type(now)(text)
    return found


def note(arguments: dict[str, Any]) -> None:
    """Write a step's arguments into the journal, if there is one."""
    if WISHES.journal:
        with Path(WISHES.journal).open("a", encoding="utf-8") as file:
            file.write(json.dumps(arguments, default=str) + "\n")


WISHES = _read()
COSTS = WISHES.costs


def pay(seconds: float) -> None:
    """Take the time that the real work would."""
    if seconds > 0 and WISHES.scale > 0:
        time.sleep(seconds * WISHES.scale)
