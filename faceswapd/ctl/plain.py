"""Words and numbers for a terminal: harmless, and as wide as there is room.

Names come from whoever drops files, so they may hold anything. What `str.isprintable` refuses (control
characters, bidirectional marks, lone surrogates, line separators) is shown as an escape.
"""

import math
import os
import time
from collections.abc import Iterable

from faceswapd.control.wire.messages import are_own_photos


def clean(text: str) -> str:
    """The text without anything that could move a cursor, turn the writing or break a line."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else _escape(char) for char in text)


def _escape(char: str) -> str:
    if "\udc80" <= char <= "\udcff":  # a byte that is not UTF-8, as os.fsdecode keeps it
        return f"\\x{ord(char) & 0xFF:02x}"
    return char.encode("unicode_escape").decode("ascii")


def columns(text: str) -> int:
    """How many columns a cleaned text takes on a terminal."""
    if text.isascii():
        return len(text)
    from unicodedata import category, east_asian_width

    return sum(0 if category(char) in ("Mn", "Me") else 2 if east_asian_width(char) in "WF" else 1 for char in text)


def shorten(text: str, width: int) -> str:
    """A cleaned name in at most `width` columns: the middle goes, start and ending stay."""
    text = clean(text)
    if columns(text) <= width:
        return text
    if width <= 3:
        return "." * max(width, 0)
    tail = (width - 3) // 2
    return _head(text, width - 3 - tail) + "..." + _head(text[::-1], tail)[::-1]


def cut(text: str, width: int) -> str:
    """A cleaned sentence in at most `width` columns: the end goes."""
    text = clean(text)
    if columns(text) <= width:
        return text
    if width <= 3:
        return "." * max(width, 0)
    return _head(text, width - 3).rstrip() + "..."


def wrap(pieces: Iterable[str], width: int, most: int) -> list[str]:
    """Cleaned pieces (words, or what must not be torn apart) in lines of `width` columns, `most` lines at most."""
    lines = [""]
    for piece in map(clean, pieces):
        longer = f"{lines[-1]} {piece}" if lines[-1] else piece
        if columns(longer) <= width or not lines[-1] or len(lines) == most:
            lines[-1] = longer
        else:
            lines.append(piece)
    return [cut(line, width) for line in lines]


def _head(text: str, width: int) -> str:
    if text.isascii():
        return text[:width]
    used = 0
    for place, char in enumerate(text):
        used += columns(char)
        if used > width:
            return text[:place]
    return text


def pad(text: str, width: int) -> str:
    """The text with blanks up to `width` columns."""
    return text + " " * (width - columns(text))


def duration(seconds: float) -> str:
    """Seconds in words, as exact as anybody wants to know: `45 s`, `12 min`, `3 h 5 min`, `2 d 4 h`."""
    if not math.isfinite(seconds):
        return "?"
    whole = max(0, round(seconds))
    if whole < 90:
        return f"{whole} s"
    minutes = round(whole / 60)
    if minutes < 90:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if hours else f"{days} d"


def clock(at: float) -> str:
    """A moment (seconds since 1970) as local date and time."""
    try:
        return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))
    except (OverflowError, OSError, ValueError):
        return "?"


def percent(progress: float) -> str:
    """Progress from 0.0 to 1.0 as ` 50 %`, always of the same width. Not 100 before all is done."""
    return f"{int(_within(progress) * 100):3d} %"


def bar(progress: float, width: int) -> str:
    """Progress from 0.0 to 1.0 as a bar of `width` columns with its brackets."""
    room = width - 2
    done = int(_within(progress) * room)
    return "[" + "#" * done + "-" * (room - done) + "]"


def _within(progress: float) -> float:
    return min(max(progress, 0.0), 1.0) if math.isfinite(progress) else 0.0


def count(number: int, noun: str) -> str:
    """`1 job`, `2 jobs`, `12,345 jobs`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def face_name(face: str | None) -> str:
    """A face as people know it: photos that came with one target have no name that means anything."""
    return "own photos" if are_own_photos(face) else clean(face or "-")


def base_name(path: str) -> str:
    """A path's last part, of a folder too. Paths on the wire are text: nothing of them is looked up here."""
    return path.rstrip("/").rpartition("/")[2] or path


def shell_quote(path: str) -> str:
    """A path as one word of a shell command line that can be copied from the terminal.

    Where plain quotes would show something harmful, the bytes are spelled as `$'...'` (bash, zsh, ksh).
    """
    if path.isprintable():
        from shlex import quote

        return quote(path)
    spelled = (
        chr(byte) if 0x20 <= byte < 0x7F and byte not in b"'\\" else f"\\x{byte:02x}" for byte in os.fsencode(path)
    )
    return "$'" + "".join(spelled) + "'"
