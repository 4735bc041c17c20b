"""Calls the stand-in: a root, a folder for its work, and media."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

CORE = "[FACEFUSION.CORE] "
FAILED = ("failed", "failed")  # a job's folder, and the status of its step


_MARK = "\n--- next ---\n"
_WARM = f"""
import contextlib, dataclasses, io, json, sys, time, traceback
sys.path.insert(0, ".")
from facefusion import core, download, faults
wishes, checked, right = faults.WISHES, download.validate_hash, set()
def remembered(path):
    if path not in right and checked(path):
        right.add(path)
    return path in right
if "remember" in sys.argv:
    download.validate_hash = remembered
ends, inner, step = [], [], core.conditional_process
def noted():
    inner.append(step())
    return inner[-1]
core.conditional_process = noted
for argv, wish in json.load(sys.stdin):
    sys.argv, inner[:], code = ["facefusion.py", *argv], [], 1
    faults.WISHES = dataclasses.replace(wishes, **wish)
    start, out = time.monotonic(), io.StringIO()
    try:
        with contextlib.redirect_stdout(out):
            core.cli()
    except SystemExit as ended:
        code = ended.code
    except Exception:
        traceback.print_exc()
    ends.append((code, out.getvalue(), inner[-1] if inner else None, time.monotonic() - start))
    sys.stderr.write({_MARK!r})
print(json.dumps(ends))
"""


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str
    inner: int | None = None  # what the step itself returned, in a warm process
    seconds: float = 0.0

    @property
    def lines(self) -> list[str]:
        return [line for line in re.split(r"[\r\n]+|(?=\[FACEFUSION\.)", self.err) if line]

    @property
    def last(self) -> str:
        return self.lines[-1]


@dataclass(frozen=True)
class Place:
    """A root, a folder for its work, and media."""

    root: Path
    work: Path
    media: Path

    def argv(self, *arguments: object) -> list[str]:
        return [sys.executable, "facefusion.py", *map(str, arguments)]

    def call(self, *arguments: object, cwd: Path | None = None, **env: str) -> Ended:
        argv = [sys.executable, str(self.root / "facefusion.py"), *map(str, arguments)]
        done = subprocess.run(
            argv, cwd=cwd or self.root, env=os.environ | env, capture_output=True, timeout=30, check=False
        )
        return Ended(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))

    def warm(
        self, jobs: Iterable[tuple[Iterable[object], Mapping[str, object]]], *, remember: bool = False
    ) -> list[Ended]:
        """One process that takes several command lines, each with wishes about its faults, as a driver would."""
        asked = json.dumps([([str(one) for one in argv], dict(wishes)) for argv, wishes in jobs])
        argv = [sys.executable, "-c", _WARM, "remember" if remember else ""]
        done = subprocess.run(argv, cwd=self.root, input=asked.encode(), capture_output=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        said = done.stderr.decode(errors="replace").split(_MARK)
        told = json.loads(done.stdout.splitlines()[-1])
        return [Ended(code, out, err, inner, spent) for err, (code, out, inner, spent) in zip(said, told, strict=False)]

    def part(self, name: str) -> "Place":
        """The same root, with a folder of its own below."""
        (self.work / name).mkdir()
        return Place(self.root, self.work / name, self.media)

    @property
    def own(self) -> tuple[object, ...]:
        return "--jobs-path", self.work / "jobs", "--temp-path", self.work / "temp"

    def one(self, target: str, *more: object, source: str = "source.png", output: str = "", command: str = "") -> Ended:
        return self.call(*self.one_argv(target, *more, source=source, output=output, command=command))

    def one_argv(
        self, target: str, *more: object, source: str = "source.png", output: str = "", command: str = ""
    ) -> tuple[object, ...]:
        paths = ("-s", self.media / source, "-t", self.media / target, "-o", self.output(output or target))
        return (command or "headless-run", *self.own, *paths, "--output-audio-encoder", "aac", *more)

    def output(self, name: str) -> Path:
        return self.work / name

    def jobs(self) -> list[tuple[str, str]]:
        """Each job file: its folder, and the status of its first step."""
        found = sorted((self.work / "jobs").glob("*/*.json"))
        return [(path.parent.name, json.loads(path.read_text())["steps"][0]["status"]) for path in found]

    def fresh(self) -> None:
        """Forget the jobs: of two headless runs in one second and one folder of jobs the second would do nothing."""
        for path in (self.work / "jobs").glob("*/*.json"):
            path.unlink()

    def drafted(self, target: str, name: str = "probe", **changed: object) -> Path:
        """A job file put straight into queued/, made from the template that the program gives itself."""
        jobs = self.work / "jobs"
        if not (jobs / "drafted" / "template.json").exists():
            create = ("job-create", "template", "--jobs-path", jobs)
            add = ("job-add-step", "template", "--jobs-path", jobs, "-s", self.media / "source.png")
            assert [ended.code for ended in self.warm([(create, {}), (add, {})])] == [0, 0]
        args = json.loads((jobs / "drafted" / "template.json").read_text())["steps"][0]["args"]
        args |= {"target_path": str(self.media / target), "output_path": str(self.work / (name + Path(target).suffix))}
        args |= changed
        path = jobs / "queued" / f"{name}.json"
        path.write_text(
            json.dumps({"steps": [{"args": {key: value for key, value in args.items() if value != "missing"}}]})
        )
        return path


def frames_of(path: Path) -> list[NDArray[np.uint8]]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24").astype(np.uint8) for frame in container.decode(video=0)]


def sounds_of(path: Path) -> list[str]:
    with av.open(str(path)) as container:
        return [stream.codec_context.name for stream in container.streams.audio]
