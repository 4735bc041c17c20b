"""Each loop shows that it lives. One that does not is found out by whoever looks at the beats."""

import time


class Beats:
    """When each loop last showed that it lives, on the monotonic clock."""

    def __init__(self) -> None:
        self._last: dict[str, float] = {}

    def beat(self, loop: str) -> None:
        """A loop lives."""
        self._last[loop] = time.monotonic()

    def silent(self, seconds: float) -> tuple[str, ...]:
        """The loops that have not beaten for so long."""
        now = time.monotonic()
        return tuple(sorted(loop for loop, at in self._last.items() if now - at > seconds))
