"""How the daemon and its machine are: GET /api/health."""

import os
import time
from dataclasses import astuple
from pathlib import Path

from starlette.requests import Request

from faceswapd.control import requests
from faceswapd.control.live import House, Live
from faceswapd.control.operation import Operation, Parameter
from faceswapd.control.refusal import Refused
from faceswapd.control.views import state_of
from faceswapd.control.wire import health_messages, messages
from faceswapd.core.breaker import Breaker
from faceswapd.core.gate import Limits, Reading
from faceswapd.core.reading_history import ReadingHistory
from faceswapd.ledger import standing
from faceswapd.ledger.connection import Ledger

LONGEST_HOURS = 24


async def _health(house: House, request: Request) -> health_messages.Health:
    hours = requests.whole(request, "hours", LONGEST_HOURS)
    if hours > LONGEST_HOURS:
        raise Refused(400, f"The history is of {LONGEST_HOURS} hours.", f"Ask for 0 to {LONGEST_HOURS} `hours`.")
    return await health(house, hours)


async def health(house: House, hours: int) -> health_messages.Health:
    """GET /api/health, with so many hours of history."""
    live, now = house.live(), time.time()
    pauses = await standing.pauses(house.ledger)
    state, why = state_of(live, pauses.daemon)
    return health_messages.Health(
        now=now,
        state=state,
        why=why,
        gate=health_messages.GateHealth(
            live.gate.open,
            [messages.Held(held.reason, held.reading, held.limit) for held in live.gate.held],
            live.gate_since,
        ),
        breaker=_breaker(live.breaker, now),
        pause=health_messages.PauseHealth(pauses.daemon, pauses.since, sorted(pauses.inboxes)),
        beats=dict(live.beats),
        silent=list(live.silent),
        reading=None if live.reading is None else _reading(live.reading, live.limits),
        limits=health_messages.LimitsHealth(*astuple(live.limits)),
        slots=_slots(live),
        engine=health_messages.EngineHealth(live.engine, live.engine_version, live.engine_why),
        ledger=_ledger(house.ledger),
        history=_history(house.history, now - hours * 3600) if hours else [],
    )


def _breaker(breaker: Breaker, now: float) -> health_messages.BreakerHealth:
    failure, steady = breaker.failure, time.monotonic()
    if failure is None:
        return health_messages.BreakerHealth(held=False)
    return health_messages.BreakerHealth(
        held=True,
        category=failure.category,
        why=failure.sentence,
        advice=failure.advice,
        since=now - (steady - breaker.opened_at),
        next_try_in=max(0.0, breaker.probe_at - steady),
        tries=breaker.probes,
    )


def _reading(reading: Reading, limits: Limits) -> health_messages.ReadingHealth:
    vitals = reading.vitals
    return health_messages.ReadingHealth(
        at=reading.at,
        cpu_percent=None if vitals is None else vitals.cpu_percent,
        cpu_percent_of_others=reading.cpu_percent,
        load_per_core=reading.load_per_core,
        memory_free=reading.memory_free,
        memory=None if vitals is None else vitals.memory,
        swap_used=None if vitals is None else vitals.swap_used,
        swap=None if vitals is None else vitals.swap,
        temperature=None if vitals is None else vitals.temperature,
        on_battery=None if vitals is None else vitals.on_battery,
        battery_percent=None if vitals is None else vitals.battery_percent,
        folders=[
            health_messages.FolderHealth(
                folder.name,
                folder.path,
                folder.free,
                limits.disk_free,
                None if folder.problem is None else f"The {folder.name} {folder.problem}.",
            )
            for folder in reading.folders
        ],
        gpus=[health_messages.GpuHealth(gpu.name, gpu.free, gpu.total, gpu.busy_percent) for gpu in reading.gpus],
    )


def _slots(live: Live) -> list[health_messages.SlotHealth]:
    return [
        health_messages.SlotHealth(slot.number, slot.engine, slot.device, slot.level, list(slot.jobs), slot.child)
        for slot in live.places
    ]


def _ledger(ledger: Ledger) -> health_messages.LedgerHealth:
    parts = (ledger.path, Path(f"{ledger.path}-wal"))
    return health_messages.LedgerHealth(str(ledger.path), sum(map(_size, parts)), ledger.full, ledger.busy())


def _size(path: Path) -> int:
    try:
        return os.stat(path).st_size  # noqa: PTH116  a look, and no question of where it leads
    except OSError:
        return 0


def _history(history: ReadingHistory, since: float) -> list[health_messages.Moment]:
    return [health_messages.Moment(*astuple(point)) for point in history.since(since)]


HOURS = Parameter(
    "hours",
    {"type": "integer", "minimum": 0, "maximum": LONGEST_HOURS, "default": LONGEST_HOURS},
    "how much of the history; 0: none of it",
)

OPERATIONS = (
    Operation(
        "GET",
        "/api/health",
        _health,
        "How the daemon and its machine are: gate, breaker, loops, readings, slots, and the readings of a day.",
        health_messages.Health,
        parameters=(HOURS,),
        refusals=(400,),
    ),
)
