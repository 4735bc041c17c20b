"""The real daemon, as a process of its own on a folder of its own; it never outlives the measurement."""

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from faceswapd.cli import init
from faceswapd.cli.place import CONFIG
from faceswapd.control.wire import address, messages
from faceswapd.ctl.client import Client, Problem

START_SECONDS = 30.0
STOP_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Running:
    """A daemon that answers."""

    pid: int
    folder: Path
    client: Client


@contextlib.contextmanager
def own_folder() -> Iterator[Path]:
    """A temporary folder, with all that `faceswapd init` makes. Its name is short: a socket's path must be."""
    with tempfile.TemporaryDirectory(prefix="fsb-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        (folder / "runtime").mkdir(mode=0o700)
        init.make(folder)
        yield folder


def environment(folder: Path) -> dict[str, str]:
    """Ours, without settings of the user, and with a runtime folder where no daemon of the user's is found."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FACESWAPD_")}
    return {**kept, "XDG_RUNTIME_DIR": str(folder / "runtime")}


def command(name: str) -> str:
    """The installed console script."""
    return str(Path(sys.executable).with_name(name))


@contextlib.contextmanager
def running(folder: Path) -> Iterator[Running]:
    """Start the daemon of a folder, wait until it answers, and end it. Raises RuntimeError."""
    log = folder / "said.log"
    with log.open("wb") as said:
        process = subprocess.Popen(
            [command("faceswapd"), "run", "--config", str(folder / CONFIG)],
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            env=environment(folder),
            start_new_session=True,
        )
    client = Client(str(address.place_for(folder / "state" / "control.sock")))
    try:
        ends = time.monotonic() + START_SECONDS
        while isinstance(client.get(messages.Status, "/api/status"), Problem):
            if process.poll() is not None or time.monotonic() > ends:
                raise RuntimeError(f"the daemon did not start: {log.read_text(errors='replace')[-200:]}")
            time.sleep(0.05)
        yield Running(process.pid, folder, client)
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Drain, insist, kill."""
    for stop in (process.terminate, process.terminate, process.kill):
        stop()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)
            return
