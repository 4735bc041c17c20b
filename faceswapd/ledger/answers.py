"""What was answered to requests that bear a key, so that the same request again gets the same answer."""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from faceswapd.ledger.connection import Ledger


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer."""

    request: str  # a hash of all that was asked for
    status: int
    body: Mapping[str, Any]  # as it goes over the wire
    headers: Mapping[str, str]  # beside the usual ones


async def known(ledger: Ledger, key: str, since: float) -> Answer | None:
    """What was answered under a key since then."""
    row = await ledger.row("SELECT request, status, body, headers FROM answers WHERE key = ? AND at >= ?", (key, since))
    if row is None:
        return None
    return Answer(row["request"], row["status"], json.loads(row["body"]), json.loads(row["headers"]))


async def remember(ledger: Ledger, key: str, answer: Answer, now: float, before: float) -> None:
    """Keep an answer, and forget all of before that time."""

    def unit(connection: sqlite3.Connection) -> None:
        connection.execute("DELETE FROM answers WHERE at < ?", (before,))
        connection.execute(
            "INSERT OR REPLACE INTO answers (key, request, status, body, headers, at) VALUES (?, ?, ?, ?, ?, ?)",
            (key, answer.request, answer.status, json.dumps(answer.body), json.dumps(dict(answer.headers)), now),
        )

    await ledger.write(unit, ring=False)
