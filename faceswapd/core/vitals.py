"""What else is known of a machine: nothing of it holds the queue, but who looks for a reason wants to see it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Vitals:
    """The machine at one moment. None: this machine does not tell."""

    cpu_percent: float  # of all cores, used by everybody, our own children included
    memory: int  # bytes that it has
    swap: int  # bytes that it has
    swap_used: int  # bytes
    temperature: float | None = None  # degrees Celsius of the hottest sensor
    on_battery: bool | None = None
    battery_percent: float | None = None
