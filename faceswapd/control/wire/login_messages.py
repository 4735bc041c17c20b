"""The wire of coming in."""

from typing import NamedTuple


class Link(NamedTuple):
    """POST /api/login-links."""

    url: str  # opens once
    seconds: float  # for which it may be used
