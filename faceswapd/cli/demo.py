"""`faceswapd demo`: the main job, with drawn faces of nobody.

It does what a person would: makes the folders, puts photos of a face there, starts the real daemon as a process
of its own, drops a video and an image into the inbox, watches, and looks at the results.
"""

import argparse
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from faceswapd.cli import init
from faceswapd.control.wire import messages
from faceswapd.ctl.client import Client, Problem

FACE = "sam"
FACE_SEED = 29
SCENE_SEEDS = (14, 8)
VIDEO, IMAGE = "dance.mp4", "party.png"
SECONDS = 5.0
POLL_SECONDS = 0.25
START_SECONDS = 30.0
PATIENCE_SECONDS = 600.0  # a machine this slow, or a gate closed this long, ends the demo
RESTARTS = 3
TAKEN_OVER_SECONDS = 5.0  # after a daemon that died, for somebody else to have started it again


class DemoFailed(Exception):
    """The demo did not work; the text says why and what to do."""


def add_parser(commands: Any) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "demo",
        help="see it work, with drawn faces of nobody",
        description="Run the whole program once on a folder, with drawn faces, and leave everything there to look at.",
    )
    parser.add_argument(
        "folder",
        nargs="?",
        type=Path,
        default=Path("faceswap-demo"),
        metavar="DIR",
        help="where (default: ./faceswap-demo)",
    )
    parser.add_argument("--keep-running", action="store_true", help="leave the daemon running at the end")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    folder = arguments.folder.expanduser().absolute()
    daemon: Daemon | None = None
    try:
        config = init.make(folder)
        _draw_face(folder / "faces" / FACE)
        targets = _draw_targets(folder / "targets")
        daemon = Daemon(config, folder / "state" / "demo-daemon.log")
        daemon.start()
        print(f"The daemon runs: pid {daemon.pid}, socket {daemon.client.path}")
        dropped = [_drop(target, folder / "inbox" / FACE) for target in targets]
        outputs = _watch(daemon, dropped)
        compare = _compare(folder, outputs)
    except (DemoFailed, OSError) as error:
        print(f"The demo failed: {error}", file=sys.stderr)
        return 1
    else:
        _tell(folder, outputs, compare)
        if arguments.keep_running:
            _tell_next(folder, daemon)
            daemon = None
        return 0
    finally:
        if daemon is not None:
            daemon.stop()


def _draw_face(folder: Path) -> None:
    from faceswapd.media.drawn import write_portrait

    photo = folder / f"{FACE}.png"
    if not photo.exists():
        folder.mkdir(parents=True, exist_ok=True)
        write_portrait(photo, FACE_SEED)


def _draw_targets(folder: Path) -> list[Path]:
    """The video and the image that are dropped; drawn once."""
    from faceswapd.media.drawn_scene import write_scene_image, write_scene_video

    folder.mkdir(parents=True, exist_ok=True)
    video, image = folder / VIDEO, folder / IMAGE
    if not image.exists():
        write_scene_image(image, SCENE_SEEDS)
    if not video.exists():
        print("Drawing a video of nobody, 5 s with sound ...", flush=True)
        unfinished = folder / f"unfinished-{VIDEO}"
        write_scene_video(unfinished, SCENE_SEEDS, seconds=SECONDS)
        unfinished.replace(video)
    return [video, image]


def _drop(target: Path, inbox: Path) -> Path:
    """Copy a file into the inbox, as a file manager does."""
    inbox.mkdir(parents=True, exist_ok=True)
    dropped = inbox / target.name
    if not dropped.exists():
        shutil.copyfile(target, dropped)
    print(f"Dropped {target.name} into {inbox}")
    return dropped


class Daemon:
    """The real daemon, as a process of its own."""

    def __init__(self, config: Path, log: Path) -> None:
        self._config = config
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self._restarts = 0
        self.client = Client(_socket(config))

    @property
    def pid(self) -> int:
        """The daemon's pid, as it tells it itself."""
        answer = self.client.get(messages.Status, "/api/status")
        return 0 if isinstance(answer, Problem) else answer.pid

    def start(self) -> None:
        """Start it and wait until it answers; one that answers already will do. Raises DemoFailed."""
        if self._answers():
            return
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "faceswapd", "run", "--config", str(self._config)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                # Somebody sits and waits for it: it runs now, however busy other programs are.
                env={**os.environ, "FACESWAPD_LIMITS__CPU_PERCENT": "0"},
            )
        ends = time.monotonic() + START_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > ends:
                raise DemoFailed(f"the daemon did not start. {self.last_words()}")
            time.sleep(POLL_SECONDS / 5)

    def _answers(self) -> bool:
        return not isinstance(self.client.get(messages.Status, "/api/status"), Problem)

    def revive(self) -> None:
        """The daemon is gone: let whoever ended it start it again, and else do it. Raises DemoFailed."""
        print("\nThe daemon is gone. Nothing is lost: it is started again.", flush=True)
        ends = time.monotonic() + TAKEN_OVER_SECONDS
        while time.monotonic() < ends:
            if self._answers():
                return
            time.sleep(POLL_SECONDS)
        self._restarts += 1
        if self._restarts > RESTARTS:
            raise DemoFailed(f"the daemon ended {self._restarts} times. {self.last_words()}")
        self.start()

    def last_words(self) -> str:
        """The end of what the daemon said."""
        try:
            lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            lines = []
        return f"{lines[-1] if lines else 'It said nothing.'} (all of it: {self._log})"

    def stop(self) -> None:
        """Stop the daemon if it is ours."""
        if self._process is None or self._process.poll() is not None:
            return
        for number, seconds in ((signal.SIGTERM, 10.0), (signal.SIGTERM, 10.0), (signal.SIGKILL, 10.0)):
            self._process.send_signal(number)
            try:
                self._process.wait(seconds)
            except subprocess.TimeoutExpired:
                continue
            return


def _socket(config: Path) -> str:
    """Where the daemon of a configuration will listen."""
    from faceswapd.control.wire.address import place_for
    from faceswapd.settings import SettingsError, load

    try:
        return str(place_for(load(config).socket_path))
    except SettingsError as error:
        raise DemoFailed(str(error)) from None


def _watch(daemon: Daemon, dropped: list[Path]) -> list[Path]:
    """Show how far it is until every target has its output. Raises DemoFailed."""
    bar = _Bar()
    ends = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < ends:
        status = daemon.client.get(messages.Status, "/api/status")
        jobs = [_job(daemon.client, target) for target in dropped]
        if isinstance(status, Problem):
            daemon.revive()
            continue
        failed = next((job for job in jobs if job is not None and job.state in ("failed", "cancelled", "parked")), None)
        if failed is not None:
            bar.end()
            raise DemoFailed(f"{Path(failed.target).name} is {failed.state}: {failed.reason} {failed.advice or ''}")
        bar.show(jobs, status)
        if all(job is not None and job.state == "succeeded" for job in jobs):
            bar.end()
            return [Path(job.output) for job in jobs if job is not None and job.output is not None]
        time.sleep(POLL_SECONDS)
    bar.end()
    raise DemoFailed(f"it took longer than {PATIENCE_SECONDS / 60:.0f} minutes. See: {daemon.last_words()}")


def _job(client: Client, target: Path) -> messages.Job | None:
    answer = client.get(messages.Jobs, f"/api/find?path={quote(os.fsencode(target))}")
    return None if isinstance(answer, Problem) or not answer.jobs else answer.jobs[0]


class _Bar:
    """One line that tells how far all is; redrawn on a terminal, else written when something changes."""

    WIDTH = 30

    def __init__(self) -> None:
        self._live = sys.stdout.isatty()
        self._last = (-1, "")

    def show(self, jobs: Iterable[messages.Job | None], status: messages.Status) -> None:
        """Draw it."""
        known = list(jobs)
        done = sum(job.progress if job.state != "succeeded" else 1.0 for job in known if job is not None) / len(known)
        filled = round(done * self.WIDTH)
        text = f"[{'#' * filled}{'.' * (self.WIDTH - filled)}] {100 * done:3.0f} %  {self._words(known, status)}"
        if self._live:
            width = shutil.get_terminal_size().columns - 1  # a line that is wrapped cannot be drawn again
            print(f"\r{text[:width]:<{width}}", end="", flush=True)
        elif (step := (filled // 6, self._words(known, status))) != self._last:
            print(text, flush=True)
            self._last = step

    @staticmethod
    def _words(jobs: list[messages.Job | None], status: messages.Status) -> str:
        running = next((job for job in jobs if job is not None and job.state == "running"), None)
        if running is not None:
            return f"{Path(running.target).name}: {running.phase}"
        if status.why is not None:
            return f"{status.state}: {status.why}"
        if None in jobs:
            return "waiting until the files are complete"
        waiting = next((job for job in jobs if job is not None and job.state == "queued"), None)
        return "done" if waiting is None else waiting.reason or "queued"

    def end(self) -> None:
        """Leave the line."""
        if self._live:
            print()


def _compare(folder: Path, outputs: list[Path]) -> Path:
    """Source, target and output side by side, as one picture."""
    from faceswapd.media.comparison import write_comparison

    rows = [(folder / "targets" / name, output) for name, output in zip((VIDEO, IMAGE), outputs, strict=True)]
    compare = folder / "compare.png"
    write_comparison(compare, folder / "faces" / FACE / f"{FACE}.png", rows)
    return compare


def _tell(folder: Path, outputs: list[Path], compare: Path) -> None:
    print("\nEvery output was proved whole before it was put into place:")
    for output in outputs:
        print(f"  {output}")
    print(f"Source, target and output side by side:\n  {compare}")
    print(f"Everything of this demo lies in {folder}.")


def _tell_next(folder: Path, daemon: Daemon) -> None:
    socket = shlex.quote(daemon.client.path)
    print(f"""
The daemon goes on running. Try:
  faceswapctl --socket {socket} status
  faceswapctl --socket {socket} jobs
  cp YOUR-VIDEO.mp4 {shlex.quote(str(folder / "inbox" / FACE))}/
  faceswapctl --socket {socket} watch
  faceswapctl --socket {socket} stop""")
