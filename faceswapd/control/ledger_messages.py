"""What is said of the ledger. Standard library only."""

from dataclasses import dataclass


@dataclass(frozen=True)
class LedgerCheck:
    """GET /api/ledger/check."""

    problems: list[str]  # in sentences; none when all is well
    jobs: int
    size: int  # bytes
    text: str  # the result in one sentence
