"""A farm to break: the real daemon as a process, on folders of its own, and the real faceswapctl."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import psutil

from faceswapd.cli import init
from faceswapd.control.wire import job_messages, messages
from faceswapd.ctl.client import Client

Message = TypeVar("Message")

SETTLE = 0.3  # seconds; the default of 3 is for people
STARTED_SECONDS = 30.0
JOB_SECONDS = 60.0
UNTIL_SECONDS = 180.0
ROOT = os.geteuid() == 0
# Through this, a daemon may do no more than any user: root may read everything, and see who writes to it.
PLAIN = ("setpriv", "--bounding-set=-all", "--inh-caps=-all") if ROOT and shutil.which("setpriv") else ()


@dataclass
class Farm:
    """Folders, a configuration, and at most one daemon at a time."""

    folder: Path
    processes: list[subprocess.Popen[str]] = field(default_factory=list)
    through: tuple[str, ...] = ()  # words of a command that starts the daemon; all of its own come after them

    @classmethod
    def made(cls, folder: Path, photo: Path, settings: str = "") -> "Farm":
        """Folders with one face, alice."""
        config = init.make(folder)
        with config.open("a", encoding="utf-8") as file:
            file.write(f"\n[intake]\nsettle = {SETTLE}\n{settings}")
        (folder / "faces" / "alice").mkdir()
        shutil.copy(photo, folder / "faces" / "alice" / "one.png")
        return cls(folder)

    @property
    def config(self) -> Path:
        return self.folder / "config.toml"

    @property
    def inbox(self) -> Path:
        return self.folder / "inbox"

    @property
    def outbox(self) -> Path:
        return self.folder / "outbox"

    @property
    def client(self) -> Client:
        return Client(str(self.folder / "state" / "control.sock"))

    def start(self, **environment: str) -> subprocess.Popen[str]:
        """Start the daemon; it is ready when this returns."""
        process = self.launch(**environment)
        assert process.stderr is not None
        for line in process.stderr:
            if "ready" in line:
                break
        else:
            process.wait(STARTED_SECONDS)
        drain(process)
        return process

    def launch(self, **environment: str) -> subprocess.Popen[str]:
        """Start the daemon, which is on its way when this returns."""
        process = subprocess.Popen(
            [*self.through, sys.executable, "-m", "faceswapd", "run", "--config", str(self.config)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**self.environment(), **environment},
        )
        self.processes.append(process)
        return process

    def environment(self) -> dict[str, str]:
        """Ours, with nothing of the user's own daemon in it."""
        (self.folder / "run").mkdir(exist_ok=True, mode=0o700)
        mine = {key: value for key, value in os.environ.items() if not key.startswith("FACESWAPD_")}
        # However busy the machine is with other tests, the gate is not what they are about.
        return {**mine, "XDG_RUNTIME_DIR": str(self.folder / "run"), "FACESWAPD_LIMITS__CPU_PERCENT": "0"}

    def refused(self) -> str:
        """Start a daemon that cannot start, and return what it says."""
        done = subprocess.run(
            [sys.executable, "-m", "faceswapd", "run", "--config", str(self.config)],
            capture_output=True,
            text=True,
            timeout=STARTED_SECONDS,
            env=self.environment(),
        )
        assert done.returncode == 78
        assert "Traceback" not in done.stderr
        return done.stderr

    def ctl(self, *arguments: str, code: int = 0) -> str:
        """Run faceswapctl."""
        done = subprocess.run(
            [sys.executable, "-m", "faceswapd.ctl", "--socket", self.client.path, *arguments],
            capture_output=True,
            text=True,
            errors="surrogateescape",
            timeout=JOB_SECONDS,
            env=self.environment(),
        )
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout if code == 0 else done.stdout + done.stderr

    def ctl_json(self, *arguments: str) -> Any:
        return json.loads(self.ctl(*arguments, "--json"))

    def drop(self, file: Path, *place: str) -> Path:
        """Copy a file into the inbox, as a person does."""
        target = self.inbox.joinpath(*place) if place else self.inbox / "alice" / file.name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)
        return target

    def status(self) -> messages.Status:
        return self.ask(messages.Status, "/api/status")

    def ask(self, kind: type[Message], route: str, seconds: float = JOB_SECONDS) -> Message:
        answer = self.client.get(kind, route, seconds)
        assert isinstance(answer, kind), answer
        return answer

    def job_of(self, target: Path) -> messages.Job:
        """The newest job of a target, as soon as there is one."""
        found = self.ask(messages.Jobs, f"/api/find?path={quote(os.fsencode(target))}&seconds=50")
        assert found.jobs, f"no job of {target}"
        return found.jobs[0]

    def ended(self, target: Path) -> messages.Job:
        """The job of a target when it has ended."""
        detail = self.ask(job_messages.JobDetail, f"/api/jobs/{self.job_of(target).id}/wait?seconds=50")
        return detail.job

    def until(self, holds: Callable[[messages.Status], bool], what: str) -> messages.Status:
        """Ask for the status until something holds. Between two questions the daemon gets the processor: asked without
        a pause it would be busy with the answers."""
        ends, pause = time.monotonic() + UNTIL_SECONDS, 0.02
        while time.monotonic() < ends:
            status = self.status()
            if holds(status):
                return status
            time.sleep(pause)
            pause = min(1.2 * pause, 0.15)
        raise AssertionError(f"never: {what}; last: {status}")

    def kill(self) -> None:
        """The daemon is killed, as by the system."""
        self.processes[-1].kill()
        self.processes[-1].wait()

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Ask the daemon to stop and wait for it."""
        process = self.processes[-1]
        if process.poll() is None:
            process.send_signal(number)
        return process.wait(JOB_SECONDS)

    def close(self) -> None:
        """End whatever is left."""
        for process in self.processes:
            if process.poll() is None:
                process.kill()
                process.wait()


def drain(process: subprocess.Popen[str]) -> None:
    """Read what a process says to its end, so that it never stops for want of a reader."""
    import threading

    def read() -> None:
        assert process.stderr is not None
        assert process.stdout is not None
        with process.stderr, process.stdout:
            for _ in process.stderr:
                pass

    threading.Thread(target=read, daemon=True).start()


def children(pid: int) -> Sequence[psutil.Process]:
    """The living children of a process."""
    return psutil.Process(pid).children(recursive=True)


def gone(processes: Sequence[psutil.Process], seconds: float) -> bool:
    """Whether all of them end within a time."""
    return not psutil.wait_procs(list(processes), timeout=seconds)[1]


def free_port() -> int:
    """A TCP port of this machine that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
