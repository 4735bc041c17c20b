"""Damaged and hostile files, through all that opens a target: probe, preflight and the preview engine.

`make test` takes a few dozen of them, `make test-deep` two thousand.
"""

import asyncio
import contextlib
import resource
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import av
import psutil
import pytest

from faceswapd.core.catalogue import CATALOGUE, FailureClass
from faceswapd.core.failures import Failure
from faceswapd.core.preflight import Weakness
from faceswapd.core.target import Facts, Kind, Prepared, Unreadable, kind_of
from faceswapd.engines.engine import EngineFailure, Output, Progress, Work
from faceswapd.engines.preview.engine import PreviewEngine
from faceswapd.media import child as examining
from faceswapd.media import mending_child
from faceswapd.media.drawn import write_portrait
from faceswapd.media.examiner import Examiner
from faceswapd.media.mender import Mender
from faceswapd.runtime.jobs import outbox
from faceswapd.settings.schema import TimeoutSettings
from tests.media.canary import Canary, canary
from tests.media.damage import Damaged, Whole, damaged, hostile

FEW, MANY = 30, 2000
STEP = 37  # from one of the few to the next: each with another name and another kind of damage
ANSWER_SECONDS = 90.0  # the examiner's own limit for a small file is 30, the mender's 60
QUIET_SECONDS = TimeoutSettings().no_progress  # the scheduler stops an engine that shows no life for so long
LARGEST = max(examining.MEMORY, mending_child.MEMORY)  # bytes


@dataclass
class Bench:
    """The three objects of the daemon that hand targets to children, and what they answered."""

    examiner: Examiner
    mender: Mender
    engine: PreviewEngine
    folder: Path
    face: Path
    answers: Counter[str] = field(default_factory=Counter)
    died: list[str] = field(default_factory=list)  # files that ended a child by a signal
    wrong: list[str] = field(default_factory=list)  # answers that no file may bring about
    slowest: tuple[float, str] = (0.0, "")
    memory: int = 0  # bytes that any of the children had at most

    async def take(self, one: Damaged, number: int) -> None:
        """All that opens a target opens this one."""
        place = self.folder / f"{number}-{one.name}"
        scratch = self.folder / "scratch" / f"execution-{number}"
        begun = time.monotonic()
        place.write_bytes(one.data)
        scratch.mkdir(parents=True)
        label = f"{number} {one.name} ({one.how})"
        facts = await self._probed(place, label)
        self._measure()
        await self._prepared(place, scratch, facts, label)
        self._measure()
        await self._swapped(place, scratch, facts, label)
        self._measure()
        self.slowest = max(self.slowest, (time.monotonic() - begun, label))
        outbox.remove_scratch(scratch)
        place.unlink()

    async def _probed(self, place: Path, label: str) -> Facts:
        """What the probe says; for an unreadable file what could have been said of it before it was damaged."""
        async with asyncio.timeout(ANSWER_SECONDS):
            answer = await self.examiner.probe(place)
        assert isinstance(answer, Facts | Unreadable)
        self.answers["probe: facts" if isinstance(answer, Facts) else "probe: unreadable"] += 1
        if isinstance(answer, Facts):
            return answer
        self._judge(Failure("target_unreadable", answer.sentence), f"probe of {label}")
        kind = kind_of(place.suffix) or Kind.VIDEO
        return Facts(kind, "0" * 64, 1000, 160, 120, 10, None, 0, 0)

    async def _prepared(self, place: Path, scratch: Path, facts: Facts, label: str) -> None:
        folder = scratch / "prepared"
        folder.mkdir()
        async with asyncio.timeout(ANSWER_SECONDS):
            answer = await self.mender.prepare(place, folder, facts, frozenset(Weakness), lambda _done, _total: None)
        assert isinstance(answer, Prepared | Failure)
        if isinstance(answer, Failure):
            self._judge(answer, f"preflight of {label}")
        self.answers[f"preflight: {answer.category if isinstance(answer, Failure) else 'prepared'}"] += 1

    async def _swapped(self, place: Path, scratch: Path, facts: Facts, label: str) -> None:
        output = scratch / f"output{place.suffix}"
        work = Work((self.face,), place, output, "fast", facts)
        clock = asyncio.get_running_loop().time
        try:
            async with asyncio.timeout(QUIET_SECONDS) as limit:

                def progress(_: Progress) -> None:
                    limit.reschedule(clock() + QUIET_SECONDS)

                answer = await self.engine.run(work, progress)
        except EngineFailure as error:
            self._judge(error.failure, f"preview of {label}")
            self.answers[f"preview: {error.failure.category}"] += 1
            if error.failure.category != "child_died":  # who was killed tidies nothing up; the daemon does
                assert not output.exists(), label
        except TimeoutError:
            self.answers["preview: stalled"] += 1
        else:
            assert isinstance(answer, Output)
            assert output.stat().st_size, label
            self.answers["preview: output"] += 1

    def _judge(self, failure: Failure, label: str) -> None:
        """A declared failure that blames the file, not the surroundings; a child may be ended by a signal, and never
        by an error of our own."""
        known = CATALOGUE.get(failure.category)
        blamed = known is not None and known.failure_class is FailureClass.ENVIRONMENT  # holds the queue of all others
        if known is None or blamed or failure.category == "unknown" or "exit code" in failure.sentence:
            self.wrong.append(f"{label}: {failure.category}: {failure.sentence}")
        elif "was ended by" in failure.sentence:
            self.died.append(f"{label}: {failure.sentence}")

    def _measure(self) -> None:
        for keeper in (self.examiner.child, self.mender.child):
            if keeper is not None:
                self.memory = max(self.memory, _most_memory(keeper.identity.pid))
        if self.engine.child is not None:
            self.memory = max(self.memory, _most_memory(self.engine.child.pid))

    def said(self) -> str:
        """The figures, for people."""
        lines = [f"{number:6d}  {answer}" for answer, number in sorted(self.answers.items())]
        largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
        lines += [
            f"slowest file: {self.slowest[0]:.1f} s, {self.slowest[1]}",
            f"most memory of a child: {max(self.memory, largest) / 1e6:.0f} MB",
            f"children ended by a signal: {len(self.died)}",
            *self.died,
        ]
        return "\n".join(lines)


def _most_memory(pid: int) -> int:
    """Bytes that a living process had at most; 0 where the system does not tell."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM:")), 0)


@asynccontextmanager
async def bench(folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    """Children that are warm, and none that is left at the end, nor anything in scratch or among temporary files."""
    temporary = folder / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    write_portrait(folder / "face.png", 4, 320)
    before = {child.pid for child in psutil.Process().children(recursive=True)}
    made = Bench(Examiner(), Mender(), PreviewEngine(), folder, folder / "face.png")
    try:
        yield made
    finally:
        await made.examiner.close()
        await made.mender.close()
        await made.engine.close()
    assert {child.pid for child in psutil.Process().children(recursive=True)} <= before
    assert list((folder / "scratch").iterdir()) == []
    assert list(temporary.iterdir()) == []
    assert made.memory < LARGEST


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    return Whole(tmp_path_factory.mktemp("whole"))


async def fuzz(bench: Bench, whole: Whole, seeds: range) -> None:
    for seed in seeds:
        await bench.take(damaged(whole, seed), seed)
    await still_well(bench, whole, seeds.stop)
    assert bench.wrong == []


async def still_well(bench: Bench, whole: Whole, number: int) -> None:
    """Whatever came before: a good file is taken as always."""
    sound = Damaged("scene.mp4", "not at all", whole["scene.mp4"])
    before = Counter(bench.answers)
    await bench.take(sound, number)
    assert bench.answers - before == Counter(["probe: facts", "preflight: prepared", "preview: output"])


async def test_a_few_damaged_files(tmp_path: Path, whole: Whole, monkeypatch: pytest.MonkeyPatch) -> None:
    async with bench(tmp_path, monkeypatch) as made:
        await fuzz(made, whole, range(0, STEP * FEW, STEP))


@pytest.mark.deep
async def test_two_thousand_damaged_files(
    tmp_path: Path, whole: Whole, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async with bench(tmp_path, monkeypatch) as made:
        try:
            await fuzz(made, whole, range(MANY))
        finally:
            with capsys.disabled():
                print(f"\n{MANY} damaged files:\n{made.said()}")  # noqa: T201  the figures are wanted


@pytest.fixture
def bird(tmp_path: Path, whole: Whole) -> Iterator[Canary]:
    path = tmp_path / "canary.mp4"
    path.write_bytes(whole["scene.mp4"])
    with canary(path) as bird:
        yield bird


async def test_hostile_files_open_nothing_and_harm_nobody(
    tmp_path: Path, whole: Whole, bird: Canary, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "place").mkdir()
    files = hostile(tmp_path, whole, bird.path, bird.url)
    async with bench(tmp_path / "place", monkeypatch) as made:
        for number, one in enumerate(files):
            await made.take(one, number)
            assert not bird.opened(), one
            assert not bird.called(), one
        await still_well(made, whole, len(files))
        assert made.wrong == []
    assert made.died == []


def test_the_canary_notices_what_such_files_would_do_to_a_trusting_reader(
    tmp_path: Path, whole: Whole, bird: Canary
) -> None:
    if not bird.sees:
        pytest.skip("the system does not tell of opened files")
    files: dict[str, bytes] = {}
    for one in hostile(tmp_path, whole, bird.path, bird.url):
        files.setdefault(one.name, one.data)  # the first of a name asks for the file
    assert not bird.opened()
    assert not bird.called()
    trusting = {"safe": "0", "enable_drefs": "1", "use_absolute_path": "1", "allowed_extensions": "ALL"}
    for name, form in (("concat.mp4", "concat"), ("playlist.mp4", "hls"), ("alias.mov", "mov")):
        place = tmp_path / name
        place.write_bytes(files[name])
        with contextlib.suppress(av.FFmpegError), av.open(place, format=form, options=trusting) as container:
            next(container.demux())
        assert bird.opened(), name
    with contextlib.suppress(OSError), urllib.request.urlopen(bird.url, timeout=0.1):
        pass
    assert bird.called()
