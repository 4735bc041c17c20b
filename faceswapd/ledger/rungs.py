"""On which rung of the resource ladder work of a sort succeeded last."""

import sqlite3
from dataclasses import dataclass

from faceswapd.ledger.connection import Ledger

KEPT_SECONDS = 7 * 86400.0  # then it is tried as configured again: drivers and other programs change


@dataclass(frozen=True, slots=True)
class Size:
    """What needs about the same memory: work of one preset and resolution on one device."""

    device: str
    preset: str
    resolution: str  # core.ladder.bucket


async def known(ledger: Ledger, size: Size, now: float) -> int:
    """The rung that worked last; 0 where nothing is known."""
    row = await ledger.row(
        "SELECT rung FROM rungs WHERE device = ? AND preset = ? AND resolution = ? AND at > ?",
        (size.device, size.preset, size.resolution, now - KEPT_SECONDS),
    )
    return 0 if row is None else int(row["rung"])


async def keep(ledger: Ledger, size: Size, rung: int, now: float) -> None:
    """Work of this size succeeded on this rung. The time of a rung that is known already does not change."""

    def unit(connection: sqlite3.Connection) -> None:
        connection.execute(
            """INSERT INTO rungs (device, preset, resolution, rung, at) VALUES (?, ?, ?, ?, ?)
               ON CONFLICT DO UPDATE SET rung = excluded.rung, at = excluded.at
               WHERE rungs.rung <> excluded.rung OR rungs.at <= ?""",
            (size.device, size.preset, size.resolution, rung, now, now - KEPT_SECONDS),
        )

    await ledger.write(unit, durable=False)
