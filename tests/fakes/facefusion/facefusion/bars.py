"""Progress as the program tqdm draws it: on stderr, each state after a carriage return, a newline at the end."""

import os
import sys
import time
from types import TracebackType
from typing import Self

from . import state_manager
from .traits import say

_INTERVAL = float(os.environ.get("TQDM_MININTERVAL", "0.1"))  # seconds between two states
_KILO = 1024.0


class Bar:
    """One bar; to be used in a `with` statement."""

    def __init__(self, phase: str, total: int, unit: str = "frame") -> None:
        self.done = 0
        self._phase, self._total, self._unit = say(phase), total, unit
        self._postfix = ""
        self._hidden = state_manager.get_item("log_level") in {"warn", "error"}
        self._start = self._drawn = time.monotonic()

    def __enter__(self) -> Self:
        self._draw()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._draw()
        self._write("\n")

    def note(self, **values: object) -> None:
        """Write values behind the bar. It is drawn at once."""
        self._postfix = "".join(f", {name}={value}" for name, value in values.items())
        self._draw()

    def move(self, to: int) -> None:
        """So much is done."""
        self.done = to
        if time.monotonic() - self._drawn >= _INTERVAL:
            self._draw()

    def _draw(self) -> None:
        self._drawn = time.monotonic()
        spent = self._drawn - self._start
        share = min(1.0, self.done / self._total) if self._total else 1.0
        filled = "=" * int(share * 10)
        left = spent / self.done * (self._total - self.done) if self.done else None
        eta = "?" if left is None else _clock(left)
        self._write(
            f"\r{self._phase}: {share * 100:3.0f}%|{filled:<10}| {self._amount(self.done)}/{self._amount(self._total)}"
            f" [{_clock(spent)}<{eta}, {self._rate(spent)}{self._postfix}]",
        )

    def _amount(self, number: float) -> str:
        if self._unit != "B":
            return str(int(number))
        for sign in ("", "k", "M"):
            if number < _KILO:
                return f"{number:.3g}{sign}" if number else "0.00"
            number /= _KILO
        return f"{number:.3g}G"

    def _rate(self, spent: float) -> str:
        if not self.done or spent <= 0:
            return f"?{self._unit}/s"
        rate = self.done / spent
        if self._unit == "B":
            return f"{self._amount(rate)}B/s"
        return f"{rate:5.2f}{self._unit}/s" if rate >= 1 else f"{1 / rate:5.2f}s/{self._unit}"

    def _write(self, text: str) -> None:
        if not self._hidden:
            sys.stderr.write(text)
            sys.stderr.flush()


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes:02d}:{seconds:02d}"
