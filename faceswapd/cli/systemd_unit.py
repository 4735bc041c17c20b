"""The unit of the user's own systemd: its text, where it goes, and what it takes to start it."""

import os
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Final

UNIT: Final = "faceswapd.service"
PLACE: Final = "@COMMAND@"
SYSTEMCTL: Final = ("systemctl", "--user")


def unit_file() -> Path:
    """Where the unit of the running user lies."""
    given = Path(os.environ.get("XDG_CONFIG_HOME", ""))
    return (given if given.is_absolute() else Path.home() / ".config") / "systemd" / "user" / UNIT


def unit_text(command: Sequence[str]) -> str:
    """The unit that runs this command, whose first word is an absolute path."""
    if not _plain_program(command[0]):
        # systemd refuses quotes and the like in a program's path, in arguments it takes them.
        command = ["/usr/bin/env", *command]
    words = [_quoted(word, variables=place > 0) for place, word in enumerate(command)]
    line = f"ExecStart={PLACE}"
    template = _template()
    if template.count(line) != 1:
        raise ValueError(f"the template of {UNIT} has no line {line}")
    return template.replace(line, "ExecStart=" + " ".join(words))


def _template() -> str:
    """The wheel carries it beside this module; in a checkout it lies in systemd/."""
    packaged = resources.files(__package__) / UNIT
    source = packaged if packaged.is_file() else Path(__file__).parents[2] / "systemd" / UNIT
    return source.read_text("utf-8")


def _plain_program(path: str) -> bool:
    return path.isprintable() and not any(char in path for char in "'\"\\")


def _quoted(word: str, *, variables: bool) -> str:
    """A word of a command line as systemd reads it. Of the program's own path systemd expands no variable,
    so `$` stands for itself there."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    if variables:
        escaped = escaped.replace("$", "$$")
    spelled = "".join(
        char if char.isprintable() else "".join(f"\\x{byte:02x}" for byte in os.fsencode(char)) for char in escaped
    )
    plain = all(char.isalnum() or char in "/._-+=:,@" for char in word)
    return spelled if plain and word else f'"{spelled}"'


def lingers(user: str) -> bool:
    """Whether the user's systemd runs while the user is not logged in."""
    return Path("/var/lib/systemd/linger", user).exists()
