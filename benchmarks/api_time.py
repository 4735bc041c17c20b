"""How long somebody waits for an answer: faceswapctl as a process, and the API on its socket while jobs run; and what
the daemon holds in memory when it listens on a port, too."""

import asyncio
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import psutil

from benchmarks.figure import Figure, milliseconds
from benchmarks.filled_ledger import INBOX, fill
from benchmarks.real_daemon import Running, command, environment, own_folder, running
from faceswapd.cli.place import CONFIG
from faceswapd.control.wire.messages import Status
from faceswapd.control.wire.submit_messages import Submitted
from faceswapd.ctl.client import Client, Problem
from faceswapd.ledger import standing
from faceswapd.ledger.connection import Ledger
from faceswapd.media.drawn import write_portrait
from faceswapd.media.drawn_scene import write_scene_video

JOBS: Final = 10_000
RUNS: Final = 15
REQUESTS: Final = 1_000
ROUNDS: Final = 5
SLOTS: Final = 4
VIDEO: Final = (854, 480, 30.0)  # pixels, pixels, seconds
START_SECONDS: Final = 120.0
QUIET_SECONDS: Final = 5.0
ROUTES: Final = (
    *("/healthz", "/api/status", "/api/jobs?limit=50", "/api/jobs/1", "/api/health?hours=0", "/api/faces"),
    *("/api/report", "/metrics"),
)
SETTINGS: Final = f"""
[engine]
name = "preview"
slots = {SLOTS}

[limits]
cpu_percent = 0

[http]
enabled = true
port = 0
"""


def measure() -> list[Figure]:
    """A quiet daemon first, then one with a full ledger and four jobs at work."""
    return [*_memory(), *_answers()]


def _memory() -> list[Figure]:
    with own_folder() as folder:
        _configure(folder)
        with running(folder) as daemon:
            time.sleep(QUIET_SECONDS)
            before = psutil.Process(daemon.pid).memory_info().rss / 1e6
            _ask(daemon.client.path, "/metrics")
            after = psutil.Process(daemon.pid).memory_info().rss / 1e6
    value = f"{before:.0f} MB ({after:.0f} MB after /metrics)"
    return [Figure("idle daemon with [http], resident memory", value, "< 90 MB", before < 90)]


def _answers() -> list[Figure]:
    with own_folder() as folder:
        _configure(folder)
        write_portrait(_made(folder / "faces" / "alice") / "1.png", 4, 512)
        targets = [_made(folder / "clips") / f"{number}.mp4" for number in range(SLOTS)]
        width, height, seconds = VIDEO
        for number, target in enumerate(targets):
            write_scene_video(target, [11 + number], width, height, seconds)
        ledger = folder / "state" / "ledger.sqlite3"
        ledger.parent.mkdir(mode=0o700)
        fill(ledger, JOBS)
        asyncio.run(_pause(ledger))
        with running(folder) as daemon:
            whole = [_process(daemon, 0.1, "status"), _process(daemon, 0.12, "jobs")]
            quiet = _round(daemon)
            _begin(daemon, targets)
            return whole + _requests(daemon, quiet)


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _configure(folder: Path) -> None:
    config = folder / CONFIG
    config.write_text(config.read_text(encoding="utf-8") + SETTINGS, encoding="utf-8")


async def _pause(path: Path) -> None:
    """Nothing of what is queued starts: its targets are not there."""
    ledger = await Ledger.open(path)
    try:
        await standing.pause(ledger, INBOX, time.time())
    finally:
        await ledger.close()


def _process(daemon: Running, asked: float, *words: str) -> Figure:
    """A command, from its start to its end, by turns with a Python that does nothing: below that nothing can come."""
    ask = [command("faceswapctl"), "--socket", daemon.client.path, *words]
    times = [(_run(ask, daemon.folder), _run([sys.executable, "-c", ""], daemon.folder)) for _ in range(RUNS)]
    middle, bare = (statistics.median(column) for column in zip(*times, strict=True))
    value = f"{milliseconds(middle)} (Python alone: {milliseconds(bare)})"
    return Figure(f"faceswapctl {' '.join(words)}, {JOBS:,} jobs", value, f"< {milliseconds(asked)}", middle < asked)


def _run(arguments: Sequence[str], folder: Path) -> float:
    started = time.perf_counter()
    # Heard through a pipe: without one, whoever waits with a timeout looks again in growing steps of up to 50 ms.
    subprocess.run(arguments, capture_output=True, env=environment(folder), timeout=30, check=True)
    return time.perf_counter() - started


def _begin(daemon: Running, targets: Sequence[Path]) -> None:
    """Have all slots at work. Raises RuntimeError."""
    client, ends = daemon.client, time.monotonic() + START_SECONDS
    wanted = {"targets": [str(target) for target in targets], "faces": ["alice"], "presets": ["best"]}
    while _at_work(client) < SLOTS:
        answer = client.post(Submitted, "/api/submit", wanted, 30.0)
        if time.monotonic() > ends:
            raise RuntimeError(f"the jobs did not start: {answer}"[:200])
        time.sleep(0.2)


def _at_work(client: Client) -> int:
    """How many jobs have made a frame and are not done."""
    status = client.get(Status, "/api/status")
    return 0 if isinstance(status, Problem) else sum(0 < job.progress < 1 for job in status.running)


def _requests(daemon: Running, quiet: Mapping[str, list[float]]) -> list[Figure]:
    """The same number of requests several times over: one round alone tells more of the machine's other guests."""
    rounds = [_round(daemon) for _ in range(ROUNDS)]
    left = _at_work(daemon.client)
    together = f"while {SLOTS} jobs run" if left == SLOTS else f"while {SLOTS} to {left} jobs run"
    figures = [
        Figure(f"API, {route}, {together}", _told([one for times in rounds for one in times[route]]), "")
        for route in ROUTES
    ]
    worst = sorted(_worst(_all(times)) for times in rounds)
    middle = statistics.median(worst)
    value = f"99 % in {milliseconds(middle)} ({milliseconds(worst[0])} to {milliseconds(worst[-1])})"
    return [
        *figures,
        Figure(f"API, all of these, {REQUESTS:,}, while nothing runs", _told(_all(quiet)), ""),
        Figure(f"API, all of these, {ROUNDS} x {REQUESTS:,}, {together}", value, "99 % < 10 ms", middle < 0.01),
    ]


def _round(daemon: Running) -> dict[str, list[float]]:
    """So many requests, to all routes by turns."""
    times: dict[str, list[float]] = {route: [] for route in ROUTES}
    for number in range(REQUESTS):
        route = ROUTES[number % len(ROUTES)]
        times[route].append(_ask(daemon.client.path, route))
    return times


def _all(times: Mapping[str, list[float]]) -> list[float]:
    return [one for spent in times.values() for one in spent]


def _worst(times: Sequence[float]) -> float:
    """Which 99 of 100 do not exceed."""
    return statistics.quantiles(times, n=100)[98]


def _told(times: Sequence[float]) -> str:
    return f"half in {milliseconds(statistics.median(times))}, 99 % in {milliseconds(_worst(times))}"


def _ask(path: str, route: str) -> float:
    """Seconds for one request on a connection of its own. Raises RuntimeError where it is refused."""
    started = time.perf_counter()
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(path)
        line.sendall(f"GET {route} HTTP/1.1\r\nHost: daemon\r\nConnection: close\r\n\r\n".encode())
        answer = bytearray()
        while more := line.recv(65536):
            answer += more
    spent = time.perf_counter() - started
    if not answer.startswith(b"HTTP/1.1 200 "):
        raise RuntimeError(f"{route}: {bytes(answer[:80])!r}")
    return spent
