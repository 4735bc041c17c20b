"""Sets single keys in the text of a configuration and leaves every other line as its owner wrote it.

Lines are looked at one by one, which is not all of TOML. So the result is parsed and compared with what was wanted, and
a text that cannot be changed this way is not changed at all.
"""

import copy
import json
import os
import re
import shutil
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

Values = Mapping[str, Mapping[str, str]]  # by section ("engine.facefusion") and key

_HEADER: Final = re.compile(r"(?P<comment>\s*#\s*)?\s*\[\[?\s*(?P<section>[\w.-]+)\s*\]\]?\s*(#.*)?$")


class EditRefused(Exception):
    """The text cannot be changed by itself; the sentence says what its owner has to write."""


@dataclass(frozen=True, slots=True)
class Edited:
    """The text after it was changed."""

    text: str
    replaced: bool  # whether a line that was no comment has another value now


def edited(text: str, values: Values) -> Edited:
    """The text with these values. Raises EditRefused, and tomllib.TOMLDecodeError where the text is no TOML."""
    before = tomllib.loads(text)
    wanted = _with_values(before, values)
    if wanted == before:
        return Edited(text, replaced=False)
    ending = "\r\n" if 0 < text.count("\n") == text.count("\r\n") else "\n"
    lines, replaced = text.removesuffix(ending).split(ending) if text else [], False
    for section, keys in values.items():
        for key, value in keys.items():
            if _value_at(before, section, key) != value:
                replaced = _set(lines, section, key, value) or replaced
    made = ending.join(lines) + ending
    try:
        whole = tomllib.loads(made) == wanted
    except tomllib.TOMLDecodeError:
        whole = False
    if not whole:
        told = "; ".join(
            f"under [{section}]: {', '.join(f'{key} = {_toml(value)}' for key, value in keys.items())}"
            for section, keys in values.items()
        )
        raise EditRefused(f"It is written in a way that cannot be changed by itself. Write into it yourself {told}.")
    return Edited(made, replaced)


def write(config: Path, text: str) -> None:
    """Put the text in the file's place, whole or not at all, with the file's rights; a link stays one. Raises
    OSError."""
    place = config.resolve()
    handle, name = tempfile.mkstemp(prefix=f".{place.name}.", dir=place.parent)
    fresh = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        shutil.copymode(place, fresh)
        fresh.replace(place)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise


def read(config: Path) -> str:
    """The text with its own line ends. Raises OSError and UnicodeDecodeError."""
    return config.read_bytes().decode("utf-8")


def back_up(config: Path) -> Path:
    """Keep the file as it is beside itself, under a name that was free. Raises OSError."""
    number = 1
    while (place := config.with_name(f"{config.name}.before-setup-{number}")).exists():
        number += 1
    shutil.copy2(config, place)
    return place


def _with_values(values: dict[str, Any], wanted: Values) -> dict[str, Any]:
    made = copy.deepcopy(values)
    for section, keys in wanted.items():
        at = made
        for part in section.split("."):
            at = at.setdefault(part, {})
            if not isinstance(at, dict):
                raise EditRefused(f"`{part}` is no section there. Take it out.")
        at.update(keys)
    return made


def _value_at(values: Mapping[str, Any], section: str, key: str) -> object:
    at: Any = values
    for part in (*section.split("."), key):
        at = at.get(part) if isinstance(at, dict) else None
    return at


def _set(lines: list[str], section: str, key: str, value: str) -> bool:
    """Set one key in place. True when a line that was no comment was changed."""
    start = _header(lines, section, commented=False)
    if start is None:
        start = _header(lines, section, commented=True)
        if start is None:
            lines += [*([""] if lines and lines[-1].strip() else []), f"[{section}]", f"{key} = {_toml(value)}"]
            return False
        lines[start] = f"[{section}]"
    end = next((at for at in range(start + 1, len(lines)) if _HEADER.match(lines[at])), len(lines))
    for at in range(start + 1, end):
        if re.match(rf"\s*{re.escape(key)}\s*=", lines[at]):
            lines[at] = f"{key} = {_toml(value)}{_comment_of(lines[at])}"
            return True
    for at in range(start + 1, end):
        if re.match(rf"\s*#\s*{re.escape(key)}\s*=", lines[at]):
            lines[at] = f"{key} = {_toml(value)}"
            return False
    lines.insert(start + 1, f"{key} = {_toml(value)}")
    return False


def _header(lines: Sequence[str], section: str, *, commented: bool) -> int | None:
    for at, line in enumerate(lines):
        found = _HEADER.match(line)
        if found is not None and found["section"] == section and (found["comment"] is not None) is commented:
            return at
    return None


def _comment_of(line: str) -> str:
    """What stands behind the value of a line, from its # on; empty where nothing does."""
    try:
        whole = tomllib.loads(line)
    except tomllib.TOMLDecodeError:  # the value goes on in the next line; the comparison at the end will tell
        return ""
    for found in re.finditer(r"\s*#", line):
        try:
            if tomllib.loads(line[: found.start()]) == whole:
                return line[found.start() :]
        except tomllib.TOMLDecodeError:
            continue
    return ""


def _toml(value: str) -> str:
    """A string as TOML writes it: JSON's way, which escapes what TOML forbids."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
