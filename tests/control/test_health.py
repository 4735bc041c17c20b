"""GET /api/health."""

import json
import time
from dataclasses import replace

from faceswapd.control.live import SlotLive
from faceswapd.control.routes.handlers import ready
from faceswapd.control.routes.health_routes import health as asked
from faceswapd.control.wire import messages
from faceswapd.control.wire.health_messages import Health, Moment
from faceswapd.core.breaker import Breaker
from faceswapd.core.failures import Failure
from faceswapd.core.gate import FolderReading, Gate, GpuReading, Held, Limits, Reading
from faceswapd.core.reading_history import Point
from faceswapd.core.vitals import Vitals
from faceswapd.ledger import standing
from tests.control.serving import Control

READING = Reading(
    at=1_763_816_400.0,
    cpu_percent=12.5,
    load_per_core=0.5,
    memory_free=4_000_000_000,
    folders=(
        FolderReading("outbox", "/o", 3_000_000_000),
        FolderReading("scratch folder", "/s", None, "is not writable for this user"),
    ),
    gpus=(GpuReading("GPU 0", 8, 16, 99.0),),
    vitals=Vitals(40.0, 8_000_000_000, 2_000, 1_000, 71.5, on_battery=True, battery_percent=33.0),
)


async def health(control: Control, query: str = "") -> Health:
    status, said = await control.ask(f"/api/health{query}")
    assert status == 200, said
    return messages.from_wire(Health, said)


async def test_before_the_first_reading_all_is_said_that_is_known(control: Control) -> None:
    told = await health(control)
    assert (told.state, told.reading, told.history) == ("running", None, [])
    assert (told.gate.open, told.gate.why, told.breaker.held, told.pause.daemon) == (True, [], False, False)
    assert (told.ledger.path, told.ledger.full) == (str(control.ledger.path), False)
    assert told.ledger.size > 10_000


async def test_what_is_wrong_is_told_with_its_reason_and_since_when(control: Control) -> None:
    await standing.pause(control.ledger, None, 1000.0)
    await standing.pause(control.ledger, "inbox", 1001.0)
    failure = Failure("gpu_lost", "The GPU is gone.")
    live = replace(
        control.house.live(),
        reading=READING,
        gate=Gate((Held("memory", "The memory is nearly full.", "1 MB free", "512 MB free"),)),
        gate_since=900.0,
        breaker=Breaker(failure, time.monotonic() - 60, time.monotonic() + 30, 2),
        beats={"inbox": 0.5, "scheduler": 6.0},
        silent=("scheduler",),
        limits=Limits(95.0, 0.0, 512_000_000, 256_000_000, 4),
        places=(SlotLive(1, "facefusion", "GPU 0", (7,), "warm", 4711), SlotLive(2, "facefusion", "GPU 1")),
        engine_version="FaceFusion 3.5.0",
    )
    told = await asked(replace(control.house, live=lambda: live), 24)
    assert told.state == "paused"
    assert (told.gate.open, told.gate.since) == (False, 900.0)
    assert told.gate.why == [messages.Held("The memory is nearly full.", "1 MB free", "512 MB free")]
    assert (told.breaker.held, told.breaker.category, told.breaker.why) == (True, "gpu_lost", "The GPU is gone.")
    assert told.breaker.since is not None
    assert told.breaker.next_try_in is not None
    assert abs(told.now - told.breaker.since - 60) < 5
    assert 20 < told.breaker.next_try_in <= 30
    assert (told.pause.daemon, told.pause.since, told.pause.inboxes) == (True, 1000.0, ["inbox"])
    assert (told.beats, told.silent) == ({"inbox": 0.5, "scheduler": 6.0}, ["scheduler"])
    assert told.reading is not None
    assert (told.reading.cpu_percent, told.reading.cpu_percent_of_others) == (40.0, 12.5)
    assert (told.reading.temperature, told.reading.on_battery, told.reading.battery_percent) == (71.5, True, 33.0)
    outbox, scratch = told.reading.folders
    assert (outbox.free, outbox.wanted, outbox.problem) == (3_000_000_000, 256_000_000, None)
    assert (scratch.free, scratch.problem) == (None, "The scratch folder is not writable for this user.")
    assert [(gpu.name, gpu.free, gpu.total, gpu.busy_percent) for gpu in told.reading.gpus] == [("GPU 0", 8, 16, 99.0)]
    assert (told.limits.cpu_percent, told.limits.gpu_free) == (95.0, 4)
    assert [(slot.device, slot.level, slot.jobs, slot.child) for slot in told.slots] == [
        ("GPU 0", "warm", [7], 4711),
        ("GPU 1", None, [], None),
    ]
    assert told.engine.version == "FaceFusion 3.5.0"


async def test_the_last_hours_are_told_and_no_more_than_are_asked_for(control: Control) -> None:
    now = time.time()
    for minutes in (23 * 60, 90, 30):
        control.house.history.note(Point(now - minutes * 60, cpu_percent=float(minutes)))
    assert [point.cpu_percent for point in (await health(control)).history] == [1380.0, 90.0, 30.0]
    assert (await health(control, "?hours=1")).history == [Moment(now - 1800, 30.0)]
    assert (await health(control, "?hours=0")).history == []
    status, said = await control.ask("/api/health?hours=25")
    assert (status, said["error"]) == (400, "The history is of 24 hours.")


async def test_a_whole_day_is_small_and_quickly_told(control: Control) -> None:
    now = time.time()
    for minute in range(1440):
        control.house.history.note(Point(now - (1439 - minute) * 60, *(1.25e9 + minute,) * 10))
    begun = time.monotonic()
    status, said = await control.ask("/api/health")
    assert (status, len(said["history"])) == (200, 1440)
    assert len(json.dumps(said)) < 1_000_000
    assert time.monotonic() - begun < 5


async def test_it_is_not_ready_while_a_loop_does_not_beat_or_it_stops(control: Control) -> None:
    live = control.house.live()
    assert (await ready(control.house)).ready
    stuck = replace(live, silent=("inbox", "scheduler"), draining=True)
    told = await ready(replace(control.house, live=lambda: stuck))
    assert not told.ready
    assert told.reasons == [
        "The daemon is stopping.",
        "The loop `inbox` does not answer.",
        "The loop `scheduler` does not answer.",
    ]
