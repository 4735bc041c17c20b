"""FaceFusion through the daemon, against what everybody runs today: a loop of its own commands.

On the stand-in, with the costs that were measured on the real program (2 cores, models of real size); or on the real
installation that FACESWAPD_TEST_FACEFUSION names (and FACESWAPD_TEST_FACEFUSION_PYTHON, its Python). Each ratio is of
one run on one machine. Loops that take the same time for each item are measured on a few items.
"""

import asyncio
import contextlib
import itertools
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

from benchmarks.figure import Figure
from benchmarks.real_daemon import Running, own_folder, running
from faceswapd.control.wire import job_messages, messages
from faceswapd.core.presets import PresetSpec
from faceswapd.core.target import Facts, Kind
from faceswapd.ctl.client import Client
from faceswapd.engines.engine import Work
from faceswapd.engines.facefusion.hearing import Hearing
from faceswapd.engines.facefusion.runner import Runner
from faceswapd.engines.facefusion.site import Site, Wanted
from faceswapd.media.drawn import write_portrait
from faceswapd.media.drawn_scene import write_scene_image, write_scene_video
from tests.fakes.facefusion_root import MEASURED, make_root

IMAGES: Final = 20
VIDEOS: Final = 6
MIXED: Final = 40
RUNS: Final = 3  # of the bare driver and the daemon, in turn
LOOPED: Final = 3  # items of a loop whose every item takes the same time
SECONDS: Final = 900.0  # for anything that is waited for


@dataclass(frozen=True, slots=True)
class _Place:
    """An installation and media."""

    root: Path
    python: Path
    folder: Path
    images: tuple[Path, ...]
    videos: tuple[Path, ...]
    face: Path


def measure() -> list[Figure]:
    """All figures."""
    with _place() as place:
        return [*_images(place), *_videos(place), *_mixed(place)]


def _images(place: _Place) -> Iterator[Figure]:
    loop = _loop(place, place.images[:LOOPED])
    batch = _batch_run(place, place.images[: 2 * LOOPED])
    jobs = [(image, "alice", "fast") for image in place.images]
    pairs = [(_bare(place, place.images), *_through_daemon(place, jobs)) for _ in range(RUNS)]
    per_item = statistics.median(daemon for _, daemon, _ in pairs) / len(place.images)
    later = statistics.median(seconds for _, _, each in pairs for seconds in each[1:])
    yield _ratio(
        f"{IMAGES} images, daemon against a loop of headless-run", loop / per_item, 12, f"{loop:.2f} s an image"
    )
    yield _ratio("   against batch-run", batch / per_item, 11, f"{batch:.2f} s an image")
    yield _ratio("   after the first image", loop / later, 25, f"{later:.2f} s an image")
    cost = (statistics.median(daemon / bare for bare, daemon, _ in pairs) - 1) * 100
    yield Figure(f"   the daemon's own cost over {IMAGES} images", f"{cost:.1f} %", "<= 5 %", met=cost <= 5)


def _videos(place: _Place) -> Iterator[Figure]:
    loop = _loop(place, place.videos[:LOOPED])
    daemon, _ = _through_daemon(place, [(video, "alice", "fast") for video in place.videos])
    per_item = daemon / len(place.videos)
    yield _ratio(f"{VIDEOS} videos of 2 s, daemon against a loop", loop / per_item, 2.6, f"{loop:.2f} s a video")


def _mixed(place: _Place) -> Iterator[Figure]:
    """Two faces and two presets in an order of chance, against the same jobs sorted by hand."""
    images = [_copy(place, place.images[number % IMAGES], number) for number in range(MIXED)]
    sorts = [(face, preset) for face in ("alice", "bob") for preset in ("fast", "balanced")]
    mixed = [(image, *sorts[(number * 7 + number // 3) % 4]) for number, image in enumerate(images)]
    by_hand = sorted(mixed, key=lambda one: (one[2], one[1]))
    random_order, _ = _through_daemon(place, mixed)
    sorted_order, _ = _through_daemon(place, by_hand)
    share = sorted_order / random_order * 100
    yield Figure(
        f"{MIXED} images of 2 faces and 2 presets, mixed against sorted", f"{share:.0f} %", ">= 90 %", met=share >= 90
    )


def _ratio(what: str, value: float, asked: float, told: str) -> Figure:
    return Figure(what, f"{value:.1f} times ({told})", f">= {asked:g} times", met=value >= asked)


@contextlib.contextmanager
def _place() -> Iterator[_Place]:
    with tempfile.TemporaryDirectory(prefix="fsb-ff-") as name:
        folder = Path(name)
        real = os.environ.get("FACESWAPD_TEST_FACEFUSION")
        if real:
            root, python = (
                Path(real),
                Path(os.environ.get("FACESWAPD_TEST_FACEFUSION_PYTHON", f"{real}/venv/bin/python")),
            )
        else:
            root, python = make_root(folder / "facefusion", costs=MEASURED), Path(sys.executable)
        face = folder / "face.png"
        write_portrait(face, 4, 320)
        images = tuple(folder / f"image-{number}.jpg" for number in range(IMAGES))
        for number, image in enumerate(images):
            write_scene_image(image, [11 + number], 640, 480)
        videos = tuple(folder / f"video-{number}.mp4" for number in range(VIDEOS))
        for number, video in enumerate(videos):
            write_scene_video(video, [11 + number], 426, 240, 2.0)
        yield _Place(root, python, folder, images, videos, face)


def _arguments(place: _Place, target: Path, output: Path) -> list[str]:
    folder = place.folder / f"loop-{time.monotonic_ns()}"
    return [
        *("--jobs-path", str(folder / "jobs"), "--temp-path", str(folder / "temp")),
        *("-s", str(place.face), "-t", str(target), "-o", str(output)),
    ]


def _loop(place: _Place, targets: Sequence[Path]) -> float:
    """Seconds an item of the loop that everybody writes."""
    start = time.monotonic()
    for target in targets:
        output = place.folder / f"loop-{target.name}"
        _run(place, ["headless-run", *_arguments(place, target, output)])
        if not output.exists():
            raise RuntimeError(f"the loop made nothing of {target.name}")
    return (time.monotonic() - start) / len(targets)


def _batch_run(place: _Place, targets: Sequence[Path]) -> float:
    """Seconds an item of FaceFusion's own batch-run, with its defaults."""
    folder = place.folder / "batch"
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "out").mkdir(parents=True)
    for target in targets:
        (folder / target.name).symlink_to(target)
    start = time.monotonic()
    pattern = str(folder / "out" / "{target_name}{target_extension}")
    arguments = ["--jobs-path", str(folder / "jobs"), "--temp-path", str(folder / "temp"), "-s", str(place.face)]
    _run(place, ["batch-run", *arguments, "-t", str(folder / f"*{targets[0].suffix}"), "-o", pattern])
    return (time.monotonic() - start) / len(targets)


def _run(place: _Place, arguments: Sequence[str]) -> None:
    done = subprocess.run(
        [str(place.python), "facefusion.py", *arguments], cwd=place.root, stdin=subprocess.DEVNULL, capture_output=True
    )
    if done.returncode:
        raise RuntimeError(f"FaceFusion failed: {done.stderr.decode(errors='replace')[-200:]}")


def _bare(place: _Place, targets: Sequence[Path]) -> float:
    """Seconds of the warm driver alone, with the same options as the daemon's."""
    return asyncio.run(_bare_run(place, targets))


async def _bare_run(place: _Place, targets: Sequence[Path]) -> float:
    presets = (PresetSpec("fast", "fast"),)
    site = Site(Wanted(place.root, place.python, presets), place.folder / "bare")
    installation = await site.survey()
    works = []
    for number, target in enumerate(targets):
        scratch = place.folder / "bare" / str(number)
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(parents=True)
        facts = Facts(Kind.IMAGE, "", 0, 640, 480, 1, None, 0, 0)
        work = Work((place.face,), target, scratch / f"out{target.suffix}", "fast", facts)
        works.append((work, await site.order(work, site.devices[0], lambda _: None), scratch))
    runner = Runner(installation, warm=True)
    start = time.monotonic()
    for work, order, scratch in works:
        hearing = Hearing(Kind.IMAGE, lambda _: None, 0, 1)
        ran = await runner.run(order.command_line(work, work.output, scratch), hearing, order.proved)
        if ran.code or not work.output.exists():
            raise RuntimeError("the bare driver failed")
    seconds = time.monotonic() - start
    await runner.close()
    return seconds


def _through_daemon(place: _Place, jobs: Sequence[tuple[Path, str, str]]) -> tuple[float, list[float]]:
    """Seconds from the moment at which the queue may start to its last output, the engine's start included, and the
    seconds from each output to the next."""
    with own_folder() as folder:
        config = folder / "config.toml"
        named = f'root = "{place.root}"\npython = "{place.python}"\n'
        engine = f'[engine]\nname = "facefusion"\n[engine.facefusion]\n{named}'
        settings = f"\n[intake]\nsettle = 0.2\n[limits]\ncpu_percent = 0\n{engine}"
        config.write_text(config.read_text(encoding="utf-8") + settings, encoding="utf-8")
        for face in ("alice", "bob"):
            (folder / "faces" / face).mkdir(parents=True, exist_ok=True)
            shutil.copy(place.face, folder / "faces" / face / "one.png")
        with running(folder) as daemon:
            _order(daemon.client, "pause")
            for number, (target, face, preset) in enumerate(jobs):
                inbox = folder / "inbox" / face
                inbox.mkdir(parents=True, exist_ok=True)
                shutil.copy(target, inbox / f"{number:03}@{preset}{target.suffix}")
                _until(daemon, "queued", number + 1)
            start = time.time()
            _order(daemon.client, "resume")
            ended = sorted(_ended(daemon.client, job.id) for job in _jobs(daemon.client).jobs)
    return ended[-1] - start, [later - earlier for earlier, later in itertools.pairwise(ended)]


def _ended(client: Client, job: int) -> float:
    """When a job succeeded, as soon as it has; asked by waiting, so that the questions cost the daemon nothing."""
    ends = time.monotonic() + SECONDS
    while time.monotonic() < ends:
        detail = client.get(job_messages.JobDetail, f"/api/jobs/{job}/wait?seconds=50", 60.0)
        if isinstance(detail, job_messages.JobDetail) and detail.job.finished_at is not None:
            if detail.job.state != "succeeded":
                break
            return detail.job.finished_at
    raise RuntimeError(f"job {job} did not succeed: {detail}"[:300])


def _order(client: Client, name: str) -> None:
    answer = client.post(messages.Done, f"/api/{name}", {})
    if not isinstance(answer, messages.Done):
        raise RuntimeError(f"{name}: {answer}")  # noqa: TRY004  no wrong type, but a daemon that refuses


def _jobs(client: Client) -> messages.Jobs:
    answer = client.get(messages.Jobs, "/api/jobs?limit=1000")
    if not isinstance(answer, messages.Jobs):
        raise RuntimeError(f"jobs: {answer}")  # noqa: TRY004  likewise
    return answer


def _until(daemon: Running, state: str, count: int) -> None:
    """Wait; a job that failed ends the measurement."""
    ends = time.monotonic() + SECONDS
    while time.monotonic() < ends:
        status = daemon.client.get(messages.Status, "/api/status")
        if isinstance(status, messages.Status):
            if status.counts.get("failed"):
                raise RuntimeError(f"a job failed: {status.failed[0].reason}")
            if status.counts.get(state, 0) >= count:
                return
        time.sleep(0.2)
    raise RuntimeError(f"not {count} {state} in {SECONDS:.0f} s: {quote(str(status))[:200]}")


def _copy(place: _Place, image: Path, number: int) -> Path:
    """The same picture as another file: one byte behind its end makes it another job."""
    copy = place.folder / f"mixed-{number}{image.suffix}"
    copy.write_bytes(image.read_bytes() + bytes([number]))
    return copy
