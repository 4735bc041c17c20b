"""What FaceFusion's own `--help` says, as values."""

import re
from collections.abc import Iterator

_COMMANDS = re.compile(r"\{([a-z][\w,\s-]*)\}")
_OPTION = re.compile(r" {1,4}-{1,2}[a-z]")
_NAME = re.compile(r"(?<![\w-])--[a-z][\w-]*")
_LISTED = re.compile(r"\{([^{}]*)\}")
_RANGE = re.compile(r"\[\s*(-?[\d.]+\.\.-?[\d.]+:[\d.]+)\s*\]")
_TOLD = re.compile(r"\(choices: ([^()]*)\)")


def commands(text: str) -> frozenset[str]:
    """The commands of `facefusion.py --help`."""
    found = _COMMANDS.search(text)
    return frozenset() if found is None else frozenset(_split(found[1]))


def options(text: str) -> dict[str, tuple[str, ...]]:
    """The options of a command's `--help`, each with its choices.

    A range is one choice, as FaceFusion writes it: `[0..100:1]`. Empty: any value, or none at all. Lines may be
    wrapped anywhere, as narrow terminals have it.
    """
    found = {}
    for entry in _entries(text):
        name = _NAME.search(entry)
        if name is not None:
            found[name[0]] = _choices(entry)
    return found


def _entries(text: str) -> Iterator[str]:
    """One text for each option, its lines joined. The usage before the first empty line is left out."""
    entry = ""
    for line in text.partition("\n\n")[2].splitlines():
        if _OPTION.match(line):
            if entry:
                yield entry
            entry = line.strip()
        elif not line.startswith(" "):  # an empty line, or the title of a group
            if entry:
                yield entry
            entry = ""
        elif entry:
            entry += line.strip() if entry.endswith(("-", "/")) else " " + line.strip()
    if entry:
        yield entry


def _choices(entry: str) -> tuple[str, ...]:
    listed = _LISTED.search(entry)
    if listed is not None:
        return _split(listed[1])
    limits = _RANGE.search(entry)
    if limits is not None:
        return (f"[{limits[1]}]",)
    told = _TOLD.search(entry)
    return () if told is None else _split(told[1])


def _split(text: str) -> tuple[str, ...]:
    parts = (re.sub(r"\s+", "", part) for part in text.split(","))
    return tuple(part for part in parts if part and part != "...")
