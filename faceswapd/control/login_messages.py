"""The wire of coming in."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Link:
    """POST /api/login-links."""

    url: str  # opens once
    seconds: float  # for which it may be used
