"""From a finished copy to a queued job, for files that are moved in and for files that are copied in."""

import os
import statistics
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from benchmarks.figure import Figure
from benchmarks.real_daemon import Running, own_folder, running
from faceswapd.control.wire import messages
from faceswapd.ctl.client import Client, Problem
from faceswapd.media.drawn import write_portrait
from faceswapd.media.drawn_scene import write_scene_video
from faceswapd.settings import load

FILES = 5
SLACK = 0.5  # seconds, beyond the settle time
POLL_SECONDS = 0.02
PATIENCE_SECONDS = 30.0


def measure() -> list[Figure]:
    """Medians, with the daemon paused: what is queued stays queued, and takes no processor time from the next."""
    with own_folder() as folder:
        (folder / "faces" / "alice").mkdir()
        write_portrait(folder / "faces" / "alice" / "alice.png", 1, 256)
        (folder / "copies").mkdir()
        settle = load(folder / "config.toml").intake.settle
        with running(folder) as daemon:
            daemon.client.post(messages.Done, "/api/pause", {})
            return [
                _figure("moved in", daemon, settle, Path.rename),
                _figure("copied in by cp", daemon, settle, _copy),
            ]


def _figure(how: str, daemon: Running, settle: float, put: Callable[[Path, Path], object]) -> Figure:
    """Each file is another one: a second drop of the same content makes no job."""
    times = []
    for number in range(FILES):
        name = f"{how.split(maxsplit=1)[0]}-{number}.mp4"
        made, dropped = daemon.folder / "copies" / name, daemon.folder / "inbox" / "alice" / name
        dropped.parent.mkdir(exist_ok=True)
        write_scene_video(made, (number, len(how)), 320, 180, 1.0)
        put(made, dropped)
        times.append(_until_queued(daemon.client, dropped))
    median = statistics.median(times)
    value = f"{median:.2f} s (settle {settle:.0f} s; longest {max(times):.2f} s)"
    return Figure(f"file {how} until queued", value, f"<= {settle + SLACK:.1f} s", median <= settle + SLACK)


def _copy(made: Path, dropped: Path) -> None:
    subprocess.run(["cp", made, dropped], check=True, timeout=30)


def _until_queued(client: Client, target: Path) -> float:
    """Seconds from now until the ledger has its job."""
    started = time.monotonic()
    while (spent := time.monotonic() - started) < PATIENCE_SECONDS:
        answer = client.get(messages.Jobs, f"/api/find?path={quote(os.fsencode(target))}")
        if not isinstance(answer, Problem) and any(job.state == "queued" for job in answer.jobs):
            return time.monotonic() - started
        time.sleep(POLL_SECONDS)
    raise TimeoutError(f"{target.name} is not queued after {spent:.0f} s")
