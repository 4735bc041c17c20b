"""A machine to set up: a home, a FaceFusion that stands in, and small scripts for the programs that it needs."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from faceswapd.cli import init
from tests.fakes.facefusion_root import make_root

SECONDS = 120.0
FFMPEG = 'echo "ffmpeg version 7.0.2 Copyright (c) 2000-2024 the FFmpeg developers"'


@dataclass(frozen=True)
class Machine:
    """A home folder with a configuration in ~/FaceSwap."""

    home: Path

    @classmethod
    def made(cls, folder: Path) -> "Machine":
        machine = cls(folder / "home")
        init.make(machine.home / "FaceSwap")
        (machine.home / "run").mkdir(mode=0o700)
        for name in ("ffmpeg", "ffprobe"):  # the stand-in needs none, the setup only looks whether they are there
            machine.script(name, FFMPEG.replace("ffmpeg", name, 1))
        machine.script("systemctl", "exit 1")
        return machine

    @property
    def config(self) -> Path:
        return self.home / "FaceSwap" / "config.toml"

    @property
    def root(self) -> Path:
        return self.home / "facefusion"

    def script(self, name: str, text: str) -> Path:
        """A program that stands in, first on PATH."""
        place = self.home / "bin" / name
        place.parent.mkdir(exist_ok=True)
        place.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
        place.chmod(0o755)
        return place

    def facefusion(self, host: str | None = None, **wishes: object) -> Path:
        """A stand-in root with an environment of its own; its models can be fetched from a host."""
        make_root(self.root, **wishes)  # type: ignore[arg-type]
        tells_its_models(self.root / "facefusion", host)
        wrapped_python(self.root / "venv" / "bin" / "python")
        return self.root

    def environment(self, **more: str) -> dict[str, str]:
        mine = {key: value for key, value in os.environ.items() if not key.startswith(("FACESWAPD_", "CONDA_"))}
        mine |= {"HOME": str(self.home), "XDG_RUNTIME_DIR": str(self.home / "run"), "no_proxy": "127.0.0.1"}
        mine.pop("XDG_CONFIG_HOME", None)
        return {**mine, "PATH": f"{self.home / 'bin'}{os.pathsep}{os.environ['PATH']}", **more}

    def run(self, *arguments: str, code: int = 0, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run faceswapd with nothing on its stdin."""
        done = subprocess.run(
            [sys.executable, "-m", "faceswapd", *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            env=self.environment(**environment),
        )
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done


def tells_its_models(package: Path, host: str | None) -> None:
    """Have the stand-in's models come from a server of the test's."""
    if host is not None:
        models = package / "models.py"
        text = models.read_text(encoding="utf-8")
        assert "https://models.invalid" in text
        models.write_text(text.replace("https://models.invalid", host), encoding="utf-8")


def wrapped_python(place: Path) -> None:
    """A Python that is this one."""
    place.parent.mkdir(parents=True)
    place.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n', encoding="utf-8")
    place.chmod(0o755)
