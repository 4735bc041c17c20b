"""What Prometheus reads: the figures, and how they are said. The library is loaded when somebody asks first."""

import asyncio
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import accumulate
from typing import TYPE_CHECKING, Final

import psutil

import faceswapd
from faceswapd.control.live import House, Live
from faceswapd.core.job import State
from faceswapd.ledger import report, reports, standing
from faceswapd.ledger.connection import Reads
from faceswapd.ledger.report import EndedExecutions
from faceswapd.ledger.tallies import BOUNDS, Histogram, Tally

if TYPE_CHECKING:  # no circle is hidden here: few daemons are asked for metrics
    from prometheus_client.metrics_core import Metric

_SORT: Final = ("preset", "device", "engine")
TEXT: Final = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS: Final = "application/openmetrics-text; version=1.0.0; charset=utf-8"
OUTCOMES: Final = ("succeeded", "failed", "retried", "released", "cancelled")


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything that is told, at one moment."""

    live: Live
    jobs: Mapping[State, int]
    failed: Mapping[str, int]  # jobs by category
    ended: tuple[EndedExecutions, ...]  # all that ever did, by sort
    paused: bool
    ledger_full: bool
    tally: Tally = field(default_factory=lambda: Tally(time.time()))


async def _read(
    reads: Reads,
) -> tuple[Mapping[State, reports.Count], Mapping[str, int], Sequence[EndedExecutions], standing.Pauses]:
    return (
        await reports.counts(reads),
        await report.failed_by_category(reads),
        await report.all_executions(reads),
        await standing.pauses(reads),
    )


async def figures_of(house: House) -> Figures:
    """The figures of this moment."""
    ledger = house.ledger
    read, tally = await asyncio.gather(ledger.together(_read), _tally(house))  # one way to the ledger's thread and back
    counts, failed, ended, pauses = read
    return Figures(
        live=house.live(),
        jobs={state: count.jobs for state, count in counts.items()},
        failed=failed,
        ended=tuple(ended),
        paused=pauses.daemon,
        ledger_full=ledger.full,
        tally=tally,
    )


async def _tally(house: House) -> Tally:
    return Tally(time.time()) if house.tallies is None else await house.tallies.read()


def exposed(figures: Figures, accept: str) -> tuple[bytes, str]:
    """The figures in the format that is asked for, and its media type. It takes a millisecond."""
    from prometheus_client import CollectorRegistry, exposition
    from prometheus_client.openmetrics import exposition as openmetrics

    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector(figures))
    # Not by the library's own choice, which says in its answer what the one who asks has written.
    if OPENMETRICS.partition(";")[0] in accept:
        return openmetrics.generate_latest(registry), OPENMETRICS  # type: ignore[no-untyped-call]
    return exposition.generate_latest(registry), TEXT


class _Collector:
    """As a registry wants it."""

    def __init__(self, figures: Figures) -> None:
        self._figures = figures

    def collect(self) -> "Iterator[Metric]":
        return families(self._figures)


def families(figures: Figures) -> "Iterator[Metric]":
    """Each metric with its samples. docs/metrics.md says what each means."""
    yield from _of_the_daemon(figures)
    yield from _of_the_work(figures)
    yield from _of_the_machine(figures.live)
    yield from _of_the_process()


def _of_the_daemon(figures: Figures) -> "Iterator[Metric]":
    live = figures.live
    version = {"version": faceswapd.__version__, "engine": live.engine, "engine_version": live.engine_version or ""}
    yield _gauge(
        "build_info", "Which faceswapd this is, and what swaps. Always 1.", [(tuple(version.values()), 1)], *version
    )
    yield _gauge("start_time_seconds", "When the daemon started, in seconds since 1970.", [((), live.started_at)])
    yield _gauge("gate_open", "Whether the machine has room for something new.", [((), live.gate.open)])
    held = live.breaker.failure is not None
    yield _gauge("breaker_held", "Whether the queue is held because the surroundings are broken.", [((), held)])
    yield _gauge("paused", "Whether somebody has paused the daemon.", [((), figures.paused)])
    busy = sum(bool(place.jobs) for place in live.places)
    slots = [(("busy",), busy), (("free",), live.slots - busy)]
    yield _gauge("slots", "Slots that have work, and slots that have none.", slots, "state")
    beats = [((loop,), age) for loop, age in live.beats.items()]
    yield _gauge("beat_age_seconds", "Seconds since a loop last showed that it lives.", beats, "loop")
    yield _gauge("ledger_full", "Whether the ledger's disk has no space left.", [((), figures.ledger_full)])
    yield _gauge("webhook_backlog", "Notices that no webhook has taken yet.", [((), live.webhook_backlog)])


def _of_the_work(figures: Figures) -> "Iterator[Metric]":
    jobs = [((str(state),), figures.jobs.get(state, 0)) for state in State]
    yield _gauge("jobs", "Jobs, by state.", jobs, "state")
    failed = [((category,), number) for category, number in figures.failed.items()]
    yield _gauge("failed_jobs", "Jobs that have failed, by category.", failed, "category")
    outcomes = dict.fromkeys(OUTCOMES, 0)
    frames: dict[tuple[str, ...], float] = {}
    seconds: dict[tuple[str, ...], float] = {}
    for one in figures.ended:
        outcomes[one.outcome] = outcomes.get(one.outcome, 0) + one.executions
        if one.outcome == "succeeded":
            sort = (one.preset, one.device, one.engine)
            frames[sort] = frames.get(sort, 0) + one.frames
            seconds[sort] = seconds.get(sort, 0) + one.seconds
    ended = [((outcome,), number) for outcome, number in outcomes.items()]
    yield _counter("executions", "Executions that have ended, by outcome.", ended, "outcome")
    yield _counter("frames", "Frames of executions that succeeded.", frames.items(), *_SORT)
    yield _counter("engine_seconds", "Seconds that engines spent on these frames.", seconds.items(), *_SORT)
    tally = figures.tally
    what = "Frames a second of the last 20 videos."
    yield _gauge("frames_per_second", what, tally.speeds.items(), "preset", "device")
    waits = [((), tally.queue)]
    yield _histogram("queue_seconds", "Seconds in the queue before a job's first attempt.", waits, tally.since)
    runs = [((outcome,), tally.runs.get(outcome, Histogram())) for outcome in OUTCOMES]
    yield _histogram("run_seconds", "Seconds from an execution's start to its end.", runs, tally.since, "outcome")


def _of_the_machine(live: Live) -> "Iterator[Metric]":
    reading = live.reading
    folders = [] if reading is None else [((one.name,), one.free) for one in reading.folders if one.free is not None]
    yield _gauge("disk_free_bytes", "Space for us on the disk of a folder.", folders, "folder")
    gpus = [] if reading is None else [((one.name,), one.free) for one in reading.gpus]
    yield _gauge("gpu_free_bytes", "Free memory of a GPU that is watched.", gpus, "gpu")
    read = [] if reading is None else [((), reading.memory_free)]
    yield _gauge("machine_memory_free_bytes", "Memory that programs can have without swapping.", read)
    load = [] if reading is None else [((), reading.load_per_core)]
    yield _gauge("machine_load_per_core", "The 1-minute load average for each core.", load)
    used = [] if reading is None or reading.vitals is None else [((), reading.vitals.cpu_percent)]
    yield _gauge("machine_cpu_percent", "Use of all cores, by everybody, in per cent.", used)


def _of_the_process() -> "Iterator[Metric]":
    process = _own_process()
    times = process.cpu_times()
    memory = [((), process.memory_info().rss)]
    yield _gauge("resident_memory_bytes", "Memory of the daemon's own process.", memory)
    yield _counter("cpu_seconds", "Processor time of the daemon's own process.", [((), times.user + times.system)])


@cache
def _own_process() -> psutil.Process:
    """To make one reads more of /proc than all that is asked of it."""
    return psutil.Process()


_Samples = Iterable[tuple[tuple[str, ...], float]]


def _gauge(name: str, what: str, samples: _Samples, *labels: str) -> "Metric":
    from prometheus_client.metrics_core import GaugeMetricFamily

    family = GaugeMetricFamily(f"faceswapd_{name}", what, labels=labels)
    for values, number in samples:
        family.add_metric(_harmless(values), float(number))
    return family


def _counter(name: str, what: str, samples: _Samples, *labels: str) -> "Metric":
    from prometheus_client.metrics_core import CounterMetricFamily

    family = CounterMetricFamily(f"faceswapd_{name}", what, labels=labels)
    for values, number in samples:
        family.add_metric(_harmless(values), float(number))
    return family


def _histogram(
    name: str, what: str, samples: Iterable[tuple[tuple[str, ...], Histogram]], since: float, *labels: str
) -> "Metric":
    from prometheus_client.metrics_core import HistogramMetricFamily

    family = HistogramMetricFamily(f"faceswapd_{name}", what, labels=labels)
    for values, told in samples:
        bounds = (*(str(bound) for bound in BOUNDS), "+Inf")
        buckets = list(zip(bounds, map(float, accumulate(told.counts)), strict=True))
        harmless = _harmless(values)
        family.add_metric(harmless, buckets, told.sum)
        family.add_sample(f"faceswapd_{name}_created", dict(zip(labels, harmless, strict=True)), since)
    return family


def _harmless(values: Iterable[str]) -> list[str]:
    """Labels as UTF-8 can say them; quotes and line ends are the library's own business."""
    return [value.encode(errors="backslashreplace").decode() for value in values]
