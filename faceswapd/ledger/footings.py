"""On which file systems the inboxes and the faces folder lay when they were last well."""

import os
import sqlite3
from collections.abc import Sequence

from faceswapd.core.footing import Footing
from faceswapd.ledger.connection import Ledger

Footings = dict[str, tuple[Footing, ...]]  # by the folder's path


async def known(ledger: Ledger) -> Footings:
    """Those of all folders."""
    found: Footings = {}
    for row in await ledger.rows("SELECT * FROM footings ORDER BY folder, number"):
        footing = Footing(
            os.fsdecode(row["point"]),
            row["kind"],
            os.fsdecode(row["source"]),
            os.fsdecode(row["root"]),
            row["device"],
            int(row["system"]),
        )
        folder = os.fsdecode(row["folder"])
        found[folder] = (*found.get(folder, ()), footing)
    return found


async def stand_on(ledger: Ledger, folder: str, footings: Sequence[Footing]) -> None:
    """Put a folder's in the place of those before."""

    def unit(connection: sqlite3.Connection) -> None:
        connection.execute("DELETE FROM footings WHERE folder = ?", (os.fsencode(folder),))
        connection.executemany(
            """INSERT INTO footings (folder, number, point, kind, source, root, device, system)
               VALUES (?, ?, ?, ?, ?, ?, ?, ?)""",
            [
                (
                    os.fsencode(folder),
                    number,
                    os.fsencode(one.point),
                    one.kind,
                    os.fsencode(one.source),
                    os.fsencode(one.root),
                    one.device,
                    str(one.system),
                )
                for number, one in enumerate(footings)
            ],
        )

    await ledger.write(unit, durable=False)
