"""GET /metrics, its document and its dashboard."""

import asyncio
import json
import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics_families
from prometheus_client.parser import text_string_to_metric_families

from faceswapd.control.live import SlotLive
from faceswapd.control.metrics import exposed, families, figures_of
from faceswapd.core.breaker import Breaker
from faceswapd.core.failures import Failure
from faceswapd.core.gate import GpuReading
from faceswapd.core.retry import GiveUp
from faceswapd.ledger import claims, outcomes
from faceswapd.ledger.claims import Runner
from faceswapd.ledger.connection import Ledger
from faceswapd.ledger.outcomes import Spent
from faceswapd.ledger.tallies import BOUNDS, Histogram, Tallies
from tests.control.serving import Control
from tests.control.test_health import READING
from tests.control.test_network import ask, bearer
from tests.ledger.arrivals import NOW, admit, arrival, claim, ran, record, running
from tests.ledger.conftest import ledger  # noqa: F401  a fixture

ROOT = Path(__file__).parents[2]
HOSTILE = 'a"b\\c\nd{}e'
OOM = Failure("gpu_oom", "The GPU has too little memory.")

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def samples(metrics: Iterable[Metric]) -> Samples:
    return {(one.name, tuple(sorted(one.labels.items()))): one.value for metric in metrics for one in metric.samples}


def value(found: Samples, name: str, **labels: str) -> float:
    return found[f"faceswapd_{name}", tuple(sorted(labels.items()))]


async def worked(control: Control) -> None:
    """One job succeeds on a GPU with a hostile name, one fails, and the daemon has a day behind it."""
    ledger = control.ledger  # noqa: F811
    (job,) = await admit(ledger, arrival("alice/7.mp4", preset="fast"), now=NOW)
    segment = (await record(ledger, job)).segment
    one = ran(await claims.claim(ledger, segment, Runner("b", 1, "facefusion", HOSTILE), NOW + 7))
    await outcomes.succeed(ledger, one, "/o/7", "7", NOW + 67, Spent(250, 50.0))
    (job,) = await admit(ledger, arrival("alice/8.mp4"), now=NOW)
    await outcomes.failed(ledger, ran(await claim(ledger, job, NOW + 1)), OOM, GiveUp(OOM), NOW + 2)


async def told(control: Control) -> Any:
    tallies = await Tallies.begin(control.ledger, NOW)
    await worked(control)
    live = replace(
        control.house.live(),
        reading=replace(READING, gpus=(GpuReading("\ud800", 8),)),
        beats={"inbox": 0.5},
        breaker=Breaker(OOM),
        slots=2,
        places=(SlotLive(1, "facefusion", HOSTILE, (7,)), SlotLive(2, "facefusion", "GPU 1")),
    )
    return await figures_of(replace(control.house, live=lambda: live, tallies=tallies))


async def test_the_figures_are_those_of_the_ledger_and_of_the_moment(control: Control) -> None:
    figures = await told(control)
    body, media_type = exposed(figures, "")
    assert media_type == "text/plain; version=0.0.4; charset=utf-8"
    found = samples(text_string_to_metric_families(body.decode()))
    assert value(found, "jobs", state="succeeded") == 1
    assert value(found, "jobs", state="parked") == 1
    assert value(found, "failed_jobs", category="gpu_oom") == 1
    assert value(found, "executions_total", outcome="failed") == 1
    assert value(found, "executions_total", outcome="released") == 0
    assert value(found, "frames_total", preset="fast", device=HOSTILE, engine="facefusion") == 250
    assert value(found, "engine_seconds_total", preset="fast", device=HOSTILE, engine="facefusion") == 50
    assert value(found, "frames_per_second", preset="fast", device=HOSTILE) == 5
    assert (value(found, "queue_seconds_count"), value(found, "queue_seconds_sum")) == (2, 8)
    assert (value(found, "queue_seconds_bucket", le="5.0"), value(found, "queue_seconds_bucket", le="10.0")) == (1, 2)
    assert value(found, "run_seconds_bucket", outcome="succeeded", le="+Inf") == 1
    assert value(found, "run_seconds_sum", outcome="succeeded") == 60
    assert (value(found, "slots", state="busy"), value(found, "slots", state="free")) == (1, 1)
    assert (value(found, "gate_open"), value(found, "breaker_held"), value(found, "paused")) == (1, 1, 0)
    assert value(found, "beat_age_seconds", loop="inbox") == 0.5
    assert value(found, "disk_free_bytes", folder="outbox") == 3_000_000_000
    assert ("faceswapd_disk_free_bytes", (("folder", "scratch folder"),)) not in found, "it cannot be read"
    assert value(found, "gpu_free_bytes", gpu="\\ud800") == 8
    assert value(found, "machine_cpu_percent") == 40.0
    assert value(found, "webhook_backlog") == 0
    assert value(found, "resident_memory_bytes") > 10_000_000
    other = exposed(figures, "application/openmetrics-text; version=1.0.0")[0]
    again = samples(openmetrics_families(other.decode()))  # type: ignore[no-untyped-call]
    assert value(again, "run_seconds_created", outcome="failed") == NOW
    gone = ("faceswapd_resident_memory_bytes", "faceswapd_cpu_seconds_total")
    assert {key: one for key, one in again.items() if key[0] not in gone} == {
        key: one for key, one in found.items() if key[0] not in gone
    }


async def test_it_is_asked_with_the_token_over_the_port_and_without_on_the_socket(control: Control) -> None:
    assert (await ask(control, "GET", "/metrics")).status == 401
    answer = await ask(control, "GET", "/metrics", bearer(control))
    assert (answer.status, answer.headers["content-type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    for accept in (
        "application/openmetrics-text; version=1.0.0; q=0.5",
        "application/openmetrics-text; version=x; escaping=y",
    ):
        answer = await ask(control, "GET", "/metrics", bearer(control), f"Accept: {accept}")
        assert answer.headers["content-type"] == "application/openmetrics-text; version=1.0.0; charset=utf-8"
    raw = await control.raw(b"GET /metrics HTTP/1.1\r\nHost: daemon\r\nConnection: close\r\n\r\n")
    assert b'faceswapd_jobs{state="queued"} 1.0' in raw


async def test_what_runs_is_counted_when_it_has_ended_and_nothing_twice(ledger: Ledger) -> None:  # noqa: F811
    before = await running(ledger, arrival("alice/0.mp4"))
    tallies = await Tallies.begin(ledger, NOW)
    slow, quick = await running(ledger, arrival("alice/1.mp4")), await running(ledger, arrival("alice/2.mp4"))
    await outcomes.succeed(ledger, quick, "/o/2", "2", NOW + 4, Spent(100, 4.0))
    await asyncio.gather(*(tallies.read() for _ in range(5)))
    tally = await tallies.read()
    assert (sum(tally.queue.counts), {key: sum(one.counts) for key, one in tally.runs.items()}) == (2, {"succeeded": 1})
    for run in (slow, before):
        await outcomes.succeed(ledger, run, f"/o/{run.job}", f"{run.job}", NOW + 40, Spent(100, 36.0))
    tally = await tallies.read()
    assert (sum(tally.queue.counts), sum(tally.runs["succeeded"].counts)) == (2, 2), "one began before the daemon did"
    assert tally.runs["succeeded"].sum == 44.0
    assert tally.speeds == {("balanced", "CPU"): 5.0}


def test_a_histogram_counts_by_the_bound_that_is_not_below() -> None:
    histogram = Histogram()
    for seconds in (0.0, 1.0, 1.1, 1e9, -5.0):
        histogram.note(seconds)
    assert (histogram.counts[0], histogram.counts[1], histogram.counts[len(BOUNDS)]) == (3, 1, 1)
    assert histogram.sum == 1e9 + 2.1


async def names(control: Control) -> dict[str, set[str]]:
    """Each metric as Prometheus calls it, with its labels."""
    found: dict[str, set[str]] = {}
    for metric in families(await told(control)):
        name = metric.name + ("_total" if metric.type == "counter" else "")
        found[name] = {label for one in metric.samples for label in one.labels} - {"le"}
    return found


async def test_the_document_tells_every_metric_with_its_labels_and_no_other(control: Control) -> None:
    text = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(faceswapd_\w+)` \| ([^|]*)\|", text, flags=re.MULTILINE)
    documented = {name: set(re.findall(r"`(\w+)`", labels)) for name, labels in rows}
    there = await names(control)
    assert documented == there
    assert set(re.findall(r"faceswapd_\w+", text)) - set(there) == set()


async def test_the_dashboard_asks_for_nothing_that_is_not_there(control: Control) -> None:
    board = json.loads((ROOT / "docs" / "grafana.json").read_text(encoding="utf-8"))
    there = await names(control)
    series = set(there) | {f"{name}{end}" for name in there for end in ("_bucket", "_sum", "_count")}
    queries = [target["expr"] for panel in board["panels"] for target in panel.get("targets", ())]
    assert len(queries) >= 12
    for query in queries:
        asked = set(re.findall(r"faceswapd_\w+", query))
        assert asked
        assert asked <= series, query
    assert {"faceswapd_jobs", "faceswapd_frames_total", "faceswapd_queue_seconds_bucket"} <= {
        name for query in queries for name in re.findall(r"faceswapd_\w+", query)
    }
    places = [tuple(panel["gridPos"][side] for side in "xywh") for panel in board["panels"]]
    assert all(x + w <= 24 for x, _, w, _ in places)
    ids = [panel["id"] for panel in board["panels"]]
    assert len(ids) == len(set(ids))
