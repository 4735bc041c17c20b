"""What is said of the ledger. Standard library only."""

from collections.abc import Sequence
from typing import NamedTuple


class LedgerCheck(NamedTuple):
    """GET /api/ledger/check."""

    problems: Sequence[str]  # in sentences; none when all is well
    jobs: int
    size: int  # bytes
    text: str  # the result in one sentence
