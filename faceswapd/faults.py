"""Points at which the tests let the daemon die, as if somebody had pulled the plug on it.

Without the variable in the environment of its start a point is a function that does nothing. With
`FACESWAPD_TEST_FAULT="after succeed"` the process kills itself when it comes there the first time; with
`"after succeed:3"` the third time. Every write of the ledger has two points by itself, `before NAME` and `after NAME`
its COMMIT, where NAME is the function that asked for it; all others are named where they stand.
"""

import os
import signal
from collections.abc import Callable
from typing import Any, Final

VARIABLE: Final = "FACESWAPD_TEST_FAULT"


class _Fuse:
    """Counts how often a point is reached, and kills the process at the last time."""

    def __init__(self, said: str) -> None:
        self._name, _, times = said.partition(":")
        self._left = int(times or 1)

    def reached(self, point: str) -> None:
        if point == self._name:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
                signal.pause()  # the signal may need a moment for this thread

    def writing(self, when: str, work: Callable[..., Any]) -> None:
        self.reached(f"{when} {work.__qualname__.partition('.')[0]}")


def _nothing(point: str) -> None:
    """No fault is asked for."""


def _no_write(when: str, work: Callable[..., Any]) -> None:
    """No fault is asked for."""


_said = os.environ.get(VARIABLE)
_fuse = None if _said is None else _Fuse(_said)

reached: Final[Callable[[str], None]] = _nothing if _fuse is None else _fuse.reached
writing: Final[Callable[[str, Callable[..., Any]], None]] = _no_write if _fuse is None else _fuse.writing
