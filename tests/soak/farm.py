"""The folders of the soak: the stand-in, the settings with every wait made short, and as root a small disk under it."""

import os
import shutil
import struct
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from faceswapd.cli import init
from faceswapd.control.wire.address import place_for
from faceswapd.ctl.client import Client
from tests.fakes.facefusion_root import make_root, write_settings
from tests.soak.book import Place
from tests.soak.dice import Dice
from tests.soak.wares import Wares

DISK_BYTES = 640 << 20
LEAST_FREE = "24 MB"  # below this nothing new starts
COSTS = {"per_image": 0.15, "per_frame": 0.05}  # seconds: work is in flight when something happens
_SETTINGS = """
[[inbox]]
path = "rush"
preset = "fast"
priority = 10
afterwards = "archive"
[[inbox]]
path = "night"
preset = "fast"
afterwards = "delete"
[intake]
settle = 1.0
rescan = 5.0
[engine]
name = "facefusion"
slots = 1
[engine.facefusion]
root = "{root}"
python = "{python}"
downloads = false
[limits]
cpu_percent = 0
memory_free = 0
disk_free = "{free}"
[timeouts]
first_output = 20
no_progress = 8
wall = 60
[retry]
first = 0.3
factor = 1.5
longest = 1.5
"""
INBOXES = {
    "inbox": Place(None, "balanced", "keep"),
    "rush": Place(None, "fast", "archive"),
    "night": Place(None, "fast", "delete"),
}
FACES = ("alice", "bob")
UNUSABLE = "nobody"  # a face whose only photo shows none


@dataclass(frozen=True, slots=True)
class Farm:
    """Where everything lies. `top` is ours; `folder` is the daemon's, and on a disk of its own where `small_disk`."""

    top: Path
    wares: Wares
    small_disk: bool

    @classmethod
    def made(cls, dice: Dice) -> "Farm":
        top = Path(tempfile.mkdtemp(prefix="soak-"))
        folder = top / "farm"
        folder.mkdir()
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES},mode=0755", "tmpfs", str(folder)], capture_output=True
        )
        farm = cls(top, Wares(top / "wares", dice), mounted.returncode == 0)
        make_root(farm.root, costs=COSTS)
        config = init.make(folder)
        text = config.read_text(encoding="utf-8")
        settings = _SETTINGS.format(root=farm.root, python=sys.executable, free=LEAST_FREE)
        config.write_text(text.replace("# grace = 60.0", "grace = 6.0") + settings, encoding="utf-8")
        for name, photo in zip((*FACES, UNUSABLE), farm.wares.photos, strict=True):
            (folder / "faces" / name).mkdir()
            shutil.copy(photo if name != UNUSABLE else farm.wares.nobody, folder / "faces" / name / "one.png")
        (folder / "aside").mkdir()
        (folder / "run").mkdir(mode=0o700)
        farm.clock.write_bytes(struct.pack("<d", 0.0))
        return farm

    @property
    def folder(self) -> Path:
        return self.top / "farm"

    @property
    def root(self) -> Path:
        """The stand-in."""
        return self.top / "facefusion"

    @property
    def clock(self) -> Path:
        return self.top / "clock"

    @property
    def errors(self) -> Path:
        """What all lives of the daemon said on stderr."""
        return self.top / "daemon.txt"

    @property
    def config(self) -> Path:
        return self.folder / "config.toml"

    @property
    def outbox(self) -> Path:
        return self.folder / "outbox"

    @property
    def aside(self) -> Path:
        """Where files are written before they are moved in, on the same disk."""
        return self.folder / "aside"

    @property
    def ledger(self) -> Path:
        return self.folder / "state" / "ledger.sqlite3"

    @property
    def client(self) -> Client:
        return Client(str(place_for(self.folder / "state" / "control.sock")))

    def environment(self) -> dict[str, str]:
        """Ours, with nothing of the user's own daemon in it."""
        mine = {key: value for key, value in os.environ.items() if not key.startswith("FACESWAPD_")}
        return {**mine, "XDG_RUNTIME_DIR": str(self.folder / "run"), "SOAK_CLOCK": str(self.clock)}

    def wish(self, fault: str | None) -> None:
        """What shall go wrong in the stand-in from its next start on."""
        write_settings(self.root, costs=COSTS, fault=fault, growth_mb=8)

    def close(self, *, keep: bool) -> None:
        """Take the folders away, or leave them to be looked at."""
        if keep:
            return
        if self.small_disk:
            subprocess.run(["umount", "--lazy", str(self.folder)], check=True)
        shutil.rmtree(self.top)
