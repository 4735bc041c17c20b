"""What a machine tells of itself beside what the gate asks for."""

import contextlib
import time

import psutil

from faceswapd.core.vitals import Vitals

SENSOR_SECONDS = 30.0  # sensors are slow to ask, and change slowly


def _untold() -> contextlib.suppress:
    """What does not tell is left out; psutil warns of a part of it, which may be an error."""
    return contextlib.suppress(OSError, RuntimeError, RuntimeWarning)


class Sensors:
    """Temperature and battery, asked seldom. Blocks: call it in a thread."""

    def __init__(self) -> None:
        self._asked_at: float | None = None
        self._told: tuple[float | None, bool | None, float | None] = (None, None, None)

    def read(self, cpu_percent: float) -> Vitals:
        """The machine now; sensors as they were at most half a minute ago."""
        now = time.monotonic()
        if self._asked_at is None or now - self._asked_at >= SENSOR_SECONDS:
            self._asked_at = now
            self._told = (_temperature(), *_battery())
        memory, swap = psutil.virtual_memory().total, None
        with _untold():  # a container may hide it
            swap = psutil.swap_memory()
        total, used = (0, 0) if swap is None else (swap.total, swap.used)
        return Vitals(cpu_percent, memory, total, used, *self._told)


def _temperature() -> float | None:
    """Of the hottest sensor. One that tells nothing sensible is none."""
    if not hasattr(psutil, "sensors_temperatures"):  # macOS
        return None
    with _untold():
        told = [one.current for group in psutil.sensors_temperatures().values() for one in group]
        return max((float(degrees) for degrees in told if degrees is not None and -50 < degrees < 150), default=None)
    return None


def _battery() -> tuple[bool | None, float | None]:
    """Whether the machine runs on its battery, and how full that is."""
    if not hasattr(psutil, "sensors_battery"):
        return None, None
    with _untold():
        battery = psutil.sensors_battery()
        if battery is not None:
            return (None if battery.power_plugged is None else not battery.power_plugged), float(battery.percent)
    return None, None
