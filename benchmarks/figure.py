"""One measured number, and what is asked of it."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """A line of the table."""

    what: str
    value: str
    asked: str  # empty: nothing, it is told beside the others
    met: bool = True


def table(figures: Iterable[Figure]) -> str:
    """All figures, in columns."""
    lines = [("what", "measured", "asked", "")]
    lines += [(one.what, one.value, one.asked or "-", _verdict(one)) for one in figures]
    widths = [max(len(line[column]) for line in lines) for column in range(3)]
    return "\n".join(
        "  ".join((*(cell.ljust(width) for cell, width in zip(line, widths, strict=False)), line[3])).rstrip()
        for line in lines
    )


def _verdict(one: Figure) -> str:
    if not one.met:
        return "NOT MET"
    return "ok" if one.asked else ""


def milliseconds(seconds: float) -> str:
    """A time of some thousandths, for people."""
    return f"{seconds * 1000:.2f} ms" if seconds < 0.01 else f"{seconds * 1000:.0f} ms"
