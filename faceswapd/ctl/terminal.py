"""What is printed, where it goes, and how it looks there.

The values of this room are named tuples: a dataclass takes ten times as long to make (1 ms each).
"""

import os
import sys
from collections.abc import Iterable
from enum import Enum
from typing import NamedTuple

from faceswapd.ctl.plain import clean

ENDLESS = 1_000_000  # rows or columns


class Look(Enum):
    """How a line looks where there are colours; the value is its ANSI code."""

    PLAIN = ""
    TITLE = "1"
    GOOD = "32"
    HELD = "33"
    BAD = "31"
    DO = "36"  # what the user can do
    ASIDE = "2"


class Line(NamedTuple):
    """One line of a screen."""

    text: str
    look: Look = Look.PLAIN


class Terminal(NamedTuple):
    """Where standard output goes: its size, whether it takes colours and redrawing, and whether a program reads it."""

    width: int = 80
    rows: int = 24
    colours: bool = False
    redraws: bool = False
    piped: bool = False  # into a file or a program, for which nothing is cut

    def paint(self, line: Line) -> str:
        """A line as it is written. Cleaned once more, so that no screen can forget to."""
        text = clean(line.text)
        if self.colours and line.look.value:
            return f"\x1b[{line.look.value}m{text}\x1b[0m"
        return text

    def show(self, lines: Iterable[Line]) -> None:
        """Print lines to standard output."""
        for line in lines:
            print(self.paint(line))


def is_dumb() -> bool:
    """Whether the terminal takes neither colours nor anything else that moves on it."""
    return os.environ.get("TERM", "") in ("", "dumb")


def standard_output() -> Terminal:
    """The terminal of this process: 80 columns without an end and without colours where standard output is none."""
    # A name that the terminal's encoding lacks must not end the command.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    if sys.stdout is None or not sys.stdout.isatty():
        return Terminal(rows=ENDLESS, piped=True)
    try:
        width, rows = os.get_terminal_size(sys.stdout.fileno())
    except OSError:
        width, rows = 80, 24
    dumb = is_dumb()
    colours = not os.environ.get("NO_COLOR") and not dumb
    # A size of 0 x 0 is what a terminal says that does not know; 40 columns are the least we can fill.
    return Terminal(max(width, 40) if width else 80, rows or 24, colours, not dumb)
